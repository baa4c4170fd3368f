"""Typed hooks on a dependency of which only the archive is left, compiled without DWARF: right arguments, or a refusal that says why."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from bare_build import BareBuild
from needs import emulator
from places import LAUNCHER
from toolchains import goroot, newest, telemetry

LIB = """// Package lib is a dependency whose source nobody has.
package lib

import "strings"

// Kinds is a type of its own.
type Kinds struct {
	Name string
	N    [1]int32
}

type hidden struct{ words []string }

//go:noinline
func Exported(k Kinds, f float32, st struct{ A, B int8 }, more ...string) (complex128, map[string]int) {
	return complex(float64(f), float64(st.B)), map[string]int{strings.Join(more, k.Name): int(k.N[0])}
}

//go:noinline
func (h *hidden) join(sep string) string { return strings.Join(h.words, sep) }

// Join calls a method that is not exported, of a type that is not.
func Join(sep string, words ...string) string {
	last = &hidden{words}
	return last.join(sep)
}

// last keeps what it points to off the stack: a hook is not shown stack memory as interface{}.
var last *hidden

//go:noinline
func unexported(p *string) string { return strings.ToUpper(*p) }

// Upper calls a function that no type describes; export data would if this could be inlined.
//
//go:noinline
func Upper(s string) string { return unexported(&s) }

//go:noinline
func Pick[T any](items []T, n int) T {
	if n > len(items) {
		panic(strings.Repeat("!", n))
	}
	return items[n]
}

// Third makes an instance.
func Third(items ...int64) int64 { return Pick(items, 2) }
"""
HOOKS = """// Package hooks says what it sees.
package hooks

import (
	"runtime"

	"acme.test/lib"
)

type ctx interface{ GetParamCount() int }

func BeforeExported(c ctx, k lib.Kinds, f float32, st struct{ A, B int8 }, more []string) {
	runtime.GC()
	println("Exported", k.Name, k.N[0], f == 2.5, st.A, st.B, len(more), more[1])
}

func AfterExported(c ctx, z complex128, m map[string]int) {
	runtime.GC()
	println("returned", real(z) == 2.5, imag(z) == 4, m["x-y"])
}

func BeforeJoin(c ctx, h interface{}, sep string) { println("join", c.GetParamCount(), sep) }

func AfterJoin(c ctx, s string) { println("joined", s) }

func BeforePick(c ctx, items []int64, n int) { println("pick", len(items), n) }

func AfterPick(c ctx, n int64) { println("picked", n) }

func BeforeUnexported(c ctx, p *string) {
	runtime.GC()
	println("unexported", *p)
}

func AfterUnexported(c ctx, s string) {
	runtime.GC()
	println("upper", s)
}

func BeforeString(c ctx, p string) {}

func BeforeBoxed(c ctx, p interface{}) {}

func BeforePair(c ctx, p *string, q int) {}

func BeforeNumber(c ctx, p int) {}

func BeforeWrong(c ctx, k *lib.Kinds, f float32, st struct{ A, B int8 }, more []string) {}

func BeforeLike(c ctx, k lib.Kinds, f float32, st struct{ A, B uint8 }, more []string) {}
"""
MAIN = """package main

import "acme.test/lib"

func main() {
	var st struct{ A, B int8 }
	st.A, st.B = 3, 4
	z, m := lib.Exported(lib.Kinds{"-", [1]int32{7}}, 2.5, st, "x", "y")
	println(real(z) == 2.5, m["x-y"], lib.Join("+", "a", "b"), lib.Upper("up"), lib.Third(1, 2, 3))
}
"""
SEEN = """Exported - 7 true 3 4 2 y
returned true true 7
join 2 +
joined a+b
pick 3 2
picked 3
true 7 a+b UP 3
"""


def rule(name: str, where: str, hooks: str) -> str:
    return f"{name}: {{ target: acme.test/lib, where: {{ {where} }}, do: {{ inject_hooks: {{ {hooks}, path: acme.test/hooks }} }} }}\n"


RIGHT = (
    rule("exported", "func: Exported", "before: BeforeExported, after: AfterExported")
    + rule("method", 'func: join, recv: "*hidden"', "before: BeforeJoin, after: AfterJoin")
    + rule("generic", "func: Pick", "before: BeforePick, after: AfterPick")
)
WRONG = [
    ("func: unexported", "before: BeforeUnexported", "no-types: .*unexported.*compiled with -dwarf=false.*nothing says that it is what was compiled"),
    ("func: Exported", "before: BeforeWrong", r"hook-signature: k is acme.test/lib.Kinds, not \*acme.test/lib.Kinds"),
    ("func: Exported", "before: BeforeLike", "hook-signature: st is struct { A int8; B int8 }, not struct { A uint8; B uint8 }"),
]


DECLARED = [
    ("func: unexported", "before: BeforeString", "sources-disagree: its types take 16 bytes of arguments, the compiler noted 8"),
    ("func: unexported", "before: BeforePair", "sources-disagree"),
    ("func: unexported", "before: BeforeNumber", "sources-disagree: the compiler has a pointer at byte 0"),
    ("func: unexported", "before: BeforeBoxed", "no-types"),
    ("func: Exported", "before: BeforeLike", "hook-signature: st is struct { A int8; B int8 }, not struct { A uint8; B uint8 }"),
]


@pytest.fixture(scope="module", params=[("1.26", "amd64"), (telemetry(), "arm64"), pytest.param((newest(), "arm64"), marks=pytest.mark.long)])
def build(request, tmp_path_factory):
    version, goarch = request.param
    made = BareBuild(tmp_path_factory.mktemp("archives"), version, goarch, ["-dwarf=false"])
    made.std("strings", "runtime")
    made.compile("acme.test/lib", {"lib.go": LIB})
    made.compile("acme.test/hooks", {"hooks.go": HOOKS})
    made.compile("main", {"main.go": MAIN})
    assert list(made.folder.rglob("*.go")) == []
    return made


def link(build: BareBuild, rules: str) -> subprocess.CompletedProcess[str]:
    (build.folder / "rules.yaml").write_text(rules)
    kept = {key: os.environ[key] for key in ("OTELOBJ_CACHE_DIR", "GOPROXY", "GOMODCACHE", "GOCACHE") if key in os.environ}
    env = {"PATH": "/usr/bin:/bin", "HOME": os.environ["HOME"], "OTELOBJ_DISABLE": "all", "GOROOT": str(goroot(build.version)), "GOARCH": build.goarch} | kept
    command = [str(LAUNCHER), "link", "--rules", "rules.yaml", "-importcfg", str(build.importcfg()), "-o", "app", str(build.folder / "main.a")]
    return subprocess.run(command, cwd=build.folder, env=env, capture_output=True, text=True, timeout=1800, check=False)


def run(build: BareBuild) -> str:
    command = [*emulator(build.goarch), "./app"]
    env = os.environ | {"GODEBUG": "clobberfree=1"}
    return subprocess.run(command, cwd=build.folder, env=env, capture_output=True, text=True, timeout=1800, check=True).stderr


def test_arguments_and_results(build):
    done = link(build, RIGHT)
    assert done.returncode == 0, done.stderr
    assert run(build) == SEEN


def test_types_that_only_the_hooks_declare(build):
    done = link(build, rule("declared", "func: unexported", "before: BeforeUnexported, after: AfterUnexported, signature: declared"))
    assert done.returncode == 0, done.stderr
    assert run(build).startswith("unexported up\nupper UP\n")
    done = link(build, rule("declared", "func: unexported", "before: BeforeUnexported, signature: declared"))
    assert done.returncode == 0, done.stderr
    assert run(build).startswith("unexported up\ntrue")


@pytest.mark.parametrize("build", [("1.26", "amd64")], indirect=True, scope="module")
@pytest.mark.parametrize(("where", "hooks", "why"), [*WRONG, *((where, f"{hooks}, signature: declared", why) for where, hooks, why in DECLARED)])
def test_what_does_not_fit_is_refused(build, where, hooks, why):
    done = link(build, rule("wrong", where, hooks))
    assert done.returncode == 1
    assert re.search(why, done.stderr), done.stderr
