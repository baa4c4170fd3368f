"""arm64 instructions: each function returns one word, little-endian, or raises EncodeError. Memory operands are [base + disp].

Source: Arm Architecture Reference Manual for A-profile, chapter C6; Go's spelling in the docstrings.
"""

from __future__ import annotations

import struct

from trampolines.arm64.abi import FP, LR, R27, SP
from trampolines.asm import EncodeError

SMALL_FRAME = 0xF0
"""Up to here one pre-indexed store opens a frame: its displacement has nine bits."""
BIG_FRAME = 0xFF0
"""Up to here the immediate of ADD and SUB holds a frame's size."""
PAGE = 0x1000


def word(value: int) -> bytes:
    return struct.pack("<I", value)


def _reg(number: int) -> int:
    if not 0 <= number < 32:
        raise EncodeError(f"no register {number}")
    return number


def _scaled(base_word: int, reg: int, base: int, disp: int, size: int) -> bytes:
    if disp < 0 or disp % size or disp // size > 0xFFF:
        raise EncodeError(f"displacement {disp} of a move of {size} bytes")
    return word(base_word | disp // size << 10 | _reg(base) << 5 | _reg(reg))


STORES = {1: 0x3900_0000, 2: 0x7900_0000, 4: 0xB900_0000, 8: 0xF900_0000}
FLOAT_STORES = {4: 0xBD00_0000, 8: 0xFD00_0000}
LOAD_BIT = 0x0040_0000


def _by_size(table: dict[int, int], size: int) -> int:
    if size not in table:
        raise EncodeError(f"move of {size} bytes")
    return table[size]


def store(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOVD / MOVW / MOVH / MOVB reg, disp(base)"""
    return _scaled(_by_size(STORES, size), reg, base, disp, size)


def load(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOVD / MOVWU / MOVHU / MOVBU disp(base), reg"""
    return _scaled(_by_size(STORES, size) | LOAD_BIT, reg, base, disp, size)


def store_float(reg: int, base: int, disp: int, size: int) -> bytes:
    """FMOVS / FMOVD Freg, disp(base)"""
    return _scaled(_by_size(FLOAT_STORES, size), reg, base, disp, size)


def load_float(reg: int, base: int, disp: int, size: int) -> bytes:
    """FMOVS / FMOVD disp(base), Freg"""
    return _scaled(_by_size(FLOAT_STORES, size) | LOAD_BIT, reg, base, disp, size)


def move(dst: int, src: int) -> bytes:
    """MOVD src, dst (neither is RSP)"""
    return word(0xAA00_03E0 | _reg(src) << 16 | _reg(dst))


def move_word(dst: int, src: int) -> bytes:
    """MOVWU src, dst: the upper half of dst becomes 0"""
    return word(0x2A00_03E0 | _reg(src) << 16 | _reg(dst))


def add(dst: int, base: int, value: int) -> bytes:
    """ADD $value, base, dst (register 31 is RSP); value: below 4096, or a multiple of 4096 below 4096 * 4096"""
    return word(0x9100_0000 | _imm12(value, "ADD") | _reg(base) << 5 | _reg(dst))


def subtract_immediate(dst: int, base: int, value: int) -> bytes:
    """SUB $value, base, dst (register 31 is RSP); value as for ADD"""
    return word(0xD100_0000 | _imm12(value, "SUB") | _reg(base) << 5 | _reg(dst))


def _imm12(value: int, name: str) -> int:
    """The immediate, shifted by twelve bits or not."""
    if 0 <= value < PAGE:
        return value << 10
    if value % PAGE == 0 and 0 < value < PAGE * PAGE:
        return 1 << 22 | value // PAGE << 10
    raise EncodeError(f"immediate {value} of {name}")


def subtract(dst: int, left: int, right: int) -> bytes:
    """SUB right, left, dst"""
    return word(0xCB00_0000 | _reg(right) << 16 | _reg(left) << 5 | _reg(dst))


def compare(left: int, right: int) -> bytes:
    """CMP right, left: flags of left - right"""
    return word(0xEB00_001F | _reg(right) << 16 | _reg(left) << 5)


def test_byte(reg: int) -> bytes:
    """TSTW $0xff, reg"""
    return word(0x7200_1C1F | _reg(reg) << 5)


def address(reg: int) -> bytes:
    """ADRP 0, reg; ADD $0, reg, reg: both want a relocation"""
    return word(0x9000_0000 | _reg(reg)) + word(0x9100_0000 | reg << 5 | reg)


def move_immediate(reg: int, value: int) -> bytes:
    """MOVD $value, reg (MOVZ: 16 bits)"""
    if not 0 <= value < 1 << 16:
        raise EncodeError(f"{value:#x} does not fit in 16 bits")
    return word(0xD280_0000 | value << 5 | _reg(reg))


def load_exclusive(dst: int, base: int) -> bytes:
    """LDXR (base), dst"""
    return word(0xC85F_7C00 | _reg(base) << 5 | _reg(dst))


def store_exclusive(status: int, src: int, base: int) -> bytes:
    """STXR src, (base), status"""
    if status in (src, base):
        raise EncodeError(f"STXR with register {status} for its status and an operand")
    return word(0xC800_7C00 | _reg(status) << 16 | _reg(base) << 5 | _reg(src))


def atomic_add(src: int, old: int, base: int) -> bytes:
    """LDADDD src, (base), old (Armv8.1; old ZR: it is not wanted)"""
    return word(0xF820_0000 | _reg(src) << 16 | _reg(base) << 5 | _reg(old))


def zero(reg: int) -> bytes:
    """MOVD $0, reg"""
    return move_immediate(reg, 0)


def zero_float(reg: int) -> bytes:
    """FMOVD ZR, Freg"""
    return word(0x9E67_03E0 | _reg(reg))


def open_frame(size: int) -> tuple[tuple[bytes, ...], bytes, tuple[bytes, ...]]:
    """What comes before SP moves, the instruction that moves it, and what comes after, as the assembler has it:
    MOVD.W R30, -size(RSP); MOVD R29, -8(RSP); SUB $8, RSP, R29
    or, above 0xf0, SUB $size, RSP, R27; STP (R29, R30), -8(R27); MOVD R27, RSP; SUB $8, RSP, R29
    """
    _check_frame(size)
    link = subtract_immediate(FP, SP, 8)
    if size <= SMALL_FRAME:
        return (), word(0xF800_0C00 | (-size & 0x1FF) << 12 | SP << 5 | LR), (word(0xF81F_83FD), link)
    pair = word(0xA93F_8000 | LR << 10 | R27 << 5 | FP)
    return (subtract_immediate(R27, SP, size), pair), add(SP, R27, 0), (link,)


def close_frame(size: int) -> tuple[bytes, bytes]:
    """MOVD -8(RSP), R29; MOVD.P size(RSP), R30 or, above 0xf0, LDP -8(RSP), (R29, R30); ADD $size, RSP, RSP"""
    _check_frame(size)
    if size <= SMALL_FRAME:
        return word(0xF85F_8000 | SP << 5 | FP), word(0xF840_0400 | size << 12 | SP << 5 | LR)
    return word(0xA97F_8000 | LR << 10 | SP << 5 | FP), add(SP, SP, size)


def _check_frame(size: int) -> None:
    if size % 16 or not 16 <= size <= BIG_FRAME:
        raise EncodeError(f"frame of {size} bytes")


LOAD_GUARD = word(0xF940_0B90)
"""MOVD 16(R28), R16"""
COMPARE_GUARD = word(0xEB30_63FF)
"""CMP R16, RSP"""
LOAD_SAVED_FP = word(0xF85F_83F0)
"""MOVD -8(RSP), R16"""
LINK_TO_R3 = word(0xAA1E_03E3)
"""MOVD R30, R3"""
RET = word(0xD65F_03C0)
SVC = word(0xD400_0001)
"""SVC $0: a system call"""
BARRIER = word(0xD503_3BBF)
"""DMB ISH: what was stored before is seen before what is stored after"""
B = word(0x1400_0000)
BL = word(0x9400_0000)
EQ, NE, HS, LO, MI, LS = 0, 1, 2, 3, 4, 9


def branch_if(condition: int, distance: int) -> bytes:
    """Bcond, distance in bytes"""
    if condition not in (EQ, NE, HS, LO, MI, LS):
        raise EncodeError(f"condition {condition}")
    return word(0x5400_0000 | _imm19(distance) << 5 | condition)


def branch_if_zero(reg: int, distance: int) -> bytes:
    """CBZ reg, distance in bytes"""
    return word(0xB400_0000 | _imm19(distance) << 5 | _reg(reg))


def branch_if_not_zero(reg: int, distance: int) -> bytes:
    """CBNZ reg, distance in bytes"""
    return word(0xB500_0000 | _imm19(distance) << 5 | _reg(reg))


def branch_if_not_zero_word(reg: int, distance: int) -> bytes:
    """CBNZW reg, distance in bytes"""
    return word(0x3500_0000 | _imm19(distance) << 5 | _reg(reg))


def branch(distance: int) -> bytes:
    """B, distance in bytes"""
    if distance % 4 or not -(1 << 27) <= distance < 1 << 27:
        raise EncodeError(f"branch over {distance} bytes")
    return word(0x1400_0000 | distance // 4 & 0x3FF_FFFF)


def _imm19(distance: int) -> int:
    if distance % 4 or not -(1 << 20) <= distance < 1 << 20:
        raise EncodeError(f"conditional branch over {distance} bytes")
    return distance // 4 & 0x7_FFFF
