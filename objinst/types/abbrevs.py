"""Abbreviations of the DIE stream that the compiler writes into object files.

The compiler writes abbreviation numbers without declaring them (the linker writes the declarations), so the numbers come from the tables of
its Go version (objinst.goversions). Pseudo forms depend on DWARF 5 and the GOOS (cmd/internal/dwarf/dwarf.go, expandPseudoForm).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from objinst.goobj.header import Header
from objinst.goversions import for_version
from objinst.platform.target import Target, target


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
    return _resolved(header.go_version, "dwarf5" in experiments, (target(header.goos) or Target(header.goos)).udata_form)


@functools.cache
def _resolved(go_version: str, dwarf5: bool, udata: str) -> tuple[Abbrev, ...]:
    pseudo = {
        "lo_pc_pseudo": "addrx" if dwarf5 else "addr",
        "hi_pc_pseudo": "udata" if dwarf5 else "addr",
        "udata_pseudo": udata,
    }
    rows = for_version(go_version).dwarf
    return tuple(Abbrev(row.name, row.tag, row.children, tuple((attr, pseudo.get(form, form)) for attr, form in row.attrs)) for row in rows)
