"""Decodes instructions of compiled code, as far as needed here: where execution continues, and what they do to the closure register, R26 (arm64).

Source: Arm Architecture Reference Manual for A-profile, chapter C4 (the encoding index); cmd/internal/obj/arm64/asm7.go, Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from trampolines.arm64.abi import CLOSURE
from trampolines.flow import Step

UNDEF = 0xBEA7_1700
"""What the assembler writes where nothing may come (asm7.go, case 90)."""


SIZE = 4
NOT_KNOWN = Step(SIZE, reads=None)


def decode(code: bytes, start: int, calls: Mapping[int, str]) -> Step | None:
    """See trampolines.flow.Decode. After what is no branch comes the next instruction, whether it is known or not."""
    if start + SIZE > len(code):
        return None
    (word,) = struct.unpack_from("<I", code, start)
    return _branch(word, start, calls.get(start)) or _straight(word)


def _branch(word: int, at: int, callee: str | None) -> Step | None:
    """None: no branch. at: offset of the instruction; callee: what its relocation names."""
    if word & 0x7C00_0000 == 0x1400_0000:  # B, BL
        if word >> 31:
            return Step(SIZE, callee=callee or "")
        return Step(SIZE, target=None if callee is not None else at + _distance(word, 26), falls=False)
    if word & 0xFF00_0010 == 0x5400_0000:  # B.cond
        return Step(SIZE, target=at + _distance(word >> 5, 19))
    if word & 0x7E00_0000 == 0x3400_0000:  # CBZ, CBNZ
        return Step(SIZE, word & 31 == CLOSURE, target=at + _distance(word >> 5, 19))
    if word & 0x7E00_0000 == 0x3600_0000:  # TBZ, TBNZ
        return Step(SIZE, word & 31 == CLOSURE, target=at + _distance(word >> 5, 14))
    if word & 0xFF9F_FC1F == 0xD61F_0000:  # BR, BLR, RET
        reads = word >> 5 & 31 == CLOSURE
        if word & 0x0060_0000 == 0x0020_0000:
            return Step(SIZE, reads, callee="")
        return Step(SIZE, reads, falls=False, switches=not word & 0x0060_0000)
    if word == UNDEF or (word & 0xFF00_0000 == 0xD400_0000 and word & 31 != 1):  # BRK, HLT
        return Step(SIZE, falls=False)
    return None


def _distance(words: int, bits: int) -> int:
    """In bytes."""
    words &= (1 << bits) - 1
    return 4 * (words - (1 << bits) if words >> (bits - 1) else words)


def _straight(word: int) -> Step:
    """Of an instruction after which the next one is executed."""
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
        return _made((), word & 31) if load else _made((word & 31,))
    return NOT_KNOWN


def _made(reads: tuple[int, ...], writes: int = -1) -> Step:
    """reads, writes: registers; -1 is none."""
    return Step(SIZE, CLOSURE in reads, writes == CLOSURE)


def _immediate(word: int) -> Step:
    rd, rn, kind = word & 31, word >> 5 & 31, word >> 23 & 7
    if kind < 2:  # ADR, ADRP
        return _made((), rd)
    if kind == 5:  # MOVN, MOVZ, MOVK
        return _made((rd,) if word >> 29 & 3 == 3 else (), rd)
    if kind == 6:  # SBFM, BFM, UBFM
        return _made((rn, rd) if word >> 29 & 3 == 1 else (rn,), rd)
    return _made((rn, word >> 16 & 31) if kind == 7 else (rn,), rd)


def _register(word: int) -> Step:
    rd, rn, rm, ra = word & 31, word >> 5 & 31, word >> 16 & 31, word >> 10 & 31
    if word & 0x1F00_0000 == 0x1B00_0000:  # multiply and add
        return _made((rn, rm, ra), rd)
    if word & 0x5FE0_0000 == 0x5AC0_0000:  # one source: rm is part of the opcode
        return _made((rn,), rd)
    if word & 0x1FE0_0000 == 0x1A40_0000:  # CCMP, CCMN: rd is a set of flags
        return _made((rn,) if word & 0x800 else (rn, rm))
    return _made((rn, rm), rd)


def _memory(word: int) -> Step:
    rt, rn, rt2, rm = word & 31, word >> 5 & 31, word >> 10 & 31, word >> 16 & 31
    vector, load, kind = word >> 26 & 1, word >> 22 & 1, word >> 28 & 3
    if kind == 0:
        if CLOSURE not in (rt, rt2, rm, rn):
            return _made(())
        return _made((rn,)) if rn == CLOSURE else NOT_KNOWN
    if kind == 1:  # load of a literal
        return (_made(()) if vector else _made((), rt)) if not word & 0x0100_0000 else NOT_KNOWN
    if kind == 2:  # pairs
        both = () if vector else (rt, rt2)
        return Step(SIZE, CLOSURE in ((rn,) if load else (rn, *both)), bool(load) and CLOSURE in both)
    loads = word >> 22 & 3 != 0
    index: tuple[int, ...] = ()
    if not word & 0x0100_0000 and word & 0x0020_0000:
        if word >> 10 & 3 == 0:  # atomics: rm is the operand, rt the old value
            return _made((rn, rm), rt)
        index = (rm,)
    if vector:
        return _made((rn, *index))
    return _made((rn, *index), rt) if loads else _made((rn, *index, rt))


def _float(word: int) -> Step:
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
