"""What the compiler writes for the race detector holds together for the verifier, too: functions of one byte of code may have two stack maps."""

from __future__ import annotations

from pathlib import Path

import pytest
from needs import need
import toolchains

from objinst.goobj.archive import Archive
from objinst.goobj import verify


@pytest.mark.parametrize("version", ["1.26"])
def test_archives_of_cgo_with_race(version: str) -> None:
    need("gcc")
    path = Path(toolchains.go(version, ".", "list", "-race", "-export", "-f", "{{.Export}}", "runtime/cgo", CGO_ENABLED="1").strip())
    archive = Archive.parse(path.read_bytes(), str(path))
    small = [obj.sym(index) for obj in archive.objects().values() for index in range(obj.n_defs) if obj.sym(index).size == 1]
    assert "runtime/cgo._Cgo_ptr" in {sym.name for sym in small}
    for obj in archive.objects().values():
        verify(obj)
