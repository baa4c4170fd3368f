"""Gates in front of the functions by which package runtime dies of a signal, for arm64: see GateSpec.

They run inside a signal handler, on the stack for signals, perhaps on a thread that Go knows nothing of: no Go call, no stack, no
write barrier, only registers that any call may change. System calls change R0.
"""

from __future__ import annotations

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import R0, R1, R2, R16, R17, ZR
from trampolines.arm64.stubs import address, fill, hole, jump
from trampolines.asm import FUTEX_WAKE_PRIVATE, WORD, Assembly
from trampolines.contract import Code, GateSpec

SYS_GETPID, SYS_FUTEX = 172, 98
NUMBER = 8
"""R8 holds the number of a system call."""
SIGNAL, MINUS, SEEN, FAILED = 9, 10, 11, 12


def death_gate(spec: GateSpec) -> Code:
    """In front of runtime.dieFromSignal(sig uint32)."""
    asm = Assembly()
    start = asm.here
    address(asm, R16, "state")
    asm.emit(a.load(R17, R16, 0, WORD))
    asm.emit(a.compare(R17, ZR))
    off = hole(asm)
    asm.emit(a.move_word(SIGNAL, R0))
    ours = []
    for signal in spec.signals:
        asm.emit(a.move_immediate(SEEN, signal))
        asm.emit(a.compare(SIGNAL, SEEN))
        ours.append(hole(asm))
    fill(asm, off, a.EQ)
    jump(asm, "body")

    for place in ours:
        fill(asm, place, a.EQ)
    asm.emit(a.compare(R17, ZR))
    ending = hole(asm)
    asm.emit(a.move_immediate(NUMBER, SYS_GETPID))
    asm.emit(a.SVC)
    asm.emit(a.compare(R0, R17))
    other = hole(asm)
    asm.emit(a.subtract(MINUS, ZR, SIGNAL))
    again = asm.emit(a.load_exclusive(SEEN, R16))
    asm.emit(a.compare(SEEN, R17))
    lost = hole(asm)
    asm.emit(a.store_exclusive(FAILED, MINUS, R16))
    asm.emit(a.branch_if_not_zero_word(FAILED, again - asm.here))
    asm.emit(a.BARRIER)
    address(asm, R0, "note")
    asm.emit(a.move_immediate(R1, 1))
    asm.emit(a.store(R1, R0, 0, 4))
    asm.emit(a.move_immediate(R1, FUTEX_WAKE_PRIVATE))
    asm.emit(a.move_immediate(R2, 1))
    asm.emit(a.move_immediate(NUMBER, SYS_FUTEX))
    asm.emit(a.SVC)
    asm.emit(a.RET)

    fill(asm, lost, a.NE)
    asm.emit(a.move(R0, SIGNAL))
    asm.emit(a.branch(start - asm.here))
    fill(asm, other, a.NE)
    asm.emit(a.move(R0, SIGNAL))
    jump(asm, "body")
    fill(asm, ending, a.MI)
    asm.emit(a.subtract(R0, ZR, R17))
    jump(asm, "body")
    return asm.finish(0, ())


def foreign_gate(spec: GateSpec) -> Code:
    """In front of runtime.raisebadsignal(sig uint32, c *sigctxt)."""
    asm = Assembly()
    address(asm, R16, "state")
    asm.emit(a.load(R17, R16, 0, WORD))
    asm.emit(a.compare(R17, ZR))
    off = hole(asm)
    asm.emit(a.move_word(SIGNAL, R0))
    address(asm, R16, "forward")
    ours = []
    for signal in spec.signals:
        asm.emit(a.move_immediate(SEEN, signal))
        asm.emit(a.compare(SIGNAL, SEEN))
        asm.emit(a.branch_if(a.NE, 16))
        asm.emit(a.load(R17, R16, WORD * signal, WORD))
        asm.emit(a.compare(R17, ZR))
        ours.append(hole(asm))
    fill(asm, off, a.EQ)
    jump(asm, "body")
    for place in ours:
        fill(asm, place, a.EQ)
    jump(asm, "gate")
    return asm.finish(0, ())
