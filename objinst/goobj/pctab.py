"""pc-value tables: pairs of varints, zig-zag value delta and pc delta, ended by a zero (cmd/internal/obj/pcln.go, funcpctab).

A table is a list of (value, end): value holds for pcs below `end` (bytes from the function's start).
"""

from __future__ import annotations

from collections.abc import Sequence

from objinst.errors import ObjectError
from objinst.goobj.leb128 import read_unsigned, unsigned

U32 = 0xFFFFFFFF
"""What the runtime's step reads: 32 bits (runtime/symtab.go, readvarint)."""


def decode(data: bytes | memoryview, quantum: int, size: int | None = None) -> list[tuple[int, int]]:
    """Raises ObjectError if the table is truncated, has trailing bytes or does not end at `size`."""
    pairs: list[tuple[int, int]] = []
    value, pc, at = -1, 0, 0
    end = len(data)
    while at < end:
        raw = data[at]
        if raw < 0x80:  # most numbers are of one byte
            at += 1
        else:
            raw, at = read_unsigned(data, at)
            raw &= U32
        if raw == 0 and pairs:
            break
        if at < end and data[at] < 0x80:
            delta = data[at]
            at += 1
        else:
            delta, at = read_unsigned(data, at)
            delta &= U32
        value += -(raw >> 1) - 1 if raw & 1 else raw >> 1
        pc += delta * quantum
        pairs.append((value, pc))
    else:
        if pairs:
            raise ObjectError("pc table has no end")
    if at != end:
        raise ObjectError(f"pc table has {end - at} bytes after its end")
    if size is not None and (pairs[-1][1] if pairs else 0) != size:
        raise ObjectError(f"pc table covers {pairs[-1][1] if pairs else 0} of {size} bytes")
    return pairs


def first(data: bytes | memoryview) -> int:
    """The value at the function's first pc. Raises ObjectError for a table without any."""
    raw = read_unsigned(data, 0)[0] & U32
    return (-(raw >> 1) - 1 if raw & 1 else raw >> 1) - 1


def encode(pairs: Sequence[tuple[int, int]], quantum: int) -> bytes:
    """Neighbours with the same value are joined. Raises ValueError if ends do not ascend or are no multiples of quantum."""
    out = bytearray()
    value, pc = -1, 0
    merged: list[tuple[int, int]] = []
    for new, end in pairs:
        if merged and merged[-1][0] == new:
            merged[-1] = (new, end)
        else:
            merged.append((new, end))
    for new, end in merged:
        if end <= pc or (end - pc) % quantum:
            raise ValueError(f"pc {end} after {pc} (quantum {quantum})")
        delta = new - value
        out += unsigned(delta << 1 if delta >= 0 else (-delta << 1) - 1)
        out += unsigned((end - pc) // quantum)
        value, pc = new, end
    return bytes(out + b"\0") if merged else b""
