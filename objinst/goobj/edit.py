"""Edits on an object, and the writer that mirrors the reader.

Nothing is renumbered: new definitions are appended to SymbolDefs, new references to NonPkgRefs, new strings after the old
ones. Writing is in two phases: every block's size is reserved, then every block is emitted, and both must agree.
"""

from __future__ import annotations

import array
import hashlib
import itertools
import operator
from collections.abc import Sequence

from objinst.errors import ObjectError
from objinst.goobj.object import Object
from objinst.goobj.records import (
    AUTOLIB,
    AUX,
    HEADER,
    MAGIC,
    PKG_NONE,
    PKG_SELF,
    RELOC,
    STATIC_ABI,
    STRING_REF,
    SYM,
    Aux,
    Blk,
    Reloc,
    Sym,
    SymRef,
)  # fmt: skip

Raw = bytes | memoryview
"""Contents as an object holds them, for copies: records are decoded only where one of them changes."""


class _Def:
    """A definition that was added or changed; None: as it was. An added one has a sym."""

    __slots__ = ("aux", "data", "relocs", "sym")

    def __init__(self, sym: Sym | None, data: Raw | None, relocs: Sequence[Reloc] | Raw | None, aux: Sequence[Aux] | Raw | None) -> None:
        self.sym, self.data, self.relocs, self.aux = sym, data, relocs, aux


class Edit:
    """A set of changes to one object. `to_bytes` without any change gives the object's own bytes."""

    def __init__(self, obj: Object) -> None:
        self.object = obj
        self.tables = obj.tables
        self.added: list[_Def] = []
        self.changed: dict[int, _Def] = {}
        self.new_refs: list[Sym] = []
        self.new_autolib: list[tuple[str, bytes]] = []
        self.new_files: list[str] = []
        self.shared: dict[str, SymRef] = {}
        """Added definitions that many functions of the object use."""
        self._refs: dict[tuple[str, int], SymRef] = {}
        self._hashes: set[int] = set()
        self._copies: dict[int, int] = {}
        self._turned: dict[int, tuple[SymRef, SymRef]] = {}
        self._shared: dict[tuple[str, int, int, bytes], SymRef] = {}

    @property
    def dirty(self) -> bool:
        return bool(self.added or self.changed or self.new_refs or self.new_autolib or self.new_files)

    def ref_of(self, index: int) -> SymRef:
        return self.object.ref_of(index)

    def add_def(
        self, name: str, abi: int, kind: int, *, flag: int = 0, flag2: int = 0, align: int = 0, size: int | None = None,
        data: Raw = b"", relocs: Sequence[Reloc] | Raw = (), aux: Sequence[Aux] | Raw = (),
    ) -> SymRef:  # fmt: skip
        """Appends a definition to SymbolDefs. size: bytes, len(data) unless given."""
        sym = Sym(name, abi, kind, flag, flag2, len(data) if size is None else size, align)
        self.added.append(_Def(sym, data, relocs, aux))
        return SymRef(PKG_SELF, self.object.starts[1] + len(self.added) - 1)

    def add_copy(self, index: int, *, flag: int, flag2: int) -> SymRef:
        """Appends a static copy of a definition, to the letter but for its flags."""
        obj = self.object
        sym = obj.sym(index)._replace(abi=STATIC_ABI, flag=flag, flag2=flag2)
        self._copies[len(self.added)] = index
        self.added.append(_Def(sym, obj.data(index), obj.raw_relocs(index), obj.raw_aux(index)))
        return SymRef(PKG_SELF, obj.starts[1] + len(self.added) - 1)

    def add_shared(self, name: str, kind: int, data: bytes, *, align: int = 0) -> SymRef:
        """Read-only data without relocations, for symbols without identity: equal ones are added once.

        One without a name must not be static, or an external link ends in a panic (cmd/link/internal/ld/symtab.go, genelfsym).
        """
        key = (name, kind, align, data)
        if key not in self._shared:
            self._shared[key] = self.add_def(name, STATIC_ABI if name else 0, kind, align=align, data=data)
        return self._shared[key]

    def fill(self, ref: SymRef, *, data: bytes | None = None, relocs: Sequence[Reloc] | Raw | None = None, aux: Sequence[Aux] | None = None) -> None:
        """Gives an added definition its contents: for what points at itself. What is not given stays."""
        made = self.added[ref.idx - self.object.starts[1]]
        self._copies.pop(ref.idx - self.object.starts[1], None)
        if data is not None and made.sym is not None:
            made.sym, made.data = made.sym._replace(size=len(data)), data
        made.relocs = made.relocs if relocs is None else relocs
        made.aux = made.aux if aux is None else aux

    def added_relocs(self, ref: SymRef) -> list[Reloc]:
        """The relocations of an added definition that was not copied from the object."""
        relocs = self.added[ref.idx - self.object.starts[1]].relocs
        return [reloc for reloc in relocs or () if isinstance(reloc, Reloc)]

    def resize(self, ref: SymRef, size: int) -> None:
        """Gives an added definition without contents its size in bytes."""
        made = self.added[ref.idx - self.object.starts[1]]
        if made.sym is None or made.data:
            raise AssertionError("only zeroed data has a size without contents")
        made.sym = made.sym._replace(size=size)

    def add_ref(self, name: str, abi: int) -> SymRef:
        """A reference by name: an existing non-package symbol, or one appended to NonPkgRefs."""
        key = (name, abi)
        if key not in self._refs:
            index = self.object.find_ref(name, abi)
            if index is None:
                index = self.object.n_syms + len(self.new_refs)
                self.new_refs.append(Sym(name, abi, 0, 0, 0, 0, 0))
            self._refs[key] = SymRef(PKG_NONE, index - self.object.starts[3])
        return self._refs[key]

    def add_file(self, path: str) -> int:
        """Index in the file table of a file named to the linker."""
        if path in self.object.files:
            return self.object.files.index(path)
        self.new_files.append(path)
        return len(self.object.files) + len(self.new_files) - 1

    def add_autolib(self, package: str, fingerprint: bytes) -> None:
        self.new_autolib.append((package, fingerprint))

    def replace(
        self, index: int, *, kind: int | None = None, size: int | None = None, flag: int | None = None, data: Raw | None = None,
        relocs: Sequence[Reloc] | Raw | None = None, aux: Sequence[Aux] | Raw | None = None,
    ) -> None:  # fmt: skip
        """Changes a definition in place; what is not given stays."""
        old = self.changed.get(index) or _Def(None, None, None, None)
        sym = old.sym
        if (kind, size, flag) != (None, None, None):
            was = sym or self.object.sym(index)
            sym = was._replace(kind=was.kind if kind is None else kind, size=was.size if size is None else size, flag=was.flag if flag is None else flag)
        self.changed[index] = _Def(
            sym,
            old.data if data is None else data,
            old.relocs if relocs is None else relocs,
            old.aux if aux is None else aux,
        )

    def retarget(self, index: int, old: SymRef, new: SymRef) -> None:
        """Turns every reference of a definition to `old` to `new`: nothing else of it changes, now or later."""
        changed = retargeted(self.object.raw_relocs(index), old, new)
        if changed is not None:
            self.changed[index] = _Def(None, None, changed, None)
            self._turned[index] = (old, new)

    def rehash(self, index: int) -> None:
        """A content-addressed symbol that was changed needs a new hash; any unique one will do (the linker never recomputes it)."""
        if self.object.starts[1] <= index < self.object.starts[3]:
            self._hashes.add(index)

    def touched(self) -> list[int]:
        """Indices, in the written object, of the definitions that were made or changed; `copies` and `turned` have the others."""
        made = (self.object.starts[1] + number for number in range(len(self.added)) if number not in self._copies)
        return [*made, *(self._moved(index) for index in sorted(self.changed) if index not in self._turned)]

    def _moved(self, index: int) -> int:
        """The index of a definition in the written object."""
        return index if index < self.object.starts[1] else index + len(self.added)

    def copies(self) -> list[tuple[int, int]]:
        """(index in the written object, index in the object) of the definitions that were copied."""
        return [(self.object.starts[1] + number, index) for number, index in self._copies.items()]

    def turned(self) -> list[tuple[int, int, SymRef, SymRef]]:
        """(index in the written object, index in the object, old, new) of the definitions of which nothing but references to `old` changed."""
        return [(self._moved(index), index, old, new) for index, (old, new) in self._turned.items()]

    # writing

    def to_bytes(self) -> bytes:
        """The text header, then the object."""
        if not self.dirty:
            return self.object.raw
        strings = _Strings(self.object)
        for index in self._copies.values():
            strings.know(self.object.name(index), index)
        blocks = self._blocks(strings)
        at = HEADER.size + len(strings.data)
        offsets = []
        for block in blocks:
            offsets.append(at)
            at += len(block)
        offsets.append(at)
        head = HEADER.pack(MAGIC, self.object.fingerprint, self.object.flags, *offsets)
        out = b"".join([self.object.header.text, head, bytes(strings.data), *blocks])
        if len(out) != len(self.object.header.text) + at:
            raise AssertionError("reserved and emitted sizes differ")
        return out

    def _blocks(self, strings: _Strings) -> list[bytes]:
        obj = self.object
        raw: dict[Blk, bytes] = {block: bytes(obj.block(block)) for block in Blk if block is not Blk.END}
        raw[Blk.AUTOLIB] += b"".join(AUTOLIB.pack(*strings.ref(path), fp) for path, fp in self.new_autolib)
        raw[Blk.FILE] += b"".join(STRING_REF.pack(*strings.ref(path)) for path in self.new_files)
        self._patch_symbols(raw)
        raw[Blk.SYMDEF] += b"".join(_pack_sym(item.sym, strings) for item in self.added)
        raw[Blk.NONPKGREF] += b"".join(_pack_sym(sym, strings) for sym in self.new_refs)
        self._patch_hashes(raw)
        self._write_contents(raw)
        return [raw[block] for block in Blk if block is not Blk.END]

    def _patch_symbols(self, raw: dict[Blk, bytes]) -> None:
        blocks = [bytearray(raw[Blk(Blk.SYMDEF + part)]) for part in range(4)]
        for index, item in self.changed.items():
            if item.sym is None:
                continue
            part = max(p for p in range(4) if self.object.starts[p] <= index < self.object.starts[p + 1])
            at = (index - self.object.starts[part]) * SYM.size
            length, offset = STRING_REF.unpack_from(blocks[part], at)
            SYM.pack_into(blocks[part], at, length, offset, *item.sym[1:])
        for part in range(4):
            raw[Blk(Blk.SYMDEF + part)] = bytes(blocks[part])

    def _patch_hashes(self, raw: dict[Blk, bytes]) -> None:
        starts = self.object.starts
        for index in self._hashes:
            item = self.changed[index]
            block, width, start = (Blk.HASH64, 8, starts[1]) if index < starts[2] else (Blk.HASH, 16, starts[2])
            data = self.object.data(index) if item.data is None else item.data
            new = hashlib.sha256(b"otelobj" + self.object.sym(index).name.encode() + bytes(data)).digest()[:width]
            at = (index - start) * width
            raw[block] = raw[block][:at] + new + raw[block][at + width :]

    def _write_contents(self, raw: dict[Blk, bytes]) -> None:
        """The relocation, aux and data blocks and their index arrays, in the order of the index space."""
        for block, index_block, width in ((Blk.RELOC, Blk.RELOC_IDX, RELOC.size), (Blk.AUX, Blk.AUX_IDX, AUX.size), (Blk.DATA, Blk.DATA_IDX, 1)):
            raw[block], raw[index_block] = self._contents(block, width, raw[block], array.array("I", raw[index_block]))

    def _contents(self, block: Blk, width: int, raw: bytes, old: array.array[int]) -> tuple[bytes, bytes]:
        """One block and its index array. width: bytes of a record; old: the array as it was.

        What keeps its length is written in place, so that the pieces between what does not are few and long.
        """
        split = self.object.starts[1]
        kept = bytearray(raw)
        resized: list[tuple[int, Raw]] = []
        for index, item in self.changed.items():
            encoded = _encode(item, block)
            if encoded is None:
                continue
            start, end = old[index] * width, old[index + 1] * width
            if len(encoded) == end - start:
                kept[start:end] = encoded
            else:
                resized.append((index, encoded))
        added = [_encode(item, block) or b"" for item in self.added]
        counts = list(map(operator.sub, old[1:], old))
        for index, encoded in resized:
            counts[index] = len(encoded) // width
        counts[split:split] = [len(encoded) // width for encoded in added]
        index_array = array.array("I", itertools.accumulate(counts, initial=0))

        parts: list[Raw] = []
        view, last = memoryview(kept), 0
        events: list[tuple[int, int, Sequence[Raw]]] = [(split, split, added), *((index, index + 1, (encoded,)) for index, encoded in resized)]
        for start, end, pieces in sorted(events, key=lambda event: event[:2]):
            parts += [view[last * width : old[start] * width], *pieces]
            last = old[end]
        data = b"".join([*parts, view[last * width :]])
        if len(data) != index_array[-1] * width:
            raise ObjectError(
                f"{self.object.origin}: index array of {block.name} ends at {index_array[-1]}, its block has {len(data)} bytes", "rebuild the package"
            )
        return data, index_array.tobytes()


def retargeted(relocs: memoryview, old: SymRef, new: SymRef) -> bytes | None:
    """Relocation records with every reference to `old` turned to `new`; None if there is none."""
    wanted = STRING_REF.pack(*old)
    place = RELOC.size - STRING_REF.size
    changed = bytearray(relocs)
    at = changed.find(wanted)
    found = False
    while at >= 0:
        if at % RELOC.size == place:
            STRING_REF.pack_into(changed, at, *new)
            found = True
        at = changed.find(wanted, at + 1)
    return bytes(changed) if found else None


class _Strings:
    """The string table: the old one, followed by the new strings."""

    def __init__(self, obj: Object) -> None:
        self.object = obj
        self.data = bytearray(obj.blob[HEADER.size : obj.offsets[Blk.AUTOLIB]])
        self._made: dict[str, tuple[int, int]] = {"": (0, 0)}

    def know(self, text: str, index: int) -> None:
        """That it is there already, as the name of a symbol."""
        self._made[text] = STRING_REF.unpack_from(self.object.raw_sym(index))

    def ref(self, text: str) -> tuple[int, int]:
        if text not in self._made:
            encoded = text.encode("utf-8", "surrogateescape")
            self._made[text] = (len(encoded), HEADER.size + len(self.data))
            self.data += encoded
        return self._made[text]


def _pack_sym(sym: Sym | None, strings: _Strings) -> bytes:
    if sym is None:
        raise AssertionError("an added definition without a symbol")
    return SYM.pack(*strings.ref(sym.name), *sym[1:])


def _encode(item: _Def, block: Blk) -> Raw | None:
    if block is Blk.DATA:
        return item.data
    if block is Blk.AUX:
        aux = item.aux
        return aux if aux is None or isinstance(aux, Raw) else b"".join([AUX.pack(a.type, *a.sym) for a in aux])
    relocs = item.relocs
    return relocs if relocs is None or isinstance(relocs, Raw) else b"".join([RELOC.pack(*r[:4], *r.sym) for r in relocs])


__all__ = ["STATIC_ABI", "Edit"]
