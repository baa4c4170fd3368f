"""LEB128: numbers of seven bits a byte, the lowest first; the last byte has no high bit (DWARF 5, 7.6; encoding/binary, PutUvarint).

Go's varints (cmd/internal/obj/pcln.go, abi.Name) are the unsigned ones.
"""

from __future__ import annotations

from objinst.errors import ObjectError

MAX_SHIFT = 63


def read_unsigned(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """The number at offset `at`, and the offset after it. Raises ObjectError if it has no end within 64 bits."""
    value = shift = 0
    while at < len(data) and shift <= MAX_SHIFT:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ObjectError(f"a number that begins before offset {at} has no end")


def unsigned(value: int) -> bytes:
    """value: 0 or more."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def signed(value: int) -> bytes:
    """In two's complement; the last byte's bit 6 is the sign."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value & 0x7F])
