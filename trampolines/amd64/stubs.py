"""Entry stub, exit stub, and the pieces of the runtime package, for amd64.

Frame of a stub: saved BP above `size` bytes of locals. The args area of the hooked call begins above the return address.
A stub of a splittable function has the compiler's own stack check (cmd/internal/obj/x86/obj6.go, stacksplit), so that the
linker's nosplit graph stays that of the plain build; after morestack the stub starts again, and no hook has run yet.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from trampolines.amd64 import encode as x
from trampolines.amd64.abi import (
    AX,
    BX,
    CONTEXT,
    CX,
    DI,
    FLOAT_ARGS,
    FLOAT_REGS,
    INT_ARGS,
    INT_REGS,
    R12,
    R13,
    SP,
    STACK_GUARD,
    STACK_HI,
    STACK_LO,
    G,
)  # fmt: skip
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
from trampolines.contract import Code, ContextFilter, ContextUse, EntrySpec, ExitSpec, FixupKind, GrowGuard, Piece, RegClass

RETURN_ADDRESS = 8
SAVED_BP = 8
ENTER_ARGS = 3 * WORD
"""Spill area of enter(desc, args, g): every function spills its register arguments into its caller's frame."""
RETURN_BELOW_ARGS = RETURN_ADDRESS
"""From the args area of a call down to its return address, while its entry stub calls enter."""
EXIT_ARGS = 4 * WORD
"""Spill area of exit(desc, results, args, g)."""


def save(asm: Assembly, base: int, offset: int, pieces: Sequence[Piece]) -> None:
    """Stores registers at base + offset + piece.offset."""
    for piece in pieces:
        encode, register = (x.store, INT_ARGS) if piece.reg is RegClass.INT else (x.store_float, FLOAT_ARGS)
        asm.emit(encode(register[piece.index], base, offset + piece.offset, piece.size))


def restore(asm: Assembly, base: int, offset: int, pieces: Sequence[Piece]) -> None:
    """Loads registers from base + offset + piece.offset."""
    for piece in pieces:
        encode, register = (x.load, INT_ARGS) if piece.reg is RegClass.INT else (x.load_float, FLOAT_ARGS)
        asm.emit(encode(register[piece.index], base, offset + piece.offset, piece.size))


def jump_if(asm: Assembly, condition: int) -> int:
    """A conditional jump to a place that `land` names later; returns its offset."""
    return asm.emit(x.jcc(condition))


def land(asm: Assembly, jump: int) -> None:
    """Makes the conditional jump at `jump` come here."""
    land_at(asm, jump, asm.here)


def land_at(asm: Assembly, jump: int, target: int) -> None:
    asm.code[jump + 2 : jump + 6] = x.imm32(target - (jump + 6))


def call(asm: Assembly, role: str) -> None:
    asm.fixup(FixupKind.CALL, role, 4, at=asm.emit(x.CALL) + 1)


def jump(asm: Assembly, role: str) -> None:
    asm.fixup(FixupKind.CALL, role, 4, at=asm.emit(x.JMP) + 1)


def jump_to(asm: Assembly, condition: int, role: str) -> None:
    asm.fixup(FixupKind.CALL, role, 4, at=asm.emit(x.jcc(condition)) + 2)


def address(asm: Assembly, reg: int, role: str) -> None:
    asm.fixup(FixupKind.PCREL, role, 4, at=asm.emit(x.lea_pc(reg)) + 3)


def open_frame(asm: Assembly, size: int) -> None:
    """PUSHQ BP; MOVQ SP, BP; SUBQ $size, SP"""
    asm.emit(x.PUSH_BP)
    asm.moved(asm.sp + SAVED_BP)
    asm.emit(x.MOVE_SP_TO_BP)
    if size:
        asm.emit(x.sub_sp(size))
        asm.moved(asm.sp + size)


def close_frame(asm: Assembly, size: int) -> None:
    if size:
        asm.emit(x.add_sp(size))
        asm.moved(asm.sp - size)
    asm.emit(x.POP_BP)
    asm.moved(asm.sp - SAVED_BP)


def stack_check(asm: Assembly, size: int, room: int = 0) -> int:
    """Returns the jump that is taken when the stack must grow. size: bytes of the frame without the saved BP; room: of which to be sure."""
    below = max(size + SAVED_BP, room)
    if below > STACK_BIG:
        raise EncodeError(f"a frame of {below} bytes; {STACK_BIG} fit")
    if below <= STACK_SMALL:
        asm.emit(x.compare_mem(SP, G, STACK_GUARD))
    else:
        asm.emit(x.lea(R12, SP, -(below - STACK_SMALL)))
        asm.emit(x.compare_mem(R12, G, STACK_GUARD))
    return jump_if(asm, x.JBE)


def grow_stack(asm: Assembly, spills: Sequence[Piece]) -> None:
    """The tail behind a stack check: save the arguments where the runtime finds them, grow, start again."""
    save(asm, SP, RETURN_ADDRESS, spills)
    call(asm, "morestack")
    restore(asm, SP, RETURN_ADDRESS, spills)
    asm.emit(x.JMP[:1] + x.imm32(-(asm.here + 5)))


def call_enter(asm: Assembly, spec: EntrySpec, args: int, context: int) -> None:
    """Saves the arguments at SP + args and the context register at SP + context, and calls enter(desc, args base, g)."""
    save(asm, SP, args, spec.spills)
    asm.emit(x.store(CONTEXT, SP, context, WORD))
    address(asm, AX, "desc")
    asm.emit(x.lea(BX, SP, args))
    asm.emit(x.move(CX, G))
    call(asm, "enter")


def call_exit(asm: Assembly, area: int, args: int) -> None:
    """Calls exit_hook(desc, results area at SP + area, args base at SP + args, g)."""
    address(asm, AX, "desc")
    asm.emit(x.lea(BX, SP, area))
    asm.emit(x.lea(CX, SP, args))
    asm.emit(x.move(DI, G))
    call(asm, "exit_hook")


def jump_if_recorded(asm: Assembly, slot_offset: int, args: int) -> int:
    """The fast path of an exit, which goes on behind it (see ExitSpec): the jump is taken if the top record is at or below the call with
    its args base at SP + args."""
    asm.emit(x.load(R12, G, slot_offset, WORD))
    asm.emit(x.test(R12))
    none = jump_if(asm, x.JE)
    asm.emit(x.lea(R13, SP, args))
    asm.emit(x.sub_mem(R13, G, STACK_HI))
    asm.emit(x.neg(R13))
    asm.emit(x.compare_mem(R13, R12, 0))
    record = jump_if(asm, x.JBE)
    land(asm, none)
    return record


def may_grow(asm: Assembly, guard: GrowGuard) -> None:
    """In the tail, before anything is saved: to the body, without the hook, where the stack must not grow."""
    asm.emit(x.load(R12, G, guard.g_m, WORD))
    asm.emit(x.compare_mem(G, R12, guard.m_curg))
    jump_to(asm, x.JNE, "body")
    asm.emit(x.compare_long_mem(R12, guard.m_locks, 0))
    jump_to(asm, x.JNE, "body")
    asm.emit(x.compare_byte_mem(G, guard.g_throwsplit, 0))
    jump_to(asm, x.JNE, "body")


def unless_concerned(asm: Assembly, spec: ContextFilter) -> None:
    """To the body where rt has nothing to do, see ContextFilter. Raises EncodeError for one that cannot be."""
    check_filter(spec, INT_REGS)
    asm.emit(x.load(R12, G, spec.slot, WORD))
    asm.emit(x.test(R12))
    jump_to(asm, x.JE, "body")
    asm.emit(x.load(R13, R12, spec.node_tag, 2))
    asm.emit(x.test(R13))
    jump_to(asm, x.JE, "body")
    if spec.mark:
        asm.emit(x.test(AX))
        jump_to(asm, x.JE, "body")
        offset, size = spec.mark
        asm.emit(x.load(R12, AX, offset, size))
        asm.emit(x.compare(R12, R13))
        jump_to(asm, x.JE, "body")
        asm.emit(x.compare_immediate(R12, (1 << 8 * size) - 1))
        jump_to(asm, x.JE, "body")
    if spec.inherited:
        asm.emit(x.load(R13, R12, spec.node_goid, WORD))
        asm.emit(x.compare_mem(R13, G, spec.goid))
        foreign = jump_if(asm, x.JNE)
        asm.emit(x.compare_byte_mem(R12, spec.node_settled, 0))
        concerned = [foreign, jump_if(asm, x.JE)]
        asm.emit(x.load(R12, R12, spec.node_cell, WORD))
        asm.emit(x.load(R12, R12, 0, WORD))
        asm.emit(x.test(R12))
        if spec.sends is not None:
            concerned.append(jump_if(asm, x.JE))
            asm.emit(x.test(INT_ARGS[spec.sends]))
        jump_to(asm, x.JNE if spec.sends is None else x.JE, "body")
        for at in concerned:
            land(asm, at)


@functools.lru_cache(SHAPES)
def entry_stub(spec: EntrySpec) -> Code:
    """See EntrySpec. Locals: the spill area of enter, one word for the closure context.

    Raises EncodeError for pieces that are no argument registers and for stack results that are no whole words.
    """
    check_pieces(spec.spills, INT_REGS, FLOAT_REGS)
    check_pieces(spec.results, INT_REGS, FLOAT_REGS)
    check_stack_results(spec.stack_results)
    asm = Assembly()
    size = ENTER_ARGS + WORD
    if spec.toggle:
        asm.fixup(FixupKind.PCREL, "desc", 4, at=asm.emit(x.compare_byte_pc(0)) + 2, addend=-1)
        jump_to(asm, x.JE, "body")
    if spec.filter:
        unless_concerned(asm, spec.filter)
    grow = stack_check(asm, size, spec.room)
    open_frame(asm, size)
    args = size + SAVED_BP + RETURN_ADDRESS
    call_enter(asm, spec, args, ENTER_ARGS)
    if spec.skippable:
        asm.emit(x.move(R12, AX))
    restore(asm, SP, args, spec.spills)
    asm.emit(x.load(CONTEXT, SP, ENTER_ARGS, WORD))
    close_frame(asm, size)
    skip = None
    if spec.skippable:
        asm.emit(x.test_byte(R12))
        skip = jump_if(asm, x.JNE)
    jump(asm, "body")
    land(asm, grow)
    if spec.guard:
        may_grow(asm, spec.guard)
    grow_stack(asm, spec.spills)
    if skip is not None:
        land(asm, skip)
        zero_results(asm, spec)
        jump(asm, "exit")
    return asm.finish(size, (False,) * (ENTER_ARGS // WORD) + (spec.context is ContextUse.POINTER,))


def zero_results(asm: Assembly, spec: EntrySpec) -> None:
    """What a skipped call returns unless a hook has set it."""
    for piece in spec.results:
        asm.emit(x.zero(INT_ARGS[piece.index]) if piece.reg is RegClass.INT else x.zero_float(FLOAT_ARGS[piece.index]))
    for offset, size in spec.stack_results:
        for at in range(offset, offset + size, WORD):
            asm.emit(x.store_zero(SP, RETURN_ADDRESS + at))


@functools.lru_cache(SHAPES)
def exit_stub(spec: ExitSpec) -> Code:
    """See ExitSpec. Locals: the spill area of exit, the results area.

    Raises EncodeError for results that do not fit in its frame and for maps and registers that do not fit together.
    """
    check_pieces(spec.results, INT_REGS, FLOAT_REGS)
    check_area(spec.results, spec.area, spec.area_map)
    asm = Assembly()
    asm.entries["exit"] = 0
    _teardown(asm, spec.teardown, spec.body_frame)
    asm.entries["frameless"] = asm.here
    size = EXIT_ARGS + WORD * len(spec.area_map)
    check_exit_frame(size + SAVED_BP, spec)
    record = jump_if_recorded(asm, spec.slot_offset, RETURN_ADDRESS)
    nothing = asm.emit(x.RET)
    land(asm, record)
    if spec.unchecked:
        asm.emit(x.lea(R13, SP, -(size + SAVED_BP + STACK_NOSPLIT)))
        asm.emit(x.compare_mem(R13, G, STACK_LO))
        land_at(asm, jump_if(asm, x.JB), nothing)
    open_frame(asm, size)
    save(asm, SP, EXIT_ARGS, spec.results)
    call_exit(asm, EXIT_ARGS, size + SAVED_BP + RETURN_ADDRESS)
    restore(asm, SP, EXIT_ARGS, spec.results)
    close_frame(asm, size)
    asm.emit(x.RET)
    return asm.finish(size, (False,) * (EXIT_ARGS // WORD) + tuple(spec.area_map))


def _teardown(asm: Assembly, teardown: bytes, body_frame: int) -> None:
    """The body's own epilogue but for its RET: ADDQ (or SUBQ of a negative) $frame, SP; POPQ BP.

    Raises EncodeError for bytes that do not free `body_frame` bytes in all.
    """
    asm.sp = body_frame
    if teardown or body_frame:
        size = body_frame - SAVED_BP
        if size < 0 or teardown not in {free + x.POP_BP for free in (*x.free_forms(size), *([] if size else [b""]))}:
            raise EncodeError(f"epilogue {teardown.hex()} does not free a frame of {body_frame} bytes")
        if teardown != x.POP_BP:
            asm.emit(teardown[: -len(x.POP_BP)])
            asm.moved(SAVED_BP)
        asm.emit(x.POP_BP)
    asm.moved(0)


def getg() -> Code:
    """func() unsafe.Pointer: MOVQ R14, AX; RET"""
    asm = Assembly()
    asm.emit(x.move(AX, G))
    asm.emit(x.RET)
    return asm.finish(0, ())


def slot_handover(slot_offset: int, g_m: int, m_curg: int, teardown: bytes, body_frame: int) -> Code:
    """The exit of runtime.newproc1, on the system stack: the creator's slot, or nil, goes to the new goroutine in AX.

    It always stores. No write barrier is needed because the slot of the new g is nil before: every end of a goroutine clears it.
    """
    asm = Assembly()
    asm.emit(x.load(R12, G, g_m, WORD))
    asm.emit(x.load(R12, R12, m_curg, WORD))
    asm.emit(x.test(R12))
    none = jump_if(asm, x.JE)
    asm.emit(x.load(R12, R12, slot_offset, WORD))
    land(asm, none)
    asm.emit(x.store(R12, AX, slot_offset, WORD))
    body = Assembly()
    body.sp = body_frame
    body.emit(bytes(asm.code))
    _teardown(body, teardown, body_frame)
    body.emit(x.RET)
    return body.finish(0, ())
