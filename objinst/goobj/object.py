"""A Go object, read: an immutable view over its bytes (cmd/internal/goobj/objfile.go, Go 1.22-1.27).

Parsing checks the header, the block table and the index arrays once; records are decoded when asked for. Symbols have one
index space, as the linker has it: SymbolDefs, Hashed64Defs, HashedDefs, NonPkgDefs, NonPkgRefs.
"""

from __future__ import annotations

import array
import bisect
import functools
import itertools
import operator
import re
from collections.abc import Callable, Collection, Iterator

from objinst.errors import ObjectError
from objinst.goobj import header as headers
from objinst.goobj.records import (
    AUTOLIB,
    AUX,
    DEF_BLOCKS,
    FILE_PREFIX,
    HEADER,
    MAGIC,
    PKG_BUILTIN,
    PKG_HASHED,
    PKG_HASHED64,
    PKG_NONE,
    PKG_SELF,
    RECORD_SIZES,
    REF_NAME,
    RELOC,
    RELOC_SYM,
    STRING_REF,
    SYM,
    SYM_REF,
    TYPE_PREFIX,
    Aux,
    Blk,
    Reloc,
    Resolved,
    Sym,
    SymRef,
)  # fmt: skip
from objinst.goversions import Tables, for_version
from trampolines.arch import ArchError, Traits, traits

REMEDY = headers.REMEDY
PARTS = {PKG_SELF: 0, PKG_HASHED64: 1, PKG_HASHED: 2, PKG_NONE: 3}
"""Package indices of an object's own symbols, and where in its index space they begin; NonPkgRefs follow NonPkgDefs."""


class Object:
    """See the module. origin: file and member, for messages. Raises ObjectError wherever the bytes do not make sense."""

    def __init__(self, data: bytes | memoryview, origin: str) -> None:
        self.origin = origin
        self.raw = bytes(data)
        self.header, self.base = headers.parse(self.raw, origin)
        self.tables: Tables = for_version(self.header.go_version, origin)
        try:
            self.traits: Traits = traits(self.header.goarch)
        except ArchError as error:
            raise self.error(str(error)) from error
        self.blob = memoryview(self.raw)[self.base :]
        if len(self.blob) < HEADER.size:
            raise self.error(f"offset {self.base}: truncated header")
        magic, self.fingerprint, self.flags, *self.offsets = HEADER.unpack_from(self.blob)
        if magic != MAGIC:
            raise self.error(f"offset {self.base}: magic {magic!r} is not {MAGIC!r}")
        self._check_blocks()
        counts = [self.count(block) for block in (*DEF_BLOCKS, Blk.NONPKGREF)]
        self.starts = [sum(counts[:i]) for i in range(6)]
        self.n_defs, self.n_syms = self.starts[4], self.starts[5]
        self._parts = {pkg: (self.starts[part], self.starts[5 if part == 3 else part + 1]) for pkg, part in PARTS.items()}
        self._last_aux: tuple[int, dict[int, int]] = (-1, {})
        self._reloc_idx = self._index_array(Blk.RELOC_IDX, self.count(Blk.RELOC))
        self._aux_idx = self._index_array(Blk.AUX_IDX, self.count(Blk.AUX))
        self._data_idx = self._index_array(Blk.DATA_IDX, self.count(Blk.DATA))
        if self.count(Blk.HASH64) != counts[1] or self.count(Blk.HASH) != counts[2]:
            raise self.error("hash blocks do not agree with the hashed symbols")

    @classmethod
    def parse(cls, data: bytes | memoryview, origin: str) -> Object:
        return cls(data, origin)

    def error(self, what: str) -> ObjectError:
        return ObjectError(f"{self.origin}: {what}", REMEDY)

    # blocks

    def _check_blocks(self) -> None:
        last = HEADER.size
        for block in Blk:
            offset = self.offsets[block]
            if offset < last or offset > len(self.blob):
                raise self.error(f"block {block.name} at {offset:#x} is outside {last:#x}..{len(self.blob):#x}")
            if block is not Blk.AUTOLIB and (offset - last) % RECORD_SIZES[Blk(block - 1)]:
                raise self.error(f"block {Blk(block - 1).name} has no whole number of records")
            last = offset
        if self.offsets[Blk.END] != len(self.blob):
            raise self.error(f"{len(self.blob) - self.offsets[Blk.END]} bytes after the last block")

    def block(self, block: Blk) -> memoryview:
        return self.blob[self.offsets[block] : self.offsets[block + 1]]

    def count(self, block: Blk) -> int:
        size: int = self.offsets[block + 1] - self.offsets[block]
        return size // RECORD_SIZES[block]

    def _index_array(self, block: Blk, end: int) -> array.array[int]:
        values = array.array("I", bytes(self.block(block)))
        if len(values) != self.n_defs + 1:
            raise self.error(f"block {block.name} has {len(values)} entries for {self.n_defs} definitions")
        if any(map(operator.gt, values, values[1:])):
            index = next(i for i, (one, two) in enumerate(itertools.pairwise(values), 1) if one > two)
            raise self.error(f"block {block.name}: entry {index} descends")
        if values[-1] != end:
            raise self.error(f"block {block.name} ends at {values[-1]}, not at {end}")
        return values

    def string(self, length: int, offset: int) -> str:
        raw = self.string_bytes(length, offset)
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("utf-8", "surrogateescape")

    def string_bytes(self, length: int, offset: int) -> bytes:
        """A string as it is in the table."""
        if offset + length > self.offsets[Blk.AUTOLIB] or (length and offset < HEADER.size):
            raise self.error(f"string of {length} bytes at {offset:#x} is outside the string table")
        start = self.base + offset
        return self.raw[start : start + length]

    # tables of strings

    @functools.cached_property
    def autolib(self) -> tuple[tuple[str, bytes], ...]:
        """(import path, fingerprint) of every package the linker loads for this object."""
        return tuple((self.string(n, off), fp) for n, off, fp in AUTOLIB.iter_unpack(self.block(Blk.AUTOLIB)))

    @functools.cached_property
    def packages(self) -> tuple[str, ...]:
        """Referenced packages; PkgIdx 0 is invalid and named ""."""
        return tuple(self.string(n, off) for n, off in STRING_REF.iter_unpack(self.block(Blk.PKG_IDX)))

    @functools.cached_property
    def files(self) -> tuple[str, ...]:
        return tuple(self.string(n, off) for n, off in STRING_REF.iter_unpack(self.block(Blk.FILE)))

    def source(self, number: int) -> str | None:
        """The path of a source file, by its place in `files`; None if there is none."""
        return self.files[number].removeprefix(FILE_PREFIX) if 0 <= number < len(self.files) else None

    @functools.cached_property
    def ref_names(self) -> dict[SymRef, str]:
        """Names of referenced symbols, kept for tools."""
        return {SymRef(p, i): self.string(n, off) for p, i, n, off in REF_NAME.iter_unpack(self.block(Blk.REF_NAME))}

    @property
    def from_assembly(self) -> bool:
        return bool(self.flags & self.tables.obj_flags["ObjFlagFromAssembly"])

    # symbols

    @functools.cached_property
    def _sym_bytes(self) -> memoryview:
        return self.blob[self.offsets[Blk.SYMDEF] : self.offsets[Blk.REF_FLAGS]]

    def sym(self, index: int) -> Sym:
        if not 0 <= index < self.n_syms:
            raise self.error(f"symbol index {index} of {self.n_syms}")
        length, offset, *rest = SYM.unpack_from(self._sym_bytes, index * SYM.size)
        return Sym(self.string(length, offset), *rest)

    def name(self, index: int) -> str:
        """The name alone: most of what is asked about a symbol."""
        length, offset = STRING_REF.unpack_from(self._sym_bytes, index * SYM.size)
        return self.string(length, offset)

    def raw_sym(self, index: int) -> memoryview:
        """The record of a definition as it is in the object."""
        self._check_def(index)
        return self._sym_bytes[index * SYM.size : (index + 1) * SYM.size]

    def kind_and_size(self, index: int) -> tuple[int, int]:
        """Kind and size in bytes, without the name."""
        _, _, _, kind, _, _, size, _ = SYM.unpack_from(self._sym_bytes, index * SYM.size)
        return kind, size

    def is_text(self, index: int) -> bool:
        kind = self._sym_bytes[index * SYM.size + 10]
        return index < self.n_defs and kind in (self.tables.kinds["STEXT"], self.tables.kinds.get("STEXTFIPS"))

    def text_symbols(self) -> Iterator[int]:
        """Indices of all text definitions."""
        kinds = self._sym_bytes[10 : self.n_defs * SYM.size : SYM.size].tobytes()
        wanted = {self.tables.kinds["STEXT"], self.tables.kinds.get("STEXTFIPS")}
        return (index for index, kind in enumerate(kinds) if kind in wanted)

    @functools.cached_property
    def _by_name(self) -> dict[str, list[int]]:
        names: dict[str, list[int]] = {}
        for index, (length, offset, *_) in enumerate(SYM.iter_unpack(self._sym_bytes)):
            if length:
                names.setdefault(self.string(length, offset), []).append(index)
        return names

    @functools.cached_property
    def _types(self) -> dict[str, list[int]]:
        """_by_name of type descriptors alone: they are asked for in every object of a link, which has ten times as many other names."""
        names: dict[str, list[int]] = {}
        prefix, size = TYPE_PREFIX.encode(), len(TYPE_PREFIX)
        for index, (length, offset, *_) in enumerate(SYM.iter_unpack(self._sym_bytes)):
            if length >= size and self.raw.startswith(prefix, self.base + offset):
                names.setdefault(self.string(length, offset), []).append(index)
        return names

    @functools.cached_property
    def jump_tables(self) -> dict[str, list[int]]:
        """Function -> its jump tables (cmd/compile/internal/ssagen: read-only F.jumpN with R_ADDR F+pc)."""
        found: dict[str, list[int]] = {}
        if b".jump" not in self.raw:
            return found
        kind = self.tables.kinds["SRODATA"]
        for index, (length, offset, _, found_kind, *_) in enumerate(SYM.iter_unpack(self._sym_bytes[: self.n_defs * SYM.size])):
            if found_kind == kind and length:
                function, dot, number = self.string(length, offset).rpartition(".jump")
                if dot and number.isdecimal():
                    found.setdefault(function, []).append(index)
        return found

    @functools.cached_property
    def _refs_by_name(self) -> dict[tuple[str, int], int]:
        """(name, ABI) -> the first non-package symbol of that name."""
        start = self.starts[3]
        found: dict[tuple[str, int], int] = {}
        for index, (length, offset, abi, *_) in enumerate(SYM.iter_unpack(self._sym_bytes[start * SYM.size :]), start):
            found.setdefault((self.string(length, offset), abi), index)
        return found

    def find_all(self, name: str, abi: int | None = None) -> list[int]:
        """Indices of the definitions with this name (and ABI)."""
        names = self._types if name.startswith(TYPE_PREFIX) else self._by_name
        return [i for i in names.get(name, ()) if i < self.n_defs and (abi is None or self.sym(i).abi == abi)]

    def find(self, name: str, abi: int | None = None) -> int | None:
        found = self.find_all(name, abi)
        return found[0] if found else None

    def find_ref(self, name: str, abi: int) -> int | None:
        """Index of a non-package symbol, defined here or not, by which others may refer to `name`."""
        return self._refs_by_name.get((name, abi))

    def names(self) -> Iterator[str]:
        """Names of all definitions and references."""
        return iter(self._by_name)

    def data(self, index: int) -> memoryview:
        self._check_def(index)
        start = self.offsets[Blk.DATA]
        return self.blob[start + self._data_idx[index] : start + self._data_idx[index + 1]]

    def relocs(self, index: int) -> list[Reloc]:
        return [Reloc(off, size, kind, add, SymRef(p, i)) for off, size, kind, add, p, i in RELOC.iter_unpack(self.raw_relocs(index))]

    @functools.cached_property
    def call_type(self) -> int:
        """The relocation type of direct calls, and of jumps out of a function. Raises ArchError if the architecture's record names none."""
        return self.tables.relocs[self.traits.call_relocation]

    def calls(self, index: int) -> dict[int, str]:
        """Every direct call of a function, and every jump out of it: offset of its relocation -> name of what is called."""
        call = self.call_type
        return {reloc.off: self.resolve(reloc.sym).name for reloc in self.code_relocs(index) if reloc.type == call}

    def code_relocs(self, index: int) -> list[Reloc]:
        """relocs() of a text symbol. Raises ObjectError if one is outside of the code, or if the code is truncated."""
        found, size = self.relocs(index), len(self.data(index))
        if size != self.kind_and_size(index)[1]:
            raise self.error(f"{self.name(index)}: {size} of {self.kind_and_size(index)[1]} bytes of code")
        for reloc in found:
            if not 0 <= reloc.off <= size - reloc.size:
                raise self.error(f"{self.name(index)}: a relocation at {reloc.off} of {size} bytes of code")
        return found

    def refers_to(self, index: int) -> set[tuple[int, int]]:
        """What the relocations of a definition name: relocs() for those who look through a whole link."""
        self._check_def(index)
        raw = self.block(Blk.RELOC)[self._reloc_idx[index] * RELOC.size : self._reloc_idx[index + 1] * RELOC.size]
        return set(RELOC_SYM.iter_unpack(raw))

    def users(self, refs: Collection[SymRef]) -> set[int]:
        """The definitions whose relocations name one of these symbols: relocs() for those who look for few among all of an object."""
        start, end = self.base + self.offsets[Blk.RELOC], self.base + self.offsets[Blk.RELOC + 1]
        wanted = {SYM_REF.pack(*ref) for ref in refs}
        # Most relocations differ in one byte of the symbol's index.
        bytes_of_index = self.raw[start + RELOC.size - 4 : end : RELOC.size]
        like = re.compile(b"|".join({re.escape(ref[4:5]) for ref in wanted}) or b"(?!)", re.DOTALL)
        numbers = (match.start() for match in like.finditer(bytes_of_index))
        ends = ((number, start + RELOC.size * (number + 1)) for number in numbers)
        return {bisect.bisect_right(self._reloc_idx, number) - 1 for number, behind in ends if self.raw[behind - SYM_REF.size : behind] in wanted}

    def owner_of_reloc(self, number: int) -> int:
        """The definition that has a relocation. number: of the relocation in its block."""
        return bisect.bisect_right(self._reloc_idx, number) - 1

    def aux(self, index: int) -> list[Aux]:
        return [Aux(kind, SymRef(p, i)) for kind, p, i in AUX.iter_unpack(self.raw_aux(index))]

    def raw_relocs(self, index: int) -> memoryview:
        """The relocations of a definition as they are in the object, for copies that change none or few."""
        self._check_def(index)
        start = self.offsets[Blk.RELOC]
        return self.blob[start + self._reloc_idx[index] * RELOC.size : start + self._reloc_idx[index + 1] * RELOC.size]

    def raw_aux(self, index: int) -> memoryview:
        self._check_def(index)
        start = self.offsets[Blk.AUX]
        return self.blob[start + self._aux_idx[index] * AUX.size : start + self._aux_idx[index + 1] * AUX.size]

    def _check_def(self, index: int) -> None:
        if not 0 <= index < self.n_defs:
            raise self.error(f"symbol {index} is not one of the {self.n_defs} definitions")

    @functools.cached_property
    def has_dwarf(self) -> bool:
        """Whether text symbols of this object carry a DwarfInfo aux symbol: with DWARF 5 the linker wants one of every text symbol."""
        wanted = self.tables.aux["AuxDwarfInfo"]
        return any(any(aux.type == wanted for aux in self.aux(index)) for index in self.text_symbols())

    # references

    def ref_of(self, index: int) -> SymRef:
        """How this object refers to its own symbol at `index`."""
        for start, end, pkg in zip(self.starts, self.starts[1:4], (PKG_SELF, PKG_HASHED64, PKG_HASHED), strict=False):
            if index < end:
                return SymRef(pkg, index - start)
        return SymRef(PKG_NONE, index - self.starts[3])

    def index_of(self, ref: tuple[int, int]) -> int | None:
        """The symbol of this object that a reference means (a definition or a NonPkgRef), None if it means another package's or a builtin.

        Raises ObjectError for a reference that points nowhere.
        """
        pkg, idx = ref
        part = self._parts.get(pkg)
        if part is None:
            return None
        start, end = part
        if start + idx >= end:
            raise self.error(f"reference to symbol {idx} of block {pkg:#x}, which has {end - start}")
        return start + idx

    def builtin_refs(self, names: Collection[str]) -> list[SymRef]:
        """The references that mean these functions of the runtime, if they are such that the compiler calls of its own accord."""
        return [SymRef(PKG_BUILTIN, index) for index, name in enumerate(self.tables.builtins) if name in names]

    def resolve(self, ref: SymRef) -> Resolved:
        """Raises ObjectError for a reference that points nowhere."""
        index = self.index_of(ref)
        if index is not None:
            return Resolved(index, "", self.name(index))
        pkg, idx = ref
        if pkg == PKG_BUILTIN:
            if idx >= len(self.tables.builtins):
                raise self.error(f"reference to builtin {idx} of {len(self.tables.builtins)}")
            return Resolved(None, "", self.tables.builtins[idx])
        if pkg == 0 and idx == 0:
            return Resolved(None, "", "")
        if not 0 < pkg < len(self.packages):
            raise self.error(f"reference to package {pkg} of {len(self.packages)}")
        return Resolved(None, self.packages[pkg], self.ref_names.get(ref, ""))

    def aux_indices(self, index: int) -> dict[int, int]:
        """Aux type -> the first symbol of that type that is defined in this object. Asked of one function several times in a row."""
        if self._last_aux[0] == index:
            return self._last_aux[1]
        found: dict[int, int] = {}
        for kind, *ref in AUX.iter_unpack(self.raw_aux(index)):
            if kind not in found:
                target = self.index_of((ref[0], ref[1]))
                if target is not None and target < self.n_defs:
                    found[kind] = target
        self._last_aux = (index, found)
        return found

    def aux_symbols(self, index: int, aux_name: str) -> list[SymRef]:
        wanted = self.tables.aux[aux_name]
        return [aux.sym for aux in self.aux(index) if aux.type == wanted]

    def aux_data(self, index: int, aux_name: str) -> memoryview | None:
        """The data of the first aux symbol of this type in this object."""
        target = self.aux_indices(index).get(self.tables.aux[aux_name])
        return None if target is None else self.data(target)

    def funcdata_symbol(self, index: int, name: str) -> SymRef | None:
        """What a function has under FUNCDATA_name, None for nothing: a symbol of this object, or one of package runtime that stands for "none"."""
        refs, place = self.aux_symbols(index, "AuxFuncdata"), self.tables.pcdata[f"FUNCDATA_{name}"]
        return refs[place] if place < len(refs) and refs[place] != SymRef(0, 0) else None

    def funcdata(self, index: int, name: str) -> bytes | None:
        """The bytes of a function's FUNCDATA_name; None if there are none in this object."""
        ref = self.funcdata_symbol(index, name)
        target = None if ref is None else self.index_of(ref)
        return bytes(self.data(target)) if target is not None and target < self.n_defs and self.kind_and_size(target)[1] else None


Load = Callable[[str], Object | None]
"""Gives the object of a package of the link, None if there is none."""
