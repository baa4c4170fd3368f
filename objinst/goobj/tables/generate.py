"""Writes the tables of one Go minor version from its GOROOT: `python -m objinst.goobj.tables.generate GOROOT...`.

Reads const blocks of cmd/internal/{goobj,objabi} and internal/abi, and the list of builtins. Only const blocks of the plain form
(NAME, NAME = EXPR with iota, comments) occur there.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent


def const_block(text: str, first: str) -> dict[str, int]:
    """The values of the const block whose first name is `first`. Raises ValueError if there is none."""
    for body in re.findall(r"^const \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL):
        names = list(_block_lines(body))
        if names and names[0][0] == first:
            return _evaluate(names)
    raise ValueError(f"no const block that begins with {first}")


def _block_lines(body: str) -> list[tuple[str, str]]:
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.DOTALL)
    lines = []
    for raw in body.splitlines():
        line = re.sub(r"//.*", "", raw).strip()
        match = re.fullmatch(r"(\w+)(?:\s+[\w.]+)?(?:\s*=\s*(.+))?", line)
        if match:
            lines.append((match[1], match[2] or ""))
    return lines


def _evaluate(names: list[tuple[str, str]]) -> dict[str, int]:
    values: dict[str, int] = {}
    expression = ""
    for iota, (name, given) in enumerate(names):
        expression = given or expression
        python = re.sub(r"\biota\b", str(iota), re.sub(r"\w+\((iota)\)", r"\1", expression))
        if re.fullmatch(r"[\d\s<>()+*-]+|0x[0-9a-fA-F]+", python):
            value = eval(python, {"__builtins__": {}})  # noqa: S307 - digits and operators only
        elif python in values:
            value = values[python]
        else:
            continue
        if name != "_":
            values[name] = int(value)
    return values


def sym_kinds(text: str) -> dict[str, int]:
    return {name: value for name, value in const_block(text, "Sxxx").items() if not name.startswith("SABI")}


def builtins(text: str) -> list[str]:
    return re.findall(r'^\t\{"([^"]+)", \d+\},', text, re.MULTILINE)


def tables(goroot: Path) -> dict[str, object]:
    cmd = goroot / "src/cmd/internal"
    obj = (cmd / "goobj/objfile.go").read_text()
    version = re.match(r"go1\.(\d+)", (goroot / "VERSION").read_text())
    if version is None:
        raise ValueError(f"{goroot}: not a release")
    funcid = (goroot / "src/internal/abi/symtab.go").read_text()
    return {
        "go": f"1.{version[1]}",
        "kinds": sym_kinds((cmd / "objabi/symkind.go").read_text()),
        "relocs": {n: v for n, v in const_block((cmd / "objabi/reloctype.go").read_text(), "R_ADDR").items() if n.startswith("R_")},
        "obj_flags": const_block(obj, "ObjFlagShared"),
        "sym_flags": const_block(obj, "SymFlagDupok"),
        "sym_flags2": const_block(obj, "SymFlagUsedInIface"),
        "aux": const_block(obj, "AuxGotype"),
        "func_ids": const_block(funcid, "FuncIDNormal"),
        "func_flags": const_block(funcid, "FuncFlagTopFrame"),
        "pcdata": const_block(funcid, "PCDATA_UnsafePoint"),
        "builtins": builtins((cmd / "goobj/builtinlist.go").read_text()),
    }


def text(made: dict[str, object]) -> str:
    """The file's contents."""
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def main() -> None:
    """One file for each GOROOT on the command line."""
    for goroot in map(Path, sys.argv[1:]):
        made = tables(goroot)
        (HERE / f"go{made['go']}.json").write_text(text(made))


if __name__ == "__main__":
    main()
