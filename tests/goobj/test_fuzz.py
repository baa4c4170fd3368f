"""Damaged archives and objects raise OtelobjError and nothing else, whether they are read or rewritten with hooks.

OTELOBJ_FUZZ_PARSES and OTELOBJ_FUZZ_REWRITES set the counts (defaults 600 and 80; `make torture` runs a million and 20,000). Every case has
a seed of its own, which a failure names.
"""

from __future__ import annotations

import os
import random
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import toolchains
from goobj_damage import Sample
from hypothesis import HealthCheck, given, settings, strategies
from toolexec_case import write

import trampolines
from objinst.link import preview
from objinst.goobj.archive import Archive
from objinst.gobuild.gocmd import programs
from objinst.errors import OtelobjError
from objinst.goobj import STATIC_ABI, Edit, Object, verify
from objinst.link import passes
from objinst.link.build import Build
from objinst.link.choice import choose
from objinst.link.rewriter import Rewriter
from objinst.link.session import Session, loader
from objinst.rewrite.result import read_result
from objinst.plan.judge import read_function
from objinst.plan.nosplit import relied_on
from objinst.plan.workers import workers
from objinst.rules import RT
from rule_files import load

PARSES = int(os.environ.get("OTELOBJ_FUZZ_PARSES", "600"))
REWRITES = int(os.environ.get("OTELOBJ_FUZZ_REWRITES", "80"))
SHARDS = range(8) if PARSES > 10_000 else range(1)
"""Parts of a long run, for several processes."""
VERSIONS = (toolchains.oldest(), toolchains.telemetry(), "1.26", toolchains.newest())
SMALL = ("maps", "internal/oserror", "internal/oserror", "encoding", "unicode/utf16")
LARGE = ("errors", "sync", "container/ring", "container/list", "context")
LARGE_EVERY = 500
ARCH = trampolines.load("amd64")


def read_everything(data: bytes) -> list[tuple[int, Object]]:
    """Parses an archive, verifies it, reads every function and the facts of a link; OtelobjError where it is damaged."""
    objects = list(Archive.parse(data, "fuzzed").objects().items())
    for _, obj in objects:
        verify(obj)
        for index in obj.text_symbols():
            read_function(obj, index)
        relied_on([obj], "fuzzed", ARCH)
        workers(obj, ARCH)
    return objects


def samples(version: str, *names: str) -> list[Sample]:
    exports = toolchains.exports(version, "amd64", *SMALL, *LARGE)
    return [Sample(exports[name].read_bytes()) for name in names]


def storm(name: str, count: int, attempt: Callable[[random.Random], None]) -> Counter[str]:
    """`attempt` with one random number generator after another. Raises AssertionError, with the seed, for any exception that is not ours."""
    outcomes: Counter[str] = Counter()
    for number in range(count):
        seed = f"{name}-{number}"
        try:
            attempt(random.Random(seed))
            outcomes["accepted"] += 1
        except OtelobjError as error:
            assert str(error)
            outcomes["refused"] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return outcomes


@contextmanager
def memory(size: int) -> Iterator[None]:
    """The process may grow by `size` bytes: a count in a damaged object that is believed before its bytes are seen ends in MemoryError."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.parametrize("shard", SHARDS)
@pytest.mark.parametrize("version", VERSIONS)
def test_damaged_objects_raise_only_our_errors(version: str, shard: int) -> None:
    small, large = samples(version, *SMALL), samples(version, *LARGE)

    def attempt(rng: random.Random) -> None:
        read_everything(rng.choice(small if rng.randrange(LARGE_EVERY) else large).damaged(rng.randrange))

    with memory(512 << 20):
        outcomes = storm(f"parse-{version}-{shard}", PARSES // (len(VERSIONS) * len(SHARDS)) + 1, attempt)
    assert outcomes["refused"] > outcomes.total() // 4 and outcomes["accepted"], outcomes


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(strategies.data())
def test_damage_found_by_hypothesis(data: strategies.DataObject) -> None:
    """The same damage, chosen by hypothesis, which shrinks what it finds."""
    sample = samples("1.26", "maps")[0]
    try:
        for _, obj in read_everything(sample.damaged(lambda n: data.draw(strategies.integers(0, n - 1)))):
            edit = Edit(obj)
            edit.add_def("otelobj.fuzz", STATIC_ABI, obj.tables.kinds["SRODATA"], data=b"x")
            edit.add_ref("example.com/p.F", 1)
            verify(Object.parse(edit.to_bytes(), "rewritten"))
    except OtelobjError:
        pass


def test_undamaged_objects_pass() -> None:
    for version in VERSIONS:
        for sample in samples(version, *SMALL, *LARGE):
            assert read_everything(sample.data)


# rewriting

PROGRAM = {
    "go.mod": "module example.com/fuzz\n\ngo 1.22\n",
    "main.go": 'package main\n\nimport "example.com/fuzz/p"\n\nfunc main() { p.Run() }\n',
    "p/p.go": """package p

import "errors"

type T struct {
	name string
	next *T
}

//go:noinline
func (t *T) Method(text string, raw []byte) (string, error) {
	if text == "" {
		return "", errors.New("empty")
	}
	t.name = text
	return text + string(raw), nil
}

//go:noinline
func Plain(a int, b float64, c any) (int, any) { defer println(a); return a, c }

//go:noinline
func Generic[E any](in []E, f func(E) bool) (out []E) {
	for _, e := range in {
		if f(e) {
			out = append(out, e)
		}
	}
	return out
}

func Run() {
	t := new(T)
	text, _ := t.Method("a", []byte("b"))
	n, _ := Plain(len(text), 1, t)
	println(len(Generic([]int{1, 2, n}, func(i int) bool { return i > 1 })))
}
""",
    "h/h.go": """package h

type Ctx interface {
	SetData(any)
	GetParam(int) any
	SetSkipCall(bool)
	SetReturnVal(int, any)
}

func BeforeMethod(c Ctx, t interface{}, text string, raw []byte) {}
func AfterMethod(c Ctx, text string, err error)                  {}
func BeforePlain(c Ctx, a int, b float64, v any)                 {}
func AfterPlain(c Ctx, a int, v any)                             {}
func BeforeGeneric(c Ctx, in interface{}, f interface{})         {}
""",
    "rules.yaml": """
method: {target: example.com/fuzz/p, where: {func: Method, recv: "*T"}, do: [inject_hooks: {before: BeforeMethod, after: AfterMethod, path: example.com/fuzz/h}]}
plain: {target: example.com/fuzz/p, where: {func: Plain}, do: [inject_hooks: {before: BeforePlain, after: AfterPlain, path: example.com/fuzz/h}]}
generic: {target: example.com/fuzz/p, where: {func: Generic}, optional: true, do: [inject_hooks: {before: BeforeGeneric, path: example.com/fuzz/h}]}
""",
}


@pytest.fixture(params=["amd64", "arm64"])
def link(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """The link of a program with three hooked functions."""
    write(tmp_path, PROGRAM)
    for name, value in toolchains.go_env("1.26", request.param, OTELOBJ_DISABLE="all", OTELOBJ_RULES="", GOENV="off").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PWD", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    rules = load([tmp_path / "rules.yaml"], os.environ)
    mine = [rule for rule in rules.rules if rule.origin.startswith(str(tmp_path))]
    build = Build.of_program(programs(["."], tmp_path)[0])
    with preview.open_link(build, replace(choose(build, rules), rules=rules, applying=tuple(mine))) as made:
        yield made


def damage(link: Session, package: str, sample: Sample, rng: random.Random) -> tuple[Session, Path]:
    """The link with another archive for one package, and that archive; what was read of the others is kept."""
    path = link.folder / "damaged.a"
    path.write_bytes(sample.damaged(rng.randrange))
    place = "packages" if package in link.packages else "hooks"
    damaged = loader({package: path})
    return replace(link, **{place: {**getattr(link, place), package: path}}, load=lambda name: damaged(name) if name == package else link.load(name)), path


@pytest.mark.parametrize("shard", SHARDS)
def test_damaged_packages_are_rewritten_whole_or_refused(link: Session, shard: int) -> None:
    """The hooked package, one whose types it uses, the hook package, main and rt: whichever is damaged, the others are rewritten or the link is refused."""
    target, out = "example.com/fuzz/p", link.folder
    slot = passes.runtime(link).slot
    passes.rewrite(link, Rewriter.of(link, slot), target, out)
    assert sorted(t.status.value for t in read_result(out, out).targets())[-3:] == ["hooked"] * 3
    whole = {name: Sample((link.packages.get(name) or link.hooks[name]).read_bytes()) for name in (target, "example.com/fuzz/h", "main", RT)}
    names = [target, target, target, *whole]

    def attempt(rng: random.Random) -> None:
        package = rng.choice(names)
        other, path = damage(link, package, whole[package], rng)
        if package == "main":
            passes.root_package(other, path)
        elif package == RT:
            passes.rt(other, slot, ["otelobj.desc.x"])
        else:
            passes.rewrite(other, Rewriter.of(other, slot), target, out)

    with memory(2 << 30):  # the helper that reads types is a Go program, which reserves more than it uses
        outcomes = storm(f"rewrite-{link.goarch}-{shard}", REWRITES // (2 * len(SHARDS)) + 1, attempt)
    assert outcomes["accepted"] and outcomes["refused"], outcomes


def test_a_damaged_runtime_is_rewritten_whole_or_refused(link: Session) -> None:
    """By far the largest archive, so fewer of it."""
    whole = Sample(link.packages["runtime"].read_bytes())

    def attempt(rng: random.Random) -> None:
        other, path = damage(link, "runtime", whole, rng)
        os.environ["OTELOBJ_CACHE_DIR"] = str(link.folder / "runtimes" / str(rng.random()))  # the fixture's monkeypatch puts it back
        passes.runtime(other)

    storm(f"runtime-{link.goarch}", REWRITES // 40 + 1, attempt)
