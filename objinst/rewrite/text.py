"""Turns finished machine code into a text symbol of an object: code, FuncInfo, pc tables, stack maps, DWARF entry.

What the linker and the runtime ask of a text symbol (cmd/link/internal/ld/pcln.go, runtime/stkframe.go; Go 1.22-1.27):
FuncInfo; pcsp, pcfile and pcline that cover the code exactly; PCDATA_UnsafePoint = -2 (no asynchronous preemption anywhere
in it); ArgsPointerMaps for the caller's argument area and LocalsPointerMaps for a frame that has locals; with DWARF 5 a
DwarfInfo aux symbol. Up to Go 1.25 a stack map is laid out as function data only if its name says so, hence STACK_MAP_NAME and OPEN_DEFER_NAME.
A symbol without a name must not be static, or an external link ends in a panic (cmd/link/internal/ld/symtab.go, genelfsym).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from objinst.goobj import STATIC_ABI, Aux, Edit, FuncInfo, InlNode, Reloc, SymRef, pctab, stackmap
from objinst.goobj.leb128 import unsigned
from objinst.rewrite.dwarf import Place, dwarf_aux
from trampolines.contract import Code, Patched, Phase

STACK_MAP_NAME = "gclocals·otelobj"
OPEN_DEFER_NAME = "otelobj.opendefer"
NO_SYMBOL = SymRef(0, 0)
OUTERMOST = -1
"""Index in a function's tree of inlined calls: none of them."""
UNSAFE_POINT_ALL = -2
"""abi.UnsafePointUnsafe: every instruction is unsafe for asynchronous preemption."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a fixup's role refers to: a symbol and an offset in it (bytes)."""

    ref: SymRef
    addend: int = 0


@dataclass(frozen=True, slots=True)
class TextShape:
    """What a text symbol records in addition to its code.

    args: FuncInfo.Args in bytes; args_map: a pointer flag for every word of the args area that the map covers.
    file: index in the object's file table; line: of every instruction; name: in DWARF.
    shown_as: the function whose name tracebacks and profiles show in place of the symbol's own.
    """

    args: int
    args_map: Sequence[bool]
    func_id: int
    func_flag: int
    start_line: int
    file: int
    line: int
    name: str
    shown_as: SymRef | None = None


def relocations(edit: Edit, code: Code | Patched, roles: Mapping[str, Role]) -> list[Reloc]:
    """The relocations of `code`, its fixups bound to symbols. Raises KeyError for a role that has no symbol."""
    traits = edit.object.traits
    relocs = []
    for fixup in code.fixups:
        role = roles[fixup.role]
        kind = edit.tables.relocs[traits.relocation(fixup.kind)]
        relocs.append(Reloc(fixup.offset, fixup.size, kind, fixup.addend + role.addend, role.ref))
    return sorted(relocs, key=lambda reloc: reloc.off)


def text_aux(edit: Edit, text: SymRef, code: Code, shape: TextShape) -> list[Aux]:
    """The aux list of the text symbol `text`, made from `code`; its aux symbols are appended to the object, those that equal others once."""
    tables = edit.tables
    quantum = edit.object.traits.quantum
    size = len(code.code)

    def shared(data: bytes, kind: str = "SRODATA", name: str = "", align: int = 0) -> SymRef:
        return edit.add_shared(name, tables.kinds[kind], data, align=align)

    def table(*pairs: tuple[int, int]) -> SymRef:
        return pc_table(edit, pairs)

    def stack_map(*maps: Sequence[bool]) -> SymRef:
        return shared(_encoded_maps(tuple(map(tuple, maps))), name=STACK_MAP_NAME, align=4)

    phases = code.phases or (Phase(size, args=True, locals_map=code.locals_map),)
    numbers = [(number, phase.end) for number, phase in enumerate(code.phases)]
    last = size - quantum
    shown = () if shape.shown_as is None else (InlNode(-1, shape.file, shape.line, shape.shown_as, last),)
    info = FuncInfo(
        args=shape.args,
        locals=code.frame,
        func_id=tables.func_ids["FuncIDWrapper"] if shown else shape.func_id,
        func_flag=shape.func_flag,
        start_line=shape.start_line,
        files=(shape.file,),
        inl_tree=shown,
    )
    nothing = (False,) * len(shape.args_map)
    maps = [stack_map(*(shape.args_map if phase.args else nothing for phase in phases)), stack_map(*(phase.locals_map for phase in phases))]
    return [
        Aux(tables.aux["AuxFuncInfo"], shared(info.to_bytes(), "SDATA")),
        *(Aux(tables.aux["AuxFuncdata"], ref) for ref in [*maps, *_open_defer(edit, code)]),
        *dwarf_aux(edit, Place(text, size, shape.name, shape.file, shape.line)),
        Aux(tables.aux["AuxPcsp"], table(*code.pcsp)),
        Aux(tables.aux["AuxPcfile"], table((shape.file, size))),
        Aux(tables.aux["AuxPcline"], table((shape.line, size))),
        *([Aux(tables.aux["AuxPcinline"], table(*_shown_where(code), (0, last), (OUTERMOST, size)))] if shown else []),
        Aux(tables.aux["AuxPcdata"], table((UNSAFE_POINT_ALL, size))),
        *([Aux(tables.aux["AuxPcdata"], table(*numbers, (0, size)))] if numbers else []),
    ]


def _shown_where(code: Code) -> list[tuple[int, int]]:
    """Where tracebacks show a stub as the function; not while it calls the function itself, which is then on the stack."""
    return [(0, code.phases[0].end), (OUTERMOST, code.phases[1].end)] if code.phases else []


def pc_table(edit: Edit, pairs: Sequence[tuple[int, int]]) -> SymRef:
    """An aux symbol that holds a pc-value table."""
    return edit.add_shared("", edit.tables.kinds["SRODATA"], _encoded_table(tuple(pairs), edit.object.traits.quantum))


@functools.lru_cache(4096)
def _encoded_table(pairs: tuple[tuple[int, int], ...], quantum: int) -> bytes:
    return pctab.encode(pairs, quantum)


@functools.lru_cache(4096)
def _encoded_maps(maps: tuple[tuple[bool, ...], ...]) -> bytes:
    return stackmap.encode(maps)


def _open_defer(edit: Edit, code: Code) -> list[SymRef]:
    """FUNCDATA_StackObjects and FUNCDATA_InlTree, which no stub has, and FUNCDATA_OpenCodedDeferInfo: two varints
    (cmd/compile/internal/ssagen, emitOpenDeferInfo)."""
    if code.open_defer is None:
        return []
    data = unsigned(code.open_defer.bits) + unsigned(code.open_defer.slots)
    return [NO_SYMBOL, NO_SYMBOL, edit.add_shared(OPEN_DEFER_NAME, edit.tables.kinds["SRODATA"], data)]


def add_text(edit: Edit, name: str, code: Code, shape: TextShape, roles: Mapping[str, Role], *, flag: int = 0) -> SymRef:
    """Appends a static text symbol and returns its reference."""
    text = edit.add_def(name, STATIC_ABI, edit.tables.kinds["STEXT"], data=code.code, flag=flag, relocs=relocations(edit, code, roles))
    edit.fill(text, aux=text_aux(edit, text, code, shape))
    return text
