"""Entry stub, exit stub, and the pieces of the runtime package, for arm64.

Frame of a stub: R30 at 0(RSP), usable words from 8(RSP) to size-16(RSP); the caller's R29 lies at -8(RSP), so the top word of a
callee's frame belongs to its caller (runtime/traceback.go). The args area of the hooked call begins at 8(RSP) of its caller.
A stub of a splittable function has the compiler's own stack check (cmd/internal/obj/arm64/obj7.go, stacksplit); after morestack it
starts again, and no hook has run yet.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import CONTEXT, FLOAT_ARGS, FLOAT_REGS, INT_ARGS, INT_REGS, R0, R1, R2, R3, R16, R17, R27, SP, STACK_HI, STACK_LO, ZR, G
from trampolines.asm import (
    SHAPES,
    STACK_BIG,
    STACK_NOSPLIT,
    STACK_SMALL,
    WORD,
    Assembly,
    EncodeError,
    check_area,
    check_exit_frame,
    check_filter,
    check_pieces,
    check_stack_results,
)  # fmt: skip
from trampolines.contract import Code, ContextFilter, ContextUse, EntrySpec, ExitSpec, FixupKind, GrowGuard, Piece, RegClass, ThroughSpec

LINK = 8
"""The slot of R30 at 0(RSP), below the outgoing arguments."""
CONTEXT_SLOT = LINK + 3 * WORD
"""Behind the spill area of enter(desc, args, g): every function spills its register arguments into its caller's frame."""
ENTRY_FRAME = 48
RETURN_BELOW_ARGS = ENTRY_FRAME + LINK
"""From the args area of a call down to its return address, while its entry stub calls enter."""
RESULTS = LINK + 4 * WORD
"""Behind the spill area of exit(desc, results, args, g)."""


def frame_for(end: int) -> int:
    """The frame whose usable words reach up to `end` (bytes from RSP)."""
    return (end + WORD + 15) & ~15


def reach(asm: Assembly, base: int, offset: int, size: int, temporary: int) -> tuple[int, int]:
    """Base register and displacement by which one instruction reaches `size` bytes at base + offset: as they are, or with
    whole pages added into `temporary`."""
    if offset % size == 0 and 0 <= offset // size < a.PAGE:
        return base, offset
    low = offset % a.PAGE
    if low % size:
        raise EncodeError(f"{size} bytes at offset {offset}")
    asm.emit(a.add(temporary, base, offset - low))
    return temporary, low


def save(asm: Assembly, offset: int, pieces: Sequence[Piece]) -> None:
    """Stores registers at RSP + offset + piece.offset. May change R27."""
    for piece in pieces:
        encode, register = (a.store, INT_ARGS) if piece.reg is RegClass.INT else (a.store_float, FLOAT_ARGS)
        asm.emit(encode(register[piece.index], *reach(asm, SP, offset + piece.offset, piece.size, R27), piece.size))


def restore(asm: Assembly, offset: int, pieces: Sequence[Piece]) -> None:
    """Loads registers from RSP + offset + piece.offset. May change R27."""
    for piece in pieces:
        encode, register = (a.load, INT_ARGS) if piece.reg is RegClass.INT else (a.load_float, FLOAT_ARGS)
        asm.emit(encode(register[piece.index], *reach(asm, SP, offset + piece.offset, piece.size, R27), piece.size))


def call(asm: Assembly, role: str) -> None:
    asm.fixup(FixupKind.CALL, role, 4, at=asm.emit(a.BL))


def jump(asm: Assembly, role: str) -> None:
    asm.fixup(FixupKind.CALL, role, 4, at=asm.emit(a.B))


def address(asm: Assembly, reg: int, role: str) -> None:
    asm.fixup(FixupKind.ADDR, role, 8, at=asm.emit(a.address(reg)))


def open_frame(asm: Assembly, size: int) -> None:
    before, move, behind = a.open_frame(size)
    for instruction in (*before, move):
        asm.emit(instruction)
    asm.moved(asm.sp + size)
    for instruction in behind:
        asm.emit(instruction)


def close_frame(asm: Assembly, size: int) -> None:
    for instruction in a.close_frame(size):
        asm.emit(instruction)
    asm.moved(asm.sp - size)


def hole(asm: Assembly) -> int:
    """Room for a branch whose target comes later."""
    return asm.emit(bytes(4))


def fill(asm: Assembly, at: int, condition: int) -> None:
    """Makes the branch at `at` come here."""
    asm.code[at : at + 4] = a.branch_if(condition, asm.here - at)


def locals_map(size: int, pointers: dict[int, bool]) -> tuple[bool, ...]:
    """One flag a word from RSP up to the caller's word. pointers: flags by byte offset."""
    return tuple(pointers.get(at, False) for at in range(0, size - WORD, WORD))


def stack_check(asm: Assembly, size: int, room: int = 0) -> int:
    """Returns the hole for the branch that is taken when the stack must grow. size: bytes of the frame; room: of which to be sure.
    Neither more than STACK_BIG."""
    size = max(size, room)
    if size > STACK_BIG:
        raise EncodeError(f"a frame of {size} bytes; {STACK_BIG} fit")
    asm.emit(a.LOAD_GUARD)
    if size <= STACK_SMALL:
        asm.emit(a.COMPARE_GUARD)
    else:
        asm.emit(a.subtract_immediate(R17, SP, size - STACK_SMALL))
        asm.emit(a.compare(R17, R16))
    return hole(asm)


def grow_stack(asm: Assembly, spills: Sequence[Piece]) -> None:
    """The tail behind a stack check: save the arguments where the runtime finds them, grow, start again."""
    save(asm, LINK, spills)
    asm.emit(a.LINK_TO_R3)
    call(asm, "morestack")
    restore(asm, LINK, spills)
    asm.emit(a.branch(-asm.here))


Stay = list[tuple[int, Callable[[int], bytes]]]
"""Holes for branches to the body, and what makes each of its distance."""


def may_grow(asm: Assembly, guard: GrowGuard) -> Stay:
    """In the tail, before anything is saved: the branches that are taken where the stack must not grow."""
    not_zero = functools.partial(a.branch_if_not_zero, R17)
    asm.emit(a.load(R16, *reach(asm, G, guard.g_m, WORD, R16), WORD))
    asm.emit(a.load(R17, *reach(asm, R16, guard.m_curg, WORD, R17), WORD))
    asm.emit(a.subtract(R17, R17, G))
    holes = [hole(asm)]
    asm.emit(a.load(R17, *reach(asm, R16, guard.m_locks, 4, R17), 4))
    holes.append(hole(asm))
    asm.emit(a.load(R17, *reach(asm, G, guard.g_throwsplit, 1, R17), 1))
    return [(at, not_zero) for at in (*holes, hole(asm))]


def unless_concerned(asm: Assembly, spec: ContextFilter) -> Stay:
    """The branches to the body that are taken where rt has nothing to do, see ContextFilter. Raises EncodeError for one that cannot be."""
    check_filter(spec, INT_REGS)
    zero, equal = a.branch_if_zero, functools.partial(a.branch_if, a.EQ)
    asm.emit(a.load(R16, G, spec.slot, WORD))
    stay: Stay = [(hole(asm), functools.partial(zero, R16))]
    asm.emit(a.load(R17, R16, spec.node_tag, 2))
    stay.append((hole(asm), functools.partial(zero, R17)))
    if spec.mark:
        offset, size = spec.mark
        stay.append((hole(asm), functools.partial(zero, R0)))
        asm.emit(a.load(R27, R0, offset, size))
        asm.emit(a.compare(R27, R17))
        stay.append((hole(asm), equal))
        asm.emit(a.move_immediate(R17, (1 << 8 * size) - 1))
        asm.emit(a.compare(R27, R17))
        stay.append((hole(asm), equal))
    if spec.inherited:
        asm.emit(a.load(R17, R16, spec.node_goid, WORD))
        asm.emit(a.load(R27, G, spec.goid, WORD))
        asm.emit(a.compare(R17, R27))
        foreign = hole(asm)
        asm.emit(a.load(R17, R16, spec.node_settled, 1))
        inherited = hole(asm)
        asm.emit(a.load(R17, R16, spec.node_cell, WORD))
        asm.emit(a.load(R17, R17, 0, WORD))
        if spec.sends is None:
            stay.append((hole(asm), functools.partial(a.branch_if_not_zero, R17)))
        else:
            asm.emit(zero(R17, 8))
            stay.append((hole(asm), functools.partial(zero, INT_ARGS[spec.sends])))
        asm.code[inherited : inherited + 4] = zero(R17, asm.here - inherited)
        fill(asm, foreign, a.NE)
    return stay


@functools.lru_cache(SHAPES)
def entry_stub(spec: EntrySpec) -> Code:
    """See EntrySpec. Raises EncodeError for pieces that are no argument registers and for stack results that are no whole words."""
    check_pieces(spec.spills, INT_REGS, FLOAT_REGS)
    check_pieces(spec.results, INT_REGS, FLOAT_REGS)
    check_stack_results(spec.stack_results)
    asm = Assembly()
    if spec.toggle:
        address(asm, R16, "desc")
        asm.emit(a.load(R16, R16, 0, 1))
        asm.emit(a.branch_if_not_zero_word(R16, 8))
        jump(asm, "body")
    stay = unless_concerned(asm, spec.filter) if spec.filter else []
    grow = stack_check(asm, ENTRY_FRAME, spec.room)
    open_frame(asm, ENTRY_FRAME)
    args = ENTRY_FRAME + LINK
    save(asm, args, spec.spills)
    asm.emit(a.store(CONTEXT, SP, CONTEXT_SLOT, WORD))
    address(asm, R0, "desc")
    asm.emit(a.add(R1, SP, args))
    asm.emit(a.move(R2, G))
    call(asm, "enter")
    if spec.skippable:
        asm.emit(a.move(R16, R0))
    restore(asm, args, spec.spills)
    asm.emit(a.load(CONTEXT, SP, CONTEXT_SLOT, WORD))
    close_frame(asm, ENTRY_FRAME)
    skip = None
    if spec.skippable:
        asm.emit(a.TEST_R16)
        skip = hole(asm)
    jump(asm, "body")
    fill(asm, grow, a.LS)
    stay += may_grow(asm, spec.guard) if spec.guard else []
    grow_stack(asm, spec.spills)
    if stay:
        for at, branch in stay:
            asm.code[at : at + 4] = branch(asm.here - at)
        jump(asm, "body")
    if skip is not None:
        fill(asm, skip, a.NE)
        _zero_results(asm, spec)
        jump(asm, "exit")
    return asm.finish(ENTRY_FRAME - WORD, locals_map(ENTRY_FRAME, {CONTEXT_SLOT: spec.context is ContextUse.POINTER}))


def _zero_results(asm: Assembly, spec: EntrySpec) -> None:
    for piece in spec.results:
        asm.emit(a.zero(INT_ARGS[piece.index]) if piece.reg is RegClass.INT else a.zero_float(FLOAT_ARGS[piece.index]))
    for offset, size in spec.stack_results:
        for at in range(offset, offset + size, WORD):
            asm.emit(a.store(ZR, *reach(asm, SP, LINK + at, WORD, R27), WORD))


@functools.lru_cache(SHAPES)
def exit_stub(spec: ExitSpec) -> Code:
    """See ExitSpec. At a patched RET the body's frame is gone already.

    Raises EncodeError for results that do not fit in its frame and for maps and registers that do not fit together.
    """
    check_pieces(spec.results, INT_REGS, FLOAT_REGS)
    check_area(spec.results, spec.area, spec.area_map)
    if spec.teardown or spec.body_frame:
        raise EncodeError("arm64 has no teardown before its exit stub")
    asm = Assembly()
    asm.entries.update(exit=0, frameless=0)
    size = frame_for(RESULTS + WORD * len(spec.area_map))
    check_exit_frame(size, spec)
    asm.emit(a.load(R16, G, spec.slot_offset, WORD))
    none = hole(asm)
    asm.emit(a.add(R17, SP, LINK))
    asm.emit(a.load(R27, G, STACK_HI, WORD))
    asm.emit(a.subtract(R17, R27, R17))
    asm.emit(a.load(R27, R16, 0, WORD))
    asm.emit(a.compare(R27, R17))
    record = hole(asm)
    asm.code[none : none + 4] = a.branch_if_zero(R16, asm.here - none)
    nothing = asm.emit(a.RET)
    fill(asm, record, a.HS)
    if spec.unchecked:
        asm.emit(a.subtract_immediate(R17, SP, size))
        asm.emit(a.subtract_immediate(R17, R17, STACK_NOSPLIT))
        asm.emit(a.load(R27, G, STACK_LO, WORD))
        asm.emit(a.compare(R17, R27))
        asm.emit(a.branch_if(a.LO, nothing - asm.here))
    open_frame(asm, size)
    save(asm, RESULTS, spec.results)
    address(asm, R0, "desc")
    asm.emit(a.add(R1, SP, RESULTS))
    asm.emit(a.add(R2, SP, size + LINK))
    asm.emit(a.move(R3, G))
    call(asm, "exit_hook")
    restore(asm, RESULTS, spec.results)
    close_frame(asm, size)
    asm.emit(a.RET)
    return asm.finish(size - WORD, locals_map(size, {RESULTS + WORD * i: flag for i, flag in enumerate(spec.area_map)}))


def head_stub() -> Code:
    """Raises EncodeError, as through_stub does."""
    raise EncodeError("no call-through on arm64")


@functools.lru_cache(SHAPES)
def through_stub(spec: ThroughSpec) -> Code:
    """Raises EncodeError: find_epilogues never asks for one, since every return has room for a jump."""
    raise EncodeError(f"no call-through on arm64, asked for with {spec.body_args} bytes of arguments")


def getg() -> Code:
    """func() unsafe.Pointer: MOVD R28, R0; RET"""
    asm = Assembly()
    asm.emit(a.move(R0, G))
    asm.emit(a.RET)
    return asm.finish(0, ())


def slot_handover(slot_offset: int, g_m: int, m_curg: int, teardown: bytes, body_frame: int) -> Code:
    """The exit of runtime.newproc1, on the system stack: the creator's slot, or nil, goes to the new goroutine in R0.

    It always stores. No write barrier is needed because the slot of the new g is nil before: every end of a goroutine clears it.
    """
    if teardown or body_frame:
        raise EncodeError("arm64 has no teardown before its exit stub")
    asm = Assembly()
    asm.emit(a.load(R16, G, g_m, WORD))
    asm.emit(a.load(R16, R16, m_curg, WORD))
    asm.emit(a.branch_if_zero(R16, 8))
    asm.emit(a.load(R16, R16, slot_offset, WORD))
    asm.emit(a.store(R16, R0, slot_offset, WORD))
    asm.emit(a.RET)
    return asm.finish(0, ())
