"""Writes goVERSION.json from a GOROOT: `python -m objinst.types.dwarf_tables.generate GOROOT...`.

Reads src/cmd/internal/dwarf/dwarf.go and (from Go 1.23) putvarabbrevgen.go: the const block of DW_ABRV numbers and the
tables `abbrevs` and `putvarAbbrevs`. Attribute and form names are kept as the source has them,
pseudo forms too: what they stand for depends on the experiments and the GOOS in the object's header line.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ENTRY = re.compile(r"\{(?:0|DW_TAG_(?P<tag>\w+)),(?:0|DW_CHILDREN_(?P<children>\w+)),\[\]dwAttrForm\{(?P<attrs>(?:\{DW_AT_\w+,DW_FORM_\w+\},?)*)\},?\},?")
ATTR = re.compile(r"\{DW_AT_(\w+),DW_FORM_(\w+)\}")


def entries(source: str, variable: str) -> list[dict[str, object]]:
    """The rows of `var VARIABLE = []dwAbbrev{…}`. Raises ValueError if a row is not understood."""
    match = re.search(rf"^var {variable} = \[\w*\]dwAbbrev\{{\n(.*?)^\}}", source, re.DOTALL | re.MULTILINE)
    if match is None:
        raise ValueError(f"no variable {variable}")
    body = re.sub(r"//[^\n]*|/\*.*?\*/|\s", "", match[1], flags=re.DOTALL)
    rows = [{"tag": m["tag"] or "", "children": m["children"] == "yes", "attrs": ATTR.findall(m["attrs"])} for m in ENTRY.finditer(body)]
    if ENTRY.sub("", body):
        raise ValueError(f"{variable}: not every row was understood")
    return rows


@dataclass(frozen=True, slots=True)
class Table:
    """go: minor version; names: of the DW_ABRV constants in order; abbrevs: rows, the ones without a constant last."""

    go: str
    names: list[str]
    abbrevs: list[dict[str, object]]


def generate(goroot: Path) -> Table:
    """The table of one GOROOT. Raises ValueError where the source is not as expected."""
    folder = goroot / "src/cmd/internal/dwarf"
    source = (folder / "dwarf.go").read_text()
    names = re.search(r"^const \(\n\tDW_ABRV_NULL = iota\n(.*?)^\)", source, re.DOTALL | re.MULTILINE)
    if names is None:
        raise ValueError("no DW_ABRV constants")
    order = ["NULL", *re.findall(r"^\tDW_ABRV_(\w+)", names[1], re.MULTILINE)]
    rows = entries(source, "abbrevs")
    split = order[-1] == "PUTVAR_START"
    if len(order) - split != len(rows):
        raise ValueError(f"{len(order) - split} DW_ABRV constants for {len(rows)} abbreviations")
    if split:
        order.pop()
        rows += entries((folder / "putvarabbrevgen.go").read_text(), "putvarAbbrevs")
    version = (goroot / "VERSION").read_text().split()[0]
    minor = re.match(r"go1\.\d+", version)
    if minor is None:
        raise ValueError(f"version {version}")
    return Table(minor[0].removeprefix("go"), order, rows)


def render(goroot: Path) -> tuple[Path, str]:
    """The file of a GOROOT's table, and its text."""
    table = generate(goroot)
    rows = ",\n".join("  " + json.dumps(row) for row in table.abbrevs)
    text = f'{{"go": {json.dumps(table.go)},\n "names": {json.dumps(table.names)},\n "abbrevs": [\n{rows}\n]}}\n'
    return HERE / f"go{table.go}.json", text


def main() -> None:
    """Writes one file a GOROOT."""
    for arg in sys.argv[1:]:
        path, text = render(Path(arg))
        path.write_text(text)


if __name__ == "__main__":
    main()
