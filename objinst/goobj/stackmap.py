"""Stack maps: count, bits, bitmaps of ceil(bits/8) bytes (runtime/symtab.go, stackmap; bit i is word i)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from objinst.errors import ObjectError

HEAD = struct.Struct("<ii")
MOST = 1 << 20
"""More maps than any function has places where it can be stopped."""


def encode(maps: Sequence[Sequence[bool]]) -> bytes:
    """All maps have the same number of words. Never empty: the linker refuses function data without bytes."""
    bits = len(maps[0])
    out = bytearray(HEAD.pack(len(maps), bits))
    for words in maps:
        if len(words) != bits:
            raise ValueError("stack maps of different sizes")
        out += sum(1 << i for i, pointer in enumerate(words) if pointer).to_bytes((bits + 7) // 8, "little")
    return bytes(out)


def decode(data: bytes | memoryview, most: int = MOST) -> list[tuple[bool, ...]]:
    """Raises ObjectError if the length does not agree with the counts, or for more than `most` maps: maps of no bits take no bytes."""
    if len(data) < HEAD.size:
        raise ObjectError(f"stack map of {len(data)} bytes")
    count, bits = HEAD.unpack_from(data)
    width = (bits + 7) // 8
    if count > most:
        raise ObjectError(f"{count} stack maps for a function that can have {most}")
    if count < 0 or bits < 0 or HEAD.size + count * width > len(data):
        raise ObjectError(f"stack map of {len(data)} bytes says {count} maps of {bits} bits")
    maps = []
    for i in range(count):
        raw = int.from_bytes(bytes(data[HEAD.size + i * width : HEAD.size + (i + 1) * width]), "little")
        maps.append(tuple(bool(raw >> bit & 1) for bit in range(bits)))
    return maps
