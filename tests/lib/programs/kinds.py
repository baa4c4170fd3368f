"""Types of a random program. A named type is written `p1.S0` everywhere; the package itself drops its own prefix when it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

SIGNED = ("int", "int8", "int16", "int32", "int64")
UNSIGNED = ("uint", "uint8", "uint16", "uint32", "uint64", "uintptr")


@dataclass(frozen=True)
class Type:
    """kind: int, float, complex, string, bool, slice, array, struct, pointer, map, func, iface, any, error, chan, param.

    of: the element; of a struct its fields, of a function parameters and results. names: of fields; of a type parameter its
    constraint. count: the length of an array, how many of a function's `of` are parameters. embedded: fields without a name of their own.
    """

    source: str
    kind: str
    of: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()
    count: int = 0
    embedded: frozenset[str] = frozenset()

    @property
    def params(self) -> tuple[Type, ...]:
        return self.of[: self.count]

    @property
    def results(self) -> tuple[Type, ...]:
        return self.of[self.count :]

    @property
    def integral(self) -> bool:
        return self.kind == "int" or (self.kind == "param" and self.names == ("sup.Integer",))

    @property
    def flat(self) -> bool:
        """Whether its values share nothing, so that another goroutine may have a copy."""
        return self.kind in {"int", "float", "complex", "string", "bool"} or (self.kind in {"array", "struct"} and all(kind.flat for kind in self.of))

    @property
    def comparable(self) -> bool:
        return self.kind in {"int", "float", "complex", "string", "bool"} or (self.kind in {"array", "struct"} and all(kind.comparable for kind in self.of))

    @property
    def generic(self) -> bool:
        return self.kind == "param" or any(kind.generic for kind in self.of)


INT = Type("int", "int")
STRING = Type("string", "string")
BOOL = Type("bool", "bool")
FLOAT = Type("float64", "float")
ANY = Type("any", "any")
ERROR = Type("error", "error")
TASK = Type("*sup.T", "task")
SCALARS = (
    *(Type(name, "int") for name in (*SIGNED, *UNSIGNED)),
    Type("float32", "float"),
    FLOAT,
    Type("complex64", "complex"),
    Type("complex128", "complex"),
    STRING,
    BOOL,
)
BYTE = Type("uint8", "int")


def slice_of(kind: Type) -> Type:
    return Type(f"[]{kind.source}", "slice", (kind,))


def array_of(count: int, kind: Type) -> Type:
    return Type(f"[{count}]{kind.source}", "array", (kind,), count=count)


def pointer_to(kind: Type) -> Type:
    return Type(f"*{kind.source}", "pointer", (kind,))


def map_of(key: Type, kind: Type) -> Type:
    return Type(f"map[{key.source}]{kind.source}", "map", (key, kind))


def chan_of(kind: Type) -> Type:
    return Type(f"chan {kind.source}", "chan", (kind,))


def func_of(params: tuple[Type, ...], results: tuple[Type, ...]) -> Type:
    taken, given = ", ".join(kind.source for kind in params), ", ".join(kind.source for kind in results)
    return Type(f"func({taken}) {f'({given})' if len(results) != 1 else given}".rstrip() if results else f"func({taken})", "func", (*params, *results), count=len(params))


def struct_of(name: str, fields: tuple[tuple[str, Type], ...], embedded: frozenset[str] = frozenset()) -> Type:
    return Type(name, "struct", tuple(kind for _, kind in fields), tuple(field for field, _ in fields), embedded=embedded)


def substitute(kind: Type, given: dict[str, Type]) -> Type:
    """A type with its parameters replaced."""
    if kind.kind == "param":
        return given.get(kind.source, kind)
    if not kind.generic:
        return kind
    source = re.sub(r"\bT[AB]\b", lambda found: given[found[0]].source if found[0] in given else found[0], kind.source)
    return replace(kind, source=source, of=tuple(substitute(each, given) for each in kind.of))
