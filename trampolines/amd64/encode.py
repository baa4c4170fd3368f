"""amd64 instructions: each function returns the bytes of one, or raises EncodeError. Memory operands are [base + disp].

Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2.
"""

from __future__ import annotations

import struct

from trampolines.amd64.abi import SP
from trampolines.asm import EncodeError

REX_W = 0x48


def imm32(value: int) -> bytes:
    if not -(1 << 31) <= value < 1 << 31:
        raise EncodeError(f"{value:#x} does not fit in 32 bits")
    return struct.pack("<i", value)


def imm8(value: int) -> bytes:
    if not -128 <= value < 128:
        raise EncodeError(f"{value:#x} does not fit in 8 bits")
    return struct.pack("<b", value)


def _check(reg: int) -> int:
    if not 0 <= reg < 16:
        raise EncodeError(f"no register {reg}")
    return reg


def _mem(reg: int, base: int, disp: int) -> bytes:
    """ModRM, SIB and displacement of [base + disp]."""
    low = base & 7
    sib = b"\x24" if low == SP else b""
    if disp == 0 and low != 5:
        return bytes([(reg & 7) << 3 | low]) + sib
    if -128 <= disp < 128:
        return bytes([0x40 | (reg & 7) << 3 | low]) + sib + imm8(disp)
    return bytes([0x80 | (reg & 7) << 3 | low]) + sib + imm32(disp)


def _rex(wide: bool, reg: int, base: int, *, byte: bool = False) -> bytes:
    rex = 0x40 | (8 if wide else 0) | (4 if reg >= 8 else 0) | (1 if base >= 8 else 0)
    return bytes([rex]) if rex != 0x40 or (byte and reg >= 4) else b""


def store(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOV{B,W,L,Q} reg, disp(base)"""
    _check(reg), _check(base)
    prefix = b"\x66" if size == 2 else b""
    opcode = {1: b"\x88", 2: b"\x89", 4: b"\x89", 8: b"\x89"}
    if size not in opcode:
        raise EncodeError(f"store of {size} bytes")
    return prefix + _rex(size == 8, reg, base, byte=size == 1) + opcode[size] + _mem(reg, base, disp)


def load(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOVQ / MOVL / MOVWLZX / MOVBLZX disp(base), reg"""
    _check(reg), _check(base)
    opcode = {1: b"\x0f\xb6", 2: b"\x0f\xb7", 4: b"\x8b", 8: b"\x8b"}
    if size not in opcode:
        raise EncodeError(f"load of {size} bytes")
    return _rex(size == 8, reg, base) + opcode[size] + _mem(reg, base, disp)


def _float(prefixes: dict[int, bytes], opcode: bytes, reg: int, base: int, disp: int, size: int) -> bytes:
    _check(reg), _check(base)
    if size not in prefixes:
        raise EncodeError(f"floating-point move of {size} bytes")
    return prefixes[size] + _rex(False, reg, base) + opcode + _mem(reg, base, disp)


def store_float(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOVSS / MOVSD Xreg, disp(base)"""
    return _float({4: b"\xf3", 8: b"\xf2"}, b"\x0f\x11", reg, base, disp, size)


def load_float(reg: int, base: int, disp: int, size: int) -> bytes:
    """MOVSS / MOVSD disp(base), Xreg"""
    return _float({4: b"\xf3", 8: b"\xf2"}, b"\x0f\x10", reg, base, disp, size)


def store_zero(base: int, disp: int) -> bytes:
    """MOVQ $0, disp(base)"""
    return _rex(True, 0, _check(base)) + b"\xc7" + _mem(0, base, disp) + bytes(4)


def store_byte(base: int, disp: int, value: int) -> bytes:
    """MOVB $value, disp(base)"""
    return _rex(False, 0, _check(base)) + b"\xc6" + _mem(0, base, disp) + imm8(value)


def move(dst: int, src: int) -> bytes:
    """MOVQ src, dst"""
    return _rex(True, _check(src), _check(dst)) + b"\x89" + bytes([0xC0 | (src & 7) << 3 | dst & 7])


def move_long(dst: int, src: int) -> bytes:
    """MOVL src, dst: the upper half of dst becomes 0"""
    return _rex(False, _check(src), _check(dst)) + b"\x89" + bytes([0xC0 | (src & 7) << 3 | dst & 7])


def set_long(reg: int, value: int) -> bytes:
    """MOVL $value, reg: the upper half becomes 0"""
    return _rex(False, 0, _check(reg)) + bytes([0xB8 | reg & 7]) + imm32(value)


def compare_exchange(reg: int, base: int) -> bytes:
    """LOCK CMPXCHGQ reg, (base): where the word equals AX it becomes reg, else AX becomes the word"""
    return b"\xf0" + _rex(True, _check(reg), _check(base)) + b"\x0f\xb1" + _mem(reg, base, 0)


def zero(reg: int) -> bytes:
    """XORL reg, reg"""
    return _rex_rr(_check(reg), reg) + b"\x31" + bytes([0xC0 | (reg & 7) << 3 | reg & 7])


def zero_float(reg: int) -> bytes:
    """XORPS Xreg, Xreg"""
    return _rex_rr(_check(reg), reg) + b"\x0f\x57" + bytes([0xC0 | (reg & 7) << 3 | reg & 7])


def _rex_rr(reg: int, rm: int) -> bytes:
    rex = 0x40 | (4 if reg >= 8 else 0) | (1 if rm >= 8 else 0)
    return bytes([rex]) if rex != 0x40 else b""


def lea(reg: int, base: int, disp: int) -> bytes:
    """LEAQ disp(base), reg"""
    return _rex(True, _check(reg), _check(base)) + b"\x8d" + _mem(reg, base, disp)


def lea_pc(reg: int) -> bytes:
    """LEAQ 0(RIP), reg: the last four bytes want a relocation"""
    return bytes([REX_W | (4 if _check(reg) >= 8 else 0), 0x8D, (reg & 7) << 3 | 5]) + bytes(4)


def compare_byte_pc(value: int) -> bytes:
    """CMPB $value, 0(RIP): bytes 2 to 5 want a relocation with addend -1"""
    return b"\x80\x3d" + bytes(4) + imm8(value)


def compare_byte_mem(base: int, disp: int, value: int) -> bytes:
    """CMPB $value, disp(base)"""
    return _rex(False, 0, _check(base)) + b"\x80" + _mem(7, base, disp) + imm8(value)


def compare_long_mem(base: int, disp: int, value: int) -> bytes:
    """CMPL $value, disp(base); value has eight bits"""
    return _rex(False, 0, _check(base)) + b"\x83" + _mem(7, base, disp) + imm8(value)


def compare_mem(reg: int, base: int, disp: int) -> bytes:
    """CMPQ reg, disp(base): flags of reg - [base + disp]"""
    return _rex(True, _check(reg), _check(base)) + b"\x3b" + _mem(reg, base, disp)


def compare(left: int, right: int) -> bytes:
    """CMPQ left, right: flags of left - right"""
    return _rex(True, _check(left), _check(right)) + b"\x3b" + bytes([0xC0 | (left & 7) << 3 | right & 7])


def compare_immediate(reg: int, value: int) -> bytes:
    """CMPQ reg, $value"""
    return _rex(True, 0, _check(reg)) + b"\x81" + bytes([0xF8 | reg & 7]) + imm32(value)


def sub_mem(reg: int, base: int, disp: int) -> bytes:
    """SUBQ disp(base), reg"""
    return _rex(True, _check(reg), _check(base)) + b"\x2b" + _mem(reg, base, disp)


def neg(reg: int) -> bytes:
    """NEGQ reg"""
    return _rex(True, 0, _check(reg)) + b"\xf7" + bytes([0xD8 | reg & 7])


def test(reg: int) -> bytes:
    """TESTQ reg, reg"""
    return _rex(True, _check(reg), reg) + b"\x85" + bytes([0xC0 | (reg & 7) << 3 | reg & 7])


def test_byte(reg: int) -> bytes:
    """TESTB reg, reg"""
    rex = 0x40 | (5 if _check(reg) >= 8 else 0)
    return (bytes([rex]) if reg >= 4 else b"") + b"\x84" + bytes([0xC0 | (reg & 7) << 3 | reg & 7])


def add_sp(value: int) -> bytes:
    """ADDQ $value, SP"""
    return b"\x48\x83\xc4" + imm8(value) if -128 <= value < 128 else b"\x48\x81\xc4" + imm32(value)


def sub_sp(value: int) -> bytes:
    """SUBQ $value, SP"""
    return b"\x48\x83\xec" + imm8(value) if -128 <= value < 128 else b"\x48\x81\xec" + imm32(value)


def free_forms(size: int) -> tuple[bytes, ...]:
    """ADDQ $size, SP and SUBQ $-size, SP in all their encodings, the shorter first; a compiler may use any."""
    short = [b"\x48\x83\xc4" + imm8(size)] if -128 <= size < 128 else []
    if -128 <= -size < 128:
        short.append(b"\x48\x83\xec" + imm8(-size))
    return (*short, b"\x48\x81\xc4" + imm32(size), b"\x48\x81\xec" + imm32(-size))


PUSH_BP = b"\x55"
POP_BP = b"\x5d"
MOVE_SP_TO_BP = b"\x48\x89\xe5"
RET = b"\xc3"
CALL = b"\xe8" + bytes(4)
JMP = b"\xe9" + bytes(4)
LOCK_INC_PC = b"\xf0\x48\xff\x05" + bytes(4)
"""LOCK INCQ 0(RIP): the last four bytes want a relocation"""
SYSCALL = b"\x0f\x05"
JE, JNE, JB, JBE, JS = 0x84, 0x85, 0x82, 0x86, 0x88


def short_jump(distance: int) -> bytes:
    """JMP rel8: distance in bytes from its end"""
    return b"\xeb" + imm8(distance)


def jcc(condition: int, distance: int = 0) -> bytes:
    """Jcc rel32: distance in bytes from its end; or else the last four bytes want an address"""
    if condition not in (JE, JNE, JB, JBE, JS):
        raise EncodeError(f"condition {condition:#x}")
    return bytes([0x0F, condition]) + imm32(distance)


def jmp(distance: int) -> bytes:
    """JMP rel32: distance in bytes from its end"""
    return b"\xe9" + imm32(distance)
