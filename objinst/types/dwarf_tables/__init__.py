"""Abbreviations of the DIE stream that the compiler writes into object files, one table a Go minor version.

The compiler writes abbreviation numbers without declaring them (the linker writes the declarations), so the numbers come
from the sources of each Go version: `generate.py`. Pseudo forms depend on DWARF 5 and the GOOS
(cmd/internal/dwarf/dwarf.go, expandPseudoForm).
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import ObjectError
from objinst.goobj.header import Header
from objinst.goobj.tables import for_version

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Abbrev:
    """One kind of DIE. name: of the DW_ABRV constant, "" for a variable's; attrs: (attribute, form), pseudo forms resolved."""

    name: str
    tag: str
    children: bool
    attrs: tuple[tuple[str, str], ...]


def for_header(header: Header) -> tuple[Abbrev, ...]:
    """The table of the compiler that wrote an object, by abbreviation number. Raises ObjectError for an unknown version."""
    experiments = header.line.rpartition(" X:")[2].split(",")
    return _load(for_version(header.go_version).go, "dwarf5" in experiments, header.goos in {"darwin", "ios"})


@functools.cache
def _load(minor: str, dwarf5: bool, darwin: bool) -> tuple[Abbrev, ...]:
    path = HERE / f"go{minor}.json"
    if not path.exists():
        raise ObjectError(f"no DWARF abbreviations for Go {minor}", "use a supported Go release, or a newer otelobj")
    table = json.loads(path.read_text())
    pseudo = {
        "lo_pc_pseudo": "addrx" if dwarf5 else "addr",
        "hi_pc_pseudo": "udata" if dwarf5 else "addr",
        "udata_pseudo": "data4" if darwin else "udata",
    }
    names = [*table["names"], *[""] * len(table["abbrevs"])]
    return tuple(
        Abbrev(name, row["tag"], row["children"], tuple((attr, pseudo.get(form, form)) for attr, form in row["attrs"]))
        for name, row in zip(names, table["abbrevs"], strict=False)
    )
