"""objinst.plan.workers: functions that take from channels in loops, held against a program that says of each of its own what it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import capstone
import pytest

import trampolines
from objinst.goobj.archive import Archive
from objinst.plan.workers import workers
from objinst.rules.names import printed
from needs import emulator
from places import ROOT
from toolchains import exports, go

DISASSEMBLERS = {
    "amd64": capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    "arm64": capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN),
}
METHODS = """\
package main

//go:noinline
func (q queue[T]) each[U any](do func(T) U) {
	for v := range q.ch {
		do(v)
	}
}

func init() {
	newer = append(newer, func() {
		queue[task]{full().work}.each(func(task) [2]int { return [2]int{here("worker", 1)} })
	})
}
"""
"""What no gofmt before Go 1.27 reads."""
RAN = {"1.22": (13, 7), "1.24": (15, 9), "1.26": (15, 9), "1.27": (16, 9)}
"""How many workers and others the program has: loops over iterators, and methods with type parameters, came with later versions."""


def built(version: str, goarch: str, folder: Path, *flags: str) -> tuple[Path, Path]:
    """The program of testbins/workers, and the archive of its package."""
    shutil.copytree(ROOT / "testbins/workers", folder)
    (folder / "go.mod").write_text(f"module example.com/workers\n\ngo {version}\n")
    if version == "1.27":
        (folder / "methods.go").write_text(METHODS)
    go(version, folder, "build", *flags, "-o", "prog", ".", goarch=goarch)
    listed = go(version, folder, "list", *flags, "-export", "-f", "{{.Export}}", ".", goarch=goarch)
    return folder / "prog", Path(listed.strip())


def own(archive: Path, goarch: str) -> list[str]:
    """The names of the workers, when the places of their calls have been looked at."""
    obj = Archive.read(archive).go_object()[1]
    found = workers(obj, trampolines.load(goarch))
    md = DISASSEMBLERS[goarch]
    ends = {
        (printed(obj.name(index), obj.tables.runtime.bracket_pairs), insn.address + insn.size)
        for index in obj.text_symbols()
        for insn in md.disasm(bytes(obj.data(index)), 0)
        if insn.mnemonic in ("call", "bl")
    }
    assert set(found) <= ends, "a return address is where a call ends"
    return sorted({name for name, _ in found})


@pytest.mark.parametrize("version", RAN)
@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_shapes(version: str, goarch: str, tmp_path: Path) -> None:
    prog, archive = built(version, goarch, tmp_path / "workers")
    said = subprocess.run([*emulator(goarch), str(prog)], check=True, capture_output=True, text=True, timeout=1800).stdout.splitlines()
    true, false = ({line.removeprefix(kind) for line in said if line.startswith(kind)} for kind in ("worker ", "other "))
    assert not true & false and (len(true), len(false)) == RAN[version]
    assert own(archive, goarch) == sorted(true)


def test_without_dwarf(tmp_path: Path) -> None:
    """What a function returns is not known then: those that return what they took count, too."""
    _, with_dwarf = built("1.26", "amd64", tmp_path / "with")
    _, without = built("1.26", "amd64", tmp_path / "without", "-gcflags=-dwarf=false")
    more = set(own(without, "amd64")) - set(own(with_dwarf, "amd64"))
    assert set(own(with_dwarf, "amd64")) < set(own(without, "amd64"))
    assert more == {"main.count", "main.get", "main.finds-range1"}


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_known_ones(goarch: str) -> None:
    found = own(exports("1.26", goarch, "net/http")["net/http"], goarch)
    assert {f"net/http.(*persistConn).{name}Loop" for name in ("read", "write")} <= set(found)
    assert "net/http.(*http2serverConn).serve" in found
    assert not {"net/http.(*Transport).getConn", "net/http.(*persistConn).roundTrip", "net/http.(*http2serverConn).readPreface"} & set(found)
