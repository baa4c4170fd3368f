"""Static Go data by field name: the linker's side of the structs that `hooks/rt` declares.

The layout has one home, the Go source: field offsets are read from the struct's type descriptor in the archive
(internal/abi/type.go, StructType, Go 1.22-1.27). One StaticData is one symbol; strings, arrays and nested structs lie
behind its first struct and are reached by relocations to the symbol itself.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from objinst.errors import ObjectError
from objinst.goobj import Edit, Object, Reloc, SymRef
from objinst.goobj.leb128 import read_unsigned

WORD = 8
STRUCT_FIELDS = 56
"""Offset of StructType.Fields (a slice) behind abi.Type (48 bytes) and PkgPath (8)."""
R_WEAK = 0x8000
LARGEST = 1 << 16
"""Bytes: far more than any of these structs takes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A struct type. size: bytes; fields: name -> offset in bytes; types: name -> descriptor."""

    name: str
    size: int
    fields: Mapping[str, int]
    types: Mapping[str, SymRef] = field(default_factory=dict)


def layout(obj: Object, type_name: str) -> Layout:
    """Reads `type:NAME`. Raises ObjectError if it is not a struct's descriptor, or one that cannot be."""
    index = obj.find(f"type:{type_name}")
    if index is None:
        raise ObjectError(f"{obj.origin}: no type descriptor of {type_name}", "the hook package is of another otelobj version")
    data = obj.data(index)
    pointers = {reloc.off: reloc for reloc in obj.relocs(index) if reloc.size == WORD}
    (size,) = struct.unpack_from("<Q", data)
    (count,) = struct.unpack_from("<Q", data, STRUCT_FIELDS + WORD)
    start = pointers[STRUCT_FIELDS].add
    fields, types = {}, {}
    for at in range(start, start + 24 * count, 24):
        name = obj.resolve(pointers[at].sym).index
        if name is None:
            raise ObjectError(f"{obj.origin}: field name of {type_name} lies elsewhere")
        field_name = _name(bytes(obj.data(name)))
        fields[field_name] = struct.unpack_from("<Q", data, at + 16)[0]
        types[field_name] = pointers[at + WORD].sym
    if size > LARGEST or any(offset >= size for offset in fields.values()):
        raise ObjectError(f"{obj.origin}: {type_name} has {size} bytes, and fields at {sorted(fields.values())}")
    return Layout(type_name, size, fields, types)


def sizes(obj: Object, kind: Layout) -> list[tuple[int, int]]:
    """Offset and size of each field in bytes. Raises ObjectError if the descriptor of a field's type lies in another object."""
    found = []
    for name, ref in kind.types.items():
        target = obj.resolve(ref)
        if target.name.startswith("type:*"):
            size = WORD
        elif target.index is not None and len(data := obj.data(target.index)) >= WORD:
            (size,) = struct.unpack_from("<Q", data)
        else:
            raise ObjectError(f"{obj.origin}: the type of {kind.name}.{name} lies elsewhere")
        found.append((kind.fields[name], size))
    return found


def _name(data: bytes) -> str:
    """abi.Name: flags, varint length, bytes."""
    length, at = read_unsigned(data, 1)
    return data[at : at + length].decode()


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
        """Writes a struct's fields. Raises KeyError for a field that the struct does not have."""
        for name, value in fields.items():
            where = at + kind.fields[name]
            if isinstance(value, int):
                size = 4 if self._narrow(kind, name) else 8
                self.data[where : where + size] = value.to_bytes(size, "little")
            elif isinstance(value, str):
                self.string(where, value)
            elif isinstance(value, Address):
                self.pointers.append((where, value))
            elif isinstance(value, Slice) and value.count:
                self.pointers.append((where, Address(value.ref, value.at)))
                struct.pack_into("<QQ", self.data, where + WORD, value.count, value.count)

    @staticmethod
    def _narrow(kind: Layout, name: str) -> bool:
        """A field of four bytes: the next one begins, or the struct ends, behind it."""
        ends = sorted([*kind.fields.values(), kind.size])
        return ends[ends.index(kind.fields[name]) + 1] - kind.fields[name] == 4

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
