"""The call-through: one stub that runs the hooks before and behind a call of the body (amd64).

For bodies whose return has no room for a jump: RET alone, or POPQ BP; RET far from the end of the function. The stub is a text symbol of
its own, marked as wrapper, so that tracebacks, runtime.Caller and profiles leave its frame out. In the function's place stands
`head_stub`, which keeps the function's FuncID.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from trampolines.amd64 import encode as x
from trampolines.amd64.abi import AX, CONTEXT, FLOAT_REGS, INT_REGS, R12, SP
from trampolines.amd64.stubs import (
    ENTER_ARGS,
    EXIT_ARGS,
    RETURN_ADDRESS,
    SAVED_BP,
    call,
    call_enter,
    call_exit,
    close_frame,
    grow_stack,
    jump,
    jump_if,
    jump_if_recorded,
    jump_to,
    land,
    may_grow,
    open_frame,
    restore,
    save,
    stack_check,
    zero_results,
)  # fmt: skip
from trampolines.asm import SHAPES, WORD, Assembly, EncodeError, check_area, check_pieces
from trampolines.contract import Code, ContextUse, EntrySpec, FixupKind, Phase, ThroughSpec


def head_stub() -> Code:
    """To role "body" if the descriptor (role "desc") is switched off, else to role "through"."""
    asm = Assembly()
    asm.fixup(FixupKind.PCREL, "desc", 4, at=asm.emit(x.compare_byte_pc(0)) + 2, addend=-1)
    jump_to(asm, x.JE, "body")
    jump(asm, "through")
    return asm.finish(0, ())


@dataclass(frozen=True, slots=True)
class Frame:
    """Offsets from SP in bytes. Locals: the spill areas of the three callees in one place, a word for the closure context, the results area."""

    context: int
    area: int
    size: int
    args: int

    @classmethod
    def of(cls, spec: ThroughSpec) -> Frame:
        context = max(ENTER_ARGS, EXIT_ARGS, spec.body_args)
        size = context + WORD + WORD * len(spec.area_map)
        return cls(context, context + WORD, size, size + SAVED_BP + RETURN_ADDRESS)

    def words(self, *, context: bool = False, area: Sequence[bool] = ()) -> tuple[bool, ...]:
        """A locals map."""
        return (*(False,) * (self.context // WORD), context, *(area or (False,) * ((self.size - self.area) // WORD)))


@functools.lru_cache(SHAPES)
def through_stub(spec: ThroughSpec) -> Code:
    """See ThroughSpec. While the body runs nothing in this frame is live: what the body still needs it has in registers and in its own frame.

    Raises EncodeError for what does not fit together, and for anything on the stack.
    """
    entry = spec.entry
    check_pieces(entry.spills, INT_REGS, FLOAT_REGS)
    check_pieces(entry.results, INT_REGS, FLOAT_REGS)
    check_area(entry.results, spec.area, spec.area_map)
    if entry.stack_results or spec.body_args < 0 or spec.body_args % WORD:
        raise EncodeError(f"a call-through with {spec.body_args} bytes of arguments and stack results {entry.stack_results}")
    asm, frame = Assembly(), Frame.of(spec)
    grow = stack_check(asm, frame.size)
    open_frame(asm, frame.size)
    call_enter(asm, entry, frame.args, frame.context)
    entered = asm.here
    skip = _restore(asm, entry, frame)
    call(asm, "called")
    returned = asm.here
    land(asm, _return_unless_recorded(asm, spec, frame))
    asm.moved(frame.size + SAVED_BP)
    save(asm, SP, frame.area, entry.results)
    call_exit(asm, frame.area, frame.args)
    restore(asm, SP, frame.area, entry.results)
    close_frame(asm, frame.size)
    asm.emit(x.RET)
    if skip is not None:
        asm.moved(frame.size + SAVED_BP)
        land(asm, skip)
        zero_results(asm, entry)
        asm.emit(x.JMP[:1] + x.imm32(returned - (asm.here + len(x.JMP))))
        asm.moved(0)
    left = asm.here
    land(asm, grow)
    if entry.guard:
        may_grow(asm, entry.guard)
    grow_stack(asm, entry.spills)
    maps = frame.words(context=entry.context is ContextUse.POINTER), frame.words(), frame.words(area=spec.area_map)
    phases = Phase(entered, True, maps[0]), Phase(returned, False, maps[1]), Phase(left, False, maps[2])
    return asm.finish(frame.size, maps[0], phases=phases)


def _restore(asm: Assembly, entry: EntrySpec, frame: Frame) -> int | None:
    """Makes the registers what the body expects; returns the jump that is taken if the call is to be skipped."""
    if entry.skippable:
        asm.emit(x.move(R12, AX))
    restore(asm, SP, frame.args, entry.spills)
    asm.emit(x.load(CONTEXT, SP, frame.context, WORD))
    if not entry.skippable:
        return None
    asm.emit(x.test_byte(R12))
    return jump_if(asm, x.JNE)


def _return_unless_recorded(asm: Assembly, spec: ThroughSpec, frame: Frame) -> int:
    """Returns to the caller, unless the top record is at or below this call: then the jump that is the result is taken."""
    record = jump_if_recorded(asm, spec.slot_offset, frame.args)
    close_frame(asm, frame.size)
    asm.emit(x.RET)
    return record
