"""Reads the stack check at the head of a compiled function (arm64).

Three forms, by the size of the frame: SP against the guard; SP - frame against it; the same guarded against underflow (BLO).
Functions that check g.stackguard1 (//go:systemstack) are not among them: they run on the system stack, where nothing is hooked.
Source: cmd/internal/obj/arm64/obj7.go (stacksplit), Go 1.22-1.27.
"""

from __future__ import annotations

import struct

from trampolines.flow import StackCheck

LOAD_GUARD = 0xF940_0B90
"""MOVD 16(R28), R16: g.stackguard0."""
BCOND_MASK, BLO, BLS = 0xFF00_001F, 0x5400_0003, 0x5400_0009
CHECK_WORDS = 12
"""The longest stack check is shorter: a frame's size may take two instructions."""


def stack_check(code: bytes) -> StackCheck | None:
    """The check at offset 0; None if there is none, or none that is known."""
    size = len(code) & ~3
    words = struct.unpack_from(f"<{min(CHECK_WORDS, size // 4)}I", code)
    if not words or words[0] != LOAD_GUARD:
        return None
    targets = set()
    for number, word in enumerate(words):
        at = 4 * number
        if word & BCOND_MASK in (BLO, BLS):
            distance = word >> 5 & 0x7FFFF
            targets.add(at + 4 * (distance - (1 << 19) if distance >> 18 else distance))
        if word & BCOND_MASK == BLS:
            target = targets.pop()
            return StackCheck(at + 4, target) if not targets and at < target < size else None
    return None
