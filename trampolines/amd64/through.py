"""The call-through, on amd64 alone: one stub that runs the hooks before and after a call of the body.

For bodies whose return has no room for a jump: RET alone, or POPQ BP; RET far from the end of the function. (On arm64 RET has the size of a
branch.) The stub is a text symbol of its own, marked as wrapper, so that tracebacks, runtime.Caller and profiles leave its frame out. In the
function's place is `head_stub`, which keeps the function's FuncID.
"""

from __future__ import annotations

from trampolines.asm import WORD, EncodeError, Label
from trampolines.checks import check_area, check_pieces
from trampolines.contract import ClosureUse, Code, Phase, ThroughSpec
from trampolines.sequences import (
    ENTER_SPILLS,
    EXIT_SPILLS,
    Macros,
    call_enter,
    call_exit,
    entered,
    grow_stack,
    jump_if_recorded,
    may_grow,
    restore,
    save,
    stack_check,
    zero_results,
)  # fmt: skip


def head_stub(macros: Macros) -> Code:
    """To role "body" if the descriptor (role "desc") is switched off, else to role "through"."""
    asm = macros()
    asm.jump_if_off("desc", "body")
    asm.jump("through")
    return asm.finish(0, ())


def through_stub(macros: Macros, spec: ThroughSpec) -> Code:
    """See ThroughSpec. Locals: the spill areas of the three callees in one place, a word for the closure register, the results area. While the
    body runs, nothing in this frame is live: the body has everything it needs in registers and in its own frame.

    Raises EncodeError for what does not fit together, and for anything on the stack.
    """
    entry = spec.entry
    check_pieces(entry.spills, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    check_pieces(entry.results, len(macros.INT_ARGS), len(macros.FLOAT_ARGS))
    check_area(entry.results, spec.area, spec.area_map)
    if entry.stack_results or spec.body_args < 0 or spec.body_args % WORD:
        raise EncodeError(f"a call-through with {spec.body_args} bytes of arguments and stack results {entry.stack_results}")
    asm, grow, skip, record, results = macros(), Label(), Label(), Label(), Label()
    spills = max(ENTER_SPILLS, EXIT_SPILLS, spec.body_args)
    frame = asm.frame(spills + WORD + WORD * len(spec.area_map))
    closure, area = frame.first + spills, frame.first + spills + WORD
    stack_check(asm, frame, grow)
    asm.open_frame(frame)
    call_enter(asm, entry, frame, closure)
    ended = asm.here
    entered(asm, entry, frame, closure)
    if entry.skippable:
        asm.jump_if_true(asm.T0, skip)
    asm.call("called")
    asm.bind(results)
    jump_if_recorded(asm, spec.slot_offset, frame.args, record)
    asm.close_frame(frame)
    asm.ret()
    asm.bind(record)
    asm.moved(frame.depth)
    save(asm, asm.SP, area, entry.results)
    call_exit(asm, area, frame.args)
    restore(asm, asm.SP, area, entry.results)
    asm.close_frame(frame)
    asm.ret()
    if entry.skippable:
        asm.moved(frame.depth)
        asm.bind(skip)
        zero_results(asm, entry)
        asm.jump_to(results)
        asm.moved(0)
    left = asm.here
    asm.bind(grow)
    if entry.guard:
        may_grow(asm, entry.guard)
    grow_stack(asm, entry.spills)
    before = frame.words(closure, (entry.closure is ClosureUse.POINTER,))
    after = frame.words(area, spec.area_map)
    phases = Phase(ended, True, before), Phase(results.at, False, frame.words()), Phase(left, False, after)
    return asm.finish(frame.locals, before, phases=phases)
