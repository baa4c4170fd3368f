"""Counters: a stub that adds one in front of a function or of its entry stub, and the table that hooks/probe reads.

One table for each object: static data that the stubs and the list in hooks/probe point at. The list does so weakly, so that the
linker drops a table none of whose functions is left.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from objinst.errors import ObjectError
from objinst.goobj import STATIC_ABI, Edit, Object, SymRef
from objinst.plan.probes import CountPlan
from objinst.rewrite.dwarf import entry_name
from objinst.rewrite.static import WORD, Address, Layout, Slice, StaticData, layout
from objinst.rewrite.swap import move_body, move_stub
from objinst.rewrite.text import Role, TextShape, relocations, text_aux
from trampolines import Arch
from trampolines.contract import Code

REMEDY = "hooks/probe and otelobj are of different versions; reinstall otelobj"


@dataclass(slots=True)
class Counters:
    """The counters of one object. name: of its table's symbol, unique in the link; kind: layout of hooks/probe's table."""

    edit: Edit
    arch: Arch
    kind: Layout
    name: str
    functions: list[str] = field(default_factory=list)
    _table: SymRef | None = None
    _stub: Code = field(init=False)

    def __post_init__(self) -> None:
        self._stub = self.arch.count_stub(atomics=_atomics(self.edit.object))

    def add(self, plan: CountPlan) -> None:
        """Puts a counting stub in front of a function, whether or not it has an entry stub already."""
        edit, index = self.edit, plan.index
        body = move_stub(edit, index) if index in edit.changed else move_body(edit, index)
        stub = self._stub
        counter = self.kind.size + WORD * len(self.functions)
        self.functions.append(plan.symbol)
        info = plan.info
        shape = TextShape(info.args, (), info.func_id, info.func_flag, info.start_line, plan.file, plan.line, entry_name(plan.symbol))
        roles = {"body": Role(body), "counter": Role(self.table, counter)}
        aux = text_aux(edit, edit.ref_of(index), stub, shape)
        edit.replace(index, data=stub.code, size=len(stub.code), relocs=relocations(edit, stub, roles), aux=aux)
        edit.rehash(index)

    @property
    def table(self) -> SymRef:
        if self._table is None:
            self._table = self.edit.add_def(self.name, 0, self.edit.tables.kinds["SNOPTRDATA"], align=WORD)
        return self._table

    def finish(self) -> list[str]:
        """Fills the table; returns its name if there is one."""
        if self._table is None:
            return []
        blob = StaticData()
        at = blob.reserve(self.kind.size)
        counters = blob.reserve(WORD * len(self.functions))
        blob.put(at, self.kind, Counts=Slice(counters, len(self.functions)), Names="".join(f"{name}\n" for name in self.functions))
        self.edit.fill(self._table, data=bytes(blob.data), relocs=blob.relocs(self.edit, self._table))
        return [self.name]


def _atomics(obj: Object) -> bool:
    """Whether GOARM64, as the header line has it, promises Armv8.1's atomic instructions (cmd/go, GOARM64: v8.1 and later, or ,lse)."""
    level = next((word.removeprefix("GOARM64=") for word in obj.header.line.split() if word.startswith("GOARM64=")), "v8.0")
    return ",lse" in level or not level.startswith("v8.0")


def table_layout(obj: Object, path: str) -> Layout:
    """The layout of hooks/probe's table. Raises ObjectError if it is of another version."""
    return layout(obj, f"{path}.table")


def list_tables(edit: Edit, path: str, tables: list[str]) -> None:
    """Fills hooks/probe's list of tables. Raises ObjectError if there is no such variable."""
    index = edit.object.find(f"{path}.tables", 0)
    if index is None:
        raise ObjectError(f"{edit.object.origin}: no variable {path}.tables", REMEDY)
    if not tables:
        return
    array = StaticData()
    start = array.words([Address(edit.add_ref(name, 0), weak=True) for name in tables])
    header = StaticData()
    list_kind = Layout("[]*table", 3 * WORD, {"": 0})
    header.put(header.reserve(3 * WORD), list_kind, **{"": Slice(start, len(tables), array.add_to(edit, "otelobj.probes", STATIC_ABI))})
    edit.replace(index, kind=edit.tables.kinds["SDATA"], data=bytes(header.data), relocs=header.relocs(edit, edit.ref_of(index)))
