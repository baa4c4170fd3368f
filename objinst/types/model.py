"""Go types and signatures as values: definitions only.

Names are link names (cmd/compile/internal/types/fmt.go, LinkString): packages by their full, escaped path, such as
`*net/http.Request` or `gopkg.in/yaml%2ev3.Node`. Kinds are the numbers of internal/abi.Kind, the same from Go 1.22 to 1.27.
Sizes, alignments and offsets are bytes of a 64-bit architecture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """internal/abi.Kind."""

    BOOL = 1
    INT = 2
    INT8 = 3
    INT16 = 4
    INT32 = 5
    INT64 = 6
    UINT = 7
    UINT8 = 8
    UINT16 = 9
    UINT32 = 10
    UINT64 = 11
    UINTPTR = 12
    FLOAT32 = 13
    FLOAT64 = 14
    COMPLEX64 = 15
    COMPLEX128 = 16
    ARRAY = 17
    CHAN = 18
    FUNC = 19
    INTERFACE = 20
    MAP = 21
    POINTER = 22
    SLICE = 23
    STRING = 24
    STRUCT = 25
    UNSAFE_POINTER = 26


@dataclass(frozen=True, slots=True)
class Field:
    """A struct field. name: "_" if blank."""

    name: str
    type: GoType
    offset: int
    embedded: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method of an interface. package: of an unexported name, "" for an exported one; type: link name of its func type."""

    name: str
    package: str
    type: str


@dataclass(frozen=True, slots=True)
class GoType:
    """A type's layout. ptr_words: one bool a word of `size`, rounded up.

    fields: of a struct. elem: link name of the element of a pointer, slice, array, channel or map; key: of a map; array: the
    element of an array as a type (its layout is part of the array's, elements of other kinds may be recursive); length: of an
    array. methods: of an interface, in itab order; None where only the name is known (both layouts have two words).
    """

    name: str
    kind: Kind
    size: int
    align: int
    ptr_words: tuple[bool, ...]
    fields: tuple[Field, ...] = ()
    elem: str = ""
    key: str = ""
    array: GoType | None = None
    length: int = 0
    methods: tuple[Method, ...] | None = None

    @property
    def flat(self) -> bool:
        """Holds no pointers."""
        return not any(self.ptr_words)

    @property
    def numbers(self) -> Iterator[int]:
        """Offsets of the uintptrs in it: each may be the address of something."""
        if self.kind is Kind.UINTPTR:
            yield 0
        elif self.array is not None and next(self.array.numbers, None) is not None:
            yield from (index * self.array.size + offset for index in range(self.length) for offset in self.array.numbers)
        for item in self.fields:
            yield from (item.offset + offset for offset in item.type.numbers)

    def field(self, name: str) -> Field:
        """Raises KeyError."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type whose layout cannot be told. reason: a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter or result. name: as the compiler has it, `~p1` and `~r0` for unnamed or blank ones, `.dict` for the hidden
    dictionary of a function compiled for a shape; type: link name."""

    name: str
    type: str

    @property
    def hidden(self) -> bool:
        return self.name.startswith(".")


@dataclass(frozen=True, slots=True)
class Signature:
    """params: receiver first; a hidden dictionary where the compiler puts it. Results in order; incomplete: there may be more of them."""

    params: tuple[Param, ...]
    results: tuple[Param, ...]
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class NoSignature:
    """The object does not tell a function's parameters. reason: a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A signature with its types resolved."""

    signature: Signature
    params: tuple[GoType, ...]
    results: tuple[GoType, ...]
