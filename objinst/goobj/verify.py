"""Every invariant of an object that the linker and the runtime rely on. Run on each object that was edited, before the linker sees it.

Raises ObjectError with the symbol at fault. Source: cmd/internal/goobj, cmd/link/internal/{loader,ld}, runtime/{symtab,stkframe}.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from objinst.errors import ObjectError
from objinst.goobj import pctab, stackmap
from objinst.goobj.funcinfo import FuncInfo
from objinst.goobj.object import Object
from objinst.goobj.records import AUX, R_WEAK, RELOC, STATIC_ABI, SYM, Blk, SymRef

MAX_NAMED_ABI = 1
TAKEN_AWAY = 16
"""Stack maps that a function may have beyond its bytes of code: the one at its entry, and those of calls that the compiler took away again, as it does
with the race detector's."""
PC_TABLES = ("AuxPcsp", "AuxPcfile", "AuxPcline", "AuxPcinline", "AuxPcdata")


def verify(obj: Object, only: Iterable[int] | None = None) -> None:
    """The whole object, or its structure and the definitions in `only` (Edit.touched names those that an edit made or changed)."""
    _unique_names(obj)
    for package in obj.packages[1:]:
        if not package:
            raise obj.error("a referenced package has no name")
    checker = Checker(obj)
    for index in range(obj.n_defs) if only is None else only:
        checker.check_symbol(index)


def verify_copies(obj: Object, original: Object, copies: Iterable[tuple[int, int]]) -> None:
    """Definitions of `obj` that must be those of `original` to the letter: what the compiler has written needs no other proof."""
    for copy, index in copies:
        same = all(read(obj, copy) == read(original, index) for read in (Object.data, Object.raw_relocs, Object.raw_aux, _shape))
        if not same:
            raise obj.error(f"symbol {copy} ({obj.name(copy)}) is not a copy of symbol {index}")


def verify_turned(obj: Object, original: Object, turned: Iterable[tuple[int, int, SymRef, SymRef]]) -> None:
    """Definitions of `obj` that must be those of `original` to the letter but for references, of which none to `old` is left."""
    for index, was, old, new in turned:
        before, after = original.raw_relocs(was), obj.raw_relocs(index)
        same = obj.raw_sym(index) == original.raw_sym(was) and obj.data(index) == original.data(was) and obj.raw_aux(index) == original.raw_aux(was)
        if not same or len(before) != len(after) or old in obj.refers_to(index):
            raise obj.error(f"symbol {index} ({obj.name(index)}) is not symbol {was} with its references turned")
        for one, other in zip(RELOC.iter_unpack(before), RELOC.iter_unpack(after), strict=True):
            if one != other and (one[:4] != other[:4] or one[4:] != old or other[4:] != new):
                raise obj.error(f"symbol {index} ({obj.name(index)}): relocation at {other[0]:#x} is not that of symbol {was}")


def _shape(obj: Object, index: int) -> tuple[str, int, int, int]:
    sym = obj.sym(index)
    return sym.name, sym.kind, sym.size, sym.align


def _unique_names(obj: Object) -> None:
    """Of definitions that other objects refer to by name. There may be several dup-ok ones (1.27: closures' func values)."""
    seen: set[tuple[int, bytes]] = set()
    dupok = obj.tables.sym_flags["SymFlagDupok"]
    for block, start in ((Blk.SYMDEF, 0), (Blk.NONPKGDEF, obj.starts[3])):
        for index, (length, offset, abi, _, flag, *_) in enumerate(SYM.iter_unpack(obj.block(block)), start):
            if abi == STATIC_ABI or not length or flag & dupok:
                continue
            if abi > MAX_NAMED_ABI:
                raise obj.error(f"symbol {index} ({obj.name(index)}) has ABI {abi}")
            key = (abi, obj.string_bytes(length, offset))
            if key in seen:
                raise obj.error(f"symbol {index}: {obj.name(index)} (ABI {abi}) is defined twice")
            seen.add(key)


class Checker:
    """Checks definitions of one object. What several of them share (references, tables, stack maps) is looked at once."""

    def __init__(self, obj: Object) -> None:
        self.obj = obj
        self.reloc_kinds = frozenset(obj.tables.reloc_names)
        self.aux_kinds = frozenset(obj.tables.aux.values())
        self.text_aux = {obj.tables.aux[name]: name for name in (*PC_TABLES, "AuxFuncInfo", "AuxFuncdata")}
        self.quantum = obj.traits.quantum
        self._resolved: set[tuple[int, int]] = set()
        self._places: dict[tuple[int, int], int | None] = {}
        self._tables: set[tuple[str, int, int]] = set()
        self._maps: dict[int, list[tuple[bool, ...]]] = {}

    def _error(self, index: int, what: str) -> ObjectError:
        return self.obj.error(f"symbol {index} ({self.obj.name(index) or 'unnamed'}): {what}")

    def check_symbol(self, index: int) -> None:
        """One definition: its kind, size, relocations, aux symbols and, of text, its tables."""
        obj = self.obj
        kind, size = obj.kind_and_size(index)
        if kind not in obj.tables.kind_names:
            raise self._error(index, f"unknown kind {kind}")
        data = obj.data(index)
        if len(data) > size and not obj.name(index).startswith("go:cuinfo."):
            raise self._error(index, f"{len(data)} bytes of data for a size of {size}")
        self._check_relocs(index, size)
        aux: dict[str, list[tuple[int, int]]] = {}
        for number, (aux_kind, *ref) in enumerate(AUX.iter_unpack(obj.raw_aux(index))):
            if aux_kind not in self.aux_kinds:
                raise self._error(index, f"aux {number} has unknown type {aux_kind}")
            pair = (ref[0], ref[1])
            if pair not in self._resolved:
                self._resolve(pair)
            if aux_kind in self.text_aux:
                aux.setdefault(self.text_aux[aux_kind], []).append(pair)
        if aux and size and obj.is_text(index):
            self._check_text(index, aux, size)

    def _resolve(self, ref: tuple[int, int]) -> None:
        if self.obj.index_of(ref) is None:
            self.obj.resolve(SymRef(*ref))
        self._resolved.add(ref)

    def _check_relocs(self, index: int, end: int) -> None:
        for number, (off, size, kind, _, pkg, idx) in enumerate(RELOC.iter_unpack(self.obj.raw_relocs(index))):
            if kind & ~R_WEAK not in self.reloc_kinds:
                raise self._error(index, f"relocation {number} has unknown type {kind & ~R_WEAK}")
            if off < 0 or off + size > end:
                raise self._error(index, f"relocation {number} at {off:#x}+{size} is outside {end:#x} bytes")
            if (pkg, idx) not in self._resolved:
                self._resolve((pkg, idx))

    def _here(self, refs: Iterable[tuple[int, int]]) -> Iterator[int]:
        """Those that are defined in this object and have contents."""
        for ref in refs:
            if ref not in self._places:
                target = self.obj.index_of(ref)
                is_here = target is not None and target < self.obj.n_defs and self.obj.kind_and_size(target)[1] > 0
                self._places[ref] = target if is_here else None
            found = self._places[ref]
            if found is not None:
                yield found

    def _check_text(self, index: int, aux: Mapping[str, Sequence[tuple[int, int]]], size: int) -> None:
        obj = self.obj
        info_at = next(self._here(aux.get("AuxFuncInfo", ())), None)
        if info_at is None:
            return
        info = FuncInfo.parse(obj.data(info_at), obj.origin)
        for file in info.files:
            if file >= len(obj.files):
                raise self._error(index, f"file {file} of {len(obj.files)}")
        for name in PC_TABLES:
            for target in self._here(aux.get(name, ())):
                self._check_table(index, name, target, size)
        self._check_maps(index, aux.get("AuxFuncdata", ()), info, size)

    def _check_table(self, index: int, name: str, target: int, size: int) -> None:
        if (name, target, size) in self._tables:
            return
        pairs = pctab.decode(self.obj.data(target), self.quantum, size)
        if name == "AuxPcfile" and any(value >= len(self.obj.files) for value, _ in pairs):
            raise self._error(index, "pcfile names a file that does not exist")
        self._tables.add((name, target, size))

    def _check_maps(self, index: int, refs: Sequence[tuple[int, int]], info: FuncInfo, size: int) -> None:
        for number, (ref, limit) in enumerate(zip(refs, (info.args, info.locals), strict=False)):
            for target in self._here([ref]):
                if target not in self._maps:
                    self._maps[target] = stackmap.decode(self.obj.data(target), size + TAKEN_AWAY)
                for words in self._maps[target]:
                    if len(words) * 8 > (limit + 7) // 8 * 8 and any(words[(limit + 7) // 8 :]):
                        raise self._error(index, f"stack map {number} covers {len(words) * 8} bytes, the frame has {limit}")
