"""Reads the stubs of a linked amd64 program back: the mirror of what sequences.py makes, addresses in place of fixups.

pc: address of code's first byte. Nothing is assumed of code that does not begin as ours does.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

JMP, CMP_BYTE_PC, JE, LOCK_INC_PC, LEA_AX_PC = b"\xe9", b"\x80\x3d", b"\x0f\x84", b"\xf0\x48\xff\x05", b"\x48\x8d\x05"
SHORT_JMP, POP_BP = b"\xeb", b"\x5d"
HEAD = 13
"""Bytes of the test of the toggle and the jump to the body."""
SAVED_BP = 8
FREE_FRAME = (4, 7)
"""Lengths of ADDQ or SUBQ $frame, SP, in whose place the jump to the exit stub stands (epilogue.py)."""


def read_entry(code: bytes, pc: int) -> tuple[int, int] | None:
    """Addresses of descriptor and body. CMPB desc(PC), $0; JE body."""
    if not (code.startswith(CMP_BYTE_PC) and code[6:7] == b"\0" and code[7:9] == JE):
        return None
    return pc + 7 + _rel32(code, 2), pc + 13 + _rel32(code, 9)


def read_count(code: bytes, pc: int) -> int | None:
    """Address that a counting stub goes on to. LOCK INCQ counter(PC); JMP body."""
    return pc + 13 + _rel32(code, 9) if code.startswith(LOCK_INC_PC) and code[8:9] == JMP else None


def mentions(code: bytes, pc: int, address: int) -> bool:
    """Whether code takes an address into AX, as stubs do with their descriptor."""
    at = code.find(LEA_AX_PC)
    while at >= 0:
        if at + 7 <= len(code) and pc + at + 7 + _rel32(code, at + 3) == address:
            return True
        at = code.find(LEA_AX_PC, at + 1)
    return False


def read_exits(code: bytes, pc: int, pcsp: Sequence[tuple[int, int]]) -> list[tuple[int, int | None]]:
    """(offset, address of the exit stub) of every return; None for one that still returns. pcsp: (value, end) pairs."""
    starts = [0, *(end for _, end in pcsp)]
    runs = [(value, start) for (value, _), start in zip(pcsp, starts, strict=False)]
    found: list[tuple[int, int | None]] = []
    for (frame, _), (saved, pop), (value, end) in zip(runs, runs[1:], runs[2:], strict=False):
        if value != 0 or saved != SAVED_BP:
            continue
        places = [pop - length for length in FREE_FRAME] if frame > SAVED_BP else [end - 1]
        jumps = [(at, target) for at in places if (target := _jump(code, pc, at)) is not None]
        if jumps:
            found.append(jumps[0])
        elif frame > SAVED_BP or code[end - 1 : end] == POP_BP:  # else the tail after a call that never returns
            found.append((end - 1, None))
    return found


def read_through(code: bytes, pc: int) -> int | None:
    """Address of the call-through that a function's head goes on to, after what read_entry reads. JMP through."""
    return _jump(code, pc, HEAD)


def _jump(code: bytes, pc: int, at: int) -> int | None:
    """Where a jump leads, a short one by way of the long one that it leads to; None if there is no jump."""
    if code[at : at + 1] == SHORT_JMP and at + 1 < len(code):
        at += 2 + struct.unpack_from("<b", code, at + 1)[0]
    return pc + at + 5 + _rel32(code, at + 1) if code[at : at + 1] == JMP else None


def _rel32(code: bytes, at: int) -> int:
    value: int = struct.unpack_from("<i", code, at)[0] if at + 4 <= len(code) else 0
    return value
