"""Static Go data by field name: a struct's bytes, and the addresses that the linker has to fill in.

The layout has one home, the Go source; every field must be given and every given name must be a field, so that a struct
declared differently from what the writer expects is noticed here and not at run time.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from objinst.errors import ObjectError
from objinst.types.model import GoType, Kind

WORD = 8
REMEDY = "the hook packages are of another otelobj version than this one"
SIGNED = {Kind.INT, Kind.INT8, Kind.INT16, Kind.INT32, Kind.INT64}
UNSIGNED = {Kind.UINT, Kind.UINT8, Kind.UINT16, Kind.UINT32, Kind.UINT64, Kind.UINTPTR}
POINTERS = {Kind.POINTER, Kind.UNSAFE_POINTER, Kind.FUNC, Kind.MAP, Kind.CHAN}


@dataclass(frozen=True, slots=True)
class Ref:
    """The address of something that the caller knows by a token, plus an addend in bytes."""

    token: Hashable
    addend: int = 0
    weak: bool = False


@dataclass(frozen=True, slots=True)
class StringRef:
    """A string header. length: bytes; data may be None if it is 0."""

    data: Ref | None
    length: int


@dataclass(frozen=True, slots=True)
class SliceRef:
    """A slice header with capacity = length. length: elements."""

    data: Ref | None
    length: int


@dataclass(frozen=True, slots=True)
class InterfaceRef:
    """An interface value. tab: its type or itab; data: a pointer to the value, or the value if it is a pointer."""

    tab: Ref
    data: Ref | None


Value = int | bytes | Ref | StringRef | SliceRef | InterfaceRef | None | Mapping[str, "Value"] | Sequence["Value"]


def write(kind: GoType, value: Value) -> tuple[bytes, list[tuple[int, Ref]]]:
    """The bytes of a value of this type, and (offset, address) pairs in ascending order. None is the zero value.

    A struct takes a mapping with all its fields (blank ones may be left out), an array a sequence of all its elements, bytes
    fit any type of their size. Raises ObjectError where value and type do not fit.
    """
    data = bytearray(kind.size)
    refs: list[tuple[int, Ref]] = []
    _put(data, refs, 0, kind, value, kind.name)
    return bytes(data), sorted(refs, key=lambda item: item[0])


def _put(data: bytearray, refs: list[tuple[int, Ref]], at: int, kind: GoType, value: Value, path: str) -> None:
    if value is None:
        return
    if isinstance(value, bytes):
        if len(value) != kind.size:
            raise _misfit(path, kind, f"{len(value)} bytes")
        data[at : at + kind.size] = value
    elif isinstance(value, Mapping):
        _put_struct(data, refs, at, kind, value, path)
    elif isinstance(value, int):
        data[at : at + kind.size] = _integer(kind, value, path)
    elif isinstance(value, Sequence):
        if kind.kind is not Kind.ARRAY or kind.array is None or len(value) != kind.length:
            raise _misfit(path, kind, f"{len(value)} elements")
        for i, item in enumerate(value):
            _put(data, refs, at + i * kind.array.size, kind.array, item, f"{path}[{i}]")
    else:
        _put_header(data, refs, at, kind, value, path)


def _put_struct(data: bytearray, refs: list[tuple[int, Ref]], at: int, kind: GoType, value: Mapping[str, Value], path: str) -> None:
    if kind.kind is not Kind.STRUCT:
        raise _misfit(path, kind, "fields")
    fields = {item.name: item for item in kind.fields if item.name != "_"}
    if unknown := value.keys() - fields.keys():
        raise ObjectError(f"{path} has no field {', '.join(sorted(unknown))}", REMEDY)
    if missing := fields.keys() - value.keys():
        raise ObjectError(f"{path} has a field {', '.join(sorted(missing))} that is not known here", REMEDY)
    for name, item in value.items():
        _put(data, refs, at + fields[name].offset, fields[name].type, item, f"{path}.{name}")


def _put_header(data: bytearray, refs: list[tuple[int, Ref]], at: int, kind: GoType, value: Ref | StringRef | SliceRef | InterfaceRef, path: str) -> None:
    words: tuple[Ref | int | None, ...]
    if isinstance(value, Ref) and (kind.kind in POINTERS or kind.kind is Kind.UINTPTR):
        words = (value,)
    elif isinstance(value, StringRef) and kind.kind is Kind.STRING:
        words = (value.data, value.length)
    elif isinstance(value, SliceRef) and kind.kind is Kind.SLICE:
        words = (value.data, value.length, value.length)
    elif isinstance(value, InterfaceRef) and kind.kind is Kind.INTERFACE:
        words = (value.tab, value.data)
    else:
        raise _misfit(path, kind, f"a {type(value).__name__}")
    if isinstance(value, StringRef | SliceRef) and value.length and value.data is None:
        raise _misfit(path, kind, f"{value.length} elements without data")
    for i, word in enumerate(words):
        if isinstance(word, Ref):
            refs.append((at + i * WORD, word))
        else:
            data[at + i * WORD : at + (i + 1) * WORD] = (word or 0).to_bytes(WORD, "little")


def _integer(kind: GoType, value: int, path: str) -> bytes:
    if kind.kind not in SIGNED | UNSIGNED | {Kind.BOOL} or (kind.kind is Kind.BOOL and value not in {0, 1}):
        raise _misfit(path, kind, f"the number {value}")
    try:
        return value.to_bytes(kind.size, "little", signed=kind.kind in SIGNED)
    except OverflowError as error:
        raise _misfit(path, kind, f"the number {value}") from error


def _misfit(path: str, kind: GoType, what: str) -> ObjectError:
    return ObjectError(f"{path} is a {kind.name} of {kind.size} bytes: {what} do not fit", REMEDY)
