"""Probes of one object: counting stubs, histograms, and the table by which hooks/probe finds both.

The table is static data. Stubs and descriptors refer to it, and the list in hooks/probe does so weakly, so the linker drops a table if none of
its functions is left. Histograms are large and empty, so they take no space in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from objinst.errors import ObjectError
from objinst.goobj import STATIC_ABI, Edit, Object, SymRef
from objinst.plan.model import FrontPlan
from objinst.rewrite.dwarf import entry_name
from objinst.rewrite.static import WORD, Address, Layout, Slice, StaticData, dropped, layout
from objinst.rewrite.swap import move_body, move_stub
from objinst.rewrite.tables import LinkTables, ObjectTable
from objinst.rewrite.text import Role, TextShape, relocations, text_aux
from trampolines import Arch
from trampolines.contract import Code

REMEDY = "hooks/probe and otelobj are of different versions; reinstall otelobj"


@dataclass(frozen=True, slots=True)
class ProbeTables(LinkTables):
    """Of hooks/probe: path: its import path; table: its type; histogram: size in bytes."""

    path: str
    table: Layout
    histogram: int

    @classmethod
    def of(cls, obj: Object, path: str) -> ProbeTables:
        """Raises ObjectError if hooks/probe is of another version."""
        return cls(path, layout(obj, f"{path}.table"), layout(obj, f"{path}.histogram").size)

    @property
    def package(self) -> str:
        return self.path

    @property
    def stub(self) -> str:
        return "counting stub"

    def begin(self, edit: Edit, arch: Arch, place: str) -> Probes:
        return Probes(edit, arch, self, f"otelobj.probes.{place}")

    def fill(self, edit: Edit, tables: Sequence[str]) -> None:
        """The list begins with what stands for a table that the linker has dropped."""
        index = edit.object.find(f"{self.path}.tables", 0)
        if index is None:
            raise ObjectError(f"{edit.object.origin}: no variable {self.path}.tables", REMEDY)
        if not tables:
            return
        array = StaticData()
        start = array.words([dropped(edit), *(Address(edit.add_ref(name, 0), weak=True) for name in tables)])
        header = StaticData()
        list_kind = Layout("[]*table", 3 * WORD, {"": 0})
        header.put(header.reserve(3 * WORD), list_kind, **{"": Slice(start, 1 + len(tables), array.add_to(edit, "otelobj.probes", STATIC_ABI))})
        edit.replace(index, kind=edit.tables.kinds["SDATA"], data=bytes(header.data), relocs=header.relocs(edit, edit.ref_of(index)))


@dataclass(slots=True)
class Probes(ObjectTable):
    """The probes of one object. name: of its table's symbol, unique in the link."""

    edit: Edit
    arch: Arch
    kinds: ProbeTables
    name: str
    counted: list[str] = field(default_factory=list)
    timed: dict[str, int] = field(default_factory=dict)
    _table: SymRef | None = None
    _histograms: SymRef | None = None
    _stub: Code = field(init=False)

    def __post_init__(self) -> None:
        self._stub = self.arch.count_stub(atomics=_atomics(self.edit.object))

    def front(self, plan: FrontPlan) -> None:
        """A counting stub."""
        edit, index = self.edit, plan.index
        body = move_stub(edit, index) if index in edit.changed else move_body(edit, index)
        stub = self._stub
        counter = self.kinds.table.size + WORD * len(self.counted)
        self.counted.append(plan.symbol)
        info = plan.info
        shape = TextShape(info.args, (), info.func_id, info.func_flag, info.start_line, plan.file, plan.line, entry_name(plan.symbol))
        roles = {"body": Role(body), "counter": Role(self.table, counter)}
        aux = text_aux(edit, edit.ref_of(index), stub, shape)
        edit.replace(index, data=stub.code, size=len(stub.code), relocs=relocations(edit, stub, roles), aux=aux)
        edit.rehash(index)

    def histogram(self, symbol: str) -> int:
        """The offset of a function's histogram in `histograms`."""
        return self.timed.setdefault(symbol, self.kinds.histogram * len(self.timed))

    @property
    def table(self) -> SymRef:
        if self._table is None:
            self._table = self.edit.add_def(self.name, 0, self.edit.tables.kinds["SNOPTRDATA"], align=WORD)
        return self._table

    @property
    def histograms(self) -> SymRef:
        if self._histograms is None:
            self._histograms = self.edit.add_def(f"{self.name}.histograms", STATIC_ABI, self.edit.tables.kinds["SNOPTRBSS"], align=WORD)
        return self._histograms

    def finish(self) -> list[str]:
        if self._table is None:
            return []
        blob = StaticData()
        at = blob.reserve(self.kinds.table.size)
        counters = blob.reserve(WORD * len(self.counted))
        blob.put(at, self.kinds.table, Counts=Slice(counters, len(self.counted)), Names=_lines(self.counted), Timed=_lines(self.timed))
        if self._histograms is not None:
            self.edit.resize(self._histograms, self.kinds.histogram * len(self.timed))
            blob.put(at, self.kinds.table, Histograms=Slice(0, len(self.timed), self._histograms))
        self.edit.fill(self._table, data=bytes(blob.data), relocs=blob.relocs(self.edit, self._table))
        return [self.name]


def _lines(names: list[str] | dict[str, int]) -> str:
    return "".join(f"{name}\n" for name in names)


def _atomics(obj: Object) -> bool:
    """Whether the architecture level in the header line guarantees the instructions that a counting stub uses."""
    setting = f"{obj.traits.level}="
    return obj.traits.has_atomics(next((word.removeprefix(setting) for word in obj.header.line.split() if word.startswith(setting)), ""))
