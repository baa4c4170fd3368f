"""Decodes instructions of compiled code, as far as needed here: how long they are, where execution continues, and what they do to the closure
register, DX (amd64).

Unknown instructions are reported as unknown, never guessed. A partial write counts as a write, because it destroys the pointer. Source: Intel SDM
volume 2, appendix A, restricted to what the Go compiler uses (cmd/compile/internal/amd64/ssa.go, Go 1.22-1.27).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from trampolines.amd64.abi import CLOSURE
from trampolines.flow import Step

PREFIXES = b"\x66\xf2\xf3\x2e\x3e\x64\x65\xf0"


class Operands(NamedTuple):
    """A decoded ModRM: length in bytes with SIB and displacement; reg, rm: numbers; rm is -1 for memory; addresses: base and index."""

    length: int
    reg: int
    rm: int
    addresses: tuple[int, ...]


def decode(code: bytes, start: int, calls: Mapping[int, str]) -> Step | None:
    """See trampolines.flow.Decode."""
    at = start
    prefixes = set()
    while at < len(code) and code[at] in PREFIXES:
        prefixes.add(code[at])
        at += 1
    rex = 0
    if at < len(code) and code[at] & 0xF0 == 0x40:
        rex = code[at]
        at += 1
    try:
        if code[at] in (0xC4, 0xC5):
            return _vex(code, at, start)
        if code[at] == 0x0F:
            return _two_byte(code, at + 1, start, rex, prefixes)
        return _one_byte(code, at, start, rex, prefixes, calls)
    except IndexError:
        return None


def _operands(code: bytes, at: int, rex: int) -> Operands:
    modrm = code[at]
    mod, reg, low = modrm >> 6, (modrm >> 3 & 7) | (rex & 4) << 1, modrm & 7
    rm = low | (rex & 1) << 3
    if mod == 3:
        return Operands(1, reg, rm, ())
    length, addresses = 1, [rm]
    if low == 4:
        sib = code[at + 1]
        length = 2
        base, index = (sib & 7) | (rex & 1) << 3, (sib >> 3 & 7) | (rex & 2) << 2
        addresses = [index] if index != 4 else []
        if mod or sib & 7 != 5:
            addresses.append(base)
        low = sib & 7
    elif mod == 0 and low == 5:
        addresses = []
    displacement = {1: 1, 2: 4}.get(mod, 4 if low == 5 else 0)
    return Operands(length + displacement, reg, -1, tuple(addresses))


def _made(length: int, op: Operands, *, reads: tuple[int, ...], writes: tuple[int, ...]) -> Step:
    """reads, writes: registers beside the addresses; -1 is none."""
    return Step(length, CLOSURE in (*reads, *op.addresses), CLOSURE in writes)


ALU_ROWS = range(0x40)
COMPARE_ROW, XOR_ROW, SUB_ROW, SBB_ROW = 0x38, 0x30, 0x28, 0x18


def _one_byte(code: bytes, at: int, start: int, rex: int, prefixes: set[int], calls: Mapping[int, str]) -> Step | None:
    op, here = code[at], at + 1 - start
    wide = 2 if 0x66 in prefixes else 4
    if op in ALU_ROWS and op & 7 < 6:
        return _alu(code, at, start, rex, wide)
    if op == 0xE8:
        return Step(here + 4, callee=calls.get(at + 1, ""))
    if op in (0xE9, 0xEB) or op & 0xF0 == 0x70:
        size = 4 if op == 0xE9 else 1
        target = None if at + 1 in calls else at + 1 + size + int.from_bytes(code[at + 1 : at + 1 + size], "little", signed=True)
        return Step(here + size, target=target, falls=op & 0xF0 == 0x70)
    if op in (0xC3, 0xCC, 0xF4):
        return Step(here, falls=False)
    if op & 0xF0 == 0x50:
        number = op & 7 | (rex & 1) << 3
        return Step(here, op < 0x58 and number == CLOSURE, op >= 0x58 and number == CLOSURE)
    if op & 0xF0 == 0xB0:
        size = 1 if op < 0xB8 else 8 if rex & 8 else wide
        return Step(here + size, writes=(op & 7 | (rex & 1) << 3) == CLOSURE)
    if op in SIMPLE:
        return Step(here + (wide if SIMPLE[op] == 4 else SIMPLE[op]), writes=op == 0x99)
    if op in range(0x91, 0x98):
        return Step(here, reads=(op & 7 | (rex & 1) << 3) == CLOSURE)
    return _with_operands(code, at, start, rex, wide)


SIMPLE = {0x90: 0, 0x98: 0, 0x99: 0, 0xA8: 1, 0xA9: 4, 0x9C: 0, 0x9D: 0, 0xA4: 0, 0xA5: 0, 0xAA: 0, 0xAB: 0, 0x68: 4, 0x6A: 1, 0xFC: 0, 0xFD: 0}
"""Instructions without operands that touch DX, and the size of their immediates (4: an operand's). CDQ and CQO (99) write DX."""


def _alu(code: bytes, at: int, start: int, rex: int, wide: int) -> Step:
    row, form, here = code[at] & 0x38, code[at] & 7, at + 1 - start
    if form >= 4:
        return Step(here + (1 if form == 4 else wide))
    op = _operands(code, at + 1, rex)
    length = here + op.length
    if row in (XOR_ROW, SUB_ROW, SBB_ROW) and op.reg == op.rm:
        return _made(length, op, reads=(), writes=(op.reg,))
    return _made(length, op, reads=(op.reg, op.rm), writes=())


def _with_operands(code: bytes, at: int, start: int, rex: int, wide: int) -> Step | None:
    opcode = code[at]
    op = _operands(code, at + 1, rex)
    length = at + 1 - start + op.length
    if opcode in (0x8A, 0x8B, 0x63):
        return _made(length, op, reads=(op.rm,), writes=(op.reg,))
    if opcode in (0x88, 0x89):
        return _made(length, op, reads=(op.reg,), writes=(op.rm,))
    if opcode == 0x8D:
        return _made(length, op, reads=(), writes=(op.reg,))
    if opcode in (0x69, 0x6B):
        return _made(length + (wide if opcode == 0x69 else 1), op, reads=(op.rm,), writes=(op.reg,))
    if opcode in (0x80, 0x81, 0x83):
        return _made(length + (wide if opcode == 0x81 else 1), op, reads=(op.rm,), writes=())
    if opcode in (0x84, 0x85, 0x86, 0x87):
        return _made(length, op, reads=(op.reg, op.rm), writes=())
    if opcode in (0xC0, 0xC1, 0xD0, 0xD1, 0xD2, 0xD3):
        return _made(length + (1 if opcode < 0xD0 else 0), op, reads=(op.rm,), writes=())
    if opcode in (0xC6, 0xC7):
        return _made(length + (1 if opcode == 0xC6 else wide), op, reads=(), writes=(op.rm,))
    number = op.reg & 7
    if opcode in (0xF6, 0xF7):
        immediate = (1 if opcode == 0xF6 else wide) if number < 2 else 0
        divides = number >= 6 and opcode == 0xF7
        return _made(length + immediate, op, reads=(op.rm, CLOSURE if divides else -1), writes=(CLOSURE,) if number >= 4 and opcode == 0xF7 else ())
    if opcode in (0xFE, 0xFF) and number < 2:
        return _made(length, op, reads=(op.rm,), writes=())
    if opcode == 0xFF and number in (2, 4):
        calls = number == 2
        return Step(length, CLOSURE in (op.rm, *op.addresses), falls=calls, switches=not calls, callee="" if calls else None)
    return None


JUST_OPERANDS = {0x0D, 0x18, 0x1E, 0x1F, *range(0x10, 0x18), *range(0x28, 0x30), *range(0x51, 0x70), *range(0x74, 0x77), *range(0x7C, 0x80), 0xAE,
                 *range(0xD0, 0x100)}  # fmt: skip
"""Two-byte opcodes whose register operands are no general ones, but for TO_GENERAL, FROM_GENERAL and RM_TO_GENERAL."""
WITH_IMMEDIATE = {0x70, 0x71, 0x72, 0x73, 0xC2, 0xC4, 0xC5, 0xC6}
TO_GENERAL = {0x2C, 0x2D, 0x50, 0xC5, 0xD7}
FROM_GENERAL = {0x2A, 0x6E, 0xC4}
RM_TO_GENERAL = {0x7E}
LOAD_EXTENDED = {0xB6, 0xB7, 0xBE, 0xBF, 0xB8, 0xBC, 0xBD}
READ_BOTH = {*range(0x40, 0x50), 0xA3, 0xAB, 0xB3, 0xBB, 0xA5, 0xAD, 0xAF, 0xB0, 0xB1, 0xC0, 0xC1, 0xC3}


def _two_byte(code: bytes, at: int, start: int, rex: int, prefixes: set[int]) -> Step | None:
    opcode, here = code[at], at + 1 - start
    if opcode in range(0x80, 0x90):
        return Step(here + 4, target=at + 5 + int.from_bytes(code[at + 1 : at + 5], "little", signed=True))
    if opcode == 0x0B:
        return Step(here, falls=False)
    if opcode in (0x31, 0xA2):
        return Step(here, writes=True)
    if opcode in range(0xC8, 0xD0):
        return Step(here, reads=(opcode & 7 | (rex & 1) << 3) == CLOSURE)
    if opcode in (0x38, 0x3A):
        return _three_byte(code, at, start, rex, prefixes)
    op = _operands(code, at + 1, rex)
    length = here + op.length
    if opcode in JUST_OPERANDS or opcode in WITH_IMMEDIATE or opcode == 0x50:
        return _vector(opcode, length, op, wide_move=0xF3 in prefixes)
    if opcode in LOAD_EXTENDED:
        return _made(length, op, reads=(op.rm,), writes=(op.reg,))
    if opcode in READ_BOTH:
        return _made(length, op, reads=(op.reg, op.rm), writes=())
    if opcode in range(0x90, 0xA0):
        return _made(length, op, reads=(), writes=(op.rm,))
    if opcode in (0xA4, 0xAC):
        return _made(length + 1, op, reads=(op.reg, op.rm), writes=())
    if opcode == 0xBA:
        return _made(length + 1, op, reads=(op.rm,), writes=())
    return None


def _vector(opcode: int, length: int, op: Operands, *, wide_move: bool) -> Step:
    """wide_move: the prefix that makes 7E a move between vector registers."""
    length += 1 if opcode in WITH_IMMEDIATE else 0
    if opcode in TO_GENERAL:
        return _made(length, op, reads=(), writes=(op.reg,))
    if opcode in FROM_GENERAL:
        return _made(length, op, reads=(op.rm,), writes=())
    return _made(length, op, reads=(), writes=(op.rm,) if opcode in RM_TO_GENERAL and not wide_move else ())


def _three_byte(code: bytes, at: int, start: int, rex: int, prefixes: set[int]) -> Step:
    """0F 38 and 0F 3A."""
    opcode = code[at + 1]
    op = _operands(code, at + 2, rex)
    length = at + 2 - start + op.length
    if code[at] == 0x3A:
        return _extract_or_insert(opcode, length + 1, op)
    if opcode == 0xF0 and 0xF2 not in prefixes:
        return _made(length, op, reads=(), writes=(op.reg,))
    return _made(length, op, reads=(op.reg, op.rm) if opcode in (0xF0, 0xF1, 0xF6) else (), writes=())


def _extract_or_insert(opcode: int, length: int, op: Operands) -> Step:
    return _made(length, op, reads=(op.rm,) if opcode in (0x20, 0x22) else (), writes=(op.rm,) if opcode in range(0x14, 0x18) else ())


ANDN, BLS, BITS, MULX, SHIFTS, RORX = 0xF2, 0xF3, 0xF5, 0xF6, 0xF7, 0xF0


def _vex(code: bytes, at: int, start: int) -> Step | None:
    if code[at] == 0xC5:
        rex, third, table, at = (~code[at + 1] >> 5) & 4, code[at + 1], 1, at + 2
    else:
        rex, third, table, at = ~code[at + 1] >> 5 & 7, code[at + 2], code[at + 1] & 31, at + 3
    other = ~third >> 3 & 15
    opcode = code[at]
    if table == 1 and opcode == 0x77:
        return Step(at + 1 - start)
    op = _operands(code, at + 1, rex)
    length = at + 1 - start + op.length
    if table == 1 and (opcode in JUST_OPERANDS or opcode in WITH_IMMEDIATE or opcode == 0x50):
        return _vector(opcode, length, op, wide_move=third & 3 == 2)
    if table == 2:
        if opcode == MULX:
            return _made(length, op, reads=(CLOSURE,), writes=())
        if opcode == BLS:
            return _made(length, op, reads=(op.rm,), writes=(other,))
        return _made(length, op, reads=(op.rm, other) if opcode in (ANDN, BITS, SHIFTS) else (), writes=(op.reg,) if opcode in (ANDN, BITS, SHIFTS) else ())
    if table == 3:
        if opcode == RORX:
            return _made(length + 1, op, reads=(op.rm,), writes=(op.reg,))
        return _extract_or_insert(opcode, length + 1, op)
    return None
