"""Every encoder against capstone at the exact limits of its operands: what capstone reads is what was asked for, one beyond is refused."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator
from types import ModuleType

import capstone
import pytest

from trampolines.amd64 import encode as x
from trampolines.arm64 import encode as a
from trampolines.asm import EncodeError

AT = 0x40_0000
DISASSEMBLERS = {
    x: capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64),
    a: capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_LITTLE_ENDIAN),
}
Case = tuple[bytes, str]
Call = Callable[[], object]


def text(module: ModuleType, code: bytes) -> str:
    """All of the bytes as capstone reads them, instructions separated by "; "."""
    found = list(DISASSEMBLERS[module].disasm(code, AT))
    assert sum(insn.size for insn in found) == len(code), f"capstone cannot read all of {code.hex()}"
    return "; ".join(f"{insn.mnemonic} {insn.op_str}".strip() for insn in found)


def number(value: int) -> str:
    """As capstone prints it: decimal up to 9."""
    return str(value) if abs(value) <= 9 else hex(value)


# amd64

LEGACY = ("ax", "cx", "dx", "bx", "sp", "bp", "si", "di")
NAMES = {
    1: ("al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil", *(f"r{i}b" for i in range(8, 16))),
    2: (*LEGACY, *(f"r{i}w" for i in range(8, 16))),
    4: (*(f"e{r}" for r in LEGACY), *(f"r{i}d" for i in range(8, 16))),
    8: (*(f"r{r}" for r in LEGACY), *(f"r{i}" for i in range(8, 16))),
}
XMM = tuple(f"xmm{i}" for i in range(16))
WORDS = {1: "byte", 2: "word", 4: "dword", 8: "qword"}
REGS = range(16)
LOW, HIGH = -(1 << 31), (1 << 31) - 1
DISPS = (0, 1, 127, 128, -1, -128, -129, 0x7FFF, HIGH, LOW)
NOT_DISPS = (LOW - 1, HIGH + 1)
NOT_REGS = (-1, 16)


def mem(base: int, disp: int, size: int) -> str:
    sign = "" if disp == 0 else f" {'-' if disp < 0 else '+'} {number(abs(disp))}"
    return f"{WORDS[size]} ptr [{NAMES[8][base]}{sign}]"


def every(*sizes: int) -> Iterator[tuple[int, int, int, int]]:
    return itertools.product(REGS, REGS, DISPS, sizes)


def pairs(encode: Callable[[int, int], bytes], form: str) -> list[Case]:
    return [(encode(p, q), form.format(NAMES[8][p], NAMES[8][q])) for p in REGS for q in REGS]


def singles(encode: Callable[[int], bytes], form: str, names: tuple[str, ...]) -> list[Case]:
    return [(encode(r), form.format(names[r])) for r in REGS]


def sp_immediate(encode: Callable[[int], bytes], name: str) -> list[Case]:
    return [(encode(v), f"{name} rsp, {number(v)}") for v in (0, 9, 10, 127, 128, -1, -128, -129, HIGH, LOW)]


def free_forms() -> Iterator[Case]:
    for size, count in ((0, 4), (127, 4), (128, 3), (129, 2), (-127, 4), (-128, 3), (-129, 2), (HIGH, 2), (-HIGH, 2)):
        forms = x.free_forms(size)
        assert len(forms) == len(set(forms)) == count and list(forms) == sorted(forms, key=len)
        yield from ((form, f"add rsp, {number(size)}" if form[2] == 0xC4 else f"sub rsp, {number(-size)}") for form in forms)


LOADS = {1: ("movzx", 4), 2: ("movzx", 4), 4: ("mov", 4), 8: ("mov", 8)}
MOVES = {4: "movss", 8: "movsd"}

AMD64: dict[str, Callable[[], object]] = {
    "store": lambda: [(x.store(r, b, d, s), f"mov {mem(b, d, s)}, {NAMES[s][r]}") for r, b, d, s in every(1, 2, 4, 8)],
    "load": lambda: [(x.load(r, b, d, s), f"{LOADS[s][0]} {NAMES[LOADS[s][1]][r]}, {mem(b, d, s)}") for r, b, d, s in every(1, 2, 4, 8)],
    "store_float": lambda: [(x.store_float(r, b, d, s), f"{MOVES[s]} {mem(b, d, s)}, {XMM[r]}") for r, b, d, s in every(4, 8)],
    "load_float": lambda: [(x.load_float(r, b, d, s), f"{MOVES[s]} {XMM[r]}, {mem(b, d, s)}") for r, b, d, s in every(4, 8)],
    "store_zero": lambda: [(x.store_zero(b, d), f"mov {mem(b, d, 8)}, 0") for b in REGS for d in DISPS],
    "move": lambda: pairs(x.move, "mov {}, {}"),
    "store_byte": lambda: [(x.store_byte(b, d, v), f"mov {mem(b, d, 1)}, {number(v & 0xFF)}") for b in REGS for d in DISPS for v in (0, 1, 127, -128)],
    "zero": lambda: singles(x.zero, "xor {0}, {0}", NAMES[4]),
    "zero_float": lambda: singles(x.zero_float, "xorps {0}, {0}", XMM),
    "lea": lambda: [(x.lea(r, b, d), f"lea {NAMES[8][r]}, {mem(b, d, 8).removeprefix('qword ptr ')}") for r, b, d, _ in every(8)],
    "lea_pc": lambda: singles(x.lea_pc, "lea {}, [rip]", NAMES[8]),
    "compare_byte_pc": lambda: [(x.compare_byte_pc(v), f"cmp byte ptr [rip], {number(v & 0xFF)}") for v in (0, 1, 127, -1, -128)],
    "short_jump": lambda: [(x.short_jump(d), f"jmp {AT + 2 + d:#x}") for d in (0, 1, 127, -1, -128)],
    "compare_byte_mem": lambda: [
        (x.compare_byte_mem(b, d, v), f"cmp {mem(b, d, 1)}, {number(v & 0xFF)}") for b in REGS for d in DISPS for v in (0, 1, 127, -128)
    ],
    "compare_long_mem": lambda: [(x.compare_long_mem(b, d, v), f"cmp {mem(b, d, 4)}, {number(v)}") for b in REGS for d in DISPS for v in (0, 1, 127)],
    "compare_mem": lambda: [(x.compare_mem(r, b, d), f"cmp {NAMES[8][r]}, {mem(b, d, 8)}") for r, b, d, _ in every(8)],
    "compare": lambda: pairs(x.compare, "cmp {}, {}"),
    "compare_immediate": lambda: [(x.compare_immediate(r, v), f"cmp {NAMES[8][r]}, {number(v)}") for r in REGS for v in (0, 9, 0xFF, 0xFFFF, HIGH)],
    "sub_mem": lambda: [(x.sub_mem(r, b, d), f"sub {NAMES[8][r]}, {mem(b, d, 8)}") for r, b, d, _ in every(8)],
    "neg": lambda: singles(x.neg, "neg {}", NAMES[8]),
    "test": lambda: singles(x.test, "test {0}, {0}", NAMES[8]),
    "test_byte": lambda: singles(x.test_byte, "test {0}, {0}", NAMES[1]),
    "add_sp": lambda: sp_immediate(x.add_sp, "add"),
    "sub_sp": lambda: sp_immediate(x.sub_sp, "sub"),
    "free_forms": free_forms,
    "jcc": lambda: [
        (x.jcc(c, d), f"{n} {AT + 6 + d & (1 << 64) - 1:#x}")
        for c, n in ((x.JE, "je"), (x.JNE, "jne"), (x.JB, "jb"), (x.JBE, "jbe"), (x.JS, "js"))
        for d in (0, 1, -6, HIGH, LOW)
    ],
    "jmp": lambda: [(x.jmp(d), f"jmp {AT + 5 + d & (1 << 64) - 1:#x}") for d in (0, 1, -5, HIGH, LOW)],
    "move_long": lambda: [(x.move_long(d, s), f"mov {NAMES[4][d]}, {NAMES[4][s]}") for d in REGS for s in REGS],
    "set_long": lambda: [(x.set_long(r, v), f"mov {NAMES[4][r]}, {number(v)}") for r in REGS for v in (0, 1, 202, HIGH)],
    "compare_exchange": lambda: [(x.compare_exchange(r, b), f"lock cmpxchg {mem(b, 0, 8)}, {NAMES[8][r]}") for r in REGS for b in REGS],
    "SYSCALL": lambda: [(x.SYSCALL, "syscall")],
    "imm8": lambda: [(b"\x6a" + x.imm8(v), f"push {number(v)}") for v in (0, 127, -1, -128)],
    "imm32": lambda: [(b"\x68" + x.imm32(v), f"push {number(v)}") for v in (0, 1, HIGH, -1, LOW)],
    "PUSH_BP": lambda: [(x.PUSH_BP, "push rbp")],
    "POP_BP": lambda: [(x.POP_BP, "pop rbp")],
    "MOVE_SP_TO_BP": lambda: [(x.MOVE_SP_TO_BP, "mov rbp, rsp")],
    "RET": lambda: [(x.RET, "ret")],
    "CALL": lambda: [(x.CALL, f"call {AT + 5:#x}")],
    "JMP": lambda: [(x.JMP, f"jmp {AT + 5:#x}")],
    "LOCK_INC_PC": lambda: [(x.LOCK_INC_PC, "lock inc qword ptr [rip]")],
}


def amd64_wrong() -> Iterator[tuple[str, Call]]:
    for f in (x.store, x.load, x.store_float, x.load_float):
        yield from ((f"{f.__name__} register {r}", lambda f=f, r=r: f(r, 0, 0, 8)) for r in NOT_REGS)
        yield from ((f"{f.__name__} base {r}", lambda f=f, r=r: f(0, r, 0, 8)) for r in NOT_REGS)
        yield from ((f"{f.__name__} disp {d}", lambda f=f, d=d: f(0, 0, d, 8)) for d in NOT_DISPS)
        sizes = (0, 3, 5, 16, *((1, 2) if "float" in f.__name__ else ()))
        yield from ((f"{f.__name__} size {s}", lambda f=f, s=s: f(0, 0, 0, s)) for s in sizes)
    for f in (x.lea, x.compare_mem, x.sub_mem):
        yield from ((f"{f.__name__} register {r}", lambda f=f, r=r: f(r, 0, 0)) for r in NOT_REGS)
        yield from ((f"{f.__name__} base {r}", lambda f=f, r=r: f(0, r, 0)) for r in NOT_REGS)
        yield from ((f"{f.__name__} disp {d}", lambda f=f, d=d: f(0, 0, d)) for d in NOT_DISPS)
    for r in NOT_REGS:
        yield f"store_zero {r}", lambda r=r: x.store_zero(r, 0)
        yield f"store_byte {r}", lambda r=r: x.store_byte(r, 0, 0)
        yield f"move to {r}", lambda r=r: x.move(r, 0)
        yield f"move from {r}", lambda r=r: x.move(0, r)
        for f in (x.zero, x.zero_float, x.lea_pc, x.neg, x.test, x.test_byte):
            yield f"{f.__name__} {r}", lambda f=f, r=r: f(r)
    for v in NOT_DISPS:
        yield f"store_zero disp {v}", lambda v=v: x.store_zero(0, v)
        for f in (x.add_sp, x.sub_sp, x.imm32, x.free_forms, x.jmp, functools.partial(x.jcc, x.JE)):
            yield f"{getattr(f, '__name__', 'jcc')} {v}", lambda f=f, v=v: f(v)
    yield f"free_forms {LOW}", lambda: x.free_forms(LOW)  # its negative does not fit
    for v in (-129, 128):
        yield f"imm8 {v}", lambda v=v: x.imm8(v)
        yield f"compare_byte_pc {v}", lambda v=v: x.compare_byte_pc(v)
        yield f"compare_byte_mem {v}", lambda v=v: x.compare_byte_mem(0, 0, v)
        yield f"compare_long_mem {v}", lambda v=v: x.compare_long_mem(0, 0, v)
        yield f"short_jump {v}", lambda v=v: x.short_jump(v)
        yield f"store_byte {v}", lambda v=v: x.store_byte(0, 0, v)
    for c in (0x81, 0x83, 0x87, 0x04):
        yield f"jcc {c}", lambda c=c: x.jcc(c)
    for r in NOT_REGS:
        yield f"set_long {r}", lambda r=r: x.set_long(r, 0)
        for f in (x.move_long, x.compare_exchange):
            yield f"{f.__name__} {r}, 0", lambda f=f, r=r: f(r, 0)
            yield f"{f.__name__} 0, {r}", lambda f=f, r=r: f(0, r)


# arm64

ALL = range(32)
SCALED = {1: ("strb", "ldrb", "w"), 2: ("strh", "ldrh", "w"), 4: ("str", "ldr", "w"), 8: ("str", "ldr", "x")}
FLOATS = {4: "s", 8: "d"}


def gpr(reg: int, kind: str = "x") -> str:
    return f"{kind}zr" if reg == 31 else f"{kind}{reg}"


def gsp(reg: int) -> str:
    return "sp" if reg == 31 else f"x{reg}"


def at(base: int, disp: int) -> str:
    return f"[{gsp(base)}{f', #{number(disp)}' if disp else ''}]"


def scaled(sizes: tuple[int, ...]) -> Iterator[tuple[int, int, int, int]]:
    for size in sizes:
        yield from itertools.product(ALL, ALL, (0, size, 0xFFE * size, 0xFFF * size), (size,))


def immediate(encode: Callable[[int, int, int], bytes], name: str) -> Iterator[Case]:
    for dst, base, value in itertools.product(ALL, ALL, (0, 1, 0xFFE, 0xFFF, 0x1000, 0x2000, 0xFFE000, 0xFFF000)):
        imm = f"#{number(value)}" if value < 0x1000 else f"#{number(value >> 12)}, lsl #12"
        if name == "add" and value == 0 and 31 in (dst, base):
            yield encode(dst, base, value), f"mov {gsp(dst)}, {gsp(base)}"  # the alias of the manual
        else:
            yield encode(dst, base, value), f"{name} {gsp(dst)}, {gsp(base)}, {imm}"


def branches(encode: Callable[[int], bytes], name: str, bits: int) -> list[Case]:
    return [(encode(d), f"{name}#{(AT + d) & (1 << 64) - 1:#x}") for d in (0, 4, -4, (1 << bits) - 4, -(1 << bits))]


def open_frames() -> Iterator[Case]:
    for size in (16, 32, 0xE0, 0xF0, 0x100, 0x110, 0xFE0, 0xFF0):
        before, move, behind = a.open_frame(size)
        assert all(len(word) == 4 for word in (*before, move, *behind))
        if size <= 0xF0:
            yield b"".join((*before, move, *behind)), f"str x30, [sp, #-{number(size)}]!; stur x29, [sp, #-8]; sub x29, sp, #8"
            assert text(a, move).startswith("str x30")
        else:
            yield b"".join((*before, move, *behind)), f"sub x27, sp, #{number(size)}; stp x29, x30, [x27, #-8]; mov sp, x27; sub x29, sp, #8"
            assert text(a, move) == "mov sp, x27"


def close_frames() -> Iterator[Case]:
    for size in (16, 32, 0xE0, 0xF0, 0x100, 0x110, 0xFE0, 0xFF0):
        tail = f"ldur x29, [sp, #-8]; ldr x30, [sp], #{number(size)}" if size <= 0xF0 else f"ldp x29, x30, [sp, #-8]; add sp, sp, #{number(size)}"
        yield b"".join(a.close_frame(size)), tail


CONDITIONS = {a.EQ: "eq", a.NE: "ne", a.HS: "hs", a.LO: "lo", a.MI: "mi", a.LS: "ls"}

ARM64: dict[str, Callable[[], object]] = {
    "store": lambda: [(a.store(r, b, d, s), f"{SCALED[s][0]} {gpr(r, SCALED[s][2])}, {at(b, d)}") for r, b, d, s in scaled((1, 2, 4, 8))],
    "load": lambda: [(a.load(r, b, d, s), f"{SCALED[s][1]} {gpr(r, SCALED[s][2])}, {at(b, d)}") for r, b, d, s in scaled((1, 2, 4, 8))],
    "store_float": lambda: [(a.store_float(r, b, d, s), f"str {FLOATS[s]}{r}, {at(b, d)}") for r, b, d, s in scaled((4, 8))],
    "load_float": lambda: [(a.load_float(r, b, d, s), f"ldr {FLOATS[s]}{r}, {at(b, d)}") for r, b, d, s in scaled((4, 8))],
    "move": lambda: [(a.move(d, s), f"mov {gpr(d)}, {gpr(s)}") for d in ALL for s in ALL],
    "move_word": lambda: [(a.move_word(d, s), f"mov {gpr(d, 'w')}, {gpr(s, 'w')}") for d in ALL for s in ALL],
    "SVC": lambda: [(a.SVC, "svc #0")],
    "LOAD_SAVED_FP": lambda: [(a.LOAD_SAVED_FP, "ldur x16, [sp, #-8]")],
    "BARRIER": lambda: [(a.BARRIER, "dmb ish")],
    "add": lambda: immediate(a.add, "add"),
    "subtract_immediate": lambda: immediate(a.subtract_immediate, "sub"),
    "subtract": lambda: [
        (a.subtract(d, p, q), f"neg {gpr(d)}, {gpr(q)}" if p == 31 else f"sub {gpr(d)}, {gpr(p)}, {gpr(q)}") for d in ALL for p in ALL for q in ALL
    ],
    "compare": lambda: [(a.compare(p, q), f"cmp {gpr(p)}, {gpr(q)}") for p in ALL for q in ALL],
    "test_byte": lambda: [(a.test_byte(r), f"tst {gpr(r, 'w')}, #0xff") for r in ALL],
    "address": lambda: [(a.address(r), f"adrp {gpr(r)}, #{AT:#x}; add {gsp(r)}, {gsp(r)}, #0") for r in range(31)],
    "move_immediate": lambda: [(a.move_immediate(r, v), f"mov {gpr(r)}, #{number(v)}") for r in ALL for v in (0, 1, 9, 10, 0xFFFF)],
    "load_exclusive": lambda: [(a.load_exclusive(r, b), f"ldxr {gpr(r)}, [{gsp(b)}]") for r in ALL for b in ALL],
    "store_exclusive": lambda: [
        (a.store_exclusive(s, r, b), f"stxr {gpr(s, 'w')}, {gpr(r)}, [{gsp(b)}]") for s in ALL for r in ALL for b in ALL if s not in (r, b)
    ],
    "atomic_add": lambda: [
        (a.atomic_add(s, t, b), f"stadd {gpr(s)}, [{gsp(b)}]" if t == 31 else f"ldadd {gpr(s)}, {gpr(t)}, [{gsp(b)}]") for s in ALL for t in ALL for b in ALL
    ],
    "zero": lambda: [(a.zero(r), f"mov {gpr(r)}, #0") for r in ALL],
    "zero_float": lambda: [(a.zero_float(r), f"fmov d{r}, xzr") for r in ALL],
    "open_frame": open_frames,
    "close_frame": close_frames,
    "branch_if": lambda: [case for c, n in CONDITIONS.items() for case in branches(lambda d: a.branch_if(c, d), f"b.{n} ", 20)],
    "branch_if_zero": lambda: [case for r in ALL for case in branches(lambda d: a.branch_if_zero(r, d), f"cbz {gpr(r)}, ", 20)],
    "branch_if_not_zero": lambda: [case for r in ALL for case in branches(lambda d: a.branch_if_not_zero(r, d), f"cbnz {gpr(r)}, ", 20)],
    "branch_if_not_zero_word": lambda: [case for r in ALL for case in branches(lambda d: a.branch_if_not_zero_word(r, d), f"cbnz {gpr(r, 'w')}, ", 20)],
    "branch": lambda: branches(a.branch, "b ", 27),
    "word": lambda: [(a.word(0xD503_201F), "nop"), (a.word(0xFFFF_FFFF & 0xD65F_03C0), "ret")],
    "LOAD_GUARD": lambda: [(a.LOAD_GUARD, "ldr x16, [x28, #0x10]")],
    "COMPARE_GUARD": lambda: [(a.COMPARE_GUARD, "cmp sp, x16")],
    "LINK_TO_R3": lambda: [(a.LINK_TO_R3, "mov x3, x30")],
    "RET": lambda: [(a.RET, "ret")],
    "B": lambda: [(a.B, f"b #{AT:#x}")],
    "BL": lambda: [(a.BL, f"bl #{AT:#x}")],
}


def arm64_wrong() -> Iterator[tuple[str, Call]]:
    for f, sizes in ((a.store, (1, 2, 4, 8)), (a.load, (1, 2, 4, 8)), (a.store_float, (4, 8)), (a.load_float, (4, 8))):
        for s in sizes:
            for d in (-s, -1, 0x1000 * s, *((s // 2, s + 1, 0xFFF * s + 1) if s > 1 else ())):
                yield f"{f.__name__} {s} at {d}", lambda f=f, d=d, s=s: f(0, 0, d, s)
            for r in (-1, 32):
                yield f"{f.__name__} {s} register {r}", lambda f=f, r=r, s=s: f(r, 0, 0, s)
                yield f"{f.__name__} {s} base {r}", lambda f=f, r=r, s=s: f(0, r, 0, s)
        for s in {0, 1, 2, 3, 4, 8, 16} - set(sizes):
            yield f"{f.__name__} size {s}", lambda f=f, s=s: f(0, 0, 0, s)
    for v in (-1, 0x10000):
        yield f"move_immediate {v}", lambda v=v: a.move_immediate(0, v)
    for f in (a.add, a.subtract_immediate):
        for v in (-1, -4096, 0x1001, 0x1FFF, 0xFFF001, 0x1000000):
            yield f"{f.__name__} {v}", lambda f=f, v=v: f(0, 0, v)
        for r in (-1, 32):
            yield f"{f.__name__} to {r}", lambda f=f, r=r: f(r, 0, 0)
            yield f"{f.__name__} from {r}", lambda f=f, r=r: f(0, r, 0)
    for v in (-1, 0x10000):
        yield f"move_immediate {v}", lambda v=v: a.move_immediate(0, v)
    for s, r, b in ((1, 1, 2), (2, 1, 2), (3, 3, 3)):
        yield f"store_exclusive {s} {r} {b}", lambda s=s, r=r, b=b: a.store_exclusive(s, r, b)
    for r in (-1, 32):
        yield f"move_immediate to {r}", lambda r=r: a.move_immediate(r, 0)
        for f in (a.load_exclusive, a.store_exclusive, a.atomic_add):
            count = len(inspect.signature(f).parameters)
            for place in range(count):
                operands = [*range(4, 4 + place), r, *range(14, 14 + count - place - 1)]
                yield f"{f.__name__} {operands}", lambda f=f, operands=operands: f(*operands)
        for f in (a.zero, a.zero_float, a.address, a.test_byte):
            yield f"{f.__name__} {r}", lambda f=f, r=r: f(r)
        for f in (a.move, a.move_word, a.compare):
            yield f"{f.__name__} {r}, 0", lambda f=f, r=r: f(r, 0)
            yield f"{f.__name__} 0, {r}", lambda f=f, r=r: f(0, r)
        for i in range(3):
            yield f"subtract {i} {r}", lambda r=r, i=i: a.subtract(*(r if j == i else 0 for j in range(3)))
        yield f"branch_if_zero {r}", lambda r=r: a.branch_if_zero(r, 0)
        yield f"branch_if_not_zero {r}", lambda r=r: a.branch_if_not_zero(r, 0)
        yield f"branch_if_not_zero_word {r}", lambda r=r: a.branch_if_not_zero_word(r, 0)
    for d in (1, 2, -2, 1 << 20, -(1 << 20) - 4):
        yield f"branch_if {d}", lambda d=d: a.branch_if(a.EQ, d)
        yield f"branch_if_zero over {d}", lambda d=d: a.branch_if_zero(0, d)
        yield f"branch_if_not_zero_word over {d}", lambda d=d: a.branch_if_not_zero_word(0, d)
    for d in (1, 2, -2, 1 << 27, -(1 << 27) - 4):
        yield f"branch {d}", lambda d=d: a.branch(d)
    for c in (5, 8, 10, 16, -1):
        yield f"condition {c}", lambda c=c: a.branch_if(c, 0)
    for size in (0, 8, 24, -16, 0xFF8, 0x1000):
        yield f"open_frame {size}", lambda size=size: a.open_frame(size)
        yield f"close_frame {size}", lambda size=size: a.close_frame(size)


@pytest.mark.parametrize(
    ("module", "name", "cases"), [pytest.param(m, n, c, id=f"{m.__name__.split('.')[1]}-{n}") for m, t in ((x, AMD64), (a, ARM64)) for n, c in t.items()]
)
def test_capstone_reads_what_was_asked_for(module: ModuleType, name: str, cases: Callable[[], Iterator[Case]]) -> None:
    wrong = [(code.hex(), expected, text(module, code)) for code, expected in cases() if text(module, code) != expected]
    assert not wrong, f"{len(wrong)} cases, such as {wrong[:5]}"


@pytest.mark.parametrize(("what", "call"), [pytest.param(w, c, id=f"{m}: {w}") for m, f in (("amd64", amd64_wrong), ("arm64", arm64_wrong)) for w, c in f()])
def test_one_beyond_the_limit_is_refused(what: str, call: Call) -> None:
    with pytest.raises(EncodeError):
        call()


@pytest.mark.parametrize(("module", "table"), [(x, AMD64), (a, ARM64)], ids=["amd64", "arm64"])
def test_no_encoder_is_left_out(module: ModuleType, table: dict[str, object]) -> None:
    own = {n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__ and not n.startswith("_")}
    constants = {n for n, v in vars(module).items() if isinstance(v, bytes)}
    assert own | constants == set(table)


@pytest.mark.parametrize("disp", [-128, 127])
def test_amd64_takes_the_short_form_where_there_is_one(disp: int) -> None:
    beyond = disp + (1 if disp > 0 else -1)
    assert len(x.load(0, 0, disp, 8)) + 3 == len(x.load(0, 0, beyond, 8))
    assert len(x.add_sp(disp)) + 3 == len(x.add_sp(beyond)) and len(x.sub_sp(disp)) + 3 == len(x.sub_sp(beyond))
