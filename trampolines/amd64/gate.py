"""Gates in front of the functions by which package runtime dies of a signal, for amd64: see GateSpec.

They run inside a signal handler, on the stack for signals, perhaps on a thread that Go knows nothing of: no Go call, no stack, no
write barrier, only registers that any call may change. System calls change AX, CX and R11.
"""

from __future__ import annotations

from trampolines.amd64 import encode as x
from trampolines.amd64.abi import AX, CX, DI, DX, R9, R10, R12, R13, SI
from trampolines.amd64.stubs import address, jump, jump_if, jump_to, land, land_at
from trampolines.asm import FUTEX_WAKE_PRIVATE, WORD, Assembly
from trampolines.contract import Code, GateSpec

SYS_GETPID, SYS_FUTEX = 39, 202


def death_gate(spec: GateSpec) -> Code:
    """In front of runtime.dieFromSignal(sig uint32)."""
    asm = Assembly()
    start = asm.here
    address(asm, R12, "state")
    asm.emit(x.load(R13, R12, 0, WORD))
    asm.emit(x.test(R13))
    jump_to(asm, x.JE, "body")
    asm.emit(x.move_long(R9, AX))
    _only(asm, spec.signals)
    asm.emit(x.test(R13))
    ending = jump_if(asm, x.JS)

    asm.emit(x.set_long(AX, SYS_GETPID))
    asm.emit(x.SYSCALL)
    asm.emit(x.compare(AX, R13))
    other = jump_if(asm, x.JNE)
    asm.emit(x.move(R10, R9))
    asm.emit(x.neg(R10))
    asm.emit(x.compare_exchange(R10, R12))
    asm.emit(x.move(AX, R9))  # which leaves the flags alone
    land_at(asm, jump_if(asm, x.JNE), start)
    address(asm, DI, "note")
    asm.emit(x.set_long(SI, 1))
    asm.emit(x.store(SI, DI, 0, 4))
    asm.emit(x.set_long(SI, FUTEX_WAKE_PRIVATE))
    asm.emit(x.set_long(DX, 1))
    asm.emit(x.set_long(AX, SYS_FUTEX))
    asm.emit(x.SYSCALL)
    asm.emit(x.RET)

    land(asm, other)
    asm.emit(x.move(AX, R9))
    jump(asm, "body")
    land(asm, ending)
    asm.emit(x.neg(R13))
    asm.emit(x.move(AX, R13))
    jump(asm, "body")
    return asm.finish(0, ())


def _only(asm: Assembly, signals: tuple[int, ...]) -> None:
    """To the body unless the signal in R9 is one of these."""
    ours = []
    for signal in signals:
        asm.emit(x.compare_immediate(R9, signal))
        ours.append(jump_if(asm, x.JE))
    jump(asm, "body")
    for place in ours:
        land(asm, place)


def foreign_gate(spec: GateSpec) -> Code:
    """In front of runtime.raisebadsignal(sig uint32, c *sigctxt)."""
    asm = Assembly()
    address(asm, R12, "state")
    asm.emit(x.load(R13, R12, 0, WORD))
    asm.emit(x.test(R13))
    jump_to(asm, x.JE, "body")
    asm.emit(x.move_long(CX, AX))
    address(asm, R12, "forward")
    for signal in spec.signals:
        asm.emit(x.compare_immediate(CX, signal))
        other = jump_if(asm, x.JNE)
        asm.emit(x.load(R13, R12, WORD * signal, WORD))
        asm.emit(x.test(R13))
        jump_to(asm, x.JE, "gate")
        land(asm, other)
    jump(asm, "body")
    return asm.finish(0, ())
