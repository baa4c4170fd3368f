"""Annotated encodings of the stubs: each line is an offset, the pc-to-SP value, the bytes and capstone's text. `--bless` rewrites them."""

from __future__ import annotations

from pathlib import Path

import capstone
import pytest

import trampolines
from objinst.platform import linux
from trampolines import Arch
from trampolines.contract import (
    Base, Code, ScopeFilter, ClosureUse, Copy, EntrySpec, ExitSpec, FixupKind, GrowGuard, Load, Piece, RegClass, ThroughSpec,
    ThunkSpec,
)  # fmt: skip
from trampolines_shapes import CASES

GOLDEN = Path(__file__).parent.parent / "golden"
INT, FLOAT = RegClass.INT, RegClass.FLOAT
SPILLS = (
    Piece(INT, 0, 8, 0),
    Piece(INT, 1, 8, 8),
    Piece(INT, 2, 4, 16),
    Piece(INT, 3, 2, 20),
    Piece(INT, 4, 1, 22),
    Piece(FLOAT, 0, 8, 24),
    Piece(FLOAT, 1, 4, 32),
)
RESULTS = (Piece(INT, 0, 8, 0), Piece(INT, 1, 8, 8), Piece(FLOAT, 0, 4, 16))
LOADS = (
    Load(Base.ARGS, Piece(INT, 2, 8, 0)),
    Load(Base.RESULTS, Piece(INT, 3, 1, 8)),
    Load(Base.BOXES, Piece(INT, 4, 8, 16)),
    Load(Base.ARGS, Piece(FLOAT, 0, 8, 40)),
)
SCOPE = (456, 152, 8, 20, 19, 32)
TEARDOWN = {"amd64": (b"\x48\x83\xc4\x30\x5d", 0x38), "arm64": (b"", 0)}
LARGE_TEARDOWN = {"amd64": (b"\x48\x81\xc4\x00\x10\x00\x00\x5d", 0x1008), "arm64": (b"", 0)}


def stubs(goarch: str) -> dict[str, Code]:
    arch = trampolines.load(goarch)
    return {
        "entry stub, plain": arch.entry_stub(EntrySpec((), ClosureUse.RAW, toggle=False)),
        "entry stub, every width": arch.entry_stub(EntrySpec(SPILLS, ClosureUse.POINTER)),
        "entry stub, skippable": arch.entry_stub(EntrySpec(SPILLS[:2], ClosureUse.RAW, skippable=True, results=RESULTS, stack_results=((16, 16),))),
        "entry stub, args area of 40,000 bytes": arch.entry_stub(EntrySpec((Piece(INT, 0, 8, 40000), Piece(INT, 1, 1, 40008)), ClosureUse.RAW)),
        "entry stub, unchecked": arch.entry_stub(EntrySpec(SPILLS[:2], ClosureUse.RAW, guard=GrowGuard(48, 192, 264, 177), room=900)),
        "entry stub, channel receive": arch.entry_stub(
            EntrySpec(SPILLS[:2], ClosureUse.RAW, toggle=False, guard=GrowGuard(48, 192, 264, 177), filter=ScopeFilter(*SCOPE, inherited=True))
        ),
        "entry stub, channel send": arch.entry_stub(EntrySpec(SPILLS[:2], ClosureUse.RAW, toggle=False, filter=ScopeFilter(*SCOPE, mark=(26, 2)))),
        "entry stub, select": arch.entry_stub(
            EntrySpec(SPILLS[:2], ClosureUse.RAW, toggle=False, filter=ScopeFilter(*SCOPE, inherited=True, sends=3))
        ),
        "exit stub, unchecked": arch.exit_stub(ExitSpec(b"", 0, RESULTS, 24, (True, True, False), 456, unchecked=True)),
        "exit stub, no results": arch.exit_stub(ExitSpec(*TEARDOWN[goarch], (), 0, (), 456)),
        "exit stub, results": arch.exit_stub(ExitSpec(*LARGE_TEARDOWN[goarch], RESULTS, 24, (True, True, False), 456)),
        "thunk, nosplit": arch.thunk(ThunkSpec(LOADS, (), 64)),
        "thunk, copies": arch.thunk(ThunkSpec(LOADS[:1], (Copy(Base.ARGS, 8, 0, 23), Copy(Base.RESULTS, 0, 24, 8)), 96)),
        "thunk, stack check": arch.thunk(ThunkSpec(LOADS[:1], (Copy(Base.ARGS, 5000, 0, 16),), 400)),
        "count": arch.count_stub(atomics=False),
        "count, atomic instructions": arch.count_stub(atomics=True),
        "slot handover": arch.slot_handover(456, 48, 192, *TEARDOWN[goarch]),
        "getg": arch.getg(),
        "hold": arch.hold_stub(),
        "gate of dieFromSignal": arch.death_gate(linux.TARGET.gates[goarch]),
        "gate of raisebadsignal": arch.foreign_gate(linux.TARGET.gates[goarch]),
    } | through(arch, goarch) | {case.name: case.code for case in CASES if case.goarch == goarch}


def through(arch: Arch, goarch: str) -> dict[str, Code]:
    if goarch == "arm64":
        return {}
    entry = EntrySpec(SPILLS[:2], ClosureUse.POINTER, skippable=True, results=RESULTS, guard=GrowGuard(48, 192, 264, 177))
    return {"head of a call-through": arch.head_stub(), "call-through": arch.through_stub(ThroughSpec(entry, 16, 24, (True, True, False), 456))}


def annotate(goarch: str, name: str, code: Code) -> str:
    """The listing of one blob. Fixups stand at the instruction that holds them."""
    md = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64) if goarch == "amd64" else capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
    entries = {offset: label for label, offset in code.entries if label != "nosplit"}
    bits = "".join("p" if pointer else "-" for pointer in code.locals_map)
    lines = [f"## {name}", f"frame {code.frame}, locals {bits or 'none'}{', nosplit' if dict(code.entries).get('nosplit') else ''}"]
    for at, size, mnemonic, text in md.disasm_lite(code.code, 0):
        if at in entries:
            lines.append(f"{entries[at]}:")
        sp = next(value for value, end in code.pcsp if at < end)
        notes = [f"{f.kind.value} {f.role}{f.addend:+d}" if f.addend else f"{f.kind.value} {f.role}" for f in code.fixups if at <= f.offset < at + size]
        line = f"{at:4x} {sp:5x}  {code.code[at : at + size].hex():22} {mnemonic} {text}".rstrip()
        lines.append(f"{line:70}  ; {', '.join(notes)}" if notes else line)
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_golden(goarch: str, request: pytest.FixtureRequest) -> None:
    made = "\n".join(annotate(goarch, name, code) for name, code in stubs(goarch).items())
    path = GOLDEN / f"trampolines_{goarch}.txt"
    if request.config.getoption("--bless"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(made, encoding="utf-8")
    assert made == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_tables_cover_the_code(goarch: str) -> None:
    """pcsp ascends and ends with the code; fixups lie in it, apart from each other; entries too."""
    for name, code in stubs(goarch).items():
        ends = [end for _, end in code.pcsp]
        assert ends == sorted(set(ends)) and ends[-1] == len(code.code), name
        assert all(one[0] != two[0] for one, two in zip(code.pcsp, code.pcsp[1:], strict=False)), name
        taken = [b for f in code.fixups for b in range(f.offset, f.offset + f.size)]
        assert len(taken) == len(set(taken)) and all(b < len(code.code) for b in taken), name
        assert {f.kind for f in code.fixups} <= {FixupKind.CALL, FixupKind.PCREL if goarch == "amd64" else FixupKind.ADDR}, name
        assert all(0 <= offset < len(code.code) for _, offset in code.entries), name
