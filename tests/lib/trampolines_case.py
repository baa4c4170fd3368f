"""What the tests of stubs share: a machine at a function's entry, random register assignments, and what must hold at calls and returns."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

import trampolines
from trampolines.contract import Code, Piece, RegClass
from trampolines_machine import MACHINES, Machine

STACK, RETURN, G, NODE, SLOT = 0x7FFF_0000, 0x1234_5678, 0x9000_0000, 0xA000_0000, 448
MOVE = 0x12_0000
ARCHES = pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def pieces(draw: st.DrawFn, goarch: str, most: int = 40, start: int = 0, room: int = 1 << 30) -> tuple[Piece, ...]:
    """Registers as the ABI assigns them: in order, naturally aligned, from `start` on."""
    arch = trampolines.load(goarch)
    used = {RegClass.INT: 0, RegClass.FLOAT: 0}
    limits = {RegClass.INT: len(arch.traits.int_args), RegClass.FLOAT: len(arch.traits.float_args)}
    found, offset = [], start
    for reg in draw(st.lists(st.sampled_from(RegClass), max_size=most)):
        size = draw(st.sampled_from((1, 2, 4, 8) if reg is RegClass.INT else (4, 8)))
        offset = -(-offset // size) * size
        if used[reg] == limits[reg] or offset + size > room:
            continue
        found.append(Piece(reg, used[reg], size, offset))
        used[reg] += 1
        offset += size
    return tuple(found)


def end_of(found: tuple[Piece, ...]) -> int:
    return max((piece.offset + piece.size for piece in found), default=0)


def start(goarch: str, code: Code, seed: int, args: int) -> tuple[Machine, random.Random]:
    """A machine at a function's entry: random registers, a return address, a caller's frame, a g with room on its stack."""
    rng = random.Random(seed)
    m = MACHINES[goarch](code, pad=rng.randrange(0, 0x4000, 16))
    for reg in m.all_ints:
        m.regs[reg] = rng.getrandbits(64)
    m.floats = {i: rng.getrandbits(64) for i in range(32)}
    sp = STACK - rng.randrange(0, 256, 16) - (8 if goarch == "amd64" else 0)
    m.regs |= {m.sp_name: sp, m.g_name: G, m.fp_name: sp + args + 64}
    m.write(sp + args + 64, 8, sp + args + 128)
    m.write(sp + args + 128, 8, 0)
    m.write(sp, 8, RETURN)
    if goarch == "arm64":
        m.regs["x30"] = RETURN
    m.write(sp + 8 + args, 8, 0xCA11E4)  # the caller's own words behind the args area
    m.write(G + 8, 8, STACK + 0x2000)
    m.write(G + 16, 8, STACK - 0x3000)
    m.write(m.roles.get("desc", 0), 1, 1)
    return m, rng


def register(m: Machine, piece: Piece) -> int:
    value = m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]
    return value & ((1 << 8 * piece.size) - 1)


def clobber(m: Machine, rng: random.Random, *keep: str) -> None:
    for reg in m.all_ints:
        if reg not in (*m.kept, *keep):
            m.regs[reg] = rng.getrandbits(64)
    m.floats = {i: rng.getrandbits(64) for i in range(32)}


def poison_callee_spills(m: Machine, rng: random.Random, words: int) -> None:
    """A callee may store its register arguments in its caller's frame at any time."""
    for word in range(words):
        m.write(m.sp + 8 + 8 * word, 8, rng.getrandbits(64))


def check_map(m: Machine) -> None:
    """Every word that the collector would follow was written."""
    for word, pointer in enumerate(m.code.locals_map):
        addr = m.locals_base() + 8 * word
        assert not pointer or m.known(addr), f"locals map: word {word} was never written"
        assert addr >= m.sp


def same_registers(m: Machine, before: dict[str, int], *but: str) -> None:
    changed = {reg for reg in m.all_ints if m.regs[reg] != before[reg]} - set(but)
    assert not changed, changed


def check_back(m: Machine, sp: int, fp: int, args: int) -> None:
    """SP, frame pointer, return address and the caller's words are what they were (moved, if the stack moved)."""
    assert m.sp == sp and m.regs[m.fp_name] == fp
    assert m.link_name == "" or m.regs[m.link_name] == RETURN
    assert m.read(m.entry_sp, 8) == RETURN and m.read(m.entry_sp + 8 + args, 8) == 0xCA11E4
