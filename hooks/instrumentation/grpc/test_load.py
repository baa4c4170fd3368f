"""Many calls at a time between clients and a server of one process."""

from __future__ import annotations

from pathlib import Path

import load

SOURCE = Path(__file__).parent / "testdata" / "load"


@load.AMOUNTS
def test_no_span_is_open_and_none_has_a_wrong_parent(flags: list[str], operations: int, tmp_path: Path) -> None:
    load.check(load.build(SOURCE, tmp_path, *flags), str(operations), spans=3 * operations)
