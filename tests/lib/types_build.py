"""Archives of generated Go packages, for the tests of objinst.types: built once, loaded when asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from objinst.goobj.archive import Archive
from objinst.goobj import FuncInfo, Object, stackmap
from objinst.types import TypeTable
from objinst.signatures.agree import Evidence
from toolchains import go
from trampolines import load
from trampolines.contract import SpillScan


class Build:
    """The packages that `go list -deps` names below a module, with their archives."""

    def __init__(self, version: str, goarch: str, folder: Path, pattern: str, flags: tuple[str, ...] = ()) -> None:
        command = ["list", "-export", "-deps", *flags, "-f", "{{.ImportPath}}={{.Export}}", pattern]
        listed = go(version, folder, *command, goarch=goarch, GOWORK="off")
        self.goarch = goarch
        self.paths = dict(line.rsplit("=", 1) for line in listed.splitlines() if not line.endswith("="))
        self.loaded: list[str] = []
        self.load = functools.cache(self._load)
        self.table = TypeTable(self.load, tuple(self.paths))

    def _load(self, package: str) -> Object | None:
        if package not in self.paths:
            return None
        self.loaded.append(package)
        return Archive.read(Path(self.paths[package])).go_object()[1]

    def object(self, package: str) -> Object:
        found = self.load(package)
        assert found is not None
        return found


def func_info(obj: Object, index: int) -> FuncInfo:
    data = obj.aux_data(index, "AuxFuncInfo")
    assert data is not None
    return FuncInfo.parse(data)


def funcdata(obj: Object, index: int, number: str) -> bytes | None:
    """The bytes of a FUNCDATA of a function; None if it has none."""
    refs = obj.aux_symbols(index, "AuxFuncdata")
    place = obj.tables.pcdata[number]
    target = obj.resolve(refs[place]).index if place < len(refs) else None
    return bytes(obj.data(target)) if target is not None and target < obj.n_defs else None


def entry_map(obj: Object, index: int) -> tuple[bool, ...] | None:
    """Bitmap 0 of ArgsPointerMaps."""
    data = funcdata(obj, index, "FUNCDATA_ArgsPointerMaps")
    maps = stackmap.decode(data) if data else []
    return maps[0] if maps else None


def spill_scan(goarch: str) -> Callable[[Object, int], SpillScan]:
    find = load(goarch).find_spills

    def scan(obj: Object, index: int) -> SpillScan:
        wanted = {obj.tables.relocs[name] for name in ("R_CALL", "R_CALLARM64")}
        return find(bytes(obj.data(index)), {r.off: obj.resolve(r.sym).name for r in obj.relocs(index) if r.type in wanted})

    return scan


def evidence(goarch: str, obj: Object, index: int) -> Evidence:
    return Evidence(
        obj.sym(index).name, func_info(obj, index).args, spill_scan(goarch)(obj, index), entry_map(obj, index), funcdata(obj, index, "FUNCDATA_ArgInfo")
    )
