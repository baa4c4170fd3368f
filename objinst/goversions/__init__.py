"""The Go versions that otelobj works with, and all that a version decides: one folder a minor version, such as 1.27/.

`objects.json` has the numbers of object files, `dwarf.json` the abbreviations of DIEs, `runtime.json` what else differs. They are generated:
`python -m objinst.goversions add GOROOT` writes a folder, and names what it cannot derive. Nothing else in otelobj compares Go versions.

There are two lowest versions, and this is their only home. Objects are read and functions hooked from the first release that has a folder;
probes and hooks of one's own need no more. What makes and exports telemetry is written against OpenTelemetry's modules: TELEMETRY.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import ObjectError

HERE = Path(__file__).parent
TELEMETRY = "1.24"
"""The lowest version for telemetry: the `go` line of the modules in hooks/ that need OpenTelemetry."""
DOWNLOAD = "https://go.dev/dl"
ADD = "python -m objinst.goversions add GOROOT"


@dataclass(frozen=True)
class RuntimeTable:
    """runtime.json. functions: of package runtime that otelobj hooks or calls, by symbol, with the types of parameters and results;
    program_flag: the flag in a type descriptor that says that GCData is no mask; bracket_pairs: how many the runtime prints of a name at most.
    """

    functions: dict[str, str]
    program_flag: str
    bracket_pairs: int


@dataclass(frozen=True)
class DwarfRow:
    """An abbreviation. name: of the DW_ABRV constant, "" for a variable's; attrs: (attribute, form), pseudo forms as the source has them."""

    name: str
    tag: str
    children: bool
    attrs: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tables:
    """The tables of one Go minor version; every mapping of objects.json is name -> number."""

    go: str
    kinds: dict[str, int]
    relocs: dict[str, int]
    obj_flags: dict[str, int]
    sym_flags: dict[str, int]
    sym_flags2: dict[str, int]
    aux: dict[str, int]
    func_ids: dict[str, int]
    func_flags: dict[str, int]
    pcdata: dict[str, int]
    builtins: tuple[str, ...]

    @functools.cached_property
    def kind_names(self) -> dict[int, str]:
        return {number: name for name, number in self.kinds.items()}

    @functools.cached_property
    def reloc_names(self) -> dict[int, str]:
        return {number: name for name, number in self.relocs.items()}

    @functools.cached_property
    def runtime(self) -> RuntimeTable:
        return RuntimeTable(**json.loads((HERE / self.go / "runtime.json").read_text()))

    @functools.cached_property
    def dwarf(self) -> tuple[DwarfRow, ...]:
        """By abbreviation number."""
        table = json.loads((HERE / self.go / "dwarf.json").read_text())
        names = [*table["names"], *[""] * (len(table["abbrevs"]) - len(table["names"]))]
        rows = zip(names, table["abbrevs"], strict=True)
        return tuple(DwarfRow(name, row["tag"], row["children"], tuple((attr, form) for attr, form in row["attrs"])) for name, row in rows)


def supported() -> tuple[str, ...]:
    """Go minor versions that have a folder, oldest first: ("1.22", …)."""
    return tuple(sorted((path.parent.name for path in HERE.glob("1.*/objects.json")), key=number))


def for_version(go_version: str, origin: str = "") -> Tables:
    """The tables of a version as the header line spells it, such as go1.26.6. Raises ObjectError, which names origin, for an unknown one."""
    match = re.match(r"go(1\.\d+)(\.\d+|rc\d+|beta\d+)?($|[ -])", go_version)
    if match is None or not (HERE / match[1] / "objects.json").exists():
        raise ObjectError(
            f"{origin}{': ' if origin else ''}Go version {go_version!r} is not known to this otelobj (it knows {', '.join(supported())})",
            f"use a supported Go release, or a newer otelobj, or add the version to this one (`{ADD}` says whether it can be); "
            "OTELOBJ_ON_ERROR=plain links without hooks",
        )
    return _load(match[1])


@functools.cache
def _load(minor: str) -> Tables:
    raw = json.loads((HERE / minor / "objects.json").read_text())
    raw["builtins"] = tuple(raw["builtins"])
    return Tables(**raw)


def number(version: str) -> int:
    """For comparisons: 26 of 1.26."""
    return int(version.split(".")[1])


def lowest() -> str:
    """For probes and hooks of one's own."""
    return supported()[0]


def newest() -> str:
    """The newest that this otelobj knows."""
    return supported()[-1]


def requirement() -> str:
    """Both lowest versions, in words."""
    return f"Go {TELEMETRY} or newer for telemetry, {lowest()} or newer for probes and hooks of your own"
