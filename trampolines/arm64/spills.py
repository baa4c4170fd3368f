"""Decodes the spill code before the call of morestack: where each argument register is stored (arm64).

Source: cmd/internal/obj/arm64/obj7.go (stacksplit) and cmd/internal/obj.(*FuncInfo).SpillRegisterArgs, Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from trampolines.arm64.abi import FLOAT_ARGS, INT_ARGS, R27, SP
from trampolines.arm64.prologue import stack_check
from trampolines.contract import Piece, RegClass, SpillScan

LINK = 8
LINK_TO_R3 = 0xAA1E_03E3
NOP = 0xD503_201F
STORES = {0x3900_0000: (RegClass.INT, 1), 0x7900_0000: (RegClass.INT, 2), 0xB900_0000: (RegClass.INT, 4), 0xF900_0000: (RegClass.INT, 8),
          0xBD00_0000: (RegClass.FLOAT, 4), 0xFD00_0000: (RegClass.FLOAT, 8)}  # fmt: skip
PAIRS = {0xA900_0000: (RegClass.INT, 8), 0x2900_0000: (RegClass.INT, 4), 0x6D00_0000: (RegClass.FLOAT, 8), 0x2D00_0000: (RegClass.FLOAT, 4)}
IMM_MASK = 0xFFC0_0000
ADD_MASK, ADD_TO_R27, SHIFT_12 = 0xFF80_001F, 0x9100_001B, 0x0040_0000
"""Slots out of a displacement's reach: ADD $n, RSP, R27, perhaps with ADD $m<<12, R27, R27 after it."""
LIMITS = {RegClass.INT: len(INT_ARGS), RegClass.FLOAT: len(FLOAT_ARGS)}


def find_spills(code: bytes, calls: Mapping[int, str]) -> SpillScan:
    """calls: offset of each call instruction -> name of the callee. Offsets of the pieces count from the args base."""
    grow = [at for at, name in calls.items() if name.startswith("runtime.morestack")]
    if not grow:
        return SpillScan(None)
    words = [word for (word,) in struct.iter_unpack("<I", code)]
    check = stack_check(code)
    if check is None or len(grow) != 1 or check.tail > grow[0]:
        return SpillScan((), ("spills", "its stack check is not understood"))
    pieces: list[Piece] = []
    bases = {SP: 0}
    for at in range(check.tail // 4, grow[0] // 4):
        word = words[at]
        if word in (LINK_TO_R3, NOP):
            continue
        if word & ADD_MASK == ADD_TO_R27 and word >> 5 & 31 in bases:
            bases[R27] = bases[word >> 5 & 31] + ((word >> 10 & 0xFFF) << (12 if word & SHIFT_12 else 0))
            continue
        found = _stores(word, bases)
        if not found:
            return SpillScan((), ("spills", f"the instruction at {4 * at:#x} before morestack is not a spill"))
        pieces += found
    return SpillScan(tuple(pieces))


def _stores(word: int, bases: Mapping[int, int]) -> list[Piece]:
    """What one instruction stores into the args area; nothing if it is no such store."""
    base = bases.get(word >> 5 & 31)
    kind = word & IMM_MASK
    if base is None:
        return []
    if kind in STORES:
        reg, size = STORES[kind]
        pieces = [Piece(reg, word & 31, size, base + (word >> 10 & 0xFFF) * size - LINK)]
    elif kind in PAIRS:
        reg, size = PAIRS[kind]
        scaled = word >> 15 & 0x7F
        offset = base + (scaled - 128 if scaled >> 6 else scaled) * size - LINK
        pieces = [Piece(reg, word & 31, size, offset), Piece(reg, word >> 10 & 31, size, offset + size)]
    else:
        return []
    return pieces if all(piece.offset >= 0 and piece.index < LIMITS[piece.reg] for piece in pieces) else []
