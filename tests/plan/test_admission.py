"""Admission alone decides whether a function can be hooked: every command asks it and gets the same answer."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest
from places import ROOT

from objinst import cli
from objinst.cli import survey
from objinst.plan.judge import judge_front, read_function
from objinst.plan.model import Refusal
from toolchains import exports, go_env, goroot
from objinst.goobj.archive import Archive

OBJINST = ROOT / "objinst"
INTERNAL = {
    "judge", "judge_each", "judge_front", "is_assembly", "fork_set", "refusal_by_name", "read_function", "look", "scan_returns", "find_exit", "find_layout",
    "evidence", "find_epilogues",
}  # fmt: skip
"""Only admission may use these."""
ADMISSION = {"plan/admission.py", "plan/judge.py", "plan/scope.py"}
OTHERS = {
    "cli/inspect.py": {"read_function"},  # of one archive, of which no link is known
    "rewrite/runtimepkg.py": {"find_epilogues"},  # of functions of the runtime, which are rewritten whatever rules say
}


def taken(source: str) -> set[str]:
    """Which of them a source file uses: imported from its modules, or asked of an architecture."""
    nodes = list(ast.walk(ast.parse(source)))
    modules = {f"objinst.plan.{name}" for name in ("judge", "scope", "layout", "forms")}
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) and node.module in modules for alias in node.names}
    return (imported | {node.attr for node in nodes if isinstance(node, ast.Attribute) and node.attr == "find_epilogues"}) & INTERNAL


def test_nothing_bypasses_admission() -> None:
    assert INTERNAL >= taken((OBJINST / "plan/admission.py").read_text()) >= {"judge_each", "judge_front", "read_function", "fork_set"}
    others = {str(path.relative_to(OBJINST)): found for path in OBJINST.rglob("*.py") if (found := taken(path.read_text()))}
    assert {path: found for path, found in others.items() if path not in ADMISSION} == OTHERS


@pytest.mark.parametrize(
    "code", ["from objinst.plan.layout import find_layout", "from objinst.plan.judge import Function, read_function", "arch.find_epilogues(code, table, calls)"]
)
def test_a_bypass_is_seen(code: str) -> None:
    assert taken(code)


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_hooks_and_counters_are_refused_for_the_same_reasons(goarch: str) -> None:
    """Of FIPS text, assembly and functions without code, all of them in these packages."""
    codes = set()
    found = exports("1.26", goarch, "crypto/sha256", "internal/bytealg", "math")
    for package in ("crypto/internal/fips140/sha256", "internal/bytealg", "math"):
        for obj in Archive.read(found[package]).objects().values():
            for index in obj.text_symbols():
                hook, count = read_function(obj, index), judge_front(obj, index)
                if isinstance(hook, Refusal) and isinstance(count, Refusal):
                    assert hook == count
                    codes.add(hook.code)
                else:
                    assert not isinstance(hook, Refusal)
                    assert not isinstance(count, Refusal) or count.code == "assembly"
    assert codes >= {"fips", "assembly"}


MAIN = """package main

import (
	"os"
	"sync/atomic"
)

type box[T any] struct{ p atomic.Pointer[T] }

//go:noinline
func (b *box[T]) load() *T { return b.p.Load() }

func main() {
	n := len(os.Args)
	b := &box[int]{}
	b.p.Store(&n)
	println(*b.load())
}
"""


def test_explain_and_survey_refuse_what_a_link_refuses(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "go.mod").write_text("module example.com/g\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(MAIN)
    (tmp_path / "rules.yaml").write_text("r: { target: syscall, do: { probe: latency } }\n")
    for name, value in go_env("1.26", "amd64", PWD=str(tmp_path)).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    for rules in ([], ["--rules", "rules.yaml"]):
        assert cli.main(["explain", *rules, "syscall.forkAndExecInChild"]) == 0
        assert "fork: it can run between fork and exec" in " ".join(capsys.readouterr().out.split())
    assert cli.main(["explain", "runtime.mallocgc"]) == 0
    assert "runtime: runtime belongs to the runtime or to what hooks stand on" in " ".join(capsys.readouterr().out.split())
    go = str(goroot("1.26") / "bin/go")
    listed = subprocess.run([go, "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", "."], capture_output=True, text=True, check=True).stdout
    archives = {path: Path(export) for path, _, export in (line.partition("=") for line in listed.splitlines()) if export}
    found = survey.take(archives)
    assert [one.entry.code for one in found.judged if one.symbol == "syscall.forkAndExecInChild" and one.entry] == ["fork"]
    judged = {one.symbol for one in found.judged}
    copies = {"sync/atomic.(*Pointer[go.shape.int]).Load", "sync/atomic.(*Pointer[int]).Load"}
    main = Archive.read(archives["example.com/g"]).go_object()[1]
    assert copies <= {main.name(index) for index in main.text_symbols()}, "the program's own archive holds copies of functions that are never hooked"
    assert "main.(*box[go.shape.int]).load" in judged and not copies & judged
    assert found.left_out["runtime"] > 1000
