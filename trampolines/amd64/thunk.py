"""The thunk: from saved arguments in memory to the registers and stack slots of a hook's own signature (amd64)."""

from __future__ import annotations

import functools

from trampolines.amd64 import encode as x
from trampolines.amd64.abi import CONTEXT, CX, DI, FLOAT_ARGS, FLOAT_REGS, INT_ARGS, INT_REGS, R12, R13, SI, SP
from trampolines.amd64.stubs import RETURN_ADDRESS, SAVED_BP, address, call, close_frame, grow_stack, land, open_frame, save, stack_check
from trampolines.asm import SHAPES, WORD, Assembly, check_thunk
from trampolines.contract import Base, Code, OpenDefer, Piece, RegClass, ThunkSpec

PARAMS = tuple(Piece(RegClass.INT, i, WORD, i * WORD) for i in range(5))
"""func(itab, ctx, args, results, boxes unsafe.Pointer): AX, BX, CX, DI, SI."""
BASES = {Base.ARGS: R12, Base.RESULTS: R13, Base.BOXES: CONTEXT}
NOSPLIT_FRAME = 256
"""A frame up to this size needs no stack check: the caller has one, and the hook has its own."""


@functools.lru_cache(SHAPES)
def thunk(spec: ThunkSpec) -> Code:
    """See ThunkSpec. The frame is the hook's args area, which the collector sees through the hook's own maps, and above it the
    deferred func value, static data, and the byte that says that it is pending.

    With a stack check the parameters lie in the spill area from the first instruction on, and the thunk's args map has five
    pointers; without one nothing is ever stored there, and the map must have none. Raises EncodeError for a hook whose arguments
    do not fit in a frame, or for one that takes what is not there.
    """
    check_thunk(spec, INT_REGS, FLOAT_REGS)
    asm = Assembly()
    deferred = (spec.hook_args + WORD - 1) & ~(WORD - 1)
    size = deferred + 2 * WORD
    if size > NOSPLIT_FRAME:
        save(asm, SP, RETURN_ADDRESS, PARAMS)
        grow = stack_check(asm, size)
    else:
        asm.entries["nosplit"] = 1
        grow = None
    open_frame(asm, size)
    address(asm, BASES[Base.ARGS], "catch")
    asm.emit(x.store(BASES[Base.ARGS], SP, deferred, WORD))
    asm.emit(x.store_byte(SP, deferred + WORD, 1))
    for register, base in ((CX, Base.ARGS), (DI, Base.RESULTS), (SI, Base.BOXES)):
        asm.emit(x.move(BASES[base], register))
    for copy in spec.copies:
        _copy(asm, BASES[copy.base], copy.offset, copy.to, copy.size)
    for load in spec.loads:
        piece = load.dst
        if piece.reg is RegClass.INT:
            asm.emit(x.load(INT_ARGS[piece.index], BASES[load.base], piece.offset, piece.size))
        else:
            asm.emit(x.load_float(FLOAT_ARGS[piece.index], BASES[load.base], piece.offset, piece.size))
    call(asm, "hook")
    close_frame(asm, size)
    asm.emit(x.RET)
    asm.moved(size + SAVED_BP)
    call(asm, "deferreturn")
    close_frame(asm, size)
    asm.emit(x.RET)
    if grow is not None:
        land(asm, grow)
        grow_stack(asm, PARAMS)
    return asm.finish(size, (False,) * (size // WORD), OpenDefer(bits=size - deferred - WORD, slots=size - deferred))


def _copy(asm: Assembly, base: int, offset: int, to: int, size: int) -> None:
    """Copies `size` bytes to the outgoing arguments through SI, whose parameter is saved already."""
    done = 0
    while done < size:
        width = next(w for w in (8, 4, 2, 1) if w <= size - done)
        asm.emit(x.load(SI, base, offset + done, width))
        asm.emit(x.store(SI, SP, to + done, width))
        done += width
