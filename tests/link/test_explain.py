"""`otelobj explain`: what it says of a function, held against the compiler's own code and against a linked program."""

from __future__ import annotations

import re
import sys

import pytest

from objinst import cli
from objinst.__main__ import main as entry
from toolchains import go, go_env

MAIN = """package main

import (
	"errors"
	"fmt"
	"os"
)

type Box struct{ names []string }

//go:noinline
func (b *Box) Put(n int, name string, ratio float64, data []byte) (total int, err error) {
	b.names = append(b.names, fmt.Sprint(n, name, ratio, len(data)))
	if n > 5 {
		return n, errors.New("many")
	}
	return len(b.names), nil
}

//go:noinline
func Last[T any](of []T) T { return append(of, of...)[len(of)-1] }

//go:noinline
func leaf(a int) int { return a + 1 }

//go:noinline
func work(jobs chan int) {
	for n := range jobs {
		leaf(n)
	}
}

func main() {
	twice := func(n int) { fmt.Println(n, n) }
	if len(os.Args) > 9 {
		twice = nil
	}
	twice(1)
	work(nil)
	fmt.Println((&Box{}).Put(len(os.Args), os.Args[0], 1.5, nil))
	fmt.Println(Last([]int{1}), Last([]string{"x"}), leaf(1))
}
"""
HOOKS = """// Package h hooks.
package h

// C is a context.
type C interface{ SetSkipCall(skip bool) }

// Before takes what Put takes.
func Before(c C, b interface{}, n int, name string, ratio float64, data []byte) {}

// BeforeClaimed takes what the closure in main takes.
func BeforeClaimed(c C, n int) {}

// After takes its results.
func After(c C, total int, err error) {}
"""
RULES = 'put:\n  target: main\n  where: { func: Put, recv: "*Box" }\n  do: { inject_hooks: { before: Before, after: After, path: example.com/e/h } }\n'
PUT = "main.(*Box).Put"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    (folder / "go.mod").write_text("module example.com/e\n\ngo 1.24\n")
    (folder / "main.go").write_text(MAIN)
    (folder / "rules.yaml").write_text(RULES)
    (folder / "h").mkdir()
    (folder / "h/h.go").write_text(HOOKS)
    return folder


@pytest.fixture
def explain(folder, monkeypatch, capsys):
    def run(*args: str, goarch: str = "amd64", version: str = "1.26", **env: str) -> str:
        for name, value in go_env(version, goarch, **env).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PWD", str(folder))
        monkeypatch.chdir(folder)
        assert cli.main(["explain", *args]) == 0
        return capsys.readouterr().out

    return run


def compiled(folder, goarch: str, symbol: str) -> str:
    """What the compiler made of a function, as go tool objdump shows it."""
    archive = go("1.26", folder, "list", "-export", "-f", "{{.Export}}", ".", goarch=goarch).strip()
    return go("1.26", folder, "tool", "objdump", "-s", f"^{re.escape(symbol)}$", archive, goarch=goarch)


@pytest.mark.parametrize(("goarch", "spill"), [("amd64", r"MOVQ (\w+), 0x([0-9a-f]+)\(SP\)"), ("arm64", r"(?:MOVD|STP) (\(?R\w+(?:, R\w+\))?), (\d+)\(RSP\)")])
def test_registers_are_those_that_the_compiler_spills(folder, explain, goarch, spill):
    shown = explain(PUT, goarch=goarch)
    homes = {
        name: (places.split(), int(at))
        for name, places, at in re.findall(r"^  parameter +(\w+) .* bytes +((?:[A-Z]+\d* ?)+) +kept at (\d+)\(args\)$", shown, re.MULTILINE)
    }
    expected = {"amd64": ["AX", "BX", "CX", "DI", "X0", "SI", "R8", "R9"], "arm64": ["R0", "R1", "R2", "R3", "F0", "R4", "R5", "R6"]}[goarch]
    assert [register for places, _ in homes.values() for register in places] == expected
    assert list(homes) == ["b", "n", "name", "ratio", "data"]
    if goarch == "amd64":
        tail = compiled(folder, goarch, PUT).rpartition("morestack")[0].splitlines()[-10:]
        stored = {register: int(at, 16) - 8 for register, at in re.findall(spill, "\n".join(tail))}
        ours = {register: at + 8 * number for places, at in homes.values() for number, register in enumerate(places)}
        assert {register: at for register, at in ours.items() if register in stored} == stored
        assert len(stored) >= 6
    assert "pointer words of the args area: p-p--p-- for a hook" in shown
    assert re.search(r"result +total +int +8 bytes +[A-Z]\w+ +kept at 0\(results\)", shown)
    assert "results area of the exit stub: 24 bytes, pointer words --p" in shown


def test_every_return_is_shown(folder, explain):
    shown = explain(PUT)
    returns = compiled(folder, "amd64", PUT).count("\tRET")
    assert returns == 2
    assert len(re.findall(r"^  return at 0x", shown, re.MULTILINE)) == returns
    assert shown.count("(exit stub)") == returns


def test_the_code_is_that_of_a_link(folder, explain):
    """A program linked with the same rule has the entry stub's bytes where the function's symbol is."""
    shown = explain("--rules", "rules.yaml", PUT)
    assert "rules: put" in shown
    assert "thunk of otelobj.thunk.example.com/e/h.Before" in shown
    stub = shown.partition("entry stub: ")[2].partition("\n\n")[0].splitlines()[1:]
    assert sum("(body)" in line for line in stub) == 2
    assert sum("(exit stub)" in line for line in stub) == 1, "a call that is skipped"
    assert_linked(folder, "rules.yaml", "amd64", stub)


def assert_linked(folder, rules: str, goarch: str, stub: list[str]) -> None:
    """Lines of a disassembly are what stands at the place of Put in a program that is linked with the rules."""
    go("1.26", folder, "build", f"-toolexec=otelobj --rules {folder}/{rules}", "-o", "app", ".", goarch=goarch, OTELOBJ_DISABLE="all")
    linked = go("1.26", folder, "tool", "objdump", "-s", f"^{re.escape(PUT)}$", "app", goarch=goarch)
    words = re.findall(r"0x[0-9a-f]+\t+([0-9a-f]+)\t", linked)
    code = b"".join(bytes.fromhex(word) if goarch == "amd64" else bytes.fromhex(word)[::-1] for word in words)
    pairs = 0
    for before, line in zip(["", *stub], stub, strict=False):
        at, _, raw = line.split()[:3]
        found = code[int(at, 16) : int(at, 16) + len(raw) // 2].hex()
        if "R_ADDRARM64" in before:  # it is of two instructions
            pairs += 1
        elif "R_" not in line:
            assert found == raw, line
        elif goarch == "amd64":
            assert found[:2] == raw[:2], line
    assert pairs or goarch == "amd64"


@pytest.mark.parametrize(("goarch", "adds", "jumps"), [("amd64", r"lock inc\s+qword ptr \[rip\]", "jmp"), ("arm64", r"stxr ", "b ")])
def test_probes_are_shown(folder, explain, goarch, adds, jumps):
    (folder / "probes.yaml").write_text('all:\n  target: main\n  where: { func: "*" }\n  do: [{ probe: count }, { probe: latency }]\n')
    shown = explain("--rules", "probes.yaml", PUT, goarch=goarch)
    made = {text.partition(":")[0]: text.splitlines() for text in shown.split("\n\n")[-6:]}
    assert "rules: all" in shown
    assert list(made) == [
        "counting stub",
        "entry stub",
        "exit stub",
        *(f"thunk of otelobj.thunk.github.com/otelobj/otelobj/hooks/probe.{when}Latency" for when in ("before", "after")),
        "body",
    ]
    counting = made["counting stub"]
    assert any(re.search(adds, line) for line in counting), counting
    assert re.search(rf" {jumps}.*{re.escape(PUT)} \(entry stub\)$", counting[-1]), counting
    assert any("hooks/rt.enterTimed" in line for line in made["entry stub"])
    assert any(line.endswith(f"{PUT} (body)") for line in made["entry stub"])
    assert any("hooks/rt.exitTimed" in line for line in made["exit stub"])
    assert any("(exit stub)" in line for line in made["body"])
    assert_linked(folder, "probes.yaml", goarch, counting[1:])


def test_a_counter_where_no_hook_can_be(folder, explain):
    (folder / "probes.yaml").write_text('all:\n  target: "{main,runtime}"\n  where: { func: "{leaf,gopanic}" }\n  do: [{ probe: count }]\n')
    shown = explain("--rules", "probes.yaml", "main.leaf")
    assert re.search(r"counting stub: .*\n.*lock inc.*\n.*jmp .*main\.leaf \(body\)\n", shown), shown
    assert "entry stub" not in shown and "refused" not in shown
    shown = explain("--rules", "probes.yaml", "runtime.gopanic")
    assert "no counter: runtime: runtime belongs to the runtime" in shown
    assert "counting stub" not in shown


def test_generic_functions_and_those_that_cannot_be_hooked(explain):
    shown = explain("main.Last")
    assert re.search(r"^main\.Last\[", shown)
    assert "the name means" in shown
    shown = explain("main.leaf")
    assert "stack check: none" in shown
    assert "returns cannot be patched: no-frame" in shown
    shown = explain("runtime.gopanic")
    assert "refused: runtime: runtime belongs to the runtime" in shown
    assert "entry stub" not in shown


def test_a_hook_at_entry_and_exit_sees_the_exit_by_call_through(explain):
    """Where returns have no room for a jump, as a link would do it."""
    shown = explain("main.leaf")
    assert "returns cannot be patched: no-frame" in shown and "; a call-through sees its exit" in shown
    assert re.search(r"^call-through: otelobj\.through\.main\.leaf", shown, re.MULTILINE)
    assert re.search(r"hooks/rt\.exit\b", shown)


CLAIMED = """claimed:
  target: main
  where: { func: "main.func1" }
  do: { inject_hooks: { before: BeforeClaimed, path: example.com/e/h, signature: declared } }
"""


def test_types_that_only_hooks_know_are_shown(folder, explain, monkeypatch):
    (folder / "claimed.yaml").write_text(CLAIMED)
    undescribed = "-buildvcs=false -gcflags=example.com/e=-dwarf=false"
    assert "no-types: its parameters are not known" in explain("main.main.func1", GOFLAGS=undescribed)
    shown = explain("--rules", "claimed.yaml", "main.main.func1", GOFLAGS=undescribed)
    assert "rules: claimed" in shown and "refused" not in shown
    assert re.search(r"^  parameter  n +int +8 bytes +AX +kept at \d+\(args\)$", shown, re.MULTILINE), shown


def test_a_worker_is_named(explain):
    assert "worker: it takes work from channels in a loop" in explain("main.work")
    assert "worker:" not in explain("main.leaf")


def test_names_that_are_not_there(explain, capsys):
    with pytest.raises(Exception, match=r"no function main\.\(\*Box\)\.Pot in this program\n  remedy: nearest: main\.\(\*Box\)\.Put"):
        explain("main.(*Box).Pot")
    with pytest.raises(Exception, match="is not the name of a function"):
        explain("Put")
    with pytest.raises(Exception, match="it does not link package net/http"):
        explain("net/http.Get")


def test_without_capstone_there_is_one_message(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "capstone", None)
    assert entry(["explain", "main.main"]) == 1
    said = capsys.readouterr().err
    assert "capstone" in said
    assert "pip install 'capstone>=5'" in said
