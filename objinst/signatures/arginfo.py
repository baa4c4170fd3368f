"""What the compiler notes of a function's arguments for tracebacks: offset and size of every component, with the nesting of its type.

cmd/compile/internal/ssagen/ssa.go, EmitArgInfo, the same from Go 1.22 to 1.27. It tells a string from two words and one struct from
another, and is there without DWARF; it says nothing of results, and ends after a few components. The dictionary of a generic
function is left out: whatever is first, if the name has brackets.
"""

from __future__ import annotations

from collections.abc import Sequence

from objinst.types.abi import Assigned
from objinst.types.model import GoType, Kind

LIMIT, MAX_DEPTH = 10, 5
END, START_AGG, END_AGG, DOTS, TOO_LARGE, SPECIAL = 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0xF0
_WORDS = {Kind.STRING: 2, Kind.INTERFACE: 2, Kind.SLICE: 3}


def arg_info(symbol: str, params: Sequence[Assigned]) -> bytes:
    """FUNCDATA_ArgInfo as the compiler writes it for these parameters, receiver and dictionary included."""
    writer = _Writer()
    for value in params[1:] if "[" in symbol else params:
        if not writer.visit(value.type, value.offset, 0):
            break
    writer.out.append(END)
    return bytes(writer.out)


class _Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self.seen = 0

    def visit(self, kind: GoType | int, offset: int, depth: int) -> bool:
        """kind: a type, or the size of something without parts. False: no more fit."""
        if self.seen >= LIMIT:
            self.out.append(DOTS)
            return False
        parts = None if isinstance(kind, int) else _components(kind, offset)
        if parts is None:
            size = kind if isinstance(kind, int) else kind.size
            self.out.extend([TOO_LARGE] if offset >= SPECIAL else [offset, size])
            self.seen += 1
            return True
        self.out.append(START_AGG)
        if depth + 1 >= MAX_DEPTH:
            self.out.append(DOTS)
            self.seen += 1
        elif not parts:
            self.seen += 1
        for inner, at in parts if depth + 1 < MAX_DEPTH else ():
            if not self.visit(inner, at, depth + 1):
                break
        self.out.append(END_AGG)
        return True


def _components(kind: GoType, offset: int) -> list[tuple[GoType | int, int]] | None:
    """(type or size, offset) of the parts; None for a value that is shown whole."""
    if kind.kind in _WORDS:
        return [(8, offset + 8 * i) for i in range(_WORDS[kind.kind])]
    if kind.kind in {Kind.COMPLEX64, Kind.COMPLEX128}:
        return [(kind.size // 2, offset), (kind.size // 2, offset + kind.size // 2)]
    if kind.kind is Kind.ARRAY:
        # More than LIMIT elements are never written; a huge array must not be unrolled for that.
        return [(kind.array, offset + kind.array.size * i) for i in range(min(kind.length, LIMIT + 1))] if kind.array is not None else []
    if kind.kind is Kind.STRUCT:
        return [(item.type, offset + item.offset) for item in kind.fields]
    return None
