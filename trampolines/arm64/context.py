"""Whether a function reads the closure context (R26) before it writes it: then R26 holds a live pointer at its entry (arm64).

Needed of functions without a stack check: of others, the variant of morestack that they call tells. Follows every path from the
entry for as long as R26 is what the caller left in it. An instruction that is not known ends the search without an answer.
Source: Arm Architecture Reference Manual for A-profile, chapter C4 (the encoding index).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trampolines.arm64.abi import CONTEXT

TRANSPARENT = ("runtime.duffzero", "runtime.duffcopy", "runtime.gcWriteBarrier")
"""Callees that leave R26 alone. After any other call it holds nothing that the caller passed."""


class Touch(NamedTuple):
    """What an instruction does to R26. reads: bool; writes: bool."""

    reads: bool
    writes: bool = False


def reads_context(code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None:
    """None: not understood. calls: offset of each call instruction -> name of the callee; cases: offsets that jump tables name. An
    indirect jump goes to one of these, or is a tail call of a method, which has no context."""
    words = [word for (word,) in struct.iter_unpack("<I", code)]
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        while 0 <= at < len(words) and at not in seen:
            seen.add(at)
            branch = _branch(words[at], at, calls.get(4 * at), cases)
            if branch is not None:
                reads, targets = branch
                if reads:
                    return True
                todo += targets
                break
            touch = _touch(words[at])
            if touch is None:
                return None
            if touch.reads:
                return True
            if touch.writes:
                break
            at += 1
    return False


def _branch(word: int, at: int, callee: str | None, cases: Sequence[int]) -> tuple[bool, list[int]] | None:
    """Whether a branch reads R26, and the indices of the words that come next; None: no branch."""
    if word & 0x7C00_0000 == 0x1400_0000:  # B, BL
        if callee is not None or word >> 31:
            return False, [at + 1] if word >> 31 and callee is not None and callee.startswith(TRANSPARENT) else []
        return False, [at + _signed(word, 26)]
    if word & 0xFF00_0010 == 0x5400_0000:  # B.cond
        return False, [at + 1, at + _signed(word >> 5, 19)]
    if word & 0x7E00_0000 == 0x3400_0000:  # CBZ, CBNZ
        return word & 31 == CONTEXT, [at + 1, at + _signed(word >> 5, 19)]
    if word & 0x7E00_0000 == 0x3600_0000:  # TBZ, TBNZ
        return word & 31 == CONTEXT, [at + 1, at + _signed(word >> 5, 14)]
    if word & 0xFF9F_FC1F == 0xD61F_0000:  # BR, BLR, RET
        return word >> 5 & 31 == CONTEXT, [] if word & 0x0060_0000 else [case // 4 for case in cases]
    if word & 0xFF00_0000 == 0xD400_0000 and word & 31 != 1:  # BRK, HLT
        return False, []
    return None


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _touch(word: int) -> Touch | None:
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
