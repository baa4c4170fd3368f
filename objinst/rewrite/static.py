"""Static Go data by field name: the linker's side of the structs that `hooks/rt` declares.

The layout has one home, the Go source: field offsets are read from the struct's type descriptor in the archive (objinst.types.descriptors). One
StaticData is one symbol; strings, arrays and nested structs follow its first struct and are reached by relocations to the symbol itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from objinst.errors import ObjectError
from objinst.goobj import R_WEAK, STATIC_ABI, TYPE_PREFIX, Edit, Object, Reloc, SymRef
from objinst.types.descriptors import read_struct

WORD = 8
REMEDY = "rebuild the packages (go clean -cache); if that does not help, reinstall otelobj: hooks/rt may be of another version"
LARGEST = 1 << 16
"""Bytes: far more than any of these structs takes."""


class Fields(dict[str, int]):
    """Name -> offset in bytes, of a struct that was read. A request for another field means another struct: ObjectError."""

    def __init__(self, found: Mapping[str, int] | Iterable[tuple[str, int]], struct_name: str = "a struct") -> None:
        super().__init__(found)
        self.struct_name = struct_name

    def __missing__(self, name: str) -> int:
        raise ObjectError(f"{self.struct_name} has no field {name}, but {', '.join(self)}", REMEDY)


@dataclass(frozen=True, slots=True)
class Layout:
    """A struct type. size: bytes; fields: name -> offset in bytes; types: name -> descriptor."""

    name: str
    size: int
    fields: Mapping[str, int]
    types: Mapping[str, SymRef] = field(default_factory=dict)


def layout(obj: Object, type_name: str) -> Layout:
    """Reads `type:NAME`. Raises ObjectError if it is not a struct's descriptor, or an invalid one."""
    index = obj.find(f"{TYPE_PREFIX}{type_name}")
    if index is None:
        raise ObjectError(f"{obj.origin}: no type descriptor of {type_name}", "the hook package is of another otelobj version")
    size, found = read_struct(obj, index)
    fields = {one.name: one.offset for one in found}
    if size > LARGEST or any(offset >= size for offset in fields.values()):
        raise ObjectError(f"{obj.origin}: {type_name} has {size} bytes, and fields at {sorted(fields.values())}", REMEDY)
    return Layout(type_name, size, Fields(fields, f"{obj.origin}: {type_name}"), {one.name: one.type for one in found})


def sizes(obj: Object, kind: Layout) -> list[tuple[int, int]]:
    """Offset and size of each field in bytes. Raises ObjectError if the descriptor of a field's type is in another object."""
    found = []
    for name, ref in kind.types.items():
        target = obj.resolve(ref)
        if target.name.startswith(f"{TYPE_PREFIX}*"):
            size = WORD
        elif target.index is not None and len(data := obj.data(target.index)) >= WORD:
            (size,) = struct.unpack_from("<Q", data)
        else:
            raise ObjectError(f"{obj.origin}: the type of {kind.name}.{name} is in another object")
        found.append((kind.fields[name], size))
    return found


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a symbol plus an offset. ref None: the static data itself. weak: does not keep the symbol in the program; where the linker
    drops it, the address is that of runtime.unreachableMethod."""

    ref: SymRef | None
    offset: int = 0
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice header: start and element count; in this static data, or in the symbol `ref`."""

    at: int
    count: int
    ref: SymRef | None = None


Field = int | str | Address | Slice | None
SIZES = {str: 2 * WORD, Slice: 3 * WORD, type(None): 0}
"""Bytes of what is no word."""


@dataclass(slots=True)
class StaticData:
    """One symbol's bytes under construction."""

    data: bytearray = field(default_factory=bytearray)
    pointers: list[tuple[int, Address]] = field(default_factory=list)

    def reserve(self, size: int) -> int:
        """Zeroed bytes at the end, word-aligned; returns their offset."""
        at = (len(self.data) + WORD - 1) & ~(WORD - 1)
        self.data += bytes(at + size - len(self.data))
        return at

    def put(self, at: int, kind: Layout, **fields: Field) -> None:
        """Writes a struct's fields. Raises ObjectError for a field that the struct does not have, or that the value does not fit into."""
        for name, value in fields.items():
            where, room = at + kind.fields[name], self._room(kind, name)
            size = SIZES.get(type(value), 4 if room == 4 else WORD)
            if room < size or (isinstance(value, int) and value >> 8 * size):
                raise ObjectError(f"{kind.name}.{name} has {room} bytes, too few for {value!r}", REMEDY)
            if isinstance(value, int):
                self.data[where : where + size] = value.to_bytes(size, "little")
            elif isinstance(value, str):
                self.string(where, value)
            elif isinstance(value, Address):
                self.pointers.append((where, value))
            elif isinstance(value, Slice) and value.count:
                self.pointers.append((where, Address(value.ref, value.at)))
                struct.pack_into("<QQ", self.data, where + WORD, value.count, value.count)

    @staticmethod
    def _room(kind: Layout, name: str) -> int:
        """Bytes of a field: up to where the next one begins, or the struct ends."""
        at = kind.fields[name]
        return min(end for end in (*kind.fields.values(), kind.size) if end > at) - at

    def string(self, where: int, text: str) -> None:
        encoded = text.encode("utf-8", "surrogateescape")
        if encoded:
            start = len(self.data)
            self.data += encoded
            self.pointers.append((where, Address(None, start)))
            struct.pack_into("<Q", self.data, where + WORD, len(encoded))

    def words(self, values: Sequence[Address | int]) -> int:
        """An array of 8-byte words; returns its offset."""
        at = self.reserve(WORD * len(values))
        for i, value in enumerate(values):
            if isinstance(value, Address):
                self.pointers.append((at + WORD * i, value))
            else:
                struct.pack_into("<Q", self.data, at + WORD * i, value)
        return at

    def int32s(self, values: Sequence[int]) -> Slice:
        at = self.reserve(4 * len(values))
        struct.pack_into(f"<{len(values)}i", self.data, at, *values)
        return Slice(at, len(values))

    def strings(self, values: Sequence[str]) -> Slice:
        """An array of strings."""
        at = self.reserve(2 * WORD * len(values))
        for i, value in enumerate(values):
            self.string(at + 2 * WORD * i, value)
        return Slice(at, len(values))

    def relocs(self, edit: Edit, own: SymRef) -> list[Reloc]:
        addr = edit.tables.relocs["R_ADDR"]
        return [
            Reloc(at, WORD, addr | (R_WEAK if to.weak else 0), to.offset, own if to.ref is None else to.ref)
            for at, to in sorted(self.pointers, key=lambda pointer: pointer[0])
        ]

    def add_to(self, edit: Edit, name: str, abi: int) -> SymRef:
        """Appends the symbol, as data that the collector does not scan: nothing in it points to the heap."""
        own = edit.add_def(name, abi, edit.tables.kinds["SNOPTRDATA"], align=WORD)
        edit.fill(own, data=bytes(self.data), relocs=self.relocs(edit, own))
        return own


def dropped(edit: Edit) -> Address:
    """The value of a weak address whose symbol the linker has dropped, obtained from a symbol that is always dropped because nothing else refers to it.
    The linker writes the address of runtime.unreachableMethod, and in a position-independent program the load address is not added
    (cmd/link/internal/ld/data.go, relocsym and dynrelocsym, Go 1.22-1.27)."""
    return Address(edit.add_def("otelobj.dropped", STATIC_ABI, edit.tables.kinds["SRODATA"], data=bytes(WORD)), weak=True)
