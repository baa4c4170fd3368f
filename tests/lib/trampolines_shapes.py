"""Stubs and thunks of many shapes, for each architecture: what the golden listings show and the symbolic runs walk through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import trampolines
from trampolines.contract import Base, Code, ClosureUse, Copy, EntrySpec, ExitSpec, Load, Piece, RegClass, ThunkSpec

INT, FLOAT = RegClass.INT, RegClass.FLOAT
SLOT, G_M, M_CURG = 0x1B8, 48, 192


@dataclass(frozen=True)
class Case:
    goarch: str
    name: str
    spec: EntrySpec | ExitSpec | ThunkSpec | None
    code: Code

    @property
    def id(self) -> str:
        return f"{self.goarch}-{self.name}"


def packed(*pieces: tuple[RegClass, int, int], start: int = 0) -> tuple[Piece, ...]:
    """Registers one after the other, as fields of a struct lie."""
    out, at = [], start
    for reg, index, size in pieces:
        at = -(-at // size) * size
        out.append(Piece(reg, index, size, at))
        at += size
    return tuple(out)


MIXED = packed((INT, 0, 8), (INT, 1, 1), (INT, 2, 2), (INT, 3, 4), (FLOAT, 0, 8), (INT, 4, 8), (FLOAT, 1, 4), (INT, 5, 1), (INT, 8, 8))


def entries(goarch: str) -> dict[str, EntrySpec]:
    arch = trampolines.load(goarch)
    everything = packed(*((INT, i, 8) for i in range(len(arch.traits.int_args))), *((FLOAT, i, 8) for i in range(len(arch.traits.float_args))))
    skip = packed((INT, 0, 8), (FLOAT, 0, 8), (INT, len(arch.traits.int_args) - 1, 8), (FLOAT, len(arch.traits.float_args) - 1, 4))
    return {
        "entry-bare": EntrySpec((), ClosureUse.RAW, toggle=False),
        "entry-toggle": EntrySpec(packed((INT, 0, 8)), ClosureUse.POINTER),
        "entry-mixed": EntrySpec(MIXED, ClosureUse.RAW),
        "entry-narrow": EntrySpec(
            packed((INT, 0, 1), (INT, 1, 1), (INT, 4, 1), (INT, 5, 2), (INT, 2, 2), (INT, 3, 4), (FLOAT, 1, 4)), ClosureUse.POINTER, toggle=False
        ),
        "entry-everything": EntrySpec(everything, ClosureUse.POINTER),
        "entry-behind-stack-args": EntrySpec(packed((INT, 0, 8), (INT, 3, 2), (FLOAT, 2, 4), start=120), ClosureUse.RAW),
        "entry-far": EntrySpec(packed((INT, 0, 8), (INT, 1, 1), (FLOAT, 0, 8), start=40000), ClosureUse.RAW, skippable=True, stack_results=((39000, 8),)),
        "entry-skippable": EntrySpec(packed((INT, 0, 8), (INT, 1, 8)), ClosureUse.POINTER, skippable=True, results=skip),
        "entry-skippable-stack-results": EntrySpec(MIXED, ClosureUse.RAW, toggle=False, skippable=True, results=skip[:1], stack_results=((48, 16), (8, 8))),
    }


def exits(goarch: str) -> dict[str, ExitSpec]:
    arch = trampolines.load(goarch)
    short, long, negative = ((b"\x48\x83\xc4\x30\x5d", 0x38), (b"\x48\x81\xc4\x00\x10\x00\x00\x5d", 0x1008), (b"\x48\x83\xec\x80\x5d", 0x88))
    if goarch == "arm64":
        short = long = negative = (b"", 0)
    mixed = packed((INT, 0, 8), (INT, 1, 1), (FLOAT, 0, 8), (INT, 2, 8), (FLOAT, 1, 4), (INT, 3, 4))
    words = min(len(arch.traits.int_args) + len(arch.traits.float_args), 26)
    full = packed(*((INT, i, 8) for i in range(len(arch.traits.int_args))), *((FLOAT, i, 8) for i in range(words - len(arch.traits.int_args))))
    return {
        "exit-none": ExitSpec(*short, (), 0, (), SLOT),
        "exit-stack-results": ExitSpec(*long, (), 0, (), SLOT),
        "exit-pointer": ExitSpec(*negative, packed((INT, 0, 8)), 8, (True,), SLOT),
        "exit-floats": ExitSpec(*short, packed((FLOAT, 0, 8), (FLOAT, 1, 4), (FLOAT, 2, 4)), 16, (False, False), SLOT),
        "exit-mixed": ExitSpec(*short, mixed, 40, (True, False, False, True, False), SLOT),
        "exit-full": ExitSpec(*long, full, 8 * words, tuple(i < len(arch.traits.int_args) and i % 2 == 0 for i in range(words)), SLOT, checked=0x1008),
    }


def thunks(goarch: str) -> dict[str, ThunkSpec]:
    last = len(trampolines.load(goarch).traits.int_args) - 1
    loads = (
        Load(Base.ARGS, Piece(INT, 2, 8, 0)), Load(Base.ARGS, Piece(INT, 3, 1, 8)), Load(Base.RESULTS, Piece(INT, 4, 4, 12)), Load(Base.RESULTS, Piece(FLOAT, 0, 8, 16)),
        Load(Base.ARGS, Piece(FLOAT, 1, 4, 24)), Load(Base.ARGS, Piece(INT, last, 2, 30)),
    )  # fmt: skip
    boxes = (
        Load(Base.BOXES, Piece(INT, 2, 8, 0)),
        Load(Base.BOXES, Piece(INT, 3, 8, 8)),
        Load(Base.BOXES, Piece(INT, 4, 8, 16)),
        Load(Base.BOXES, Piece(INT, 5, 8, 24)),
    )
    copies = (Copy(Base.ARGS, 32, 0, 24), Copy(Base.RESULTS, 8, 24, 7), Copy(Base.BOXES, 32, 32, 16), Copy(Base.ARGS, 57, 49, 3))
    return {
        "thunk-bare": ThunkSpec((), (), 16),
        "thunk-loads": ThunkSpec(loads, (), 64),
        "thunk-boxes": ThunkSpec(boxes, (), 48),
        "thunk-copies": ThunkSpec(boxes[:2], copies, 96),
        "thunk-checked": ThunkSpec(loads, (Copy(Base.ARGS, 0, 0, 16),), 400),
        "thunk-far": ThunkSpec((Load(Base.ARGS, Piece(INT, 2, 8, 40000)), Load(Base.ARGS, Piece(FLOAT, 3, 4, 40008))), (Copy(Base.ARGS, 50000, 8, 9),), 3000),
    }


def cases() -> Iterator[Case]:
    for goarch in trampolines.ARCHITECTURES:
        arch = trampolines.load(goarch)
        yield from (Case(goarch, name, spec, arch.entry_stub(spec)) for name, spec in entries(goarch).items())
        yield from (Case(goarch, name, spec, arch.exit_stub(spec)) for name, spec in exits(goarch).items())
        yield from (Case(goarch, name, spec, arch.thunk(spec)) for name, spec in thunks(goarch).items())
        yield Case(goarch, "getg", None, arch.getg())
        teardown = (b"\x48\x83\xc4\x30\x5d", 0x38) if goarch == "amd64" else (b"", 0)
        yield Case(goarch, "slot-handover", None, arch.slot_handover(SLOT, G_M, M_CURG, *teardown))


CASES = list(cases())
