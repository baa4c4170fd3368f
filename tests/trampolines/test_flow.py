"""comes_back: whether a call is in a loop. Code written by hand, and the standard library's as capstone reads it."""

from __future__ import annotations

import collections
import re
import struct
from collections.abc import Iterable
from pathlib import Path

import capstone
import pytest

import trampolines
from compiled import Compiled, functions
from toolchains import exports, std_archives, versions

RECEIVES = frozenset({"runtime.chanrecv1", "runtime.chanrecv2", "runtime.selectgo", "runtime.selectnbrecv"})
NEVER = re.compile(r"runtime\.(morestack(_noctxt)?|gopanic|(goP|p)anic[A-Za-z0-9]+|throw|block|Goexit)")
WITH_CHANNELS = ("net/http", "database/sql", "os/exec", "testing", "context", "time", "cmd/go")
DISASSEMBLERS = {
    "amd64": capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    "arm64": capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN),
}
CALL, MORESTACK, PANIC = "runtime.chanrecv2", "runtime.morestack", "runtime.gopanic"


def receives(callees: Iterable[str]) -> bool:
    return not RECEIVES.isdisjoint(callees)


def graph(goarch: str, f: Compiled) -> dict[int, set[int]]:
    """Instruction -> what may be executed next, by capstone's text. Raises KeyError for a way to where no instruction is."""
    insns = list(DISASSEMBLERS[goarch].disasm_lite(f.code, 0))
    assert sum(size for _, size, _, _ in insns) == len(f.code), f"{f.name}: capstone does not know all of it"
    found: dict[int, set[int]] = {}
    for at, size, name, text in insns:
        callee = next((callee for place, callee in f.calls.items() if at <= place < at + size), None)
        direct = re.fullmatch(r"(?:.*, )?#?(0x[0-9a-f]+|\d+)", text)
        jumps = (name[0] == "j") if goarch == "amd64" else (name in ("b", "br", "cbz", "cbnz", "tbz", "tbnz") or name.startswith("b."))
        behind = {at + size}
        if name in ("call", "bl", "blr"):
            behind = set() if callee and NEVER.fullmatch(callee) else behind
        elif jumps and name in ("jmp", "b", "br"):
            behind = {int(direct[1], 0)} if direct and callee is None else set(f.cases) if callee is None else set()
        elif jumps:
            assert direct, f"{f.name}: {name} {text}"
            behind.add(int(direct[1], 0))
        elif name in ("ret", "ud2", "int3", "hlt", "brk") or f.code[at : at + 4] == bytes.fromhex("0017a7be"):
            behind = set()
        found[at] = behind - {len(f.code)}
    assert all(to in found for behind in found.values() for to in behind), f"{f.name}: a jump between instructions"
    return found


def in_a_cycle(flow: dict[int, set[int]], start: int) -> bool:
    """By the instructions from which the start can be reached: whether one of them follows it."""
    before: dict[int, set[int]] = collections.defaultdict(set)
    for at, behind in flow.items():
        for to in behind:
            before[to].add(at)
    leads = set(before[start])
    new = leads
    while new:
        new = {at for to in new for at in before[to]} - leads
        leads = leads | new
    return bool(flow[start] & (leads | {start}))


def check(archives: Iterable[Path], goarch: str) -> collections.Counter[bool]:
    arch, seen = trampolines.load(goarch), collections.Counter[bool]()
    for f in functions(archives, goarch, receives):
        flow = graph(goarch, f)
        for place, callee in f.calls.items():
            if callee in RECEIVES:
                found = arch.comes_back(f.code, f.calls, sorted(f.cases), place)
                assert found is in_a_cycle(flow, place - (goarch == "amd64")), f"{f.name}+{place:#x}: {found}"
                seen[found] += 1
    return seen


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_some_packages(goarch: str) -> None:
    seen = check(exports("1.26", goarch, *WITH_CHANNELS).values(), goarch)
    assert seen[True] > 30 and seen[False] > 120


@pytest.mark.long
@pytest.mark.parametrize("version", versions())
@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_all_of_std(version: str, goarch: str) -> None:
    assert min(check(std_archives(version, goarch), goarch).values()) > 30


class Text:
    """A function under construction: labels and jumps of one architecture. A call is to a name, a jump to a label."""

    def __init__(self, goarch: str) -> None:
        self.goarch = goarch
        self.code = bytearray()
        self.calls: dict[int, str] = {}
        self.labels: dict[str, int] = {}
        self.jumps: list[tuple[int, str, str]] = []

    def label(self, name: str) -> None:
        self.labels[name] = len(self.code)

    def call(self, callee: str) -> None:
        amd64 = self.goarch == "amd64"
        self.calls[len(self.code) + amd64] = callee
        self.code += bytes.fromhex("e800000000" if amd64 else "00000094")

    def leave(self, callee: str) -> None:
        """A tail call, whose displacement is that of its relocation alone."""
        amd64 = self.goarch == "amd64"
        self.calls[len(self.code) + amd64] = callee
        self.code += bytes.fromhex("e900000000" if amd64 else "00000014")

    def jump(self, kind: str, label: str) -> None:
        """kind: always, if, or zero, which tests a register on arm64."""
        self.jumps.append((len(self.code), kind, label))
        self.code += bytes({"always": 5, "if": 6, "zero": 2}[kind] if self.goarch == "amd64" else 4)

    def plain(self) -> None:
        """MOVQ 8(SP), AX and LEAQ 0(AX)(CX*8), DX; MOVD 8(RSP), R0 and ADD $1, R0."""
        self.code += bytes.fromhex("488b442408 488d14c8" if self.goarch == "amd64" else "e00740f9 00040091")

    def ret(self) -> None:
        self.code += bytes.fromhex("c3" if self.goarch == "amd64" else "c0035fd6")

    def table(self) -> None:
        """A jump to one of the cases: JMP (DX)(AX*8); BR R27."""
        self.code += bytes.fromhex("ff24c2" if self.goarch == "amd64" else "60031fd6")

    def through_register(self) -> None:
        """CALL (DX); BLR R1."""
        self.code += bytes.fromhex("ff12" if self.goarch == "amd64" else "20003fd6")

    def unknown(self) -> None:
        """An instruction with an EVEX prefix, which the decoder of amd64 does not know."""
        self.code += bytes.fromhex("62f17c4828c8" if self.goarch == "amd64" else "1f2003d5")

    def trap(self) -> None:
        """UD2; UNDEF."""
        self.code += bytes.fromhex("0f0b" if self.goarch == "amd64" else "0017a7be")

    def comes_back(self, *cases: str) -> bool | None:
        for at, kind, label in self.jumps:
            to = self.labels[label]
            if self.goarch == "arm64":
                words = (to - at) // 4
                word = {"always": 0x1400_0000 | words & 0x3FF_FFFF, "if": 0x5400_0001 | (words & 0x7_FFFF) << 5, "zero": 0xB400_0000 | (words & 0x7_FFFF) << 5}
                self.code[at : at + 4] = struct.pack("<I", word[kind])
            else:
                size, opcode = {"always": (5, b"\xe9"), "if": (6, b"\x0f\x85"), "zero": (2, b"\x74")}[kind]
                width = size - len(opcode)
                self.code[at : at + size] = opcode + (to - at - size).to_bytes(width, "little", signed=True)
        (place,) = [place for place, callee in self.calls.items() if callee == CALL]
        found = trampolines.load(self.goarch).comes_back(bytes(self.code), self.calls, [self.labels[case] for case in cases], place)
        return found


@pytest.fixture(params=trampolines.ARCHITECTURES)
def text(request: pytest.FixtureRequest) -> Text:
    return Text(request.param)


@pytest.mark.parametrize("kind", ["always", "if", "zero"])
def test_loop(text: Text, kind: str) -> None:
    text.plain()
    text.label("again")
    text.call(CALL)
    text.plain()
    text.jump(kind, "again")
    text.ret()
    assert text.comes_back() is True


def test_loop_of_one_call(text: Text) -> None:
    text.label("again")
    text.call(CALL)
    text.jump("always", "again")
    assert text.comes_back() is True


def test_no_loop(text: Text) -> None:
    text.plain()
    text.call(CALL)
    text.jump("if", "end")
    text.plain()
    text.label("end")
    text.ret()
    assert text.comes_back() is False


def test_behind_a_loop(text: Text) -> None:
    text.label("again")
    text.call("f")
    text.jump("if", "again")
    text.call(CALL)
    text.ret()
    assert text.comes_back() is False


def test_before_a_loop(text: Text) -> None:
    text.call(CALL)
    text.label("again")
    text.call("f")
    text.jump("if", "again")
    text.ret()
    assert text.comes_back() is False


def test_left_at_once(text: Text) -> None:
    """In a loop, but the way from it leaves: the loop goes round without it."""
    text.label("again")
    text.plain()
    text.jump("if", "receive")
    text.jump("always", "again")
    text.label("receive")
    text.call(CALL)
    text.ret()
    assert text.comes_back() is False


def test_rotated(text: Text) -> None:
    """The compiler puts the end of a loop first (cmd/compile/internal/ssa/looprotate.go)."""
    text.jump("always", "enter")
    text.label("work")
    text.through_register()
    text.label("enter")
    text.call(CALL)
    text.jump("if", "work")
    text.ret()
    assert text.comes_back() is True


def test_stack_check_is_no_loop(text: Text) -> None:
    text.label("entry")
    text.jump("if", "grow")
    text.call(CALL)
    text.ret()
    text.label("grow")
    text.call(MORESTACK)
    text.jump("always", "entry")
    assert text.comes_back() is False


@pytest.mark.parametrize("end", ["panic", "trap", "tail call", "return"])
def test_what_ends_a_way(text: Text, end: str) -> None:
    """A block that never goes on may stand in front of any other."""
    text.jump("always", "receive")
    text.label("again")
    text.call("f")
    text.label("receive")
    text.call(CALL)
    text.jump("zero", "end")
    text.ret()
    text.label("end")
    {"panic": lambda: text.call(PANIC), "trap": text.trap, "tail call": lambda: text.leave("f"), "return": text.ret}[end]()
    text.jump("always", "again")
    assert text.comes_back() is False


@pytest.mark.parametrize("cases", [("one", "two"), ("one",)])
def test_jump_table(text: Text, cases: tuple[str, ...]) -> None:
    text.label("again")
    text.call(CALL)
    text.table()
    text.label("one")
    text.ret()
    text.label("two")
    text.jump("always", "again")
    assert text.comes_back(*cases) is ("two" in cases)


def test_unknown_instruction(text: Text) -> None:
    """No answer but where a way back is found around it. On arm64 all instructions have one length, and branches are few."""
    text.label("again")
    text.call(CALL)
    text.jump("if", "known")
    text.unknown()
    text.label("known")
    text.jump("zero", "again")
    text.ret()
    assert text.comes_back() is True
    other = Text(text.goarch)
    other.call(CALL)
    other.unknown()
    other.ret()
    assert other.comes_back() is (None if text.goarch == "amd64" else False)


@pytest.mark.parametrize("cut", range(1, 12))
def test_damaged_code(text: Text, cut: int) -> None:
    """Nothing is raised for what ends within an instruction, or jumps out of it."""
    text.call(CALL)
    text.jump("if", "far")
    text.plain()
    text.labels["far"] = -4 if cut % 2 else 4000
    text.comes_back()
    text.code = text.code[:-cut]
    trampolines.load(text.goarch).comes_back(bytes(text.code), text.calls, [], next(iter(text.calls)))
