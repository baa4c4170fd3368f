"""The symbol swap: an entry stub takes a function's place, the function's code moves to a static symbol, the body.

The stub keeps index, name, ABI, flags, FuncID, FuncFlag and StartLine, so every reference in the program reaches it and
inlined copies of the function elsewhere still read the right FuncInfo (cmd/link/internal/ld/pcln.go, genInlTreeSym).
The body keeps name, aux symbols and relocations; what the compiler wrote *about the code* (DWARF, jump tables) now refers
to the body. Nothing is renumbered: new symbols are appended to SymbolDefs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from objinst.errors import ObjectError
from objinst.goobj import STATIC_ABI, Aux, Edit, FuncInfo, Reloc, SymRef, pctab
from objinst.rewrite.dwarf import Place, describe_anew, dwarf_aux, entry_name, exit_name
from objinst.rewrite.text import UNSAFE_POINT_ALL, Role, TextShape, add_text, pc_table, relocations, text_aux
from trampolines import Arch
from trampolines.contract import ClosureUse, Code, EpilogueScan

NO_VALUE = -1
"""What holds where a pc table says nothing (runtime/symtab.go, pcdatavalue)."""
COUNTED_FRAME = 256
"""A frame of a call-through up to this size, in bytes, can be counted as its body's: the linker allows functions without a stack check 800 in all."""
DWARF_AUX = ("AuxDwarfInfo", "AuxDwarfLoc", "AuxDwarfRanges", "AuxDwarfLines")


@dataclass(frozen=True, slots=True)
class Original:
    """What the rewrite needs to know of a function before it is touched. file: index in the object's file table."""

    index: int
    info: FuncInfo
    file: int
    line: int
    pcsp: tuple[tuple[int, int], ...]


def read_original(edit: Edit, index: int) -> Original:
    """Raises ObjectError for a text symbol without FuncInfo or pc tables."""
    obj, tables = edit.object, edit.tables
    by_type = {aux.type: aux.sym for aux in reversed(obj.aux(index))}
    quantum = obj.traits.quantum

    def local(aux_name: str) -> bytes:
        ref = by_type.get(tables.aux[aux_name])
        target = None if ref is None else obj.resolve(ref).index
        if target is None:
            raise ObjectError(f"{obj.origin}: text symbol {obj.sym(index).name} (index {index}) has no {aux_name}", "rebuild this package")
        return bytes(obj.data(target))

    size = obj.sym(index).size
    tables_of = {name: pctab.decode(local(name), quantum, size) for name in ("AuxPcsp", "AuxPcfile", "AuxPcline")}
    if not all(tables_of.values()):
        raise obj.error(f"text symbol {obj.sym(index).name} (index {index}) has an empty pc table")
    file, line = (tables_of[name][0][0] for name in ("AuxPcfile", "AuxPcline"))
    return Original(index, FuncInfo.parse(local("AuxFuncInfo"), f"{obj.origin}: {obj.name(index)}"), file, line, tuple(tables_of["AuxPcsp"]))


def shape(original: Original, args_map: tuple[bool, ...], name: str, shown_as: SymRef | None = None) -> TextShape:
    """A stub's FuncInfo: the function's own, but for the frame. name, shown_as: see TextShape."""
    info = original.info
    return TextShape(info.args, args_map, info.func_id, info.func_flag, info.start_line, original.file, original.line, name, shown_as)


def morestack_ref(edit: Edit, index: int, closure: ClosureUse) -> SymRef:
    """The morestack variant that a function itself calls or, if it calls none, the one that keeps the closure register if that is a
    pointer, and otherwise the one that drops it: the runtime treats the kept value as a pointer (runtime/stack.go, adjustctxt)."""
    obj = edit.object
    for reloc in obj.relocs(index):
        if obj.resolve(reloc.sym).name.startswith("runtime.morestack"):
            return reloc.sym
    return edit.add_ref("runtime.morestack" if closure is ClosureUse.POINTER else "runtime.morestack_noctxt", 0)


def patch_epilogues(edit: Edit, index: int, scan: EpilogueScan, arch: Arch, exit_stub: SymRef) -> tuple[bytes, list[Reloc]]:
    """The function's code with a jump to the exit stub at every epilogue, perhaps longer than it was, and its relocations."""
    obj = edit.object
    relocs = list(obj.relocs(index))
    for site in scan.sites:
        taken = range(site.offset, site.offset + site.length)
        if any(reloc.off in taken and reloc.size for reloc in relocs):
            raise ObjectError(f"{obj.origin}: relocation inside the epilogue of {obj.sym(index).name} at {site.offset:#x}")
    patched = arch.patch_returns(bytes(obj.data(index)), scan.sites)
    relocs += relocations(edit, patched, {"target": Role(exit_stub)})
    return patched.code, sorted(relocs, key=lambda reloc: reloc.off)


def move_body(edit: Edit, index: int) -> SymRef:
    """Appends the body, and makes what describes the code refer to it. The symbol at `index` still holds the original.

    To be called before anything else of the function is added: uprobes take the first symbol of a name.
    """
    obj, tables = edit.object, edit.tables
    sym = obj.sym(index)
    flag = sym.flag & ~tables.sym_flags["SymFlagDupok"]
    body = edit.add_copy(index, flag=flag, flag2=sym.flag2 & ~tables.sym_flags2.get("SymFlagABIWrapper", 0))
    own = edit.ref_of(index)
    described = obj.aux_indices(index)
    about = [described.get(tables.aux[name]) for name in DWARF_AUX]
    for target in (*about, *obj.jump_tables.get(sym.name, ())):
        if target is not None:
            edit.retarget(target, own, body)
    return body


def patch_body(edit: Edit, index: int, body: SymRef, scan: EpilogueScan, arch: Arch, exit_stub: SymRef) -> None:
    """Makes the returns of a moved body jump to its exit stub. If the code gets longer, its pc tables do: line, file and frame there are
    those of a return."""
    code, relocs = patch_epilogues(edit, index, scan, arch, exit_stub)
    longer = len(code) != edit.object.sym(index).size
    edit.fill(body, data=code, relocs=relocs, aux=_longer(edit, index, len(code), scan.sites[-1].offset) if longer else None)


def _longer(edit: Edit, index: int, size: int, like: int) -> list[Aux]:
    """The aux list of a function whose code has grown to `size` bytes. In what is new nothing is inlined and nothing may be preempted;
    the rest holds there as it does at offset `like`."""
    obj, tables = edit.object, edit.tables
    was, quantum = obj.sym(index).size, obj.traits.quantum
    plain = {tables.aux[name] for name in ("AuxPcsp", "AuxPcfile", "AuxPcline")}
    inline, pcdata = tables.aux["AuxPcinline"], tables.aux["AuxPcdata"]
    made: list[Aux] = []
    number = 0
    for aux in obj.aux(index):
        if aux.type not in (*plain, inline, pcdata):
            made.append(aux)
            continue
        target = obj.resolve(aux.sym).index
        pairs = pctab.decode(obj.data(target), quantum, was) if target is not None and obj.sym(target).size else []
        pairs = pairs or [(NO_VALUE, was)]
        value = NO_VALUE if aux.type == inline else next(value for value, end in pairs if like < end)
        if aux.type == pcdata:
            value = UNSAFE_POINT_ALL if number == tables.pcdata["PCDATA_UnsafePoint"] else value
            number += 1
        made.append(Aux(aux.type, pc_table(edit, [*pairs, (value, size)])))
    if not number:
        made.append(Aux(pcdata, pc_table(edit, [(NO_VALUE, was), (UNSAFE_POINT_ALL, size)])))
    return made


def move_stub(edit: Edit, index: int) -> SymRef:
    """Appends a static copy of the stub that was put at `index`, so that another one can take the place in front of it."""
    sym = edit.object.sym(index)
    made = edit.changed[index]
    if made.sym is None or made.data is None or made.relocs is None or made.aux is None:
        raise AssertionError(f"{sym.name} has no stub yet")
    flag = made.sym.flag & ~edit.tables.sym_flags["SymFlagDupok"]
    moved = edit.add_def(sym.name, STATIC_ABI, sym.kind, flag=flag, align=sym.align, data=made.data, relocs=made.relocs, aux=made.aux)
    describe_anew(edit, [aux for aux in made.aux if isinstance(aux, Aux)], edit.ref_of(index), moved)
    return moved


def put_stub(edit: Edit, original: Original, stub: Code, args_map: tuple[bool, ...], roles: Mapping[str, Role], markers: list[Reloc]) -> None:
    """Puts the entry stub in the function's place. It has a stack check, whatever the function has. markers: relocations without
    bytes (R_USEIFACE)."""
    name = entry_name(edit.object.sym(original.index).name)
    aux: list[Aux] = text_aux(edit, edit.ref_of(original.index), stub, shape(original, args_map, name))
    flag = edit.object.sym(original.index).flag & ~edit.tables.sym_flags["SymFlagNoSplit"] & ~edit.tables.sym_flags["SymFlagLeaf"]
    relocs = [*markers, *relocations(edit, stub, roles)]
    edit.replace(original.index, data=stub.code, size=len(stub.code), flag=flag, relocs=relocs, aux=aux)
    edit.rehash(original.index)


def add_exit_stub(edit: Edit, original: Original, body: SymRef, stub: Code, args_map: tuple[bool, ...], roles: Mapping[str, Role]) -> SymRef:
    """Appends an exit stub. Tracebacks and profiles show the function in its place; the symbol table calls it by its own name,
    or a probe on the function would hit it too."""
    name = edit.object.sym(original.index).name
    return add_text(edit, f"otelobj.exit.{name}", stub, shape(original, args_map, exit_name(name), body), roles)


def count_frame(edit: Edit, original: Original, body: SymRef, through: Code) -> SymRef:
    """Makes the frame of a call-through part of its body's, if the body has none itself, so that no traceback shows it, not even
    those that show wrappers. Returns the body to jump to, which is then another one.

    Such a body calls nothing, so its stack maps are never used: when a signal finds it, its frame is scanned conservatively or, after a
    fault, not at all, and the stack is not moved before it is gone (runtime/mgcmark.go, scanframeworker; runtime/stack.go, adjustframe and
    isShrinkStackSafe; Go 1.22-1.27).
    """
    obj, tables, index = edit.object, edit.tables, original.index
    sym = obj.sym(index)
    called = next(fixup.offset for fixup in through.fixups if fixup.role == "called")
    depth = next(value for value, end in through.pcsp if called < end) + obj.traits.call_pushes
    if any(value for value, _ in original.pcsp) or depth > COUNTED_FRAME or sym.name in obj.jump_tables or obj.calls(index):
        return body
    flag = sym.flag & ~tables.sym_flags["SymFlagDupok"]
    direct = edit.add_copy(index, flag=flag, flag2=sym.flag2 & ~tables.sym_flags2.get("SymFlagABIWrapper", 0))
    about = {tables.aux[name] for name in DWARF_AUX}
    place = Place(direct, sym.size, entry_name(sym.name), original.file, original.line)
    edit.fill(direct, aux=[*(aux for aux in obj.aux(index) if aux.type not in about), *dwarf_aux(edit, place)])
    counted = Aux(tables.aux["AuxPcsp"], pc_table(edit, [(depth, sym.size)]))
    edit.fill(body, aux=[counted if aux.type == counted.type else aux for aux in obj.aux(index)])
    return direct


def add_call_through(edit: Edit, original: Original, body: SymRef, stub: Code, args_map: tuple[bool, ...], roles: Mapping[str, Role]) -> SymRef:
    """Appends a call-through. While it runs hooks, tracebacks show the function in its place; while the body runs, nothing."""
    name = edit.object.sym(original.index).name
    return add_text(edit, f"otelobj.through.{name}", stub, shape(original, args_map, entry_name(name), body), roles)
