"""The macro-assembler of arm64: what each step of a sequence takes here (trampolines.asm.Assembly says what the steps are).

Frame of a stub: R30 at 0(RSP), usable words from 8(RSP) to size-16(RSP); the caller's R29 is at -8(RSP), so the top word of a callee's frame
belongs to its caller (runtime/traceback.go). The args area of the hooked call begins at 8(RSP) of its caller. R16, R17 and R27 are free at every
entry: the linker's trampolines may change them on any call (cmd/compile/abi-internal.md). A conditional branch has no relocation, so those to a
role go through a branch in the stub. Any macro may change R27 if a displacement does not fit in an instruction.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from trampolines.arm64 import encode as a
from trampolines.arm64 import hold
from trampolines.arm64.abi import CLOSURE, FLOAT_ARGS, INT_ARGS, R0, R1, R2, R8, R9, R10, R11, R12, R16, R17, R19, R20, R21, R27, SP, ZR, G
from trampolines.asm import STACK_HI, STACK_LO, STACK_NOSPLIT, STACK_SMALL, WORD, Assembly, EncodeError, Frame, Label
from trampolines.contract import Base, FixupKind

SIZE = 4
"""Of every instruction."""
LINK = 8
"""The slot of R30 at 0(RSP), below the outgoing arguments."""
CONDITIONAL = {condition: partial(a.branch_if, condition) for condition in (a.EQ, a.NE, a.HS, a.LO, a.MI, a.LS)}


class Macros(Assembly):
    """See trampolines.asm.Assembly."""

    SP, G, CLOSURE = SP, G, CLOSURE
    INT_ARGS, FLOAT_ARGS = INT_ARGS, FLOAT_ARGS
    T0, T1 = R16, R17
    NODE, TAG, MARK, CELL = R16, R17, R27, R17
    BASES: ClassVar[Mapping[Base, int]] = {Base.ARGS: R19, Base.RESULTS: R20, Base.BOXES: R21}
    COPY = R17
    SCALED = True
    STATE, WATCHER, SIGNAL, PASSED, MINUS, SPARE = R16, R17, R9, R9, R10, R11
    SYSTEM_ARGS, SYSTEM_RESULT = (R0, R1, R2), R0
    EQ, NE, NEGATIVE = a.EQ, a.NE, a.MI

    __slots__ = ()

    def _reach(self, base: int, disp: int, size: int) -> tuple[int, int]:
        """Base register and displacement by which one instruction reaches `size` bytes at base + disp: as they are, or with whole pages added
        into R27."""
        if disp % size == 0 and 0 <= disp // size < a.PAGE:
            return base, disp
        low = disp % a.PAGE
        if low % size:
            raise EncodeError(f"{size} bytes at offset {disp}")
        self.code += a.add(R27, base, disp - low)
        return R27, low

    def _target(self, to: Label | str) -> Label:
        return self.far(to) if isinstance(to, str) else to

    def move(self, dst: int, src: int) -> None:
        self.code += a.move(dst, src)

    def move_long(self, dst: int, src: int) -> None:
        self.code += a.move_word(dst, src)

    def set_value(self, reg: int, value: int) -> None:
        self.code += a.move_immediate(reg, value)

    def zero(self, reg: int) -> None:
        self.code += a.zero(reg)

    def zero_float(self, reg: int) -> None:
        self.code += a.zero_float(reg)

    def negate(self, dst: int, src: int, *, keep: bool) -> None:
        del keep
        self.code += a.subtract(dst, ZR, src)

    def load(self, dst: int, base: int, disp: int, size: int) -> None:
        self.code += a.load(dst, *self._reach(base, disp, size), size)

    def store(self, src: int, base: int, disp: int, size: int) -> None:
        self.code += a.store(src, *self._reach(base, disp, size), size)

    def load_float(self, dst: int, base: int, disp: int, size: int) -> None:
        self.code += a.load_float(dst, *self._reach(base, disp, size), size)

    def store_float(self, src: int, base: int, disp: int, size: int) -> None:
        self.code += a.store_float(src, *self._reach(base, disp, size), size)

    def store_zero(self, disp: int) -> None:
        self.store(ZR, SP, disp, WORD)

    def store_one(self, disp: int) -> None:
        self.code += a.move_immediate(R16, 1)
        self.store(R16, SP, disp, 1)

    def address(self, dst: int, role: str) -> None:
        self.fixup(FixupKind.ADDR, role, 8, at=self.emit(a.address(dst)))

    def stack_address(self, dst: int, disp: int) -> None:
        self.code += a.add(dst, SP, disp)

    def distance(self, dst: int, disp: int) -> None:
        self.code += a.add(dst, SP, disp)
        self.load(R27, G, STACK_HI, WORD)
        self.code += a.subtract(dst, R27, dst)

    def increment(self, role: str, *, atomics: bool) -> None:
        """atomics: LDADD (GOARM64); else LDXR and STXR."""
        self.address(R16, role)
        if atomics:
            self.code += a.move_immediate(R17, 1)
            self.code += a.atomic_add(R17, ZR, R16)
            return
        again = Label()
        self.bind(again)
        self.code += a.load_exclusive(R17, R16)
        self.code += a.add(R17, R17, 1)
        self.code += a.store_exclusive(R27, R17, R16)
        self.branch(again, SIZE, partial(a.branch_if_not_zero_word, R27))

    def call(self, role: str) -> None:
        self.fixup(FixupKind.CALL, role, 4, at=self.emit(a.BL))

    def call_morestack(self) -> None:
        self.code += a.LINK_TO_R3
        self.call("morestack")

    def jump(self, role: str) -> None:
        self.fixup(FixupKind.CALL, role, 4, at=self.emit(a.B))

    def jump_to(self, label: Label) -> None:
        self.branch(label, SIZE, a.branch)

    def ret(self) -> None:
        self.code += a.RET

    def compare(self, left: int, right: int) -> None:
        self.code += a.compare(left, right)

    def compare_zero(self, reg: int) -> None:
        self.code += a.compare(reg, ZR)

    def compare_value(self, reg: int, value: int, spare: int) -> None:
        self.code += a.move_immediate(spare, value)
        self.code += a.compare(reg, spare)

    def compare_word(self, reg: int, base: int, disp: int) -> None:
        self.load(R27, base, disp, WORD)
        self.code += a.compare(reg, R27)

    def jump_if(self, condition: int, to: Label | str) -> None:
        self.branch(self._target(to), SIZE, CONDITIONAL[condition])

    def jump_if_zero(self, reg: int, to: Label | str) -> None:
        self.branch(self._target(to), SIZE, partial(a.branch_if_zero, reg))

    def jump_if_not_zero(self, reg: int, to: Label | str) -> None:
        self.branch(self._target(to), SIZE, partial(a.branch_if_not_zero, reg))

    def jump_if_true(self, reg: int, to: Label | str) -> None:
        self.code += a.test_byte(reg)
        self.jump_if(a.NE, to)

    def jump_if_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        self.load(R17, base, disp, size)
        self.jump_if_zero(R17, to)

    def jump_unless_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        self.load(R17, base, disp, size)
        self.jump_if_not_zero(R17, to)

    def jump_unless_g(self, base: int, disp: int, to: Label | str) -> None:
        self.load(R17, base, disp, WORD)
        self.code += a.subtract(R17, R17, G)
        self.jump_if_not_zero(R17, to)

    def jump_if_at_most(self, reg: int, base: int, to: Label | str) -> None:
        self.load(R27, base, 0, WORD)
        self.code += a.compare(R27, reg)
        self.jump_if(a.HS, to)

    def jump_if_off(self, desc: str, to: str) -> None:
        on = Label()
        self.address(R16, desc)
        self.load(R16, R16, 0, 1)
        self.branch(on, SIZE, partial(a.branch_if_not_zero_word, R16))
        self.jump(to)
        self.bind(on)

    @classmethod
    def frame(cls, size: int) -> Frame:
        return Frame(LINK, (LINK + size + WORD + 15) & ~15)

    def open_frame(self, frame: Frame) -> None:
        """MOVD.W R30, -size(RSP); MOVD R29, -8(RSP); SUB $8, RSP, R29, or what a large one takes."""
        before, move, after = a.open_frame(frame.depth)
        self.code += b"".join((*before, move))
        self.moved(self.sp + frame.depth)
        self.code += b"".join(after)

    def close_frame(self, frame: Frame) -> None:
        """MOVD -8(RSP), R29; MOVD.P size(RSP), R30, or what a large one takes."""
        self.code += b"".join(a.close_frame(frame.depth))
        self.moved(self.sp - frame.depth)

    def open_held_frame(self, frame: Frame) -> None:
        hold.open_frame(self, frame)

    def close_held_frame(self, frame: Frame) -> None:
        hold.close_frame(self, frame)

    def teardown(self, code: bytes, body_frame: int) -> None:
        """At a patched RET the frame is gone."""
        if code or body_frame:
            raise EncodeError("arm64 has no teardown before its exit stub")

    def jump_below_guard(self, below: int, to: Label) -> None:
        self.code += a.LOAD_GUARD
        if below <= STACK_SMALL:
            self.code += a.COMPARE_GUARD
        else:
            self.code += a.subtract_immediate(R17, SP, below - STACK_SMALL)
            self.code += a.compare(R17, R16)
        self.jump_if(a.LS, to)

    def jump_without_room(self, below: int, to: Label) -> None:
        self.code += a.subtract_immediate(R17, SP, below)
        self.code += a.subtract_immediate(R17, R17, STACK_NOSPLIT)
        self.load(R27, G, STACK_LO, WORD)
        self.code += a.compare(R17, R27)
        self.jump_if(a.LO, to)

    def system_call(self, number: int) -> None:
        """Changes R0 and R8, which holds the number."""
        self.code += a.move_immediate(R8, number)
        self.code += a.SVC

    def exchange(self, base: int, old: int, new: int, again: Label) -> None:
        """Changes R11 and R12."""
        once_more, lost = Label(), Label()
        self.bind(once_more)
        self.code += a.load_exclusive(R11, base)
        self.code += a.compare(R11, old)
        self.jump_if(a.NE, lost)
        self.code += a.store_exclusive(R12, new, base)
        self.branch(once_more, SIZE, partial(a.branch_if_not_zero_word, R12))
        self.code += a.BARRIER

        def retry() -> None:
            self.bind(lost)
            self.move(R0, self.SIGNAL)
            self.jump_to(again)

        self.later(retry)
