"""Many queries, transactions and batches at a time through a pool, on the PostgreSQL server of the system."""

from __future__ import annotations

from pathlib import Path

import load
from postgres_server import postgres_server

SOURCE = Path(__file__).parent / "testdata" / "load"
ROUND, SPANS = 4, 4 + 9
"""Operations that differ, and spans of all of them, but for those of callers that waited for a connection."""


@load.AMOUNTS
def test_no_span_is_open_and_none_has_a_wrong_parent(flags: list[str], operations: int, tmp_path: Path) -> None:
    program = load.build(SOURCE, tmp_path, *flags)
    with postgres_server() as url:
        load.check(program, url, str(operations), spans=operations * SPANS // ROUND)
