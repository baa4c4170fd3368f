"""Records of architectures (trampolines.arch): what depends on them, and that one without some part is refused instead of taken for another."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import capstone
import pytest
from elftools.elf import enums

import trampolines
from objinst.errors import ObjectError
from objinst import goversions
from objinst.goobj import Edit, Object, SymRef
from objinst.goobj.archive import Archive
from objinst.plan import judge, nosplit, reach, workers
from objinst.rewrite import text
from objinst.types.abi import assign
from objinst.types.model import GoType, Kind
from places import ROOT
from toolchains import go_env, goroot, versions
from trampolines import arch as records
from trampolines.arch import AMD64, ARCHES, ARM64, ArchError, Traits
from trampolines.asm import Assembly
from trampolines.contract import Fixup, FixupKind, Patched, RegClass

RISCV64 = Traits(
    name="riscv64", machine="riscv64", quantum=2, int_args=tuple(f"X{i}" for i in (*range(10, 18), 8, 9, *range(18, 24))),
    float_args=tuple(f"F{i}" for i in (*range(10, 18), 8, 9, *range(18, 24))), relocations={}, address=FixupKind.ADDR, call_head=0, call_tail=4,
    call_pushes=0, return_below_args=56, leaves_unmarked=True, level="GORISCV64", has_atomics=lambda _: True, has_through=False,
    elf_machine="EM_RISCV", elf_relative=3, capstone=("CS_ARCH_RISCV", "CS_MODE_RISCV64"),
)  # fmt: skip
"""An architecture with a record that names no relocations, and without a folder."""


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(ARCHES, "riscv64", RISCV64)
    yield
    for name in [name for name in sys.modules if name.startswith("trampolines.riscv64")]:
        del sys.modules[name]
    trampolines.load.cache_clear()


SOURCE = """\
package main

import "unsafe"

//go:noinline
//go:nosplit
func leaf(p *int) unsafe.Pointer { return unsafe.Pointer(p) }

func main() {
	ch := make(chan int)
	go func() { ch <- 1 }()
	for v := range ch {
		println(leaf(&v))
	}
}
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program for riscv64, as the compiler leaves it."""
    folder = tmp_path_factory.mktemp("riscv64")
    (folder / "main.go").write_text(SOURCE)
    go = str(goroot("1.26") / "bin/go")
    subprocess.run([go, "tool", "compile", "-p", "main", "-o", "main.a", "main.go"], cwd=folder, env=go_env("1.26", "riscv64"), check=True)
    return folder / "main.a"


@pytest.fixture
def obj(registered: None, compiled: Path) -> Object:
    return Archive.read(compiled).go_object()[1]


class Half:
    """An architecture of which only the record is there, for what asks its record first."""

    traits = RISCV64

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} is asked for before the record's relocation")


HALF = cast("trampolines.Arch", Half())
ASKERS: dict[str, Callable[[Object, int], object]] = {
    "calls": lambda obj, index: obj.calls(index),
    "judge": lambda obj, index: judge.read_function(obj, index),
    "workers": lambda obj, index: workers.work_calls(obj, index, HALF),
    "nosplit": lambda obj, index: nosplit.unchecked_calls(obj, "main", HALF),
    "assembly": lambda obj, index: nosplit.assembly_calls(obj, "main", []),
    "reach": lambda obj, index: reach._callees(obj, index, "main"),
    "fixups": lambda obj, index: text.relocations(Edit(obj), Patched(bytes(4), (Fixup(0, 4, FixupKind.CALL, "body"),)), {"body": text.Role(SymRef(0, 0))}),
}


@pytest.mark.parametrize("who", ASKERS)
def test_a_record_without_a_call_relocation_raises(who: str, obj: Object) -> None:
    index = obj.find("main.main")
    assert index is not None and obj.relocs(index)
    with pytest.raises(ArchError, match=r"architecture riscv64 has no relocation for call: its record in trampolines/arch.py must name one"):
        ASKERS[who](obj, index)


def test_a_record_without_an_address_relocation_raises() -> None:
    with pytest.raises(ArchError, match="architecture riscv64 has no relocation for addr"):
        _ = RISCV64.address_relocation


def test_the_record_decides_what_is_a_call(registered: None, compiled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a relocation in the record the same object's calls are found, which those of amd64 and arm64 are not."""
    found = {}
    for kind in ("R_RISCV_JAL", "R_CALL", "R_CALLARM64"):
        monkeypatch.setitem(ARCHES, "riscv64", dataclasses.replace(RISCV64, relocations={FixupKind.CALL: kind}))
        obj = Archive.read(compiled).go_object()[1]
        found[kind] = set(obj.calls(obj.find("main.main")).values())
    assert "main.leaf" in found["R_RISCV_JAL"] and not found["R_CALL"] and not found["R_CALLARM64"]


def test_an_unknown_architecture_is_refused_by_name(compiled: Path) -> None:
    for ask in (records.traits, trampolines.load, trampolines.readback, lambda goarch: assign(goarch, (), ())):
        with pytest.raises(ArchError, match=r"architecture 'riscv64' is not known to this otelobj \(it knows amd64, arm64\)"):
            ask("riscv64")
    with pytest.raises(ObjectError, match=r"main.a.*: architecture 'riscv64' is not known to this otelobj \(it knows amd64, arm64\)"):
        Archive.read(compiled).go_object()


def test_a_record_gives_registers(registered: None) -> None:
    word = GoType("int", Kind.INT, 8, 8, (False,))
    abi = assign("riscv64", [word] * 17, [])
    assert abi.params[0].place("riscv64") == "X10" and abi.params[15].place("riscv64") == "X23" and abi.params[16].place("riscv64") == "0(args)"


def test_a_folder_is_asked_for_part_by_part(registered: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of docs/contributing/architecture.md: whatever is not there yet is named."""
    monkeypatch.setattr(trampolines, "__path__", [*trampolines.__path__, str(tmp_path)])
    folder = tmp_path / "riscv64"

    def refused() -> str:
        importlib.invalidate_caches()
        for name in [name for name in sys.modules if name.startswith("trampolines.riscv64")]:
            del sys.modules[name]
        with pytest.raises(ArchError) as caught:
            trampolines.load("riscv64")
        return str(caught.value)

    assert refused() == "architecture riscv64 has a record, but no trampolines/riscv64/macros.py"
    with pytest.raises(ArchError, match=r"no trampolines/riscv64/readback.py"):
        trampolines.readback("riscv64")
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "macros.py").write_text("from trampolines.asm import Assembly\n")
    assert refused() == "architecture riscv64: trampolines/riscv64/macros.py has no Macros"
    (folder / "macros.py").write_text("from trampolines.asm import Assembly\n\nclass Macros(Assembly):\n    SP = 2\n    def ret(self):\n        pass\n")
    lacks = re.fullmatch(r"architecture riscv64: Macros in trampolines/riscv64/macros.py lacks (.*)", refused())
    assert lacks
    wanted = set(lacks[1].split(", "))
    assert wanted == {*Assembly.__abstractmethods__, *Assembly.__annotations__} - {"SP", "ret"} and {"CLOSURE", "jump_if_zero"} <= wanted
    methods = "".join(f"    def {name}(self, *_, **__):\n        pass\n" for name in Assembly.__abstractmethods__)
    registers = "".join(f"    {name} = 0\n" for name in Assembly.__annotations__)
    (folder / "macros.py").write_text(f"from trampolines.asm import Assembly\n\nclass Macros(Assembly):\n{registers}{methods}")
    for module, names in (("decode", ["decode"]), ("epilogue", ["find_epilogues", "patch_returns", "is_call"]), ("spills", ["find_spills"])):
        assert refused() == f"architecture riscv64 has a record, but no trampolines/riscv64/{module}.py"
        written = ""
        for name in names:
            (folder / f"{module}.py").write_text(written)
            assert refused() == f"architecture riscv64: trampolines/riscv64/{module}.py has no {name}"
            written += f"def {name}(*_):\n    pass\n"
        (folder / f"{module}.py").write_text(written)
    importlib.invalidate_caches()
    for name in [name for name in sys.modules if name.startswith("trampolines.riscv64")]:
        del sys.modules[name]
    assert trampolines.load("riscv64").traits is RISCV64


# records against others who know


@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("record", ARCHES.values(), ids=list(ARCHES))
def test_records_agree_with_go(record: Traits, version: str) -> None:
    source = (goroot(version) / "src/cmd/internal/sys/arch.go").read_text()
    (own,) = re.findall(rf'Name: +"{record.name}",(.*?)\n}}', source, re.DOTALL)
    assert re.search(rf"MinLC: +{record.quantum},", own)
    assert set(record.relocations.values()) <= set(goversions.for_version(f"go{version}").relocs)
    if (record.name, version) != ("arm64", "1.22"):  # which has no levels
        assert f'"{record.level}"' in (goroot(version) / "src/internal/buildcfg/cfg.go").read_text()


def test_records_agree_with_elf_and_capstone() -> None:
    assert {record.elf_machine for record in ARCHES.values()} <= set(enums.ENUM_E_MACHINE)
    assert enums.ENUM_RELOC_TYPE_x64["R_X86_64_RELATIVE"] == AMD64.elf_relative
    assert enums.ENUM_RELOC_TYPE_AARCH64["R_AARCH64_RELATIVE"] == ARM64.elf_relative
    for record, code, shown in ((AMD64, b"\xc3", "ret"), (ARM64, b"\xc0\x03\x5f\xd6", "ret")):
        found = capstone.Cs(*(getattr(capstone, name) for name in record.capstone)).disasm(code, 0)
        assert [insn.mnemonic for insn in found] == [shown]


@pytest.mark.parametrize(
    ("level", "atomics"), [("", False), ("v8.0", False), ("v8.0,lse", True), ("v8.0,crypto", False), ("v8.1", True), ("v9.0", True), ("v8.9,crypto", True)]
)
def test_levels_with_atomic_instructions(level: str, atomics: bool) -> None:
    assert ARM64.has_atomics(level) is atomics


# folders that mirror each other

ALONE = {"amd64": {"through", "padding"}, "arm64": {"hold"}}
"""What exists on one architecture only; the first line of each file says so."""
PUBLIC = {
    "abi": {"INT_ARGS", "FLOAT_ARGS", "CLOSURE", "G", "SP"},
    "macros": {"Macros"},
    "decode": {"decode"},
    "prologue": {"stack_check"},
    "epilogue": {"find_epilogues", "patch_returns", "is_call", "refuse"},
    "spills": {"find_spills"},
    "readback": {"read_entry", "read_through", "read_count", "read_exits", "mentions"},
}


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_folders_have_the_same_files_and_functions(goarch: str) -> None:
    folder = ROOT / "trampolines" / goarch
    assert {path.stem for path in folder.glob("*.py")} == {*PUBLIC, "encode", "__init__", *ALONE[goarch]}
    for name in ALONE[goarch]:
        assert f"on {goarch} alone" in (folder / f"{name}.py").read_text().splitlines()[0]
    for module, names in PUBLIC.items():
        found = importlib.import_module(f"trampolines.{goarch}.{module}")
        assert all(hasattr(found, name) for name in names), module
        if module not in ("abi", "decode"):
            own = {name for name, value in vars(found).items() if inspect.isfunction(value) and value.__module__ == found.__name__}
            assert {name for name in own if not name.startswith("_")} == {name for name in names if name != "Macros"}, module


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_records_and_folders_agree(goarch: str) -> None:
    record, macros = ARCHES[goarch], trampolines.part(goarch, "macros", "Macros")
    assert (len(record.int_args), len(record.float_args)) == (len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    assert record.has_through == (ROOT / "trampolines" / goarch / "through.py").exists()
    assert record.register(RegClass.INT, 0) == record.int_args[0] and record.register(RegClass.FLOAT, 0) == record.float_args[0]


NAMED = re.compile(r"(?i)amd64|arm64|aarch64|x86")


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """String constants of a module, but for docstrings: line and text."""
    for node in ast.walk(ast.parse(path.read_text())):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
                yield child.lineno, child.value


def modules() -> list[Path]:
    own = {"arch.py", *trampolines.ARCHITECTURES}
    return [
        *(path for path in sorted((ROOT / "trampolines").rglob("*.py")) if not own & set(path.relative_to(ROOT / "trampolines").parts)),
        *(path for path in sorted((ROOT / "objinst").rglob("*.py")) if not {"_hooks", "_demo"} & set(path.parts)),
    ]


def test_nothing_but_the_record_names_an_architecture() -> None:
    found = modules()
    assert len(found) > 100
    assert [(path, line, value) for path in found for line, value in strings(path) if NAMED.search(value)] == []


def test_a_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text('"""Of arm64."""\nkind = "R_CALLARM64" if goarch == "arm64" else "R_CALL"\n')
    assert [value for _, value in strings(tmp_path / "a.py") if NAMED.search(value)] == ["R_CALLARM64", "arm64"]
