"""Many commands at a time on the Redis server of the system."""

from __future__ import annotations

from pathlib import Path

import load
from redis_server import redis_server

SOURCE = Path(__file__).parent / "testdata" / "load"


@load.AMOUNTS
def test_no_span_is_open_and_none_has_a_wrong_parent(flags: list[str], operations: int, tmp_path: Path) -> None:
    program = load.build(SOURCE, tmp_path, *flags)
    with redis_server("--requirepass", "hunter2") as address:
        load.check(program, address, str(operations), spans=2 * operations)
