"""Type descriptors (`type:NAME` symbols) read: internal/abi/type.go, the layout that Go 1.22-1.27 share on 64-bit.

A descriptor's pointers are relocations. Descriptors of named types of other packages are referred to by index, so telling
their names needs the object of that package: `name_of`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from objinst.goobj.leb128 import read_unsigned
from objinst.goobj.object import Object
from objinst.goobj.records import TYPE_PREFIX, Reloc, SymRef
from objinst.types.model import Kind, Method

WORD = 8
KIND_MASK = 31
TFLAG_GC_MASK_ON_DEMAND = 1 << 4
KIND_GC_PROG = 1 << 6
HEAD = struct.Struct("<QQIBBBB")
GCDATA, TAIL, MIDDLE = 32, 48, 56
FIELD_SIZE, IMETHOD_SIZE = 24, 8
NAME_EMBEDDED, NAME_HAS_TAG, NAME_HAS_PKG = 8, 2, 4

MAX_SIZE = 1 << 25
"""Bytes of the largest type that is laid out; larger ones are not passed by value in practice, and damaged ones may claim any size."""

NameOf = Callable[[Object, SymRef], str]


@dataclass(frozen=True, slots=True)
class RawField:
    """A struct field as the descriptor has it. type: link name."""

    name: str
    type: str
    offset: int
    embedded: bool


@dataclass(frozen=True, slots=True)
class StructField:
    """As RawField. type: the descriptor of the field's type."""

    name: str
    type: SymRef
    offset: int
    embedded: bool


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A type descriptor. ptr_bytes: up to the end of the last pointer; ptr_words: None where the descriptor has no mask."""

    size: int
    ptr_bytes: int
    align: int
    kind: Kind
    ptr_words: tuple[bool, ...] | None
    elem: str
    key: str
    length: int
    fields: tuple[RawField, ...]
    methods: tuple[Method, ...]


def read(obj: Object, index: int, name_of: NameOf) -> Descriptor:
    """The descriptor at `index`. Raises ObjectError if it is damaged."""
    return _Reader(obj, index, name_of).read()


def read_struct(obj: Object, index: int) -> tuple[int, tuple[StructField, ...]]:
    """Size in bytes and fields of the struct type whose descriptor is at `index`. Raises ObjectError if it is damaged, or no struct's."""
    reader = _Reader(obj, index, lambda obj, ref: obj.resolve(ref).name)
    size, kind, _ = reader.head()
    if kind is not Kind.STRUCT:
        raise reader.error("it is not a struct")
    return size, tuple(reader.struct_fields())


class _Reader:
    def __init__(self, obj: Object, index: int, name_of: NameOf) -> None:
        self.object, self.index, self.name_of = obj, index, name_of
        self.data = bytes(obj.data(index))
        self.relocs = {reloc.off: reloc for reloc in obj.relocs(index) if reloc.size}
        self.own = obj.ref_of(index)

    def error(self, what: str) -> Exception:
        return self.object.error(f"type descriptor {self.index} {self.object.sym(self.index).name!r}: {what}")

    def head(self) -> tuple[int, Kind, tuple[int, int, int, int]]:
        """Size in bytes, kind; PtrBytes, TFlag, Align_ and Kind_ as they stand there."""
        if len(self.data) < TAIL:
            raise self.error(f"{len(self.data)} bytes")
        size, ptr_bytes, _hash, tflag, align, _field_align, raw_kind = HEAD.unpack_from(self.data)
        try:
            return size, Kind(raw_kind & KIND_MASK), (ptr_bytes, tflag, align, raw_kind)
        except ValueError as error:
            raise self.error(f"kind {raw_kind & KIND_MASK}") from error

    def read(self) -> Descriptor:
        size, kind, (ptr_bytes, tflag, align, raw_kind) = self.head()
        elem = key = ""
        length = 0
        if kind is Kind.MAP:
            key, elem = self.type_at(TAIL), self.type_at(MIDDLE)
        elif kind in {Kind.ARRAY, Kind.CHAN, Kind.POINTER, Kind.SLICE}:
            elem = self.type_at(TAIL)
            length = self.word(64) if kind is Kind.ARRAY else 0
        return Descriptor(
            size, ptr_bytes, align, kind, self.mask(size, ptr_bytes, tflag, raw_kind), elem, key, length,
            self.fields() if kind is Kind.STRUCT else (), self.methods() if kind is Kind.INTERFACE else (),
        )  # fmt: skip

    def mask(self, size: int, ptr_bytes: int, tflag: int, raw_kind: int) -> tuple[bool, ...] | None:
        if size > MAX_SIZE or ptr_bytes > size:
            return None
        words = (size + WORD - 1) // WORD
        if not ptr_bytes:
            return (False,) * words
        in_kind = self.object.tables.runtime.program_flag == "KindGCProg"
        program = raw_kind & KIND_GC_PROG if in_kind else tflag & TFLAG_GC_MASK_ON_DEMAND
        reloc = self.relocs.get(GCDATA)
        target = None if program or reloc is None else self.object.resolve(reloc.sym).index
        if target is None or target >= self.object.n_defs:
            return None
        bits = int.from_bytes(self.object.data(target), "little") & ((1 << ptr_bytes // WORD) - 1)
        return tuple(bool(bits >> i & 1) for i in range(words))

    def array_at(self, at: int, item: int) -> range:
        """Offsets of the items of a slice in the descriptor itself."""
        count = self.word(at + WORD)
        if not count:
            return range(0)
        reloc = self.relocs.get(at)
        if reloc is None or reloc.sym != self.own or not 0 <= reloc.add <= len(self.data) - count * item:
            raise self.error(f"its list of {count} items lies elsewhere")
        return range(reloc.add, reloc.add + count * item, item)

    def struct_fields(self) -> Iterator[StructField]:
        for at in self.array_at(MIDDLE, FIELD_SIZE):
            name, embedded, _ = self.name_at(at)
            yield StructField(name, self.reloc(at + WORD).sym, self.word(at + 2 * WORD), embedded)

    def fields(self) -> tuple[RawField, ...]:
        return tuple(RawField(field.name, self.type_name(field.type), field.offset, field.embedded) for field in self.struct_fields())

    def methods(self) -> tuple[Method, ...]:
        methods = []
        own_package = self.package_at(TAIL)
        for at in self.array_at(MIDDLE, IMETHOD_SIZE):
            name, _, package = self.name_at(at)
            exported = name[:1].isupper()
            methods.append(Method(name, "" if exported else package or own_package, self.type_at(at + 4)))
        return tuple(methods)

    def package_at(self, at: int) -> str:
        return self.name_at(at)[0] if at in self.relocs else ""

    def name_at(self, at: int) -> tuple[str, bool, str]:
        """abi.Name: the name, whether it is embedded, and the package of an unexported name."""
        target = self.target(at)
        data = bytes(target.object.data(target.index))
        if not data:
            raise self.error(f"empty name at {at}")
        text, end = _varint_text(data, 1)
        if data[0] & NAME_HAS_TAG:
            _, end = _varint_text(data, end)
        package = ""
        if data[0] & NAME_HAS_PKG:
            inner = {reloc.off: reloc for reloc in target.object.relocs(target.index) if reloc.size}.get(end)
            found = None if inner is None else target.object.resolve(inner.sym).index
            if found is not None and found < target.object.n_defs:
                package, _ = _varint_text(bytes(target.object.data(found)), 1)
        return text, bool(data[0] & NAME_EMBEDDED), package

    def target(self, at: int) -> _Reader:
        index = self.object.resolve(self.reloc(at).sym).index
        if index is None or index >= self.object.n_defs:
            raise self.error(f"the name at {at} is in another object")
        return _Reader(self.object, index, self.name_of)

    def type_at(self, at: int) -> str:
        return self.type_name(self.reloc(at).sym)

    def type_name(self, ref: SymRef) -> str:
        name = self.name_of(self.object, ref)
        if not name.startswith(TYPE_PREFIX):
            raise self.error(f"it refers to {name!r}, which is not a type")
        return name.removeprefix(TYPE_PREFIX)

    def reloc(self, at: int) -> Reloc:
        if at not in self.relocs:
            raise self.error(f"no relocation at offset {at}")
        return self.relocs[at]

    def word(self, at: int) -> int:
        if at + WORD > len(self.data):
            raise self.error(f"ends before offset {at + WORD}")
        return int(struct.unpack_from("<Q", self.data, at)[0])


def _varint_text(data: bytes, at: int) -> tuple[str, int]:
    """A length and that many bytes; and where they end."""
    length, at = read_unsigned(data, at)
    return data[at : at + length].decode("utf-8", "surrogateescape"), at + length
