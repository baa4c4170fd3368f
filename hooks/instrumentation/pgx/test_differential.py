"""A program with pgx and a PostgreSQL server: instrumented by hand with otelpgx, and relinked by otelobj. The same calls have spans, with the same outcome.

Left out is otelpgx's span of every connection that a pool was asked for: ours has one where the caller had to wait.
"""

from __future__ import annotations

import re
from pathlib import Path

import differential
import pytest
from postgres_server import postgres_server

from objinst.collector import Collector
from objinst.collector.model import Metric, Span

PROGRAM = Path(__file__).parent / "testdata" / "program"
OTELPGX = {"batch start": "BATCH", "copy_from": "COPY", "connect": "CONNECT", "prepare": "PREPARE", "pool.acquire": "ACQUIRE"}
"""What names of otelpgx's spans begin with. All others are of statements."""
LITERAL = re.compile(r"(?<!\$)\b\d+\b|'[^']*'")
SCOPE = "github.com/otelobj/otelobj/hooks/instrumentation/pgx"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> differential.Runs:
    with postgres_server() as url:
        return differential.runs(PROGRAM, tmp_path_factory.mktemp("difftest"), url)


def test_the_program_does_the_same(runs: differential.Runs) -> None:
    runs.same_output()


def kind(span: Span) -> str:
    by_hand = [kind for begin, kind in OTELPGX.items() if span.name.startswith(begin)]
    found = by_hand[0] if by_hand else str(span.attributes.get("db.operation.name", span.name))
    return found if found in {*OTELPGX.values(), "parent"} else "statement"


def calls(collector: Collector) -> list[tuple[str, str, str, str]]:
    """What was done, the statement without literals, SQLSTATE and the parent, in the order of the calls."""
    spans = {span.span_id: span for span in collector.spans()}
    found = []
    for span in sorted(spans.values(), key=lambda span: (span.start, span.end)):
        if kind(span) not in ("ACQUIRE", "parent"):
            text = LITERAL.sub("?", str(span.attributes.get("db.query.text", "")))
            state = span.attributes.get("db.response.status_code", span.attributes.get("pgx.sql_state", ""))
            found.append((kind(span), text, str(state), kind(spans[span.parent_id]).replace("ACQUIRE", "parent")))
    return found


def test_same_spans(runs: differential.Runs) -> None:
    hand, ours = calls(runs.hand[1]), calls(runs.ours[1])
    assert len(ours) > 30
    assert ours == hand


def values(metric: Metric) -> list[object]:
    """Of a counter or a gauge the values, of a histogram how many there are."""
    return [point.value if point.value is not None else point.count for point in metric.points]


def test_same_metrics_of_the_pool(runs: differential.Runs) -> None:
    """The semantic conventions have names for what otelpgx calls otherwise."""
    hand, ours = ({metric.name: values(metric) for metric in run[1].metrics()} for run in (runs.hand, runs.ours))
    assert sorted(ours["db.client.connection.count"]) == sorted(hand["pgxpool.acquired_connections"] + hand["pgxpool.idle_connections"]) == [0, 1]
    assert ours["db.client.connection.max"] == hand["pgxpool.max_connections"] == [3]
    assert ours["db.client.connection.timeouts"] == hand["pgxpool.canceled_acquires"] == [0]
    assert ours["db.client.connection.wait_time"] == hand["pgxpool.acquires"] == [4]


def test_a_program_that_traces_itself(runs: differential.Runs) -> None:
    assert sorted(span.name for span in runs.both[1].spans()) == sorted(span.name for span in runs.hand[1].spans())
    assert not [metric.name for metric in runs.both[1].metrics() if metric.scope.name == SCOPE]
