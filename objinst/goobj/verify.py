"""Every invariant of an object that the linker and the runtime rely on. Run on each object that was edited, before the linker sees it.

Raises ObjectError with the symbol at fault. Source: cmd/internal/goobj, cmd/link/internal/{loader,ld}, runtime/{symtab,stkframe}.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from objinst.goobj import pctab, stackmap
from objinst.goobj.funcinfo import FuncInfo
from objinst.goobj.object import Object
from objinst.goobj.records import STATIC_ABI, Sym

WEAK = 0x8000
MAX_NAMED_ABI = 1


def verify(obj: Object, only: Iterable[int] | None = None) -> None:
    """The whole object, or its structure and the definitions in `only` (Edit.touched names those that an edit made or changed)."""
    _unique_names(obj)
    for package in obj.packages[1:]:
        if not package:
            raise obj.error("a referenced package has no name")
    for index in range(obj.n_defs) if only is None else only:
        check_symbol(obj, index)


def _unique_names(obj: Object) -> None:
    """Of definitions that other objects refer to by name. A dup-ok one may stand beside another (1.27: closures' func values)."""
    seen: set[tuple[str, int]] = set()
    dupok = obj.tables.sym_flags["SymFlagDupok"]
    named = [*range(obj.starts[1]), *range(obj.starts[3], obj.n_defs)]
    for index in named:
        sym = obj.sym(index)
        if sym.abi == STATIC_ABI or not sym.name or sym.flag & dupok:
            continue
        if sym.abi > MAX_NAMED_ABI:
            raise obj.error(f"symbol {index} ({sym.name}) has ABI {sym.abi}")
        if (sym.name, sym.abi) in seen:
            raise obj.error(f"symbol {index}: {sym.name} (ABI {sym.abi}) is defined twice")
        seen.add((sym.name, sym.abi))


def check_symbol(obj: Object, index: int) -> None:
    """One definition: its kind, size, relocations, aux symbols and, of text, its tables."""
    sym = obj.sym(index)
    where = f"symbol {index} ({sym.name or 'unnamed'})"
    tables = obj.tables
    if sym.kind not in tables.kind_names:
        raise obj.error(f"{where}: unknown kind {sym.kind}")
    data = obj.data(index)
    if len(data) > sym.size and not sym.name.startswith("go:cuinfo."):
        raise obj.error(f"{where}: {len(data)} bytes of data for a size of {sym.size}")
    _check_relocs(obj, index, sym, where)
    for number, aux in enumerate(obj.aux(index)):
        if aux.type not in tables.aux.values():
            raise obj.error(f"{where}: aux {number} has unknown type {aux.type}")
        obj.resolve(aux.sym)
    if obj.is_text(index) and sym.size:
        _check_text(obj, index, sym, where)


def _check_relocs(obj: Object, index: int, sym: Sym, where: str) -> None:
    for number, reloc in enumerate(obj.relocs(index)):
        kind = reloc.type & ~WEAK
        if kind not in obj.tables.reloc_names:
            raise obj.error(f"{where}: relocation {number} has unknown type {kind}")
        if reloc.off < 0 or reloc.off + reloc.size > sym.size:
            raise obj.error(f"{where}: relocation {number} at {reloc.off:#x}+{reloc.size} is outside {sym.size:#x} bytes")
        obj.resolve(reloc.sym)


def _check_text(obj: Object, index: int, sym: Sym, where: str) -> None:
    quantum = obj.tables.pc_quantum(obj.header.goarch)
    raw = obj.aux_data(index, "AuxFuncInfo")
    if raw is None:
        return
    info = FuncInfo.parse(raw, where)
    for file in info.files:
        if file >= len(obj.files):
            raise obj.error(f"{where}: file {file} of {len(obj.files)}")
    for name in ("AuxPcsp", "AuxPcfile", "AuxPcline", "AuxPcinline", "AuxPcdata"):
        for ref in obj.aux_symbols(index, name):
            target = obj.resolve(ref).index
            if target is not None and target < obj.n_defs and obj.sym(target).size:
                pairs = pctab.decode(obj.data(target), quantum, sym.size)
                if name == "AuxPcfile" and any(value >= len(obj.files) for value, _ in pairs):
                    raise obj.error(f"{where}: pcfile names a file that does not exist")
    _check_maps(obj, index, info, where)


def _check_maps(obj: Object, index: int, info: FuncInfo, where: str) -> None:
    for number, (ref, limit) in enumerate(zip(obj.aux_symbols(index, "AuxFuncdata"), (info.args, info.locals), strict=False)):
        target = obj.resolve(ref).index
        if target is None or target >= obj.n_defs or not obj.sym(target).size:
            continue
        for words in stackmap.decode(obj.data(target)):
            if len(words) * 8 > (limit + 7) // 8 * 8 and any(words[(limit + 7) // 8 :]):
                raise obj.error(f"{where}: stack map {number} covers {len(words) * 8} bytes, the frame has {limit}")
