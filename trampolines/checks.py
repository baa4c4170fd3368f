"""Checks the arguments for a stub before it is generated. A stub with a wrong register or stack map would silently corrupt the user's program, so
anything inconsistent raises EncodeError."""

from __future__ import annotations

from collections.abc import Sequence

from trampolines.asm import STACK_SMALL, WORD, EncodeError
from trampolines.contract import ExitSpec, GateSpec, Piece, RegClass, ScopeFilter, ThunkSpec

HOOK_CONTEXT_REGISTERS = 2
"""A hook's first parameter is an interface: (itab, data) in the first two integer registers."""
MAX_SIGNAL = 64
"""Of the words at role "forward": runtime.fwdSig has _NSIG, at most 65."""
INT_SIZES, FLOAT_SIZES = (1, 2, 4, 8), (4, 8)


def check_pieces(pieces: Sequence[Piece], int_regs: int, float_regs: int) -> None:
    """Raises EncodeError unless every piece is an argument register, named once, at an offset that its size divides."""
    taken = {True: 0, False: 0}
    for piece in pieces:
        integer, index, size = piece.reg is RegClass.INT, piece.index, piece.size
        if not 0 <= index < (int_regs if integer else float_regs) or size not in (INT_SIZES if integer else FLOAT_SIZES):
            raise EncodeError(f"no {piece.reg.value} register {index} of {size} bytes")
        if piece.offset < 0 or piece.offset % size:
            raise EncodeError(f"{piece.reg.value} register {index}: {size} bytes at offset {piece.offset}")
        if taken[integer] >> index & 1:
            raise EncodeError(f"{piece.reg.value} register {index} is named twice")
        taken[integer] |= 1 << index


def check_area(pieces: Sequence[Piece], area: int, area_map: Sequence[bool]) -> None:
    """Raises EncodeError unless the map covers the area exactly, the pieces are in it, and one of them writes every pointer word:
    the collector would follow the garbage in an unwritten word."""
    if area < 0 or len(area_map) != (area + WORD - 1) // WORD:
        raise EncodeError(f"a pointer map of {len(area_map)} words for an area of {area} bytes")
    if any(piece.offset + piece.size > area for piece in pieces):
        raise EncodeError(f"a register outside the area of {area} bytes")
    written = {piece.offset for piece in pieces if piece.reg is RegClass.INT and piece.size == WORD}
    for word, pointer in enumerate(area_map):
        if pointer and WORD * word not in written:
            raise EncodeError(f"the pointer at byte {WORD * word} of the area comes from no register")


def check_exit_frame(frame: int, spec: ExitSpec) -> None:
    """Raises EncodeError for an exit stub's frame for which the body's stack check left no room.

    The linker adds up chains of functions without a check from StackSmall bytes below the guard (cmd/link/internal/ld/stackcheck.go).
    A check for a frame of n bytes promises that SP - max(n, StackSmall) is not below that (cmd/internal/obj, stacksplit).
    """
    room = max(STACK_SMALL, spec.body_frame, spec.checked)
    if frame > room and not spec.unchecked:
        raise EncodeError(f"results of {spec.area} bytes need a frame of {frame} bytes at the exit, where {room} are sure to be free")


def check_stack_results(stack_results: Sequence[tuple[int, int]]) -> None:
    """Raises EncodeError for (offset, size) pairs that are not whole words."""
    for offset, size in stack_results:
        if offset < 0 or size < 0 or offset % WORD or size % WORD:
            raise EncodeError(f"stack results of {size} bytes at offset {offset}")


def check_filter(spec: ScopeFilter, int_regs: int) -> None:
    """Raises EncodeError for a mark of other than one or two bytes, for a filter with both conditions (there are not registers enough),
    and for what is no argument register."""
    if spec.sends is not None and not 0 <= spec.sends < int_regs:
        raise EncodeError(f"no integer register {spec.sends}")
    if spec.mark and (spec.inherited or spec.mark[1] not in (1, 2)):
        raise EncodeError(f"a mark of {spec.mark[1]} bytes, inherited={spec.inherited}")


def check_thunk(spec: ThunkSpec, int_regs: int, float_regs: int) -> None:
    """Raises EncodeError unless the loads fill argument registers after those of the hook context, each once, and the copies stay in the
    hook's args area. Offsets of loads count from anywhere, so they need no alignment."""
    registers = [Piece(load.dst.reg, load.dst.index, load.dst.size, 0) for load in spec.loads]
    check_pieces(registers, int_regs, float_regs)
    if any((load.dst.reg is RegClass.INT and load.dst.index < HOOK_CONTEXT_REGISTERS) or load.dst.offset < 0 for load in spec.loads):
        raise EncodeError("a load into the registers of the hook context, or from in front of its base")
    for copy in spec.copies:
        if min(copy.offset, copy.to, copy.size) < 0 or copy.to + copy.size > spec.hook_args:
            raise EncodeError(f"a copy of {copy.size} bytes to offset {copy.to} of a hook's {spec.hook_args} bytes of arguments")


def check_gate(spec: GateSpec) -> None:
    """Raises EncodeError for a gate without signals, and for numbers of which gates cannot be made."""
    if not spec.signals or min(spec.signals) < 1 or max(spec.signals) > MAX_SIGNAL:
        raise EncodeError(f"a gate for signals {spec.signals}")
    if not all(0 <= number < 1 << 16 for number in (spec.getpid, spec.wake, spec.operation)):
        raise EncodeError(f"a gate with system calls {spec.getpid} and {spec.wake}, operation {spec.operation}: 16 bits fit")
