"""A program with database/sql: instrumented by hand with otelsql, and relinked by otelobj. The same calls have spans, with the same outcome.

otelsql traces what database/sql asks of a driver, ours what the program asks of database/sql. So otelsql's spans of connections, of their reset and of rows
are left out here: rows belong to the span of their query, which lasts as long.
"""

from __future__ import annotations

from pathlib import Path

import differential

from objinst.collector import Collector

PROGRAM = Path(__file__).parent / "testdata" / "program"
OF_DRIVERS = {"sql.connector.connect", "sql.conn.reset_session", "sql.rows"}
OTELSQL = {"sql.conn.ping": "PING", "sql.conn.prepare": "PREPARE", "sql.conn.begin_tx": "BEGIN", "sql.tx.commit": "COMMIT", "sql.tx.rollback": "ROLLBACK"}
CALLS = set(OTELSQL.values())
SCOPE = "github.com/otelobj/otelobj/hooks/instrumentation/databasesql"
IN_ROWS = {"SELECT name FROM broken", "SELECT name FROM endless"}
"""Statements that fail while their rows are read: otelsql says so on the span of the rows."""

runs = differential.fixture(PROGRAM)


def test_the_program_does_the_same(runs: differential.Runs) -> None:
    runs.same_output()


def calls(collector: Collector) -> list[tuple[str, str, bool]]:
    """What was done, the statement, and whether it failed, in the order of the calls."""
    found = []
    for span in sorted(collector.spans(), key=lambda span: span.start):
        if span.name in OF_DRIVERS:
            continue
        text = str(span.attributes.get("db.query.text", span.attributes.get("db.statement", "")))
        operation = OTELSQL.get(span.name, str(span.attributes.get("db.operation.name")))
        failed = span.status == "ERROR" or text in IN_ROWS
        found.append((operation if operation in CALLS else "statement", text, failed))
    return found


def test_same_spans(runs: differential.Runs) -> None:
    hand, ours = calls(runs.hand[1]), calls(runs.ours[1])
    assert len(ours) > 15
    assert ours == hand
    assert {span.kind for span in runs.ours[1].spans()} == {span.kind for span in runs.hand[1].spans()} == {"CLIENT"}


def test_rows_that_fail(runs: differential.Runs) -> None:
    failed = {span.attributes.get("db.query.text") for span in runs.ours[1].spans() if span.status == "ERROR"}
    assert failed > IN_ROWS
    by_hand = [span for span in runs.hand[1].spans() if span.name == "sql.rows" and span.status == "ERROR"]
    assert by_hand, "of rows that a context has ended, otelsql says so or not: whether the driver was asked first is chance"


def pool(collector: Collector) -> dict[str, object]:
    """The pool's counters by name."""
    return {metric.name: metric.points[-1].value for metric in collector.metrics() if metric.name.startswith("db.sql.connection.") and metric.points}


def test_same_metrics_of_the_pool(runs: differential.Runs) -> None:
    hand, ours = pool(runs.hand[1]), pool(runs.ours[1])
    of_ours = {metric.name: metric for metric in runs.ours[1].metrics()}
    # The semantic conventions have names for these two.
    assert [point.value for point in of_ours["db.client.connection.max"].points] == [hand.pop("db.sql.connection.max_open")] == [7]
    assert "db.client.connection.count" in of_ours and hand.pop("db.sql.connection.open") is not None
    assert ours == hand and len(ours) == 5


def test_a_program_that_traces_itself(runs: differential.Runs) -> None:
    assert [span.name for span in runs.both[1].spans()] == [span.name for span in runs.hand[1].spans()]
    assert not [metric.name for metric in runs.both[1].metrics() if metric.scope.name == SCOPE]
