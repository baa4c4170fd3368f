"""Every encoder against capstone, at the limits of its ranges: what fits reads as written, what does not raises."""

from __future__ import annotations

import itertools
from pathlib import Path

import capstone
import pytest

from trampolines.amd64 import encode as x
from trampolines.arm64 import encode as a
from trampolines.asm import EncodeError

X86 = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
ARM = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN)
Q = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", *(f"r{i}" for i in range(8, 16))]
SIZED = {
    8: Q,
    4: ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi", *(f"r{i}d" for i in range(8, 16))],
    2: ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di", *(f"r{i}w" for i in range(8, 16))],
    1: ["al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", *(f"r{i}b" for i in range(8, 16))],
}
WIDTH = {8: "qword", 4: "dword", 2: "word", 1: "byte"}
DISPS = (0, 1, -1, 127, 128, -128, -129, (1 << 31) - 1, -(1 << 31))
REGS16, PAIRS16 = range(16), tuple(itertools.product(range(16), repeat=2))


def text(code: bytes, md: capstone.Cs = X86) -> str:
    """One instruction and nothing else."""
    (insn,) = md.disasm(code, 0)
    assert insn.size == len(code)
    return f"{insn.mnemonic} {insn.op_str}".strip()


def hexed(value: int) -> str:
    return f"{value:#x}" if value > 9 else str(value)


def mem(base: int, disp: int) -> str:
    return f"[{Q[base]}{'' if disp == 0 else f' + {hexed(disp)}' if disp > 0 else f' - {hexed(-disp)}'}]"


# amd64


@pytest.mark.parametrize("disp", DISPS)
def test_amd64_moves(disp: int) -> None:
    for reg, base in PAIRS16:
        place = mem(base, disp)
        for size in (1, 2, 4, 8):
            assert text(x.store(reg, base, disp, size)) == f"mov {WIDTH[size]} ptr {place}, {SIZED[size][reg]}"
            target, mnemonic = (SIZED[max(size, 4)][reg], "mov" if size >= 4 else "movzx")
            assert text(x.load(reg, base, disp, size)) == f"{mnemonic} {target}, {WIDTH[size]} ptr {place}"
        for size, mnemonic in ((4, "movss"), (8, "movsd")):
            assert text(x.store_float(reg, base, disp, size)) == f"{mnemonic} {WIDTH[size]} ptr {place}, xmm{reg}"
            assert text(x.load_float(reg, base, disp, size)) == f"{mnemonic} xmm{reg}, {WIDTH[size]} ptr {place}"
        assert text(x.lea(reg, base, disp)) == f"lea {Q[reg]}, {place}"
        assert text(x.compare_mem(reg, base, disp)) == f"cmp {Q[reg]}, qword ptr {place}"
        assert text(x.sub_mem(reg, base, disp)) == f"sub {Q[reg]}, qword ptr {place}"
    for base in REGS16:
        assert text(x.store_zero(base, disp)) == f"mov qword ptr {mem(base, disp)}, 0"


def test_amd64_registers() -> None:
    for dst, src in PAIRS16:
        assert text(x.move(dst, src)) == f"mov {Q[dst]}, {Q[src]}"
    for reg in REGS16:
        assert text(x.zero(reg)) == f"xor {SIZED[4][reg]}, {SIZED[4][reg]}"
        assert text(x.zero_float(reg)) == f"xorps xmm{reg}, xmm{reg}"
        assert text(x.neg(reg)) == f"neg {Q[reg]}"
        assert text(x.test(reg)) == f"test {Q[reg]}, {Q[reg]}"
        assert text(x.test_byte(reg)) == f"test {SIZED[1][reg]}, {SIZED[1][reg]}"
        assert text(x.lea_pc(reg)) == f"lea {Q[reg]}, [rip]"


@pytest.mark.parametrize("value", [0, 8, 127, 128, 4096, (1 << 31) - 1])
def test_amd64_stack_pointer(value: int) -> None:
    assert text(x.add_sp(value)) == f"add rsp, {hexed(value)}"
    assert text(x.sub_sp(value)) == f"sub rsp, {hexed(value)}"


@pytest.mark.parametrize("size", [8, 120, 127, 128, 136, 4096, (1 << 31) - 1])
def test_amd64_free_forms(size: int) -> None:
    """Each frees `size` bytes; every encoding that the assembler may choose is among them."""
    for form in x.free_forms(size):
        mnemonic, register, value = text(form).replace(",", "").split()
        assert register == "rsp" and int(value, 0) & (1 << 64) - 1 == (size if mnemonic == "add" else (1 << 64) - size)
    assert len(x.free_forms(size)) == (4 if size < 128 else 3 if size == 128 else 2)


def test_amd64_fixed() -> None:
    assert [text(code) for code in (x.PUSH_BP, x.POP_BP, x.MOVE_SP_TO_BP, x.RET)] == ["push rbp", "pop rbp", "mov rbp, rsp", "ret"]
    assert text(x.CALL) == "call 5" and text(x.JMP) == "jmp 5"
    assert [text(x.jcc(c)) for c in (x.JE, x.JNE, x.JB, x.JBE)] == ["je 6", "jne 6", "jb 6", "jbe 6"]
    assert text(x.compare_byte_pc(0)) == "cmp byte ptr [rip], 0" and text(x.compare_byte_pc(127)) == "cmp byte ptr [rip], 0x7f"


AMD64_WRONG = {
    "register -1": lambda: x.move(-1, 0), "register 16": lambda: x.move(0, 16), "zero 16": lambda: x.zero(16), "float 16": lambda: x.zero_float(16),
    "store base 16": lambda: x.store(0, 16, 0, 8), "store reg -1": lambda: x.store(-1, 0, 0, 8), "store 3": lambda: x.store(0, 0, 0, 3),
    "load 16": lambda: x.load(16, 0, 0, 8), "load 0 bytes": lambda: x.load(0, 0, 0, 0), "float store 2": lambda: x.store_float(0, 0, 0, 2),
    "float load 16": lambda: x.load_float(16, 0, 0, 8), "disp high": lambda: x.load(0, 0, 1 << 31, 8), "disp low": lambda: x.lea(0, 0, -(1 << 31) - 1),
    "compare": lambda: x.compare_mem(0, 0, 1 << 31), "sub": lambda: x.sub_mem(0, 0, 1 << 31), "store zero": lambda: x.store_zero(0, 1 << 31),
    "lea_pc": lambda: x.lea_pc(16), "neg": lambda: x.neg(16), "test": lambda: x.test(16), "test_byte": lambda: x.test_byte(-1),
    "add sp": lambda: x.add_sp(1 << 31), "sub sp": lambda: x.sub_sp(1 << 31), "imm8": lambda: x.compare_byte_pc(128), "imm8 low": lambda: x.compare_byte_pc(-129),
    "condition": lambda: x.jcc(0x80), "free": lambda: x.free_forms(1 << 31),
}  # fmt: skip


@pytest.mark.parametrize("name", AMD64_WRONG)
def test_amd64_raises(name: str) -> None:
    with pytest.raises(EncodeError):
        AMD64_WRONG[name]()


# arm64


def X(reg: int, *, sp: bool = False) -> str:
    return ("sp" if sp else "xzr") if reg == 31 else f"x{reg}"


def W(reg: int) -> str:
    return "wzr" if reg == 31 else f"w{reg}"


def at(base: int, disp: int) -> str:
    return f"[{X(base, sp=True)}{f', #{hexed(disp)}' if disp else ''}]"


REGS32 = (0, 1, 15, 16, 27, 28, 29, 30, 31)
SUFFIX = {1: "b", 2: "h", 4: "", 8: ""}


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_arm64_moves(size: int) -> None:
    for reg, base, unit in itertools.product(REGS32, REGS32, (0, 1, 0xFFF)):
        name = X(reg) if size == 8 else W(reg)
        assert text(a.store(reg, base, unit * size, size), ARM) == f"str{SUFFIX[size]} {name}, {at(base, unit * size)}"
        assert text(a.load(reg, base, unit * size, size), ARM) == f"ldr{SUFFIX[size]} {name}, {at(base, unit * size)}"
        if size >= 4:
            vector = f"{'s' if size == 4 else 'd'}{reg}"
            assert text(a.store_float(reg, base, unit * size, size), ARM) == f"str {vector}, {at(base, unit * size)}"
            assert text(a.load_float(reg, base, unit * size, size), ARM) == f"ldr {vector}, {at(base, unit * size)}"


@pytest.mark.parametrize("value", [0, 1, 0xFFF, 0x1000, 0xFFF000])
def test_arm64_immediates(value: int) -> None:
    shown = f"#{hexed(value)}" if value < 0x1000 else f"#{hexed(value >> 12)}, lsl #12"
    for dst, base in itertools.product(REGS32, repeat=2):
        names = f"{X(dst, sp=True)}, {X(base, sp=True)}"
        moved = value == 0 and 31 in (dst, base)
        assert text(a.add(dst, base, value), ARM) == (f"mov {names}" if moved else f"add {names}, {shown}")
        assert text(a.subtract_immediate(dst, base, value), ARM) == f"sub {names}, {shown}"


def test_arm64_registers() -> None:
    for one, two in itertools.product(REGS32, repeat=2):
        assert text(a.move(one, two), ARM) == f"mov {X(one)}, {X(two)}"
        assert text(a.compare(one, two), ARM) == f"cmp {X(one)}, {X(two)}"
        if one != 31:
            assert text(a.subtract(3, one, two), ARM) == f"sub x3, {X(one)}, {X(two)}"
    for reg in REGS32:
        assert text(a.zero(reg), ARM) == f"mov {X(reg)}, #0"
        assert text(a.zero_float(reg), ARM) == f"fmov d{reg}, xzr"
    for reg in range(31):
        assert [f"{i.mnemonic} {i.op_str}" for i in ARM.disasm(a.address(reg), 0)] == [f"adrp x{reg}, #0", f"add x{reg}, x{reg}, #0"]


@pytest.mark.parametrize("size", [16, 32, 0xE0, 0xF0, 0x100, 0xFE0, 0xFF0])
def test_arm64_frames(size: int) -> None:
    before, move, behind = a.open_frame(size)
    opened = [text(code, ARM) for code in (*before, move, *behind)]
    closed = [text(code, ARM) for code in a.close_frame(size)]
    if size <= 0xF0:
        assert opened == [f"str x30, [sp, #-{size:#x}]!", "stur x29, [sp, #-8]", "sub x29, sp, #8"]
        assert closed == ["ldur x29, [sp, #-8]", f"ldr x30, [sp], #{size:#x}"]
    else:
        assert opened == [f"sub x27, sp, #{size:#x}", "stp x29, x30, [x27, #-8]", "mov sp, x27", "sub x29, sp, #8"]
        assert closed == ["ldp x29, x30, [sp, #-8]", f"add sp, sp, #{size:#x}"]


BRANCH19, BRANCH26 = (0, 4, -4, (1 << 20) - 4, -(1 << 20)), (0, 4, -4, (1 << 27) - 4, -(1 << 27))


def test_arm64_branches() -> None:
    for distance in BRANCH19:
        shown = f"#{distance & (1 << 64) - 1:#x}" if distance else "#0"
        if 0 < distance < 10:
            shown = f"#{distance}"
        for condition, name in ((a.EQ, "eq"), (a.NE, "ne"), (a.HS, "hs"), (a.LS, "ls")):
            assert text(a.branch_if(condition, distance), ARM) == f"b.{name} {shown}"
        assert text(a.branch_if_zero(27, distance), ARM) == f"cbz x27, {shown}"
        assert text(a.branch_if_not_zero_word(16, distance), ARM) == f"cbnz w16, {shown}"
    for distance in BRANCH26:
        shown = f"#{distance & (1 << 64) - 1:#x}" if not 0 <= distance < 10 else f"#{distance}"
        assert text(a.branch(distance), ARM) == f"b {shown}"


def test_arm64_fixed() -> None:
    fixed = {
        a.LOAD_GUARD: "ldr x16, [x28, #0x10]", a.COMPARE_GUARD: "cmp sp, x16", a.LINK_TO_R3: "mov x3, x30",
        a.TEST_R16: "tst w16, #0xff", a.RET: "ret", a.B: "b #0", a.BL: "bl #0",
    }  # fmt: skip
    assert {code: text(code, ARM) for code in fixed} == fixed


ARM64_WRONG = {
    "register 32": lambda: a.move(32, 0), "register -1": lambda: a.move(0, -1), "zero": lambda: a.zero(32), "zero float": lambda: a.zero_float(-1),
    "store 32": lambda: a.store(32, 0, 0, 8), "store size": lambda: a.store(0, 0, 0, 3), "store negative": lambda: a.store(0, 0, -8, 8),
    "store odd": lambda: a.store(0, 0, 4, 8), "store far": lambda: a.store(0, 0, 0x8000, 8), "load far": lambda: a.load(0, 0, 0x1000, 1),
    "float size": lambda: a.load_float(0, 0, 0, 2), "float far": lambda: a.store_float(0, 0, 0x4000, 4), "float base": lambda: a.load_float(0, 32, 0, 8),
    "add negative": lambda: a.add(0, 0, -1), "add odd": lambda: a.add(0, 0, 0x1001), "add far": lambda: a.add(0, 0, 0x100_0000), "add reg": lambda: a.add(32, 0, 0),
    "sub odd": lambda: a.subtract_immediate(0, 0, 0x1001), "sub negative": lambda: a.subtract_immediate(0, 0, -0x1000), "compare": lambda: a.compare(0, 32),
    "subtract": lambda: a.subtract(0, 32, 0), "address": lambda: a.address(32), "frame 0": lambda: a.open_frame(0), "frame 24": lambda: a.open_frame(24),
    "frame far": lambda: a.open_frame(0x1000), "close 0": lambda: a.close_frame(0), "close far": lambda: a.close_frame(0x1000), "condition": lambda: a.branch_if(14, 0),
    "branch_if far": lambda: a.branch_if(0, 1 << 20), "branch_if back": lambda: a.branch_if(0, -(1 << 20) - 4), "branch_if odd": lambda: a.branch_if(0, 2),
    "cbz far": lambda: a.branch_if_zero(0, 1 << 20), "cbz reg": lambda: a.branch_if_zero(32, 0), "cbnz far": lambda: a.branch_if_not_zero_word(0, 1 << 20),
    "b far": lambda: a.branch(1 << 27), "b back": lambda: a.branch(-(1 << 27) - 4), "b odd": lambda: a.branch(1),
}  # fmt: skip


@pytest.mark.parametrize("name", ARM64_WRONG)
def test_arm64_raises(name: str) -> None:
    with pytest.raises(EncodeError):
        ARM64_WRONG[name]()


@pytest.mark.parametrize("module", [x, a])
def test_no_encoder_is_forgotten(module: object) -> None:
    """Every function of the module is named in this file."""
    own = Path(__file__).read_text(encoding="utf-8")
    name = "x" if module is x else "a"
    found = [f for f, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__ and not f.startswith("_")]
    missing = [f for f in found if f"{name}.{f}(" not in own and f not in ("imm8", "imm32", "word")]
    assert found and not missing
