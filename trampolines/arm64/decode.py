"""Instructions of compiled code, as far as somebody here asks: where execution goes on, and what they do to the closure context, R26 (arm64).

Source: Arm Architecture Reference Manual for A-profile, chapter C4 (the encoding index); cmd/internal/obj/arm64/asm7.go, Go 1.22-1.27.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trampolines.arm64.abi import CONTEXT

UNDEF = 0xBEA7_1700
"""What the assembler writes where nothing may come (asm7.go, case 90)."""


class Touch(NamedTuple):
    """What an instruction does to R26. reads: bool; writes: bool."""

    reads: bool
    writes: bool = False


class Branch(NamedTuple):
    """Where execution goes on behind an instruction that may leave the straight line. reads: R26 decides; targets: offsets; callee: what a
    call calls, "" where only a register knows; None for all that is no call."""

    reads: bool
    targets: Sequence[int]
    callee: str | None = None


def branch(word: int, at: int, callee: str | None, cases: Sequence[int]) -> Branch | None:
    """None: no branch. at: offset of the instruction; callee: what its relocation names; cases: offsets that jump tables name."""
    if word & 0x7C00_0000 == 0x1400_0000:  # B, BL
        if word >> 31:
            return Branch(False, (at + 4,), callee or "")
        return Branch(False, () if callee is not None else (at + _distance(word, 26),))
    if word & 0xFF00_0010 == 0x5400_0000:  # B.cond
        return Branch(False, (at + 4, at + _distance(word >> 5, 19)))
    if word & 0x7E00_0000 == 0x3400_0000:  # CBZ, CBNZ
        return Branch(word & 31 == CONTEXT, (at + 4, at + _distance(word >> 5, 19)))
    if word & 0x7E00_0000 == 0x3600_0000:  # TBZ, TBNZ
        return Branch(word & 31 == CONTEXT, (at + 4, at + _distance(word >> 5, 14)))
    if word & 0xFF9F_FC1F == 0xD61F_0000:  # BR, BLR, RET
        reads = word >> 5 & 31 == CONTEXT
        if word & 0x0060_0000 == 0x0020_0000:
            return Branch(reads, (at + 4,), "")
        return Branch(reads, () if word & 0x0060_0000 else cases)
    if word == UNDEF or (word & 0xFF00_0000 == 0xD400_0000 and word & 31 != 1):  # BRK, HLT
        return Branch(False, ())
    return None


def _distance(words: int, bits: int) -> int:
    """In bytes."""
    words &= (1 << bits) - 1
    return 4 * (words - (1 << bits) if words >> (bits - 1) else words)


def touch(word: int) -> Touch | None:
    """None: not understood."""
    group = word >> 25 & 15
    if group in (8, 9):
        return _immediate(word)
    if group in (5, 13):
        return _register(word)
    if group & 5 == 4:
        return _memory(word)
    if group in (7, 15):
        return _float(word)
    if word & 0xFFE0_0000 == 0xD500_0000 or word & 0xFFE0_0000 == 0xD520_0000:  # hints, barriers, MSR, MRS
        load = bool(word & 0x0020_0000)
        return Touch(not load and word & 31 == CONTEXT, load and word & 31 == CONTEXT)
    return None


def _made(reads: tuple[int, ...], writes: int = -1) -> Touch:
    return Touch(CONTEXT in reads, writes == CONTEXT)


def _immediate(word: int) -> Touch:
    rd, rn, kind = word & 31, word >> 5 & 31, word >> 23 & 7
    if kind < 2:  # ADR, ADRP
        return _made((), rd)
    if kind == 5:  # MOVN, MOVZ, MOVK
        return _made((rd,) if word >> 29 & 3 == 3 else (), rd)
    if kind == 6:  # SBFM, BFM, UBFM
        return _made((rn, rd) if word >> 29 & 3 == 1 else (rn,), rd)
    return _made((rn, word >> 16 & 31) if kind == 7 else (rn,), rd)


def _register(word: int) -> Touch:
    rd, rn, rm, ra = word & 31, word >> 5 & 31, word >> 16 & 31, word >> 10 & 31
    if word & 0x1F00_0000 == 0x1B00_0000:  # multiply and add
        return _made((rn, rm, ra), rd)
    if word & 0x5FE0_0000 == 0x5AC0_0000:  # one source: rm is part of the opcode
        return _made((rn,), rd)
    if word & 0x1FE0_0000 == 0x1A40_0000:  # CCMP, CCMN: rd is a set of flags
        return _made((rn,) if word & 0x800 else (rn, rm))
    return _made((rn, rm), rd)


def _memory(word: int) -> Touch | None:
    rt, rn, rt2, rm = word & 31, word >> 5 & 31, word >> 10 & 31, word >> 16 & 31
    vector, load, kind = word >> 26 & 1, word >> 22 & 1, word >> 28 & 3
    if kind == 0:
        if CONTEXT not in (rt, rt2, rm, rn):
            return Touch(reads=False)
        return Touch(reads=True) if rn == CONTEXT else None
    if kind == 1:  # load of a literal
        return (_made(()) if vector else _made((), rt)) if not word & 0x0100_0000 else None
    if kind == 2:  # pairs
        both = () if vector else (rt, rt2)
        return Touch(CONTEXT in ((rn,) if load else (rn, *both)), bool(load) and CONTEXT in both)
    loads = word >> 22 & 3 != 0
    index: tuple[int, ...] = ()
    if not word & 0x0100_0000 and word & 0x0020_0000:
        if word >> 10 & 3 == 0:  # atomics: rm is the operand, rt the old value
            return _made((rn, rm), rt)
        index = (rm,)
    if vector:
        return _made((rn, *index))
    return _made((rn, *index), rt) if loads else _made((rn, *index, rt))


def _float(word: int) -> Touch:
    """Only moves between the register files touch general registers."""
    rd, rn = word & 31, word >> 5 & 31
    if word & 0x5F20_FC00 == 0x1E20_0000:  # between floating point and integer
        opcode = word >> 16 & 7
        return _made((rn,)) if opcode in (2, 3, 7) else _made((), rd)
    if word & 0x5F20_0000 == 0x1E00_0000:  # between floating point and fixed point
        return _made((rn,)) if word >> 16 & 7 in (2, 3) else _made((), rd)
    if word & 0x9FE0_8400 == 0x0E00_0400:  # DUP, INS, SMOV, UMOV
        opcode = word >> 11 & 15
        return _made((rn,)) if opcode in (1, 3) else _made((), rd) if opcode in (5, 7) else _made(())
    return _made(())
