"""Link names of types taken apart (cmd/compile/internal/types/fmt.go, tconv2 in mode fmtTypeID; Go 1.22-1.27).

The name of an unnamed type says how it is laid out, except for structs, whose names would have to be laid out again as the
compiler does; those come from their type descriptors. Named types say which package defines them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from objinst.types.model import GoType, Kind

WORD = 8
SHAPE_PREFIX = "go.shape."
ANY_POINTER = "go.shape.*uint8"
NOALG_PREFIX = "noalg."
INTERFACE_WORDS = (False, True)
"""The collector is not shown the first word: itabs and types are kept by others (cmd/compile/internal/typebits/typebits.go)."""

_NUMBERS = {
    "bool": (Kind.BOOL, 1), "int": (Kind.INT, 8), "int8": (Kind.INT8, 1), "int16": (Kind.INT16, 2), "int32": (Kind.INT32, 4),
    "int64": (Kind.INT64, 8), "uint": (Kind.UINT, 8), "uint8": (Kind.UINT8, 1), "uint16": (Kind.UINT16, 2), "uint32": (Kind.UINT32, 4),
    "uint64": (Kind.UINT64, 8), "uintptr": (Kind.UINTPTR, 8), "float32": (Kind.FLOAT32, 4), "float64": (Kind.FLOAT64, 8),
    "byte": (Kind.UINT8, 1), "rune": (Kind.INT32, 4),
}  # fmt: skip


def _basic() -> dict[str, GoType]:
    types = {name: GoType(name, kind, size, size, (False,)) for name, (kind, size) in _NUMBERS.items()}
    types["complex64"] = GoType("complex64", Kind.COMPLEX64, 8, 4, (False,))
    types["complex128"] = GoType("complex128", Kind.COMPLEX128, 16, 8, (False, False))
    types["string"] = GoType("string", Kind.STRING, 16, 8, (True, False))
    types["unsafe.Pointer"] = GoType("unsafe.Pointer", Kind.UNSAFE_POINTER, 8, 8, (True,))
    types["interface {}"] = types["any"] = GoType("interface {}", Kind.INTERFACE, 16, 8, INTERFACE_WORDS, methods=())
    return types


BASIC = _basic()


@dataclass(frozen=True, slots=True)
class TypeName:
    """A name taken apart. kind: None for a named type, whose kind only its descriptor tells. elem, key, length: as in GoType.
    package, generic: of a named type, its defining package (import path, unescaped) and whether it is an instance."""

    name: str
    kind: Kind | None
    elem: str = ""
    key: str = ""
    length: int = 0
    package: str = ""
    generic: bool = False


@lru_cache(maxsize=4096)
def parse(name: str) -> TypeName:
    """Raises ValueError for a text that is not a type name."""
    name = name.removeprefix(NOALG_PREFIX)
    if name in BASIC:
        return TypeName(name, BASIC[name].kind)
    if name.startswith("*"):
        return TypeName(name, Kind.POINTER, name[1:])
    if name.startswith("[]"):
        return TypeName(name, Kind.SLICE, name[2:])
    if match := re.match(r"\[(\d+)\](?=.)", name):
        return TypeName(name, Kind.ARRAY, name[match.end() :], length=int(match[1]))
    if name.startswith("map["):
        end = closing(name, 3)
        return TypeName(name, Kind.MAP, name[end + 1 :], key=name[4:end])
    for prefix in ("<-chan ", "chan<- ", "chan "):
        if name.startswith(prefix):
            elem = name.removeprefix(prefix)
            return TypeName(name, Kind.CHAN, elem[1:-1] if elem.startswith("(") else elem)
    for prefix, kind in (("func(", Kind.FUNC), ("interface {", Kind.INTERFACE), ("struct {", Kind.STRUCT)):
        if name.startswith(prefix):
            return TypeName(name, kind)
    return _named(name)


def _named(name: str) -> TypeName:
    head = name.split("[", 1)[0]
    generic = head != name
    if name in {"error", "comparable"}:
        return TypeName(name, Kind.INTERFACE)
    if name.startswith(SHAPE_PREFIX):
        return TypeName(name, None, package="", generic=True)
    slash = head.rfind("/") + 1
    dot = head.find(".", slash)
    if dot <= 0 or dot + 1 == len(head) or (generic and not name.endswith("]") and "·" not in name):
        raise ValueError(f"{name!r} is not a type name")
    return TypeName(name, None, package=unescape(head[:dot]), generic=generic)


def unescape(path: str) -> str:
    """An import path as link names spell it, unescaped (cmd/internal/objabi/path.go, PathToPrefix)."""
    raw = path.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), raw).decode("utf-8", "surrogateescape")


def escape(path: str) -> str:
    """The inverse of `unescape`: control characters, `%`, `"`, bytes above 0x7e and dots in the last element."""
    slash = path.rfind("/")
    raw = path.encode("utf-8", "surrogateescape")
    start = len(path[: slash + 1].encode("utf-8", "surrogateescape"))
    out = bytearray()
    for at, byte in enumerate(raw):
        if byte <= 0x20 or (byte == 0x2E and at >= start) or byte in b'%"' or byte >= 0x7F:
            out += b"%%%02x" % byte
        else:
            out.append(byte)
    return out.decode("ascii")


def closing(text: str, start: int) -> int:
    """Index of the bracket that closes the one at `start`; skips struct tags. Raises ValueError."""
    depth, at = 0, start
    while at < len(text):
        char = text[at]
        if char in "[({":
            depth += 1
        elif char in "])}":
            depth -= 1
            if depth == 0:
                return at
        elif char == '"':
            at += 1
            while at < len(text) and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
        at += 1
    raise ValueError(f"{text!r} is not a type name: bracket {start} is open")


def unshaped(name: str) -> str:
    """The type that a hook can name for one in an instance of a generic function: `go.shape.int` stands for int and for every type like
    it, `go.shape.*uint8` for any pointer (cmd/compile/internal/noder/reader.go, shapify)."""
    return name.replace(ANY_POINTER, "unsafe.Pointer").replace(SHAPE_PREFIX, "")


def split(text: str, separator: str) -> list[str]:
    """The parts of a text between separators outside of brackets and struct tags. Raises ValueError."""
    parts, last, at = [], 0, 0
    while at < len(text):
        if text[at] in "[({":
            at = closing(text, at)
        elif text[at] == '"':
            at = _behind_quote(text, at) - 1
        elif text.startswith(separator, at):
            parts.append(text[last:at])
            at += len(separator) - 1
            last = at + 1
        at += 1
    return [*parts, text[last:]]


def _behind_quote(text: str, at: int) -> int:
    end = at + 1
    while end < len(text) and text[end] != '"':
        end += 2 if text[end] == "\\" else 1
    return end + 1


def type_arguments(name: str) -> list[str]:
    """The arguments of an instance's name: `Pair[int,net/http.Header]` gives both."""
    start = name.find("[")
    return [] if start < 0 else split(name[start + 1 : closing(name, start)], ",")


def function(name: str) -> tuple[list[str], list[str]]:
    """Parameters and results of a function type's name, `...T` as `[]T`. Raises ValueError for any other name."""
    if not name.startswith("func("):
        raise ValueError(f"{name!r} is not a function type")
    end = closing(name, 4)
    rest = name[end + 1 :].removeprefix(" ")
    params = split(name[5:end], ", ") if end > 5 else []
    if params and params[-1].startswith("..."):
        params[-1] = "[]" + params[-1].removeprefix("...")
    if not rest.startswith("("):
        return params, [rest] if rest else []
    return params, split(rest[1 : closing(rest, 0)], ", ")


def fields(name: str) -> list[tuple[str, str, bool]]:
    """(name, type, embedded) of the fields in a struct type's name: `struct { A int; p.b string "tag"; net/http.Header; C = int }`.

    Raises ValueError for any other name.
    """
    if not name.startswith("struct {"):
        raise ValueError(f"{name!r} is not a struct type")
    inside = name[8 : closing(name, 7)].strip(" ")
    return [_field(item) for item in split(inside, "; ")] if inside else []


def _field(text: str) -> tuple[str, str, bool]:
    words = split(text, " ")
    if words[-1].startswith('"') and len(words) > 1:
        words.pop()
    if len(words) == 1:
        bare = words[0].removeprefix("*").split("[", 1)[0]
        return bare.rpartition(".")[2], words[0], True
    name = words[0].rpartition(".")[2]
    if words[1] == "=":
        return name, " ".join(words[2:]), True
    return name, " ".join(words[1:]), False
