"""Compiled functions of archives, as the tests of finders look at them."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from objinst.goobj.archive import Archive
from objinst.goobj import Object

CALL_RELOC = {"amd64": "R_CALL", "arm64": "R_CALLARM64"}


@dataclass(frozen=True)
class Compiled:
    """calls: offset of each call's relocation -> name of the callee; cases: offsets that jump tables name."""

    name: str
    code: bytes
    calls: dict[int, str]
    cases: frozenset[int]


def functions(archives: Iterable[Path], goarch: str, wanted: Callable[[Iterable[str]], bool]) -> Iterator[Compiled]:
    """Those of whose callees it is said that they are wanted."""
    for path in archives:
        for obj in Archive.read(path).objects().values():
            kind = obj.tables.relocs[CALL_RELOC[goarch]]
            tables: dict[int | None, set[int]] | None = None
            for index in obj.text_symbols():
                calls = {reloc.off: obj.resolve(reloc.sym).name for reloc in obj.relocs(index) if reloc.type == kind}
                if wanted(calls.values()):
                    tables = jump_tables(obj) if tables is None else tables
                    yield Compiled(obj.name(index), bytes(obj.data(index)), calls, frozenset(tables[index]))


def jump_tables(obj: Object) -> dict[int | None, set[int]]:
    """Text symbol -> offsets in it that its jump tables name."""
    found: dict[int | None, set[int]] = collections.defaultdict(set)
    for index in range(obj.n_defs):
        if ".jump" in obj.name(index) and not obj.is_text(index):
            for reloc in obj.relocs(index):
                found[obj.resolve(reloc.sym).index].add(reloc.add)
    return found
