"""What stubs and thunks do, run in Python on random signatures: registers, stack, maps, pc-to-SP table, stack growth at every call."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trampolines
from trampolines.asm import EncodeError
from trampolines.contract import Base, ScopeFilter, ClosureUse, Copy, EntrySpec, ExitSpec, GrowGuard, Load, Phase, Piece, RegClass, ThroughSpec, ThunkSpec
from trampolines_case import (
    ARCHES, G, MANY, MOVE, NODE, RETURN, SLOT, STACK,
    check_back, check_map, clobber, end_of, pieces, poison_callee_spills, register, same_registers, start,
)  # fmt: skip
from trampolines_machine import Machine


GUARD = GrowGuard(0x30, 0xB8, 0x108, 0x1B9)
M = 0xB000_0000


def set_guard(m: Machine, stay: str) -> None:
    """g.m, m.curg, m.locks and g.throwsplit of a goroutine whose stack may grow, or of one in some other state."""
    m.write(G + GUARD.g_m, 8, M)
    m.write(M + GUARD.m_curg, 8, G + (0x100 if stay == "curg" else 0))
    m.write(M + GUARD.m_locks, 4, stay == "locks")
    m.write(G + GUARD.g_throwsplit, 1, stay == "throwsplit")


def entry_case(data: st.DataObject, goarch: str) -> tuple[EntrySpec, int]:
    stack_words = data.draw(st.sampled_from((0, 0, 1, 3, 700, 9000)))
    stack_results = ((8 * (stack_words - 1), 8),) if stack_words and data.draw(st.booleans()) else ()
    spills = data.draw(pieces(goarch, start=8 * stack_words))
    spec = EntrySpec(
        spills, data.draw(st.sampled_from(ClosureUse)), toggle=data.draw(st.booleans()), skippable=data.draw(st.booleans()),
        results=data.draw(pieces(goarch)), stack_results=stack_results,
        guard=data.draw(st.sampled_from((None, GUARD))), room=data.draw(st.sampled_from((0, 96, 1000, 4096))),
    )  # fmt: skip
    return spec, -(-max(end_of(spills), 8 * stack_words) // 8) * 8


@ARCHES
@MANY
@given(data=st.data(), seed=st.integers(0, 1 << 32), skip=st.booleans(), grow=st.booleans(), move=st.booleans(),
       stay=st.sampled_from(("", "", "curg", "locks", "throwsplit")))  # fmt: skip
def test_entry(goarch: str, data: st.DataObject, seed: int, skip: bool, grow: bool, move: bool, stay: str) -> None:
    spec, args = entry_case(data, goarch)
    m, rng = start(goarch, trampolines.load(goarch).entry_stub(spec), seed, args)
    closure, sp, fp = m.regs[m.closure], m.sp, m.regs[m.fp_name]
    passed = {piece: register(m, piece) for piece in spec.spills}
    log: list[str] = []

    def enter(m: Machine) -> None:
        log.append("enter")
        link = 8 if goarch == "amd64" else 0
        base = m.entry_sp + 8
        assert [m.regs[r] for r in m.ints[:3]] == [m.roles["desc"], base, G]
        assert m.sp + link <= m.locals_base()
        for piece in spec.spills:
            assert m.read(base + piece.offset, piece.size) == passed[piece]
            passed[piece] = rng.getrandbits(8 * piece.size)
            m.write(base + piece.offset, piece.size, passed[piece])
        check_map(m)
        assert m.read(m.locals_base() + 8 * (len(m.code.locals_map) - 1), 8) == closure
        poison_callee_spills(m, rng, 3)
        if move:
            m.grow(MOVE, [])
        clobber(m, rng, m.link_name)
        m.regs[m.ints[0]] = m.regs[m.ints[0]] & ~0xFF | skip

    def morestack(m: Machine) -> int:
        log.append("morestack")
        back = m.regs["x30"] if goarch == "arm64" else m.do_return()
        assert m.sp == m.entry_sp and m.regs[m.closure] == closure and m.pcsp(back - m.base - 1) == 0
        for piece in spec.spills:
            assert m.read(m.sp + 8 + piece.offset, piece.size) == passed[piece]
        if goarch == "arm64":
            assert m.regs["x3"] == RETURN
        m.grow(2 * MOVE, [])
        m.write(G + 16, 8, STACK - 0x3000)
        clobber(m, rng, m.closure)
        if goarch == "arm64":
            m.regs["x30"] = RETURN
        return back

    m.hosts = {"enter": enter, "morestack": morestack}
    set_guard(m, stay)
    if grow:
        m.write(G + 16, 8, sp + rng.choice((0, 1, 4096)) - max(0, spec.room - 128))
    if grow and spec.guard and stay:
        regs, floats, mem = dict(m.regs), dict(m.floats), dict(m.mem)
        assert m.run(sp) == "body" and not log
        same_registers(m, regs, *(reg for reg in m.scratch if reg != m.closure))
        assert (m.floats, m.mem) == (floats, mem)
        return
    written = {a - sp for a in m.mem if sp <= a < sp + 0x2_0000}
    end = m.run(sp)
    delta = (2 * MOVE if grow else 0) + (MOVE if move else 0)
    written |= {8 + p.offset + i for p in spec.spills for i in range(p.size)} | {8 + at + i for at, n in spec.stack_results for i in range(n)}
    assert {a - m.entry_sp for a in m.mem if m.entry_sp <= a < m.entry_sp + 0x2_0000} <= written, "a store into the caller's frame"
    assert log == (["morestack"] if grow else []) + ["enter"]
    check_back(m, sp + delta, fp + delta, args)
    if skip and spec.skippable:
        assert end == "exit"
        for piece in spec.results:
            assert (m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]) == 0
        for offset, size in spec.stack_results:
            assert m.read(m.sp + 8 + offset, size) == 0
        return
    assert end == "body"
    assert m.regs[m.closure] == closure
    for piece in spec.spills:
        full = m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]
        assert full == passed[piece], "reloaded with extension by zeros"


@ARCHES
@MANY
@given(data=st.data(), seed=st.integers(0, 1 << 32))
def test_entry_switched_off(goarch: str, data: st.DataObject, seed: int) -> None:
    spec, args = entry_case(data, goarch)
    m, _ = start(goarch, trampolines.load(goarch).entry_stub(spec), seed, args)
    if not spec.toggle:
        return
    m.write(m.roles["desc"], 1, 0)
    m.write(G + 16, 8, STACK + 0x1000)  # no stack check is reached
    regs, floats, mem = dict(m.regs), dict(m.floats), dict(m.mem)
    assert m.run(m.sp) == "body"
    same_registers(m, regs, *m.scratch[:2])
    assert (m.floats, m.mem) == (floats, mem) and m.steps <= 6


SCOPE = {"slot": SLOT, "goid": 152, "node_goid": 8, "node_tag": 20, "node_settled": 18, "node_cell": 32}
CHANNEL, CELL = 0xC100_0000, 0xC200_0000


@ARCHES
@MANY
@given(seed=st.integers(0, 1 << 32), when=st.sampled_from(("inherited", "select", "mark", "mark byte")), slot=st.booleans(), tag=st.sampled_from((0, 3, 0x77)),
       own=st.booleans(), settled=st.sampled_from(("", "settled", "left")), channel=st.booleans(), sends=st.booleans(), mark=st.sampled_from((0, 3, 0x77, 0x100, 0xFF, 0xFFFF)))  # fmt: skip
def test_entry_of_a_channel_operation(
    goarch: str, seed: int, when: str, slot: bool, tag: int, own: bool, settled: str, channel: bool, sends: bool, mark: int
) -> None:
    """Go code is called in just those states that concern it; in all others nothing is touched on the way to the body."""
    size = {"mark": 2, "mark byte": 1}.get(when, 0)
    mark &= (1 << 8 * size) - 1
    scope = ScopeFilter(**SCOPE, inherited=not size, sends=3 if when == "select" else None, mark=(26, size) if size else None)
    spec = EntrySpec((Piece(RegClass.INT, 0, 8, 0),), ClosureUse.RAW, toggle=False, filter=scope)
    m, _ = start(goarch, trampolines.load(goarch).entry_stub(spec), seed, 8)
    m.write(G + SLOT, 8, NODE if slot else 0)
    m.write(G + 152, 8, 5 << 40)
    m.write(NODE + 8, 8, (5 if own else 6) << 40)
    m.write(NODE + 18, 1, settled != "")
    m.write(NODE + 32, 8, CELL if settled else 0)
    m.write(CELL, 8, settled == "settled")
    m.write(NODE + 20, 2, tag)
    m.regs[m.ints[0]] = CHANNEL if channel else 0
    m.regs[m.ints[3]] = 2 if sends else 0
    if size:
        m.write(CHANNEL + 26, size, mark)
    concerned = slot and tag != 0
    if not size:
        concerned = concerned and not (own and settled == "settled" and not (sends and when == "select"))
    if size:
        concerned = concerned and channel and mark not in (tag, (1 << 8 * size) - 1)
    called: list[int] = []
    m.hosts = {"enter": lambda m: called.append(m.read(m.regs[m.ints[1]] - trampolines.load(goarch).traits.return_below_args, 8))}
    if not concerned:
        m.write(G + 16, 8, STACK + 0x1000)  # no stack check is reached
    regs, floats, mem = dict(m.regs), dict(m.floats), dict(m.mem)
    assert m.run(m.sp) == "body"
    if concerned:
        assert called == [RETURN]
        return
    assert not called
    same_registers(m, regs, *m.scratch)
    assert m.regs[m.closure] == regs[m.closure]
    assert (m.floats, m.mem) == (floats, mem)


def exit_case(data: st.DataObject, goarch: str) -> ExitSpec:
    results = data.draw(pieces(goarch))
    area = -(-end_of(results) // 8) * 8
    words = {p.offset // 8 for p in results if p.reg is RegClass.INT and p.size == 8 and data.draw(st.booleans())}
    teardown, frame = b"", 0
    if goarch == "amd64":
        size = data.draw(st.sampled_from((8, 16, 120, 128, 136, 4096, 70000)))
        frame = size + 8
        short = [b"\x48\x83\xc4" + bytes([size])] if size < 128 else [b"\x48\x83\xec\x80"] if size == 128 else []
        teardown = data.draw(st.sampled_from([*short, b"\x48\x81\xc4" + size.to_bytes(4, "little")])) + b"\x5d"
    checked = 0 if frame else data.draw(st.sampled_from((0, 128, 256, 4096)))
    unchecked = not frame and not checked and data.draw(st.booleans())
    return ExitSpec(teardown, frame, results, area, tuple(w in words for w in range(area // 8)), SLOT, checked, unchecked)


@ARCHES
@MANY
@given(data=st.data(), seed=st.integers(0, 1 << 32), top=st.sampled_from((None, "far", "below", "equal", "deeper")),
       entry=st.sampled_from(("exit", "frameless")), move=st.booleans(), narrow=st.booleans())  # fmt: skip
def test_exit(goarch: str, data: st.DataObject, seed: int, top: str | None, entry: str, move: bool, narrow: bool) -> None:
    spec = exit_case(data, goarch)
    frame = 32 + spec.area + 8 if goarch == "amd64" else (8 + 32 + spec.area + 8 + 15) & ~15
    if frame > max(128, spec.body_frame, spec.checked) and not spec.unchecked:
        with pytest.raises(EncodeError, match="at the exit"):
            trampolines.load(goarch).exit_stub(spec)
        return
    m, rng = start(goarch, trampolines.load(goarch).exit_stub(spec), seed, 24)
    sp, fp = m.sp, m.regs[m.fp_name]
    m.write(G, 8, sp - frame - 1600 + (1 if narrow else -rng.randrange(0, 64)))
    distance = STACK + 0x2000 - (sp + 8)
    m.write(G + SLOT, 8, NODE if top else 0)
    if top:
        m.write(NODE, 8, {"far": 0, "below": distance - 8, "equal": distance, "deeper": distance + 0x80}[top])
    if entry == "exit" and spec.body_frame:
        m.write(sp - 8, 8, fp)
        m.regs[m.fp_name] = sp - 8
        m.regs[m.sp_name] = sp - spec.body_frame
    returned = {piece: register(m, piece) for piece in spec.results}
    regs, floats, mem = dict(m.regs), dict(m.floats), dict(m.mem)
    called = []

    def exit_hook(m: Machine) -> None:
        desc, area, args, g = (m.regs[r] for r in m.ints[:4])
        called.append((desc, args - m.entry_sp, g))
        first, words = (area - m.locals_base()) // 8, list(m.code.locals_map)
        assert m.sp < area and area % 8 == 0
        assert (not spec.area_map and first <= len(words)) or words[first : first + len(spec.area_map)] == list(spec.area_map)
        assert sum(words) == sum(spec.area_map)
        for piece in spec.results:
            assert m.read(area + piece.offset, piece.size) == returned[piece]
            returned[piece] = rng.getrandbits(8 * piece.size)
            m.write(area + piece.offset, piece.size, returned[piece])
        check_map(m)
        poison_callee_spills(m, rng, 4)
        if move:
            m.grow(MOVE, [])
        clobber(m, rng, m.link_name)

    m.hosts = {"exit_hook": exit_hook}
    assert m.run(sp, m.code.entry(entry)) == "return"
    popped = 8 if goarch == "amd64" else 0
    assert m.pc == RETURN
    if top not in ("equal", "deeper") or (spec.unchecked and narrow):
        assert not called and m.mem == mem and m.floats == floats
        same_registers(m, regs, *m.scratch)
        check_back(m, sp + popped, fp, 24)
        return
    assert called == [(m.roles["desc"], 8, G)]
    delta = MOVE if move else 0
    check_back(m, sp + popped + delta, fp + delta, 24)
    for piece in spec.results:
        assert (m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]) == returned[piece]


@ARCHES
@MANY
@given(data=st.data(), seed=st.integers(0, 1 << 32), grow=st.booleans(), panics=st.booleans())
def test_thunk(goarch: str, data: st.DataObject, seed: int, grow: bool, panics: bool) -> None:
    stack = data.draw(st.sampled_from((0, 0, 24, 56, 300, 2000, 3500)))
    far = data.draw(st.sampled_from((0, 8, 5000, 40000)))
    bases = st.sampled_from(Base)
    homes = [p for p in data.draw(pieces(goarch, start=stack)) if p.reg is RegClass.FLOAT or p.index > 1]
    loads = tuple(Load(data.draw(bases), Piece(p.reg, p.index, p.size, far + p.offset)) for p in homes)
    copies, at = [], 0
    while at < stack:
        size = min(data.draw(st.sampled_from((1, 2, 3, 8, 24, 500))), stack - at)
        copies.append(Copy(data.draw(bases), far + at + data.draw(st.sampled_from((0, 1, 8))), at, size))
        at += size
    hook_args = -(-max(end_of(tuple(homes)), stack) // 8) * 8 + 16
    m, rng = start(goarch, trampolines.load(goarch).thunk(ThunkSpec(loads, tuple(copies), hook_args)), seed, 40)
    addresses = {Base.ARGS: 0xB000_0000, Base.RESULTS: 0xB100_0000, Base.BOXES: 0xB200_0000}
    for base in addresses.values():
        for i in range(0, far + stack + 600):
            m.mem[base + i] = rng.getrandbits(8)
    itab, ctx = m.regs[m.ints[0]], m.regs[m.ints[1]]
    for reg, base in zip(m.ints[2:5], Base, strict=True):
        m.regs[reg] = addresses[base]
    checked = not dict(m.code.entries).get("nosplit")
    sp, fp = m.sp, m.regs[m.fp_name]
    log = []

    def hook(m: Machine) -> int | None:
        log.append("hook")
        back = m.do_return() if panics and goarch == "amd64" else None
        args = m.sp + 8 if back is None and not panics else m.sp + (8 if goarch == "arm64" else 0)
        deferred, varp = m.code.open_defer, m.entry_sp - 8
        assert m.read(varp - deferred.bits, 1) == 1 and m.read(varp - deferred.slots, 8) == m.roles["catch"]
        assert (m.regs[m.ints[0]], m.regs[m.ints[1]]) == (itab, ctx)
        for load in loads:
            full = m.regs[m.ints[load.dst.index]] if load.dst.reg is RegClass.INT else m.floats[load.dst.index]
            assert full == m.read(addresses[load.base] + load.dst.offset, load.dst.size)
        for copy in copies:
            for i in range(copy.size):
                assert m.read(args + copy.to + i, 1) == m.read(addresses[copy.base] + copy.offset + i, 1)
        assert args + hook_args <= varp - deferred.slots and deferred.bits == deferred.slots - 8 > 0
        if checked:
            assert [m.read(m.entry_sp + 8 + 8 * i, 8) for i in range(5)] == [itab, ctx, *addresses.values()]
        if panics:
            # runtime.recovery: SP is the frame's, the frame pointer is made anew, and the deferreturn call comes next.
            clobber(m, rng, m.link_name)
            m.regs[m.fp_name] = m.entry_sp - 8 if goarch == "amd64" else m.sp - 8
            return next(m.base + f.offset - (goarch == "amd64") for f in m.code.fixups if f.role == "deferreturn")
        poison_callee_spills(m, rng, hook_args // 8)
        m.grow(MOVE, [])
        clobber(m, rng, m.link_name)
        return None

    def deferreturn(m: Machine) -> None:
        log.append("deferreturn")
        m.grow(MOVE, [])
        clobber(m, rng, m.link_name)

    def morestack(m: Machine) -> int:
        log.append("morestack")
        back = m.regs["x30"] if goarch == "arm64" else m.do_return()
        m.grow(MOVE, [])
        m.write(G + 16, 8, STACK - 0x3000)
        clobber(m, rng)
        if goarch == "arm64":
            m.regs["x30"] = RETURN
        return back

    m.hosts = {"hook": hook, "morestack": morestack, "deferreturn": deferreturn}
    if grow:
        m.write(G + 16, 8, sp + 1)
    assert checked or hook_args <= 256
    assert m.run(sp) == "return" and m.pc == RETURN
    assert log == (["morestack"] if grow and checked else []) + ["hook"] + (["deferreturn"] if panics else [])
    moved = MOVE * (len(log) - panics)
    check_back(m, sp + moved + (8 if goarch == "amd64" else 0), fp + moved, 40)


@ARCHES
def test_a_thunk_without_moves_hands_on_its_own_arguments(goarch: str) -> None:
    m, rng = start(goarch, trampolines.load(goarch).thunk(ThunkSpec((), (), 40)), 1, 40)
    given = [m.regs[reg] for reg in m.ints[:5]]
    seen = []

    def hook(m: Machine) -> None:
        seen.append([m.regs[reg] for reg in m.ints[:5]])
        poison_callee_spills(m, rng, 5)
        clobber(m, rng, m.link_name)

    m.hosts = {"hook": hook}
    assert m.run(m.sp) == "return" and m.pc == RETURN
    assert seen == [given]


@ARCHES
@pytest.mark.parametrize("curg", [True, False])
def test_slot_handover(goarch: str, curg: bool) -> None:
    """The creator's slot, or nil: the new g's word is always stored, and nothing else."""
    teardown, frame = (b"\x48\x83\xc4\x30\x5d", 0x38) if goarch == "amd64" else (b"", 0)
    code = trampolines.load(goarch).slot_handover(SLOT, 48, 192, teardown, frame)
    m, _ = start(goarch, code, 1, 0)
    sp, fp = m.sp, m.regs[m.fp_name]
    new, mach, creator = 0xC000_0000, 0xD000_0000, 0xE000_0000
    m.write(G + 48, 8, mach)
    m.write(mach + 192, 8, creator if curg else 0)
    m.write(creator + SLOT, 8, NODE)
    m.regs[m.ints[0]] = new
    m.write(sp - 8, 8, fp)
    if frame:
        m.regs |= {m.fp_name: sp - 8, m.sp_name: sp - frame}
    regs, mem = dict(m.regs), dict(m.mem)
    assert m.run(sp) == "return" and m.pc == RETURN
    same_registers(m, regs, *m.scratch)
    check_back(m, sp + (8 if frame else 0), fp, 0)
    assert m.read(new + SLOT, 8) == (NODE if curg else 0)
    assert {a for a in m.mem if m.mem[a] != mem.get(a)} <= set(range(new + SLOT, new + SLOT + 8))


@ARCHES
@MANY
@given(seed=st.integers(0, 1 << 32), move=st.booleans(), finds_gap=st.booleans())
def test_hold(goarch: str, seed: int, move: bool, finds_gap: bool) -> None:
    """Registers go through in both directions, and the frame pointers stay a chain: on arm64, whether the runtime that moves the stack finds the
    one in the gap (Go 1.26) or only the copy."""
    m, rng = start(goarch, trampolines.load(goarch).hold_stub(), seed, 0)
    m.regs[m.fp_name] = fp = m.sp - 8 if goarch == "arm64" else m.sp + 64
    outer = m.sp + 256
    m.write(fp, 8, outer)
    sp, gap = m.sp, 16 if goarch == "arm64" else 0
    regs, floats = dict(m.regs), dict(m.floats)
    log: list[str] = []

    def callee(m: Machine) -> None:
        log.append("callee")
        same_registers(m, regs, *m.scratch)
        assert m.floats == floats and (goarch == "amd64" or m.sp % 16 == 0)
        assert m.sp + 8 + 32 <= m.entry_sp - 8, "no room for what the callee may spill"
        assert m.locals_base() >= m.sp
        assert goarch == "amd64" or m.read(m.sp, 8) == RETURN, "the unwinder reads R30 at SP"
        poison_callee_spills(m, rng, 4)
        if move:
            copy = m.entry_sp - 8
            m.grow(MOVE, [copy] if gap else [])
            if gap and not finds_gap:
                m.write(m.entry_sp + gap - 8, 8, outer)
        clobber(m, rng, m.link_name)
        regs.update(m.regs)
        floats.update(m.floats)

    m.hosts = {"callee": callee}
    assert m.run(sp - gap) == "return" and log == ["callee"]
    delta = MOVE if move else 0
    same_registers(m, regs, *m.scratch)
    assert m.floats == floats
    returned = sp + delta + (8 if goarch == "amd64" else 0)
    assert (m.sp, m.regs[m.fp_name], m.read(m.regs[m.fp_name], 8)) == (returned, fp + delta, outer + delta)
    assert not any(m.code.locals_map)


@ARCHES
def test_getg(goarch: str) -> None:
    m, _ = start(goarch, trampolines.load(goarch).getg(), 1, 0)
    assert m.run(m.sp) == "return" and m.regs[m.ints[0]] == G


@pytest.mark.parametrize("on", [True, False])
def test_head_of_a_call_through(on: bool) -> None:
    m, _ = start("amd64", trampolines.load("amd64").head_stub(), 1, 0)
    m.write(m.roles["desc"], 1, on)
    regs = dict(m.regs)
    assert m.run(m.sp) == ("through" if on else "body") and m.regs == regs


def phase_map(m: Machine, back: int) -> Phase:
    """The maps that hold at the call that comes back to `back`."""
    return next((phase for phase in m.code.phases if back - m.base - 1 < phase.end), m.code.phases[0])


@MANY
@given(data=st.data(), seed=st.integers(0, 1 << 32), skip=st.booleans(), grow=st.booleans(), move=st.booleans(),
       stay=st.sampled_from(("", "", "curg", "locks", "throwsplit")), top=st.sampled_from((None, "far", "equal", "deeper")))  # fmt: skip
def test_call_through(data: st.DataObject, seed: int, skip: bool, grow: bool, move: bool, stay: str, top: str | None) -> None:
    """Entry, body and exit in one run: what they are shown, what the collector is told at each call, what comes back."""
    spills, results = data.draw(pieces("amd64")), data.draw(pieces("amd64"))
    args, area = -(-end_of(spills) // 8) * 8, -(-end_of(results) // 8) * 8
    words = {p.offset // 8 for p in results if p.reg is RegClass.INT and p.size == 8 and data.draw(st.booleans())}
    area_map = tuple(w in words for w in range(area // 8))
    entry = EntrySpec(
        spills, data.draw(st.sampled_from(ClosureUse)), skippable=data.draw(st.booleans()), results=results, guard=data.draw(st.sampled_from((None, GUARD)))
    )
    m, rng = start("amd64", trampolines.load("amd64").through_stub(ThroughSpec(entry, args, area, area_map, SLOT)), seed, args)
    closure, sp, fp = m.regs[m.closure], m.sp, m.regs[m.fp_name]
    passed = {piece: register(m, piece) for piece in spills}
    returned: dict[Piece, int] = {}
    log: list[str] = []

    distance = STACK + 0x2000 - (sp + 8)

    def grow_by(delta: int) -> None:
        m.grow(delta, [])
        m.write(G + 8, 8, m.read(G + 8, 8) + delta)

    def at_call(name: str, phase: Phase, live: dict[int, bool], callee_words: int) -> None:
        log.append(name)
        assert phase_map(m, m.read(m.sp, 8)) == phase and phase.locals_map == m.code.phases[m.code.phases.index(phase)].locals_map
        for word, pointer in enumerate(phase.locals_map):
            addr = m.locals_base() + 8 * word
            assert pointer == live.get(addr, False) and (not pointer or m.known(addr)), f"{name}: word {word}"
        poison_callee_spills(m, rng, callee_words)
        if move:
            grow_by(MOVE)

    def enter(m: Machine) -> None:
        base = m.entry_sp + 8
        assert [m.regs[r] for r in m.ints[:3]] == [m.roles["desc"], base, G]
        for piece in spills:
            assert m.read(base + piece.offset, piece.size) == passed[piece]
            passed[piece] = rng.getrandbits(8 * piece.size)
            m.write(base + piece.offset, piece.size, passed[piece])
        kept = m.sp + 8 + max(32, args)
        assert m.read(kept, 8) == closure and m.code.phases[0].args
        at_call("enter", m.code.phases[0], {kept: entry.closure is ClosureUse.POINTER}, 3)
        clobber(m, rng)
        m.regs[m.ints[0]] = m.regs[m.ints[0]] & ~0xFF | skip

    def body(m: Machine) -> int | None:
        if stay and entry.guard and grow:
            log.append("body alone")
            assert m.sp == m.entry_sp
            return RETURN
        for piece in spills:
            full = m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]
            assert full == passed[piece]
        assert m.regs[m.closure] == closure and not m.code.phases[1].args
        at_call("body", m.code.phases[1], {}, args // 8)
        clobber(m, rng)
        returned.update({piece: register(m, piece) for piece in results})
        return None

    def exit_hook(m: Machine) -> None:
        desc, shown, base, g = (m.regs[r] for r in m.ints[:4])
        assert (desc, base, g) == (m.roles["desc"], m.entry_sp + 8, G)
        for piece in results:
            assert m.read(shown + piece.offset, piece.size) == (0 if "body" not in log else returned[piece])
            returned[piece] = rng.getrandbits(8 * piece.size)
            m.write(shown + piece.offset, piece.size, returned[piece])
        at_call("exit", m.code.phases[2], {shown + 8 * w: True for w in words}, 4)
        clobber(m, rng)

    def morestack(m: Machine) -> int:
        log.append("morestack")
        back = m.do_return()
        assert m.sp == m.entry_sp and m.regs[m.closure] == closure and phase_map(m, back) == m.code.phases[0]
        for piece in spills:
            assert m.read(m.sp + 8 + piece.offset, piece.size) == passed[piece]
        grow_by(2 * MOVE)
        m.write(G + 16, 8, STACK - 0x3000)
        clobber(m, rng, m.closure)
        return back

    m.hosts = {"enter": enter, "body": body, "called": body, "exit_hook": exit_hook, "morestack": morestack}
    set_guard(m, stay)
    m.write(G + SLOT, 8, NODE if top else 0)
    m.write(NODE, 8, {"equal": distance, "deeper": distance + 0x80}.get(top or "", 0))
    if grow:
        m.write(G + 16, 8, sp + rng.choice((0, 1, 4096)))
    assert m.run(sp) == "return"
    if stay and entry.guard and grow:
        assert log == ["body alone"]
        return
    skipped = skip and entry.skippable
    expected = ["morestack"] * grow + ["enter"] + ["body"] * (not skipped) + ["exit"] * (top in ("equal", "deeper"))
    assert log == expected
    assert m.regs[m.fp_name] - fp == m.sp - sp - 8 and m.read(m.entry_sp + 8 + args, 8) == 0xCA11E4
    for piece in results:
        full = m.regs[m.ints[piece.index]] if piece.reg is RegClass.INT else m.floats[piece.index]
        if "exit" in log:
            assert full == returned[piece]
        elif skipped:
            assert full == 0
        else:
            assert register(m, piece) == returned[piece]
