"""The thunk: from saved arguments in memory to the registers and stack slots of a hook's own signature (arm64)."""

from __future__ import annotations

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import FLOAT_ARGS, INT_ARGS, R0, R1, R2, R3, R4, R19, R20, R21, R27, SP
from trampolines.arm64.stubs import LINK, call, close_frame, frame_for, locals_map, open_frame
from trampolines.asm import Assembly, EncodeError
from trampolines.contract import Base, Code, RegClass, ThunkSpec

BASES = {Base.ARGS: R19, Base.RESULTS: R20, Base.BOXES: R21}


def thunk(spec: ThunkSpec) -> Code:
    """See ThunkSpec. The frame is the hook's args area: the collector sees it through the hook's own maps.

    Its frame is bounded by what one instruction can open, and needs no stack check: its caller has one, and the hook has its own.
    """
    asm = Assembly()
    asm.entries["nosplit"] = 1
    size = frame_for(LINK + ((spec.hook_args + 7) & ~7))
    if size > a.MAX_FRAME:
        raise EncodeError(f"a hook with {spec.hook_args} bytes of arguments; on arm64 {a.MAX_FRAME - 16} fit")
    open_frame(asm, size)
    for register, base in ((R2, Base.ARGS), (R3, Base.RESULTS), (R4, Base.BOXES)):
        asm.emit(a.move(BASES[base], register))
    for copy in spec.copies:
        _copy(asm, BASES[copy.base], copy.offset, LINK + copy.to, copy.size)
    for load in spec.loads:
        piece = load.dst
        if piece.reg is RegClass.FLOAT:
            asm.emit(a.load_float(FLOAT_ARGS[piece.index], BASES[load.base], piece.offset, piece.size))
        elif INT_ARGS[piece.index] in (R0, R1):
            raise EncodeError("R0 and R1 hold the hook's context")
        else:
            asm.emit(a.load(INT_ARGS[piece.index], BASES[load.base], piece.offset, piece.size))
    call(asm, "hook")
    close_frame(asm, size)
    asm.emit(a.RET)
    return asm.finish(size - 8, locals_map(size, {}))


def _copy(asm: Assembly, base: int, offset: int, to: int, size: int) -> None:
    done = 0
    while done < size:
        width = next(w for w in (8, 4, 2, 1) if w <= size - done and (offset + done) % w == 0 and (to + done) % w == 0)
        asm.emit(a.load(R27, base, offset + done, width))
        asm.emit(a.store(R27, SP, to + done, width))
        done += width
