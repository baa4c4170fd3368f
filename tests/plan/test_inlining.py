"""Inlined calls as the objects tell them, held against what the compiler says (-m) and what the linker leaves."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from objinst.link import preview
from objinst.goobj.archive import Archive
from objinst.plan import inlining
from objinst.plan.inlining import inlined_calls
from objinst.plan.model import Status, Target
from objinst.plan.unseen import advice
from places import LAUNCHER
from toolchains import go, go_env, versions

SOURCES = {
    "go.mod": "module example.com/inl\n\ngo 1.22\n",
    "lib/lib.go": """// Package lib is inlined elsewhere.
package lib

import "os"

var Sink []string

// Put is inlined and leaves code.
func Put(s string) { Sink = append(Sink, s) }

// Twice is inlined with Put in it.
func Twice(s string) {
	Put(s)
	Put(os.Getenv(s))
}

// Lone is inlined wherever it is called.
func Lone(s string) { Sink = append(Sink, s, s) }

//go:noinline
func Plain(s string) { Sink = append(Sink, s) }
""",
    "main.go": """package main

import (
	"os"

	"example.com/inl/lib"
)

type T struct{ names []string }

func (t *T) add(s string) { t.names = append(t.names, s) }

func main() {
	t := &T{}
	t.add(os.Args[0])
	lib.Twice(os.Args[0])
	lib.Put(os.Args[0])
	lib.Lone(os.Args[0])
	lib.Plain(os.Args[0])
	defer t.add("end")
	println(len(t.names), len(lib.Sink))
}
""",
}
RULES = """
main:
  target: main
  where: { func: add }
  optional: true
  do: { inject_hooks: { before: Before, path: example.com/inl/h } }
lib:
  target: example.com/inl/lib
  where: { func: "{Put,Twice,Lone,Plain}" }
  do: { inject_hooks: { before: Before, path: example.com/inl/h } }
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("inl")
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "h").mkdir()
    (folder / "h" / "h.go").write_text(
        "// Package h hooks.\npackage h\n\n// Before takes what there is.\nfunc Before(ctx interface{ GetData() any }, s string) {}\n"
    )
    (folder / "rules.yaml").write_text(RULES)
    return folder


def compiler_says(folder: Path, version: str, goarch: str) -> set[tuple[str, int, str]]:
    """(file, line, callee's last name) of every call that `go build -gcflags=-m` reports as inlined."""
    done = subprocess.run(
        ["go", "build", "-gcflags=-m", "-o", "/dev/null", "./..."], cwd=folder, env=go_env(version, goarch), capture_output=True, text=True, check=True
    )
    found = re.findall(r"^(\S+?):(\d+):\d+: inlining call to (\S+)$", done.stderr, re.MULTILINE)
    return {(Path(file).name, int(line), callee.rpartition(".")[2]) for file, line, callee in found}


@pytest.mark.parametrize(("version", "goarch"), [*((version, "amd64") for version in versions()), ("1.26", "arm64")])
def test_the_objects_tell_every_call_that_the_compiler_inlined(program, version, goarch, monkeypatch):
    monkeypatch.chdir(program)
    archives = [exported(program, version, goarch, package) for package in (".", "./lib")]
    told = set()
    for package, archive in zip(("main", "example.com/inl/lib"), archives, strict=True):
        obj = Archive.read(archive).go_object()[1]
        for callee, call in inlined_calls(obj, package):
            name = obj.sym(int(callee.partition("#")[2])).name if callee.startswith(f"{package}#") else callee
            if "#" not in name:
                told.add((Path(call.file).name, call.line, name.rpartition(".")[2]))
            elif callee.startswith("example.com/inl/lib#"):
                lib = Archive.read(archives[1]).go_object()[1]
                told.add((Path(call.file).name, call.line, lib.sym(int(callee.partition("#")[2])).name.rpartition(".")[2]))
    said = {entry for entry in compiler_says(program, version, goarch) if entry[0] in ("main.go", "lib.go")}
    assert said >= {("main.go", 15, "add"), ("lib.go", 13, "Put"), ("main.go", 16, "Put")}, "a call within an inlined one: said of the outer one's line"
    assert {entry for entry in told if entry[2] in ("add", "Put", "Twice", "Lone")} == said - {("main.go", 16, "Put")}


def exported(folder: Path, version: str, goarch: str, package: str) -> Path:
    return Path(go(version, folder, "list", "-export", "-f", "{{.Export}}", package, goarch=goarch).strip())


def test_the_plan_names_callers_and_what_the_linker_drops(program, monkeypatch):
    for name, value in go_env("1.26").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_DISABLE", "all")
    monkeypatch.setenv("PWD", str(program))
    monkeypatch.chdir(program)
    plan = preview.plan_packages(["."], [program / "rules.yaml"])
    targets = {target.symbol.rpartition(".")[2]: target for target in plan.targets}
    places = {
        name: [(call.function, Path(call.file).name, call.line, call.inside, call.package) for call in target.inlined_callers]
        for name, target in targets.items()
    }
    main, lib = "example.com/inl", "example.com/inl/lib"
    twice = f"{lib}.Twice"
    assert places["Put"] == [
        (twice, "lib.go", 13, twice, lib), (twice, "lib.go", 14, twice, lib),
        (twice, "lib.go", 13, "main.main", main), (twice, "lib.go", 14, "main.main", main), ("main.main", "main.go", 17, "main.main", main),
    ]  # fmt: skip
    assert [target.inlined_calls for target in plan.targets] == [len(target.inlined_callers) for target in plan.targets]
    assert places["Plain"] == []
    # what the linker leaves is the judge of what nothing refers to
    go("1.26", program, "build", "-o", "app", ".")
    symbols = go("1.26", program, "tool", "nm", "app")
    for name, target in targets.items():
        assert target.unreferenced == (f" T {target.symbol}\n" not in symbols), name
    assert targets["Lone"].unreferenced
    assert not targets["Plain"].unreferenced
    assert json.loads(json.dumps(targets["Put"].to_json()))["inlined_callers"][0]["file"].endswith(".go")
    assert targets["Put"].status is Status.HOOKED


EXACT = """
lone:
  target: example.com/inl/lib
  where: { func: Lone }
  do: { probe: count }
generic:
  target: example.com/inl/lib
  where: { func: Same }
  do: { probe: count }
some:
  target: example.com/inl/lib
  where: { func: Plain }
  do: { probe: count }
pattern:
  target: example.com/inl/lib
  where: { func: "Tw*" }
  do: { probe: count }
"""
TESTED = """package main

import "testing"

func TestOwn(t *testing.T) {
	if own(3) != 7 {
		t.Fatal()
	}
}

func small(n int) int { return 2*n + 1 }

func own(n int) int { return small(n) }
"""


def advised(text: str) -> list[str]:
    """The flags of one advice."""
    return re.findall(r"-gcflags=\S+", text)


def test_what_the_plan_recommends_makes_calls_of_what_was_inlined(program, monkeypatch, tmp_path):
    for name, value in go_env("1.26").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OTELOBJ_DISABLE", "all")
    monkeypatch.setenv("PWD", str(program))
    monkeypatch.chdir(program)
    before = {target.symbol: target for target in preview.plan_packages(["."], [program / "rules.yaml"]).targets}
    flags = sorted({flag for target in before.values() for flag in advised(advice(target))})
    assert flags == ["-gcflags=example.com/inl/lib=-l", "-gcflags=example.com/inl=-l"]
    assert before["example.com/inl/lib.Put"].inlined_calls == 5
    monkeypatch.setenv("GOFLAGS", " ".join(["-buildvcs=false", *flags]))
    after = preview.plan_packages(["."], [program / "rules.yaml"]).targets
    assert [(target.inlined_calls, target.unreferenced) for target in after] == [(0, False)] * len(before)


def test_a_link_warns_of_functions_that_are_named_in_vain(program, tmp_path):
    """Of those alone that a rule names exactly; with the advice that helps, in a build and in a test of package main."""
    rules, folder = tmp_path / "exact.yaml", tmp_path / "program"
    rules.write_text(EXACT)
    shutil.copytree(program, folder)
    (folder / "own_test.go").write_text(TESTED)
    (folder / "lib/same.go").write_text("package lib\n\n// Same is generic.\nfunc Same[T any](x T) T {\n\tSink = append(Sink, \"same\")\n\treturn x\n}\n")
    (folder / "main.go").write_text(SOURCES["main.go"].replace("lib.Plain(os.Args[0])", "lib.Plain(lib.Same(os.Args[0]))"))
    env = go_env("1.26", OTELOBJ_DISABLE="all")
    toolexec = f"-toolexec={LAUNCHER} --rules {rules}"

    def warnings(*args: str) -> list[str]:
        done = subprocess.run(["go", *args], cwd=folder, env=env, capture_output=True, text=True, check=True)
        return [line for line in (done.stdout + done.stderr).splitlines() if "warning" in line]

    said = warnings("build", toolexec, "-o", str(tmp_path / "app"), ".")
    assert any("rule lone: example.com/inl/lib.Lone never runs its hooks, for its only call is inlined" in line for line in said)
    assert {re.search(r"rule (\w+)", line)[1] for line in said} == {"lone", "generic"} and any("lib.Same[go.shape.string] never" in line for line in said)
    assert {flag for line in said for flag in advised(line)} == {"-gcflags=example.com/inl=-l"}
    assert warnings("build", toolexec, *advised(said[0]), "-o", str(tmp_path / "app"), ".") == []
    rules.write_text("own:\n  target: example.com/inl\n  where: { func: small }\n  do: { probe: count }\n")
    (found,) = warnings("test", "-c", toolexec, "-o", str(tmp_path / "test"), ".")
    assert "rule own: example.com/inl.small never runs its hooks" in found and advised(found) == ["-gcflags=example.com/inl=-l"]
    assert warnings("test", "-c", toolexec, *advised(found), "-o", str(tmp_path / "test"), ".") == []


def test_of_a_pattern_the_first_calls_of_each_package_are_listed(monkeypatch):
    """And of a function that a rule names exactly, all of them."""
    monkeypatch.setattr(inlining, "symbol_keys", lambda _obj, _package, symbol: {symbol})
    exact, pattern, lone = (Target(rule, symbol, "p", "", 0, Status.HOOKED, "", True, True, 0) for rule, symbol in (("one", "p.F"), ("many", "p.G"), ("many", "p.H")))
    calls = [[0, 1, line, 2] for line in range(30, 0, -1)]
    stored = {"names": ["f", "a.go", "g"], "calls": {"p.F": calls, "p.G": calls, "p.I": calls}, "refers": ["p.G"]}
    found = {target.symbol: target for target in inlining.with_callers([exact, pattern, lone], ["a", "b"], [], lambda _: stored, lambda _: None, {"one"})}
    assert {symbol: target.inlined_calls for symbol, target in found.items()} == {"p.F": 60, "p.G": 60, "p.H": 0}
    every = [(package, line) for package in "ab" for line in range(1, 31)]
    assert [(call.package, call.line) for call in found["p.F"].inlined_callers] == every
    assert [(call.package, call.line) for call in found["p.G"].inlined_callers] == [(package, line) for package, line in every if line <= inlining.LISTED]
    assert {symbol: target.unreferenced for symbol, target in found.items()} == {"p.F": True, "p.G": False, "p.H": True}
