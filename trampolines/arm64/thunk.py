"""The thunk: from saved arguments in memory to the registers and stack slots of a hook's own signature (arm64)."""

from __future__ import annotations

import functools

from trampolines.arm64 import encode as a
from trampolines.arm64.abi import FLOAT_ARGS, FLOAT_REGS, INT_ARGS, INT_REGS, R2, R3, R4, R16, R17, R19, R20, R21, R27, SP
from trampolines.arm64.stubs import LINK, address, call, close_frame, fill, frame_for, grow_stack, locals_map, open_frame, reach, save, stack_check
from trampolines.asm import SHAPES, WORD, Assembly, check_thunk
from trampolines.contract import Base, Code, OpenDefer, Piece, RegClass, ThunkSpec

PARAMS = tuple(Piece(RegClass.INT, i, WORD, i * WORD) for i in range(5))
"""func(itab, ctx, args, results, boxes unsafe.Pointer): R0 to R4."""
BASES = {Base.ARGS: R19, Base.RESULTS: R20, Base.BOXES: R21}
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
    deferred = LINK + ((spec.hook_args + WORD - 1) & ~(WORD - 1))
    size = frame_for(deferred + 2 * WORD)
    top = size - WORD
    if size > NOSPLIT_FRAME:
        save(asm, LINK, PARAMS)
        grow = stack_check(asm, size)
    else:
        asm.entries["nosplit"] = 1
        grow = None
    open_frame(asm, size)
    address(asm, R16, "catch")
    asm.emit(a.store(R16, SP, deferred, WORD))
    asm.emit(a.move_immediate(R16, 1))
    asm.emit(a.store(R16, SP, deferred + WORD, 1))
    for register, base in ((R2, Base.ARGS), (R3, Base.RESULTS), (R4, Base.BOXES)):
        asm.emit(a.move(BASES[base], register))
    for copy in spec.copies:
        _copy(asm, BASES[copy.base], copy.offset, LINK + copy.to, copy.size)
    for load in spec.loads:
        piece = load.dst
        encode, register = (a.load, INT_ARGS[piece.index]) if piece.reg is RegClass.INT else (a.load_float, FLOAT_ARGS[piece.index])
        asm.emit(encode(register, *reach(asm, BASES[load.base], piece.offset, piece.size, R27), piece.size))
    call(asm, "hook")
    close_frame(asm, size)
    asm.emit(a.RET)
    asm.moved(size)
    call(asm, "deferreturn")
    close_frame(asm, size)
    asm.emit(a.RET)
    if grow is not None:
        fill(asm, grow, a.LS)
        grow_stack(asm, PARAMS)
    return asm.finish(top, locals_map(size, {}), OpenDefer(bits=top - deferred - WORD, slots=top - deferred))


def _copy(asm: Assembly, base: int, offset: int, to: int, size: int) -> None:
    """Copies `size` bytes to RSP + to through R17, in the widest moves that both sides' alignment allows."""
    done = 0
    while done < size:
        width = next(w for w in (8, 4, 2, 1) if w <= size - done and (offset + done) % w == 0 and (to + done) % w == 0)
        asm.emit(a.load(R17, *reach(asm, base, offset + done, width, R27), width))
        asm.emit(a.store(R17, *reach(asm, SP, to + done, width, R27), width))
        done += width
