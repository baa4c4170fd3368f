"""Which register or stack slot each parameter and result of a Go function lives in: ABIInternal.

The algorithm of cmd/compile/internal/abi/abiutils.go (ABIAnalyzeFuncType) and cmd/compile/abi-internal.md, the same from
Go 1.22 to 1.27. Offsets in the args area count from its first stack-assigned argument. Layout of that area: stack-assigned
parameters, stack-assigned results (from a word boundary), spill area of the register-assigned parameters (from a word
boundary). Register-assigned results have no home in the ABI; here they get one, in the results area, laid out one after the
other as a struct would be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from objinst.types.model import GoType, Kind
from trampolines.arch import traits
from trampolines.contract import Piece, RegClass

WORD = 8
_FLOATS = {Kind.FLOAT32: (4,), Kind.FLOAT64: (8,), Kind.COMPLEX64: (4, 4), Kind.COMPLEX128: (8, 8)}
_WORDS = {Kind.STRING: 2, Kind.SLICE: 3, Kind.INTERFACE: 2}


@dataclass(frozen=True, slots=True)
class Assigned:
    """Where a value lives. offset: of its home, in the args area (in_args: every parameter, and stack-assigned results) or in
    the results area. pieces: its registers, with offsets in the same area; empty if it is passed on the stack."""

    type: GoType
    offset: int
    in_args: bool
    pieces: tuple[Piece, ...] = ()

    def place(self, goarch: str) -> str:
        """For people: `AX BX`, or `16(args)` for bytes from the first stack-assigned argument; `nowhere` for a value without bytes."""
        if self.pieces:
            return " ".join(traits(goarch).register(piece.reg, piece.index) for piece in self.pieces)
        return f"{self.offset}(args)" if self.type.size else "nowhere"


@dataclass(frozen=True, slots=True)
class FuncABI:
    """A signature's layout. Sizes in bytes; maps have one bool a word.

    args_size: of the whole args area, equal to FuncInfo.Args. stack_results: (offset, size) of the part that holds
    stack-assigned results, empty if there is none. results_size: of the results area, a multiple of 8.
    """

    goarch: str
    params: tuple[Assigned, ...]
    results: tuple[Assigned, ...]
    args_size: int
    stack_results: tuple[tuple[int, int], ...]
    spill_offset: int
    spill_size: int
    results_size: int

    @property
    def stack_args_size(self) -> int:
        """Of the stack-assigned parameters and results, without the spill area."""
        return self.spill_offset

    @property
    def spills(self) -> tuple[Piece, ...]:
        """Registers of all parameters, offsets in the args area: what the code before morestack stores."""
        return tuple(piece for value in self.params for piece in value.pieces)

    @property
    def result_pieces(self) -> tuple[Piece, ...]:
        """Registers of all results, offsets in the results area."""
        return tuple(piece for value in self.results for piece in value.pieces)

    @property
    def args_map(self) -> tuple[bool, ...]:
        """Pointer words of all parameters, stack-assigned and spilled, over the whole args area; no result."""
        return _pointer_map(self.args_size, self.params)

    @property
    def exit_args_map(self) -> tuple[bool, ...]:
        """Pointer words of the stack-assigned results over the whole args area."""
        return _pointer_map(self.args_size, (value for value in self.results if value.in_args))

    @property
    def results_map(self) -> tuple[bool, ...]:
        """Pointer words of the results area."""
        return _pointer_map(self.results_size, (value for value in self.results if not value.in_args))


def assign(goarch: str, params: Sequence[GoType], results: Sequence[GoType]) -> FuncABI:
    """params: receiver first, a hidden dictionary included. Raises ArchError for an architecture that is not known."""
    available = len(traits(goarch).int_args), len(traits(goarch).float_args)
    inputs = _State(*available)
    ins = [inputs.place(value) for value in params]
    start = _round(inputs.stack, WORD)
    outputs = _State(*available, stack=start)
    outs = [outputs.place(value) for value in results]
    spill_offset = _round(outputs.stack, WORD)
    spill_size = _round(inputs.home, WORD)
    return FuncABI(
        goarch,
        tuple(_assigned(value, place, spill_offset, in_args=True) for value, place in zip(params, ins, strict=True)),
        tuple(_assigned(value, place, 0, in_args=not place[1]) for value, place in zip(results, outs, strict=True)),
        spill_offset + spill_size,
        ((start, spill_offset - start),) if spill_offset > start else (),
        spill_offset,
        spill_size,
        _round(outputs.home, WORD),
    )


@dataclass(slots=True)
class _State:
    """Registers left and the next free bytes: of the stack, and of the home of register-assigned values."""

    ints: int
    floats: int
    stack: int = 0
    home: int = 0
    used_ints: int = 0
    used_floats: int = 0

    def place(self, value: GoType) -> tuple[int, tuple[Piece, ...]]:
        """Offset on the stack and no registers, or offset in the home and registers with offsets inside the value."""
        need = registers(value) if value.size else None
        if need is None or self.used_ints + need[0] > self.ints or self.used_floats + need[1] > self.floats:
            offset = _round(self.stack, value.align)
            self.stack = offset + value.size
            return offset, ()
        offset = _round(self.home, value.align)
        self.home = offset + value.size
        return offset, tuple(self._take(reg, size, at) for reg, size, at in _flatten(value, 0))

    def _take(self, reg: RegClass, size: int, at: int) -> Piece:
        if reg is RegClass.INT:
            self.used_ints += 1
            return Piece(reg, self.used_ints - 1, size, at)
        self.used_floats += 1
        return Piece(reg, self.used_floats - 1, size, at)


def registers(value: GoType) -> tuple[int, int] | None:
    """Integer and floating-point registers that a value takes; None: an array of two or more is in it, which goes on the
    stack (cmd/compile/internal/types/size.go, CalcArraySize: such an array counts 255, also inside a struct)."""
    if value.kind is Kind.ARRAY:
        if value.length == 0:
            return 0, 0
        return registers(value.array) if value.length == 1 and value.array is not None else None
    if value.kind is Kind.STRUCT:
        needs = [registers(item.type) for item in value.fields]
        if None in needs:
            return None
        ints, floats = (sum(need[i] for need in needs if need) for i in (0, 1))
        return (ints, floats) if max(ints, floats) < 255 else None
    if value.kind in _FLOATS:
        return 0, len(_FLOATS[value.kind])
    return _WORDS.get(value.kind, 1), 0


def _flatten(value: GoType, at: int) -> Iterable[tuple[RegClass, int, int]]:
    """(class, size, offset) of the registers of a register-assignable value, in order."""
    if value.kind is Kind.STRUCT:
        for item in value.fields:
            yield from _flatten(item.type, at + item.offset)
    elif value.kind is Kind.ARRAY:
        if value.array is not None and value.length:
            yield from _flatten(value.array, at)
    elif value.kind in _FLOATS:
        for size in _FLOATS[value.kind]:
            yield RegClass.FLOAT, size, at
            at += size
    elif value.kind in _WORDS:
        for i in range(_WORDS[value.kind]):
            yield RegClass.INT, WORD, at + i * WORD
    else:
        yield RegClass.INT, value.size, at


def _assigned(value: GoType, place: tuple[int, tuple[Piece, ...]], base: int, *, in_args: bool) -> Assigned:
    offset, pieces = place
    if not pieces:
        return Assigned(value, offset, in_args=True)
    home = base + offset
    return Assigned(value, home, in_args, tuple(Piece(p.reg, p.index, p.size, home + p.offset) for p in pieces))


def _pointer_map(size: int, values: Iterable[Assigned]) -> tuple[bool, ...]:
    words = [False] * (size // WORD)
    for value in values:
        for i, pointer in enumerate(value.type.ptr_words):
            if pointer:
                words[value.offset // WORD + i] = True
    return tuple(words)


def _round(value: int, align: int) -> int:
    return (value + align - 1) // align * align
