"""The stubs, written once for all architectures over the macro-assembler (trampolines.asm): entry, exit, thunk, filter, grow, hand-over, hold,
count, gate. Each function takes the class of an architecture's macro-assembler and a record of trampolines.contract.

A stub of a splittable function has the compiler's own stack check (cmd/internal/obj/{x86/obj6.go,arm64/obj7.go}, stacksplit), so that the
linker's nosplit graph is the same as in the plain build. After morestack the stub starts again, and no hook has run yet. Every function spills its
register arguments into its caller's frame, so a stub's frame begins with the spill area of its callee.
"""

from __future__ import annotations

from collections.abc import Sequence

from trampolines.asm import ARGS, STACK_BIG, WORD, Assembly, EncodeError, Frame, Label
from trampolines.checks import check_area, check_exit_frame, check_filter, check_gate, check_pieces, check_stack_results, check_thunk
from trampolines.contract import Base, ClosureUse, Code, EntrySpec, ExitSpec, GateSpec, GrowGuard, OpenDefer, Piece, RegClass, ScopeFilter, ThunkSpec

Macros = type[Assembly]
ENTER_SPILLS = 3 * WORD
"""Of enter(desc, args, g)."""
EXIT_SPILLS = 4 * WORD
"""Of exit(desc, results, args, g)."""
PARAMS = tuple(Piece(RegClass.INT, i, WORD, i * WORD) for i in range(5))
"""Of a thunk: func(itab, ctx, args, results, boxes unsafe.Pointer)."""
NOSPLIT_LOCALS = 256
"""A thunk with locals up to this size needs no stack check: its caller has one, and so has the hook."""


# parts


def save(asm: Assembly, base: int, offset: int, pieces: Sequence[Piece]) -> None:
    """Stores registers at base + offset + piece.offset."""
    for piece in pieces:
        store, register = (asm.store, asm.INT_ARGS) if piece.reg is RegClass.INT else (asm.store_float, asm.FLOAT_ARGS)
        store(register[piece.index], base, offset + piece.offset, piece.size)


def restore(asm: Assembly, base: int, offset: int, pieces: Sequence[Piece]) -> None:
    """Loads registers from base + offset + piece.offset."""
    for piece in pieces:
        load, register = (asm.load, asm.INT_ARGS) if piece.reg is RegClass.INT else (asm.load_float, asm.FLOAT_ARGS)
        load(register[piece.index], base, offset + piece.offset, piece.size)


def stack_check(asm: Assembly, frame: Frame, grow: Label, room: int = 0) -> None:
    """To `grow` where the stack is too small. room: bytes of which to be sure, if they are more than the frame. Raises EncodeError for too many."""
    below = max(frame.depth, room)
    if below > STACK_BIG:
        raise EncodeError(f"a frame of {below} bytes; {STACK_BIG} fit")
    asm.jump_below_guard(below, grow)


def grow_stack(asm: Assembly, spills: Sequence[Piece]) -> None:
    """The tail of a stack check: save the arguments where the runtime finds them, grow, start again."""
    save(asm, asm.SP, ARGS, spills)
    asm.call_morestack()
    restore(asm, asm.SP, ARGS, spills)
    start = Label()
    start.at = 0
    asm.jump_to(start)


def may_grow(asm: Assembly, guard: GrowGuard) -> None:
    """In the tail, before anything is saved: to the body, without the hook, where the stack must not grow."""
    asm.load(asm.T0, asm.G, guard.g_m, WORD)
    asm.jump_unless_g(asm.T0, guard.m_curg, "body")
    asm.jump_unless_zero_at(asm.T0, guard.m_locks, 4, "body")
    asm.jump_unless_zero_at(asm.G, guard.g_throwsplit, 1, "body")


def unless_concerned(asm: Assembly, spec: ScopeFilter) -> None:
    """Jumps to the body if rt has nothing to do, see ScopeFilter. Raises EncodeError for an invalid filter."""
    check_filter(spec, len(asm.INT_ARGS))
    node, tag, mark, cell = asm.NODE, asm.TAG, asm.MARK, asm.CELL
    asm.load(node, asm.G, spec.slot, WORD)
    asm.jump_if_zero(node, "body")
    asm.load(tag, node, spec.node_tag, 2)
    asm.jump_if_zero(tag, "body")
    if spec.mark:
        offset, size = spec.mark
        asm.jump_if_zero(asm.INT_ARGS[0], "body")
        asm.load(mark, asm.INT_ARGS[0], offset, size)
        asm.compare(mark, tag)
        asm.jump_if(asm.EQ, "body")
        asm.compare_value(mark, (1 << 8 * size) - 1, tag)
        asm.jump_if(asm.EQ, "body")
    if spec.inherited:
        concerned = Label()
        asm.load(tag, node, spec.node_goid, WORD)
        asm.compare_word(tag, asm.G, spec.goid)
        asm.jump_if(asm.NE, concerned)
        asm.jump_if_zero_at(node, spec.node_settled, 1, concerned)
        asm.load(cell, node, spec.node_cell, WORD)
        asm.load(cell, cell, 0, WORD)
        if spec.sends is None:
            asm.jump_if_not_zero(cell, "body")
        else:
            asm.jump_if_zero(cell, concerned)
            asm.jump_if_zero(asm.INT_ARGS[spec.sends], "body")
        asm.bind(concerned)


def call_enter(asm: Assembly, spec: EntrySpec, frame: Frame, closure: int) -> None:
    """Saves the arguments in the args area and the closure register at SP + closure, and calls enter(desc, args base, g)."""
    save(asm, asm.SP, frame.args, spec.spills)
    asm.store(asm.CLOSURE, asm.SP, closure, WORD)
    asm.address(asm.INT_ARGS[0], "desc")
    asm.stack_address(asm.INT_ARGS[1], frame.args)
    asm.move(asm.INT_ARGS[2], asm.G)
    asm.call("enter")


def entered(asm: Assembly, spec: EntrySpec, frame: Frame, closure: int) -> None:
    """Makes the registers what the body expects. Whether to skip it is in T0."""
    if spec.skippable:
        asm.move(asm.T0, asm.INT_ARGS[0])
    restore(asm, asm.SP, frame.args, spec.spills)
    asm.load(asm.CLOSURE, asm.SP, closure, WORD)


def zero_results(asm: Assembly, spec: EntrySpec) -> None:
    """What a skipped call returns unless a hook has set it."""
    for piece in spec.results:
        if piece.reg is RegClass.INT:
            asm.zero(asm.INT_ARGS[piece.index])
        else:
            asm.zero_float(asm.FLOAT_ARGS[piece.index])
    for offset, size in spec.stack_results:
        for at in range(offset, offset + size, WORD):
            asm.store_zero(ARGS + at)


def jump_if_recorded(asm: Assembly, slot_offset: int, args: int, record: Label) -> None:
    """To `record` if the top record is at or below the call with its args base at SP + args, see ExitSpec."""
    none = Label()
    asm.load(asm.T0, asm.G, slot_offset, WORD)
    asm.jump_if_zero(asm.T0, none)
    asm.distance(asm.T1, args)
    asm.jump_if_at_most(asm.T1, asm.T0, record)
    asm.bind(none)


def call_exit(asm: Assembly, area: int, args: int) -> None:
    """Calls exit_hook(desc, results area at SP + area, args base at SP + args, g)."""
    asm.address(asm.INT_ARGS[0], "desc")
    asm.stack_address(asm.INT_ARGS[1], area)
    asm.stack_address(asm.INT_ARGS[2], args)
    asm.move(asm.INT_ARGS[3], asm.G)
    asm.call("exit_hook")


def copy(asm: Assembly, base: int, offset: int, to: int, size: int) -> None:
    """Copies `size` bytes from base + offset to SP + to, in the widest moves that there are."""
    done = 0
    while done < size:
        there, here, left = offset + done, to + done, size - done
        width = next(w for w in (8, 4, 2, 1) if w <= left and not (asm.SCALED and (there % w or here % w)))
        asm.load(asm.COPY, base, there, width)
        asm.store(asm.COPY, asm.SP, here, width)
        done += width


# stubs


def entry_stub(macros: Macros, spec: EntrySpec) -> Code:
    """See EntrySpec. Locals: the spill area of enter, one word for the closure register.

    Raises EncodeError for pieces that are no argument registers and for stack results that are no whole words.
    """
    check_pieces(spec.spills, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    check_pieces(spec.results, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    check_stack_results(spec.stack_results)
    asm, grow, skip = macros(), Label(), Label()
    frame = asm.frame(ENTER_SPILLS + WORD)
    closure = frame.first + ENTER_SPILLS
    if spec.toggle:
        asm.jump_if_off("desc", "body")
    if spec.filter:
        unless_concerned(asm, spec.filter)
    stack_check(asm, frame, grow, spec.room)
    asm.open_frame(frame)
    call_enter(asm, spec, frame, closure)
    entered(asm, spec, frame, closure)
    asm.close_frame(frame)
    if spec.skippable:
        asm.jump_if_true(asm.T0, skip)
    asm.jump("body")
    asm.bind(grow)
    if spec.guard:
        may_grow(asm, spec.guard)
    grow_stack(asm, spec.spills)
    asm.outlet("body")
    if spec.skippable:
        asm.bind(skip)
        zero_results(asm, spec)
        asm.jump("exit")
    return asm.finish(frame.locals, frame.words(closure, (spec.closure is ClosureUse.POINTER,)))


def exit_stub(macros: Macros, spec: ExitSpec) -> Code:
    """See ExitSpec. Locals: the spill area of exit, the results area.

    Raises EncodeError for results that do not fit in its frame and for maps and registers that do not fit together.
    """
    check_pieces(spec.results, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    check_area(spec.results, spec.area, spec.area_map)
    asm, record, nothing = macros(spec.body_frame), Label(), Label()
    asm.entries["exit"] = 0
    asm.teardown(spec.teardown, spec.body_frame)
    asm.entries["frameless"] = asm.here
    frame = asm.frame(EXIT_SPILLS + WORD * len(spec.area_map))
    check_exit_frame(frame.depth, spec)
    area = frame.first + EXIT_SPILLS
    jump_if_recorded(asm, spec.slot_offset, ARGS, record)
    asm.bind(nothing)
    asm.ret()
    asm.bind(record)
    if spec.unchecked:
        asm.jump_without_room(frame.depth, nothing)
    asm.open_frame(frame)
    save(asm, asm.SP, area, spec.results)
    call_exit(asm, area, frame.args)
    restore(asm, asm.SP, area, spec.results)
    asm.close_frame(frame)
    asm.ret()
    return asm.finish(frame.locals, frame.words(area, spec.area_map))


def thunk(macros: Macros, spec: ThunkSpec) -> Code:
    """See ThunkSpec: from saved arguments in memory to the registers and stack slots of a hook's own signature.

    The frame consists of the hook's args area, which the collector sees through the hook's own maps, and above it the deferred func value (static
    data) and the byte that marks it as pending. With a stack check, the parameters are in the spill area from the first instruction on, and the
    thunk's args map has five pointers. Without one, nothing is ever stored there, and the map must have none. Raises EncodeError for a hook whose
    arguments do not fit in a frame, or that takes a value which does not exist.
    """
    check_thunk(spec, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    asm, grow = macros(), Label()
    size = (spec.hook_args + WORD - 1) & ~(WORD - 1)
    frame = asm.frame(size + 2 * WORD)
    deferred = frame.first + size
    checked = frame.locals > NOSPLIT_LOCALS
    if checked:
        save(asm, asm.SP, ARGS, PARAMS)
        stack_check(asm, frame, grow)
    else:
        asm.entries["nosplit"] = 1
    asm.open_frame(frame)
    asm.address(asm.T0, "catch")
    asm.store(asm.T0, asm.SP, deferred, WORD)
    asm.store_one(deferred + WORD)
    for register, base in zip(asm.INT_ARGS[2:5], (Base.ARGS, Base.RESULTS, Base.BOXES), strict=True):
        asm.move(asm.BASES[base], register)
    for part in spec.copies:
        copy(asm, asm.BASES[part.base], part.offset, frame.first + part.to, part.size)
    for load in spec.loads:
        restore(asm, asm.BASES[load.base], 0, (load.dst,))
    asm.call("hook")
    asm.close_frame(frame)
    asm.ret()
    asm.moved(frame.depth)
    asm.call("deferreturn")
    asm.close_frame(frame)
    asm.ret()
    if checked:
        asm.bind(grow)
        grow_stack(asm, PARAMS)
    return asm.finish(frame.locals, frame.words(), OpenDefer(bits=frame.locals - deferred - WORD, slots=frame.locals - deferred))


def hold_stub(macros: Macros) -> Code:
    """See trampolines.Arch.hold_stub. Locals: the spill area of the callee, which takes at most four words."""
    asm = macros()
    asm.entries["nosplit"] = 1
    frame = asm.frame(EXIT_SPILLS)
    asm.open_held_frame(frame)
    asm.call("callee")
    asm.close_held_frame(frame)
    asm.ret()
    return asm.finish(frame.locals, frame.words())


def count_stub(macros: Macros, *, atomics: bool) -> Code:
    """See trampolines.Arch.count_stub. No Go call, no stack, no stack map, so any function can have it."""
    asm = macros()
    asm.increment("counter", atomics=atomics)
    asm.jump("body")
    return asm.finish(0, ())


def getg(macros: Macros) -> Code:
    """func() unsafe.Pointer"""
    asm = macros()
    asm.move(asm.INT_ARGS[0], asm.G)
    asm.ret()
    return asm.finish(0, ())


def slot_handover(macros: Macros, slot_offset: int, g_m: int, m_curg: int, teardown: bytes, body_frame: int) -> Code:
    """The exit of runtime.newproc1, on the system stack: the creator's slot, or nil, goes to the new goroutine, the result.

    It always stores. No write barrier is needed because the slot of the new g is nil before: every end of a goroutine clears it.
    """
    asm, none = macros(body_frame), Label()
    asm.load(asm.T0, asm.G, g_m, WORD)
    asm.load(asm.T0, asm.T0, m_curg, WORD)
    asm.jump_if_zero(asm.T0, none)
    asm.load(asm.T0, asm.T0, slot_offset, WORD)
    asm.bind(none)
    asm.store(asm.T0, asm.INT_ARGS[0], slot_offset, WORD)
    asm.teardown(teardown, body_frame)
    asm.ret()
    return asm.finish(0, ())


# gates: in front of the functions by which package runtime dies of a signal, see GateSpec. They run inside a signal handler, on the stack for
# signals, perhaps on a thread that Go knows nothing of: no Go call, no stack, no write barrier, only registers that any call may change.


def death_gate(macros: Macros, spec: GateSpec) -> Code:
    """In front of runtime.dieFromSignal(sig uint32). Raises EncodeError for numbers that do not fit."""
    check_gate(spec)
    asm, start, ours, ending, other = macros(), Label(), Label(), Label(), Label()
    asm.bind(start)
    _if_watched(asm)
    asm.move_long(asm.SIGNAL, asm.INT_ARGS[0])
    for signal in spec.signals:
        asm.compare_value(asm.SIGNAL, signal, asm.SPARE)
        asm.jump_if(asm.EQ, ours)
    asm.leave("body")
    asm.bind(ours)
    asm.compare_zero(asm.WATCHER)
    asm.jump_if(asm.NEGATIVE, ending)

    asm.system_call(spec.getpid)
    asm.compare(asm.SYSTEM_RESULT, asm.WATCHER)
    asm.jump_if(asm.NE, other)
    asm.negate(asm.MINUS, asm.SIGNAL, keep=True)
    asm.exchange(asm.STATE, asm.WATCHER, asm.MINUS, start)
    note, operation, count = asm.SYSTEM_ARGS[:3]
    asm.address(note, "note")
    asm.set_value(operation, 1)
    asm.store(operation, note, 0, 4)
    asm.set_value(operation, spec.operation)
    asm.set_value(count, 1)
    asm.system_call(spec.wake)
    asm.ret()

    asm.out_of_line()
    asm.bind(other)
    asm.move(asm.INT_ARGS[0], asm.SIGNAL)
    asm.jump("body")
    asm.bind(ending)
    asm.negate(asm.INT_ARGS[0], asm.WATCHER, keep=False)
    asm.jump("body")
    return asm.finish(0, ())


def _if_watched(asm: Assembly) -> None:
    """Jumps to the body if no process watches; otherwise STATE and WATCHER hold the address and the value of the word."""
    asm.address(asm.STATE, "state")
    asm.load(asm.WATCHER, asm.STATE, 0, WORD)
    asm.compare_zero(asm.WATCHER)
    asm.jump_if(asm.EQ, "body")


def foreign_gate(macros: Macros, spec: GateSpec) -> Code:
    """In front of runtime.raisebadsignal(sig uint32, c *sigctxt). Raises EncodeError for numbers that do not fit."""
    check_gate(spec)
    asm = macros()
    _if_watched(asm)
    asm.move_long(asm.PASSED, asm.INT_ARGS[0])
    asm.address(asm.STATE, "forward")
    for signal in spec.signals:
        other = Label()
        asm.compare_value(asm.PASSED, signal, asm.SPARE)
        asm.jump_if(asm.NE, other)
        asm.load(asm.WATCHER, asm.STATE, WORD * signal, WORD)
        asm.compare_zero(asm.WATCHER)
        asm.jump_if(asm.EQ, "gate")
        asm.bind(other)
    asm.leave("body")
    asm.outlet("gate")
    return asm.finish(0, ())
