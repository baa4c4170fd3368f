"""The macro-assembler of amd64: what each step of a sequence takes here (trampolines.asm.Assembly says what the steps are).

Frame of a stub: saved BP above `size` bytes of locals. The args area of the hooked call begins above the return address. A conditional jump
reaches any function. Only the flags change where nothing is said; no function expects anything of them at its entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from trampolines.amd64 import encode as x
from trampolines.amd64.abi import AX, CLOSURE, CX, DI, DX, FLOAT_ARGS, INT_ARGS, R8, R9, R10, R12, R13, SI, SP, G
from trampolines.asm import STACK_GUARD, STACK_HI, STACK_LO, STACK_NOSPLIT, STACK_SMALL, Assembly, EncodeError, Frame, Label
from trampolines.contract import Base, FixupKind

SAVED_BP = 8
JCC_SIZE = 6


def _jcc(condition: int, distance: int) -> bytes:
    """distance: from its first byte, as for labels."""
    return x.jcc(condition, distance - JCC_SIZE)


def _jmp(distance: int) -> bytes:
    return x.jmp(distance - len(x.JMP))


CONDITIONAL = {condition: partial(_jcc, condition) for condition in (x.JE, x.JNE, x.JB, x.JBE, x.JS)}


class Macros(Assembly):
    """See trampolines.asm.Assembly."""

    SP, G, CLOSURE = SP, G, CLOSURE
    INT_ARGS, FLOAT_ARGS = INT_ARGS, FLOAT_ARGS
    T0, T1 = R12, R13
    NODE, TAG, MARK, CELL = R12, R13, R12, R12
    BASES: ClassVar[Mapping[Base, int]] = {Base.ARGS: R12, Base.RESULTS: R13, Base.BOXES: CLOSURE}
    COPY = SI
    SCALED = False
    STATE, WATCHER, SIGNAL, PASSED, MINUS, SPARE = R12, R13, R9, CX, R10, R8
    SYSTEM_ARGS, SYSTEM_RESULT = (DI, SI, DX), AX
    EQ, NE, NEGATIVE = x.JE, x.JNE, x.JS

    __slots__ = ()

    def move(self, dst: int, src: int) -> None:
        self.code += x.move(dst, src)

    def move_long(self, dst: int, src: int) -> None:
        self.code += x.move_long(dst, src)

    def set_value(self, reg: int, value: int) -> None:
        self.code += x.set_long(reg, value)

    def zero(self, reg: int) -> None:
        self.code += x.zero(reg)

    def zero_float(self, reg: int) -> None:
        self.code += x.zero_float(reg)

    def negate(self, dst: int, src: int, *, keep: bool) -> None:
        steps = (x.move(dst, src), x.neg(dst)) if keep else (x.neg(src), x.move(dst, src))
        self.code += b"".join(steps)

    def load(self, dst: int, base: int, disp: int, size: int) -> None:
        self.code += x.load(dst, base, disp, size)

    def store(self, src: int, base: int, disp: int, size: int) -> None:
        self.code += x.store(src, base, disp, size)

    def load_float(self, dst: int, base: int, disp: int, size: int) -> None:
        self.code += x.load_float(dst, base, disp, size)

    def store_float(self, src: int, base: int, disp: int, size: int) -> None:
        self.code += x.store_float(src, base, disp, size)

    def store_zero(self, disp: int) -> None:
        self.code += x.store_zero(SP, disp)

    def store_one(self, disp: int) -> None:
        self.code += x.store_byte(SP, disp, 1)

    def address(self, dst: int, role: str) -> None:
        self.fixup(FixupKind.PCREL, role, 4, at=self.emit(x.lea_pc(dst)) + 3)

    def stack_address(self, dst: int, disp: int) -> None:
        self.code += x.lea(dst, SP, disp)

    def distance(self, dst: int, disp: int) -> None:
        self.code += x.lea(dst, SP, disp)
        self.code += x.sub_mem(dst, G, STACK_HI)
        self.code += x.neg(dst)

    def increment(self, role: str, *, atomics: bool) -> None:
        """LOCK INCQ is atomic on every processor."""
        del atomics
        self.fixup(FixupKind.PCREL, role, 4, at=self.emit(x.LOCK_INC_PC) + 4)

    def call(self, role: str) -> None:
        self.fixup(FixupKind.CALL, role, 4, at=self.emit(x.CALL) + 1)

    def call_morestack(self) -> None:
        self.call("morestack")

    def jump(self, role: str) -> None:
        self.fixup(FixupKind.CALL, role, 4, at=self.emit(x.JMP) + 1)

    def jump_to(self, label: Label) -> None:
        self.branch(label, len(x.JMP), _jmp)

    def ret(self) -> None:
        self.code += x.RET

    def compare(self, left: int, right: int) -> None:
        self.code += x.compare(left, right)

    def compare_zero(self, reg: int) -> None:
        self.code += x.test(reg)

    def compare_value(self, reg: int, value: int, spare: int) -> None:
        del spare
        self.code += x.compare_immediate(reg, value)

    def compare_word(self, reg: int, base: int, disp: int) -> None:
        self.code += x.compare_mem(reg, base, disp)

    def jump_if(self, condition: int, to: Label | str) -> None:
        if isinstance(to, str):
            self.fixup(FixupKind.CALL, to, 4, at=self.emit(x.jcc(condition)) + 2)
        else:
            self.branch(to, JCC_SIZE, CONDITIONAL[condition])

    def jump_if_zero(self, reg: int, to: Label | str) -> None:
        self.code += x.test(reg)
        self.jump_if(x.JE, to)

    def jump_if_not_zero(self, reg: int, to: Label | str) -> None:
        self.code += x.test(reg)
        self.jump_if(x.JNE, to)

    def jump_if_true(self, reg: int, to: Label | str) -> None:
        self.code += x.test_byte(reg)
        self.jump_if(x.JNE, to)

    def _test_field(self, base: int, disp: int, size: int) -> None:
        self.code += x.compare_byte_mem(base, disp, 0) if size == 1 else x.compare_long_mem(base, disp, 0)

    def jump_if_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        self._test_field(base, disp, size)
        self.jump_if(x.JE, to)

    def jump_unless_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        self._test_field(base, disp, size)
        self.jump_if(x.JNE, to)

    def jump_unless_g(self, base: int, disp: int, to: Label | str) -> None:
        self.code += x.compare_mem(G, base, disp)
        self.jump_if(x.JNE, to)

    def jump_if_at_most(self, reg: int, base: int, to: Label | str) -> None:
        self.code += x.compare_mem(reg, base, 0)
        self.jump_if(x.JBE, to)

    def jump_if_off(self, desc: str, to: str) -> None:
        self.fixup(FixupKind.PCREL, desc, 4, at=self.emit(x.compare_byte_pc(0)) + 2, addend=-1)
        self.jump_if(x.JE, to)

    @classmethod
    def frame(cls, size: int) -> Frame:
        return Frame(0, size + SAVED_BP)

    def open_frame(self, frame: Frame) -> None:
        """PUSHQ BP; MOVQ SP, BP; SUBQ $size, SP"""
        self.code += x.PUSH_BP
        self.moved(self.sp + SAVED_BP)
        self.code += x.MOVE_SP_TO_BP
        self.code += x.sub_sp(frame.depth - SAVED_BP)
        self.moved(self.sp + frame.depth - SAVED_BP)

    def close_frame(self, frame: Frame) -> None:
        """ADDQ $size, SP; POPQ BP"""
        self.code += x.add_sp(frame.depth - SAVED_BP)
        self.moved(self.sp - (frame.depth - SAVED_BP))
        self.code += x.POP_BP
        self.moved(self.sp - SAVED_BP)

    def open_held_frame(self, frame: Frame) -> None:
        """The FuncID alone makes the collector treat the caller's frame as it should."""
        self.open_frame(frame)

    def close_held_frame(self, frame: Frame) -> None:
        self.close_frame(frame)

    def teardown(self, code: bytes, body_frame: int) -> None:
        """ADDQ (or SUBQ of a negative) $frame, SP; POPQ BP"""
        if code or body_frame:
            size = body_frame - SAVED_BP
            if size < 0 or code not in {free + x.POP_BP for free in (*x.free_forms(size), *([] if size else [b""]))}:
                raise EncodeError(f"epilogue {code.hex()} does not free a frame of {body_frame} bytes")
            if code != x.POP_BP:
                self.code += code[: -len(x.POP_BP)]
                self.moved(SAVED_BP)
            self.code += x.POP_BP
        self.moved(0)

    def jump_below_guard(self, below: int, to: Label) -> None:
        if below <= STACK_SMALL:
            self.code += x.compare_mem(SP, G, STACK_GUARD)
        else:
            self.code += x.lea(R12, SP, -(below - STACK_SMALL))
            self.code += x.compare_mem(R12, G, STACK_GUARD)
        self.jump_if(x.JBE, to)

    def jump_without_room(self, below: int, to: Label) -> None:
        self.code += x.lea(R13, SP, -(below + STACK_NOSPLIT))
        self.code += x.compare_mem(R13, G, STACK_LO)
        self.jump_if(x.JB, to)

    def system_call(self, number: int) -> None:
        """Changes AX, CX and R11."""
        self.code += x.set_long(AX, number)
        self.code += x.SYSCALL

    def exchange(self, base: int, old: int, new: int, again: Label) -> None:
        del old  # which is in AX
        self.code += x.compare_exchange(new, base)
        self.code += x.move(AX, self.SIGNAL)  # which leaves the flags alone
        self.jump_if(x.JNE, again)
