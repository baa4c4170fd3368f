"""Numbers that move between Go versions: symbol kinds, relocation types, flag bits, aux types, builtins.

One file a Go minor version, generated from its GOROOT by `generate.py` and committed with it. An object's text header says
which one applies; an unknown version is refused, because a wrong number would corrupt silently.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import ObjectError

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Tables:
    """The tables of one Go minor version; every mapping is name -> number."""

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


def supported() -> tuple[str, ...]:
    """Go minor versions that have tables, oldest first: ("1.22", …)."""
    return tuple(sorted((path.stem.removeprefix("go") for path in HERE.glob("go1.*.json")), key=lambda v: int(v.split(".")[1])))


def for_version(go_version: str, origin: str = "") -> Tables:
    """The tables of a version as the header line spells it, such as go1.26.6. Raises ObjectError, which names origin, for an unknown one."""
    match = re.match(r"go(1\.\d+)(\.\d+|rc\d+|beta\d+)?($|[ -])", go_version)
    if match is None or not (HERE / f"go{match[1]}.json").exists():
        raise ObjectError(
            f"{origin}{': ' if origin else ''}Go version {go_version!r} is not known to this otelobj (it knows {', '.join(supported())})",
            "use a supported Go release, or a newer otelobj; OTELOBJ_ON_ERROR=plain links without hooks",
        )
    return _load(match[1])


@functools.cache
def _load(minor: str) -> Tables:
    raw = json.loads((HERE / f"go{minor}.json").read_text())
    raw["builtins"] = tuple(raw["builtins"])
    return Tables(**raw)
