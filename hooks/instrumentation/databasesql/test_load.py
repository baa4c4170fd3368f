"""Many transactions, queries and prepared statements at a time, on the servers of the system and in files, through every driver that is well known."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import load
import pytest
from mariadb_server import mariadb_server
from needs import need
from postgres_server import postgres_server

SOURCE = Path(__file__).parent / "testdata" / "load"
ROUND, SPANS = 5, 5 + 12
"""Operations that differ, and spans of all of them."""


@contextlib.contextmanager
def database(driver: str, folder: Path) -> Iterator[str]:
    """A data source name."""
    if driver == "mysql":
        with mariadb_server() as dsn:
            yield dsn
    elif driver in ("postgres", "pgx"):
        with postgres_server() as url:
            yield url
    else:
        yield f"file:{folder / 'counters.db'}"


@pytest.mark.parametrize("driver", ["postgres", "pgx", "mysql"])
@load.AMOUNTS
def test_no_span_is_open_and_none_has_a_wrong_parent(flags: list[str], operations: int, driver: str, tmp_path: Path) -> None:
    program = load.build(SOURCE, tmp_path, *flags)
    with database(driver, tmp_path) as dsn:
        load.check(program, driver, dsn, str(operations), spans=operations * SPANS // ROUND)


@pytest.mark.long
@pytest.mark.parametrize("driver", ["sqlite", "sqlite3"])
def test_sqlite(driver: str, tmp_path: Path) -> None:
    """modernc's and mattn's. The second one is C."""
    need("gcc")
    program = load.build(SOURCE, tmp_path, "-tags=sqlite", CGO_ENABLED="1")
    with database(driver, tmp_path) as dsn:
        load.check(program, driver, dsn, "1000", spans=1000 * SPANS // ROUND)
