"""Decodes the spill code before the call of morestack: which argument register lies where (arm64).

Source: cmd/internal/obj/arm64/obj7.go (stacksplit) and cmd/internal/obj.(*FuncInfo).SpillRegisterArgs, Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping

from trampolines.contract import Piece, RegClass, SpillScan

LINK = 8
LINK_TO_R3 = 0xAA1E_03E3
BLS_MASK, BLS = 0xFF00_001F, 0x5400_0009
PROLOGUE_WORDS = 12
"""The stack check is among the first instructions, whatever the size of the frame."""
STORES = {0x3900_0000: (RegClass.INT, 1), 0x7900_0000: (RegClass.INT, 2), 0xB900_0000: (RegClass.INT, 4), 0xF900_0000: (RegClass.INT, 8),
          0xBD00_0000: (RegClass.FLOAT, 4), 0xFD00_0000: (RegClass.FLOAT, 8)}  # fmt: skip
PAIRS = {0xA900_0000: (RegClass.INT, 8), 0x2900_0000: (RegClass.INT, 4), 0x6D00_0000: (RegClass.FLOAT, 8), 0x2D00_0000: (RegClass.FLOAT, 4)}
IMM_MASK = 0xFFC0_0000
ADD_MASK, ADD_TO_R27 = 0xFFC0_03FF, 0x9100_03FB
SP, R27 = 31, 27


def find_spills(code: bytes, calls: Mapping[int, str]) -> SpillScan:
    """calls: offset of each call instruction -> name of the callee. Offsets of the pieces count from the args base."""
    grow = [at for at, name in calls.items() if name.startswith("runtime.morestack")]
    if not grow:
        return SpillScan(None)
    words = [word for (word,) in struct.iter_unpack("<I", code)]
    start = _tail(words)
    if start is None or len(grow) != 1 or start > grow[0] // 4:
        return SpillScan((), ("spills", "its stack check is not understood"))
    pieces: list[Piece] = []
    bases = {SP: 0}
    for at in range(start, grow[0] // 4):
        word = words[at]
        if word == LINK_TO_R3:
            continue
        if word & ADD_MASK == ADD_TO_R27:
            bases[R27] = word >> 10 & 0xFFF
            continue
        found = list(_stores(word, bases))
        if not found:
            return SpillScan((), ("spills", f"the instruction at {4 * at:#x} before morestack is not a spill"))
        pieces += found
    return SpillScan(tuple(pieces))


def _tail(words: list[int]) -> int | None:
    """Index of the first word behind the branch of the stack check."""
    for at, word in enumerate(words[:PROLOGUE_WORDS]):
        if word & BLS_MASK == BLS:
            distance = word >> 5 & 0x7FFFF
            target = at + (distance - (1 << 19) if distance >> 18 else distance)
            return target if 0 < target < len(words) else None
    return None


def _stores(word: int, bases: Mapping[int, int]) -> Iterator[Piece]:
    base = bases.get(word >> 5 & 31)
    if base is None:
        return
    if word & IMM_MASK in STORES:
        reg, size = STORES[word & IMM_MASK]
        yield Piece(reg, word & 31, size, base + (word >> 10 & 0xFFF) * size - LINK)
    elif word & IMM_MASK in PAIRS:
        reg, size = PAIRS[word & IMM_MASK]
        scaled = word >> 15 & 0x7F
        offset = base + (scaled - 128 if scaled >> 6 else scaled) * size - LINK
        yield Piece(reg, word & 31, size, offset)
        yield Piece(reg, word >> 10 & 31, size, offset + size)
