"""Reads the stubs of a linked arm64 program back: the mirror of what sequences.py makes, addresses in place of fixups.

pc: address of code's first byte. Nothing is assumed of code that does not begin as ours does. An external linker may have made
ADRP+ADD a NOP and an ADR.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

NOP, RET = 0xD503201F, 0xD65F03C0
LDRB_R16, CBNZ_R16_8 = 0x39400210, 0x35000050
R16, R17 = 16, 17


def read_entry(code: bytes, pc: int) -> tuple[int, int] | None:
    """Addresses of descriptor and body. MOVD $desc, R16; MOVBU (R16), R16; CBNZW R16, +8; B body."""
    words = _words(code[:20])
    if len(words) < 5 or words[2:4] != [LDRB_R16, CBNZ_R16_8]:
        return None
    desc, body = _address(words[0], words[1], pc, R16), _branch(words[4], pc + 16)
    return None if desc is None or body is None else (desc, body)


def read_through(code: bytes, pc: int) -> int | None:
    """There are no call-throughs here."""
    del code, pc
    return None


def read_count(code: bytes, pc: int) -> int | None:
    """Address that a counting stub goes on to: the first branch out of it, after an address in R16 and arithmetic on R17."""
    words = _words(code[:32])
    if len(words) < 5 or _address(words[0], words[1], pc, R16) is None or not any(word & 0x1F == R17 for word in words[2:4]):
        return None
    return next((target for number, word in enumerate(words[2:], 2) if (target := _branch(word, pc + 4 * number)) is not None), None)


def mentions(code: bytes, pc: int, address: int) -> bool:
    """Whether code takes an address into R0, as stubs do with their descriptor."""
    words = _words(code)
    return any(_address(first, second, pc + 4 * number, 0) == address for number, (first, second) in enumerate(itertools.pairwise(words)))


def read_exits(code: bytes, pc: int, pcsp: Sequence[tuple[int, int]]) -> list[tuple[int, int | None]]:
    """(offset, address of the exit stub) of every return; None for one that still returns. pcsp: (value, end) pairs."""
    found: list[tuple[int, int | None]] = []
    for number, word in enumerate(_words(code)):
        offset = 4 * number
        if next((value for value, end in pcsp if offset < end), -1) != 0:
            continue
        target = _branch(word, pc + offset)
        if word == RET:
            found.append((offset, None))
        elif target is not None and not pc <= target < pc + len(code):
            found.append((offset, target))
    return found


def _words(code: bytes) -> list[int]:
    return [word for (word,) in struct.iter_unpack("<I", code[: len(code) & ~3])]


def _branch(word: int, at: int) -> int | None:
    """Target of B."""
    return at + 4 * _signed(word & 0x3FFFFFF, 26) if word >> 26 == 0b000101 else None


def _address(first: int, second: int, at: int, register: int) -> int | None:
    """What ADRP+ADD, or NOP and ADR, put into a register."""
    if first & 0x9F00001F == 0x90000000 | register and second & 0xFFC003FF == 0x91000000 | register << 5 | register:
        return (at & ~0xFFF) + (_page(first) << 12) + (second >> 10 & 0xFFF)
    if first == NOP and second & 0x9F00001F == 0x10000000 | register:
        return at + 4 + _page(second)
    return None


def _page(word: int) -> int:
    return _signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
