"""`otelobj verify`: real programs are what their reports say; plain, foreign and tampered ones are told apart."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from objinst import cli
from objinst.__main__ import main as entry
from objinst.goobj.archive import Archive
from objinst.errors import OtelobjError
from objinst.linked.check import verify
from objinst.linked.program import Program
from objinst.linked.source import READ, offsets
from objinst.plan.model import Status
from objinst.link.report import Report
from objinst.rewrite.static import layout
from places import HOOKS, LAUNCHER
from toolchains import go, newest, oldest, telemetry

SOURCES = {
    "go.mod": "module example.com/v\n\ngo 1.22\n",
    "main.go": """package main

import (
	"fmt"
	"os"
)

//go:noinline
func Add(a, b int) int {
	if a > 100 {
		return fmt.Println(a)
	}
	return a + len(fmt.Sprint(b))
}

//go:noinline
func Leaf(a, b int) int { return a*b + 1 }

//go:noinline
func Grow[T any](s []T) []T { return append(s, s...) }

//go:noinline
func gone(a, b int) int { return len(fmt.Sprint(a, b)) }

var off = false

func main() {
	fmt.Println(Add(len(os.Args), 3), Grow([]string{"x"}), Grow([]int{1}), Leaf(1, 2))
}
""".replace("return fmt.Println(a)", "fmt.Println(a)\n\t\treturn 1").replace("var off = false\n\n", ""),
    "h/h.go": """// Package h hooks.
package h

// C is a context.
type C interface{ SetSkipCall(bool) }

// BeforeAdd sees two numbers.
func BeforeAdd(c C, a, b int) {}

// AfterAdd sees one.
func AfterAdd(c C, r int) {}

// BeforeGrow sees what it cannot name.
func BeforeGrow(c C, s interface{}) {}
""",
    "rules.yaml": """
add:
  target: main
  where: { func: "{Add,gone,Leaf}" }
  do: { inject_hooks: { before: BeforeAdd, after: AfterAdd, path: example.com/v/h } }
grow:
  target: main
  where: { func: Grow }
  do: { inject_hooks: { before: BeforeGrow, path: example.com/v/h } }
count:
  target: main
  where: { func: "{Add,main}" }
  do: { probe: count }
""",
}
CASES = [
    ("1.26", "amd64", ()),
    (oldest(), "amd64", ("-ldflags=-s -w",)),
    (telemetry(), "amd64", ()),
    (newest(), "amd64", ("-buildmode=pie", "-ldflags=-s -w")),
    ("1.26", "arm64", ("-buildmode=pie",)),
    ("1.25", "arm64", ("-ldflags=-s -w",)),
]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    folder = tmp_path_factory.mktemp("verify")
    for name, text in SOURCES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    made: dict[tuple, tuple[Path, Path]] = {}

    def run(version: str, goarch: str, flags: tuple[str, ...]) -> tuple[Path, Path]:
        key = (version, goarch, flags)
        if key not in made:
            program, report = (folder / f"{name}{len(made)}" for name in ("app", "report"))
            toolexec = f"-toolexec={LAUNCHER} --rules {folder}/rules.yaml"
            go(version, folder, "build", *flags, toolexec, "-o", program, ".", goarch=goarch, OTELOBJ_DISABLE="all", OTELOBJ_REPORT=str(report))
            made[key] = program, report
        return made[key]

    run.folder = folder
    return run


def read_report(path: Path) -> Report:
    return Report.from_json(path.read_text(), str(path))


def shown_as_hooked(report: Path) -> set[str]:
    return {target.symbol for target in read_report(report).targets if target.status is Status.HOOKED}


@pytest.mark.parametrize(("version", "goarch", "flags"), CASES)
def test_a_linked_program_is_what_its_report_says(build, version, goarch, flags, capsys):
    program, report = build(version, goarch, flags)
    assert cli.main(["verify", "--report", str(report), str(program)]) == 0
    shown = capsys.readouterr().out
    assert "problem" not in shown
    assert "dropped: main.gone: nothing reaches it" in shown
    assert " functions hooked, " in shown
    assert "dropped by the linker; goroutine slot at" in shown
    told = read_report(report)
    assert any(target.symbol == "main.Leaf" and target.exit for target in told.targets), "on amd64 a call-through sees it"
    verdict = verify(Program(program), told)
    assert {symbol.partition("[")[0] for symbol in verdict.hooked} - {"os.Exit"} == {
        "main.Add",
        "main.Grow",
        "main.main",
        *(["main.Leaf"] if "main.Leaf" in shown_as_hooked(report) else []),
    }


@pytest.mark.parametrize(("version", "goarch", "flags"), [case for case in CASES if "-ldflags=-s -w" not in case[2]])
def test_functions_are_where_the_symbol_table_has_them(build, version, goarch, flags):
    path, _ = build(version, goarch, flags)
    program = Program(path)
    nm = go(version, path.parent, "tool", "nm", path)
    theirs = {
        (words[2], int(words[0], 16))
        for line in nm.splitlines()
        if len(words := line.split(maxsplit=2)) == 3 and words[1] in "Tt" and words[2].startswith("main.")
    }
    ours = {(func.name, func.start) for functions in program.functions.values() for func in functions}
    assert len(theirs) >= 3
    assert theirs <= ours


@pytest.mark.parametrize(("version", "goarch", "flags"), [case for case in CASES if "-ldflags=-s -w" not in case[2]])
def test_what_stands_for_a_dropped_target_is_known(build, version, goarch, flags):
    """Not nil: the linker turns weak references to what it drops to runtime.unreachableMethod."""
    program = Program(build(version, goarch, flags)[0])
    at, layout = program.symbols["github.com/otelobj/otelobj/hooks/rt.link"], offsets("linkInfo")
    dropped = program.word(at + layout["Dropped"])
    table, count = (program.word(at + layout["Descs"] + offset) for offset in (0, 8))
    listed = [program.word(table + 8 * number) for number in range(count)]
    assert dropped == program.functions["runtime.unreachableMethod"][0].start
    assert listed.count(dropped) >= 1
    names = {program.string(desc + offsets("Desc")["Func"]).partition("[")[0] for desc in listed if desc != dropped}
    assert {"main.Add", "main.Grow"} <= names
    assert "main.gone" not in names


# told apart


def test_a_plain_program_is_told_apart(build, capsys):
    _, report = build(*CASES[0])
    plain = build.folder / "plain"
    go("1.26", build.folder, "build", "-o", plain, ".")
    assert entry(["verify", "--report", str(report), str(plain)]) == 1
    said = capsys.readouterr()
    assert "problem: main.Add: it is in the program without a stub" in said.out
    assert "it was linked without otelobj" in said.err


class Tampered:
    """A copy of a program, its memory written to by address."""

    def __init__(self, path: Path, to: Path) -> None:
        self.path, self.data = to, bytearray(path.read_bytes())
        self.program = Program(path)
        with path.open("rb") as file:
            self.loads = [(seg["p_vaddr"], seg["p_offset"], seg["p_filesz"]) for seg in ELFFile(file).iter_segments("PT_LOAD")]

    def write(self, address: int, data: bytes) -> Tampered:
        at = next(offset + address - start for start, offset, size in self.loads if start <= address < start + size)
        self.data[at : at + len(data)] = data
        self.path.write_bytes(self.data)
        return self

    def stub(self, name: str):
        """(function, descriptor, body) of the entry stub."""
        import trampolines

        read = trampolines.readback(self.program.goarch)
        return next((func, *found) for func in self.program.functions[name] if (found := read.read_entry(self.program.code(func), func.start)))

    def link(self) -> int:
        symbol = "github.com/otelobj/otelobj/hooks/rt.link"
        return self.program.symbols[symbol]


def no_stub(made: Tampered) -> None:
    """A jump to the body in the stub's first bytes: hooks are skipped."""
    func, _, body = made.stub("main.Add")
    made.write(func.start, b"\xe9" + struct.pack("<i", body - func.start - 5))


def wrong_body(made: Tampered) -> None:
    func, _, body = made.stub("main.Add")
    made.write(func.start + 9, struct.pack("<i", body + 1 - func.start - 13))


def unpatched_return(made: Tampered) -> None:
    """One of the two returns does what it did in the plain program."""
    import trampolines

    _, _, body = made.stub("main.Add")
    func = next(func for func in made.program.functions["main.Add"] if func.start == body)
    returns = trampolines.readback("amd64").read_exits(made.program.code(func), func.start, made.program.pcsp(func))
    assert len(returns) == 2
    made.write(func.start + returns[0][0], bytes.fromhex("4883c4") + b"\x20\x5d\xc3")


def wrong_exit(made: Tampered) -> None:
    import trampolines

    _, _, body = made.stub("main.Add")
    func = next(func for func in made.program.functions["main.Add"] if func.start == body)
    at, _ = trampolines.readback("amd64").read_exits(made.program.code(func), func.start, made.program.pcsp(func))[0]
    made.write(func.start + at + 1, struct.pack("<i", body - (func.start + at + 5)))


def foreign_descriptor(made: Tampered) -> None:
    desc = made.stub("main.Add")[1]
    made.write(desc + offsets("Desc")["Func"] + 8, struct.pack("<Q", 6))


def wrong_line(made: Tampered) -> None:
    made.write(made.stub("main.Add")[1] + offsets("Desc")["Line"], struct.pack("<Q", 7))


def no_exit_flag(made: Tampered) -> None:
    made.write(made.stub("main.Add")[1] + 4, struct.pack("<I", 0))


def not_listed(made: Tampered) -> None:
    table = made.program.word(made.link() + offsets("linkInfo")["Descs"])
    place = next(at for at in made.program.find_word(made.stub("main.Add")[1]) if at >= table)
    made.write(place, bytes(8))


def no_link(made: Tampered) -> None:
    made.write(made.link(), bytes(8))


def small_g(made: Tampered) -> None:
    kind = made.program.word(made.link() + offsets("linkInfo")["GType"])
    made.write(kind, struct.pack("<Q", made.program.word(kind) - 8))


def no_mask(made: Tampered) -> None:
    link = made.link()
    kind, slot = (made.program.word(link + offsets("linkInfo")[name]) for name in ("GType", "SlotOff"))
    made.write(made.program.word(kind + 32) + slot // 64, b"\0")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (no_stub, "main.Add: it is in the program without a stub"),
        (wrong_body, "which is inside a function, not its body"),
        (unpatched_return, "does not go to the exit stub"),
        (wrong_exit, "which is not an exit stub of it"),
        (foreign_descriptor, "main.Add: the descriptor of its stub is of main.A"),
        (wrong_line, "main.go:7, the report"),
        (no_exit_flag, "its descriptor says no exit, the report the opposite"),
        (not_listed, "main.Add: its descriptor is not in rt.link"),
        (no_link, "rt.link is not filled in"),
        (small_g, "runtime.g has"),
        (no_mask, "the pointer mask of runtime.g leaves out the goroutine slot"),
    ],
)
def test_a_tampered_program_is_told_apart(build, tmp_path, change, problem):
    program, report = build(*CASES[0])
    made = Tampered(program, tmp_path / "app")
    change(made)
    verdict = verify(Program(made.path), read_report(report))
    assert any(problem in found for found in verdict.problems), verdict.problems


def test_reports_of_other_programs_are_told_apart(build):
    program, report = build(*CASES[0])
    told = read_report(report)
    with pytest.raises(OtelobjError, match="the report is for linux/arm64"):
        verify(Program(program), replace(told, goarch="arm64"))
    with pytest.raises(OtelobjError, match=r"the report is of otelobj 9\.9\.9"):
        verify(Program(program), replace(told, otelobj_version="9.9.9"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xcf\xfa\xed\xfe" + bytes(60), "a Mach-O program: otelobj hooks ELF programs only"),
        (b"MZ" + bytes(60), "a PE program (Windows)"),
        (b"#!/bin/sh\n", "no ELF program"),
        (b"", "no ELF program"),
        (b"\x7fELF", "damaged"),
    ],
)
def test_what_is_no_program_of_ours_is_named(build, tmp_path, content, message, capsys):
    _, report = build(*CASES[0])
    (tmp_path / "app").write_bytes(content)
    assert entry(["verify", "--report", str(report), str(tmp_path / "app")]) == 1
    said = capsys.readouterr().err
    assert message in said
    assert "remedy" in said


def test_a_truncated_program_is_one_message(build, tmp_path):
    program, report = build(*CASES[0])
    whole, told = program.read_bytes(), read_report(report)
    refused = 0
    for size in range(0, len(whole), len(whole) // 40):
        (tmp_path / "app").write_bytes(whole[:size])
        try:
            verify(Program(tmp_path / "app"), told)
        except OtelobjError:
            refused += 1
    assert refused > 10, "what lies behind the program's memory is debug information"


def test_without_a_report_there_is_one_message(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("OTELOBJ_REPORT", raising=False)
    assert entry(["verify", "app"]) == 2
    assert "no report" in capsys.readouterr().err
    assert entry(["verify", "--report", str(tmp_path / "none"), "app"]) == 2
    assert "No such file" in capsys.readouterr().err


@pytest.mark.parametrize("struct_name", READ)
def test_layouts_from_source_are_the_compilers(struct_name):
    archive = go("1.26", HOOKS / "rt", "list", "-export", "-f", "{{.Export}}", ".", GOFLAGS="-mod=mod", GOWORK="off").strip()
    obj = Archive.read(Path(archive)).go_object()[1]
    assert offsets(struct_name) == dict(layout(obj, f"github.com/otelobj/otelobj/hooks/rt.{struct_name}").fields)


SUPPORTING = {"os.Exit", "os.(*Process).signal", "syscall.Exec", "syscall.Kill", "syscall.Tgkill"}
"""What the rules that come with probes hook, so that what was measured is written however the program ends."""


def test_json_of_the_report_names_every_hooked_function(build):
    _, report = build(*CASES[0])
    hooked = {target["symbol"] for target in json.loads(report.read_text())["targets"] if target["status"] == "hooked"}
    assert {symbol.partition("[")[0] for symbol in hooked} - SUPPORTING == {"main.Add", "main.gone", "main.main", "main.Grow", "main.Leaf"}
