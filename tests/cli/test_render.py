"""Traces as people and machines see them."""

from __future__ import annotations

import io
import json

from otlp import MS, span

from objinst.cli.render import duration, json_lines, summary, trace_tree
from objinst.cli.terminal import clean, console
from objinst.collector import Event, LogRecord, Scope, Signals
from objinst.collector.traces import build


def shape(trace) -> list[tuple[int, str]]:
    return [(depth, node.span.name) for depth, node in trace.walk()]


def rendered(trace, records=()) -> str:
    out = io.StringIO()
    console(out).print(trace_tree(trace, records))
    return out.getvalue()


def test_children_come_by_start_time_whatever_the_order_received():
    spans = [span("late", "3", "1", start=5), span("root", "1"), span("early", "2", "1", start=2), span("leaf", "4", "2", start=3)]
    (trace,) = build(spans)
    assert shape(trace) == [(0, "root"), (1, "early"), (2, "leaf"), (1, "late")]


def test_traces_are_apart_and_a_span_received_twice_counts_once():
    first, second = build([span("b", "1", trace="y", start=9), span("a", "1", trace="x"), span("a", "1", trace="x")])
    assert (first.trace_id, shape(first), second.trace_id) == ("x", [(0, "a")], "y")


def test_a_span_without_its_parent_is_a_root_and_says_so():
    (trace,) = build([span("lost", "2", "1", start=4), span("root", "7", start=5)])
    assert shape(trace) == [(0, "lost"), (0, "root")]
    assert "lost" in rendered(trace)
    assert rendered(trace).count("its parent was not received") == 1


def test_rings_are_cut_and_no_span_is_lost():
    (own,) = build([span("self", "1", "1")])
    assert shape(own) == [(0, "self")]
    (ring,) = build(
        [span("a", "1", "3", start=1), span("b", "2", "1", start=2), span("c", "3", "2", start=3), span("below", "4", "2", start=4), span("root", "9")]
    )
    assert shape(ring) == [(0, "root"), (0, "a"), (1, "b"), (2, "c"), (2, "below")]


def record(body, span_id, *, at=0, severity="INFO", trace="t", attributes=None) -> LogRecord:
    return LogRecord(at, severity, body, attributes or {}, trace, span_id, "", {}, Scope("", "", {}))


def test_log_records_are_below_their_span_in_the_order_of_time():
    (trace,) = build([span("root", "1"), span("leaf", "2", "1", start=5)])
    records = [
        record("late", "1", at=9000, severity="error", attributes={"n": 1, "g": {"a": (1, 2)}}), record("early", "1", at=3000), record(None, "2", at=5),
        record("of another trace", "1", trace="u"), record("of no span", ""),
    ]  # fmt: skip
    lines = [line.lstrip("│├└─ ") for line in rendered(trace, records).splitlines()]
    assert [line for line in lines if line.startswith("»")] == ["» INFO early  +3 µs", "» ERROR late  n=1  g={a: [1, 2]}  +9 µs", "» INFO   +0 µs"]
    assert lines[1].startswith("root") and lines[4].startswith("leaf")


def test_what_a_log_record_says_cannot_move_the_cursor_and_is_bounded():
    (trace,) = build([span("root", "1")])
    text = rendered(trace, [record("a\x1b[2J\nb", "1", severity="\x1b", attributes={"\x1b": "\x1b"}), *(record(str(i), "1", at=i) for i in range(200))])
    assert "\x1b" not in text and "» … 151 log records more" in text


def test_deep_traces_are_no_problem():
    spans = [span(f"n{i}", str(i), str(i - 1) if i else "", start=i) for i in range(5000)]
    (trace,) = build(spans)
    assert shape(trace)[-1] == (4999, "n4999")


def test_a_trace_shows_what_one_looks_for():
    failed = span(
        "GET /stock", "2", "1", start=MS, end=3 * MS, kind="CLIENT", status="ERROR", status_message="no stock",
        attributes={"http.request.method": "GET", "url.full": "http://b/stock?x=1", "http.response.status_code": 500, "error.type": "500"},
        events=(Event("exception", 2 * MS, {"exception.type": "*errors.errorString", "exception.message": "boom"}), Event("retry", 2 * MS, {})),
    )  # fmt: skip
    root = span("GET /{id}", "1", attributes={"http.route": "/{id}", "url.path": "/7", "http.response.status_code": 200, "error.type": "timeout"})
    (trace,) = build([root, failed])
    assert rendered(trace).splitlines() == [
        "trace t  10.0 ms  2 spans  svc  1 error",
        "└── GET /{id}  10.0 ms  server  svc  route=/{id}  status=200  error=timeout",
        "    └── GET /stock  2.0 ms  client  svc  method=GET  status=500  url=http://b/stock?x=1  ERROR: no stock",
        "        ├── ! *errors.errorString: boom  +1.0 ms",
        "        └── · retry  +1.0 ms",
    ]


def test_attributes_that_somebody_has_set_are_shown():
    """Those of rules, whatever they are called, and of spans by hand; not the dozen of an instrumentation, nor where a function is."""
    place = {"code.function.name": "shop.Place", "code.file.path": "shop.go", "code.line.number": 7}
    by_rule = span(
        "shop.Place", "1", kind="INTERNAL", scope=Scope("github.com/otelobj/otelobj/hooks/span", "0.1.0", {}),
        attributes=place | {"order.id": 42, "http.kind": "x", "db.system.name": "pg", "names": ("a", "b"), "odd\x1b": "y\x1b"},
    )  # fmt: skip
    request = span(
        "GET /", "2", "1", scope=Scope("github.com/otelobj/otelobj/hooks/nethttp", "0.1.0", {}),
        attributes={"http.request.method": "GET", "server.address": "b", "network.protocol.version": "1.1", "user_agent.original": "curl", "tenant": "acme"},
    )  # fmt: skip
    (trace,) = build([by_rule, request])
    _, first, second = rendered(trace).splitlines()
    assert first.endswith("internal  svc  db=pg  order.id=42  http.kind=x  names=[a, b]  odd\N{REPLACEMENT CHARACTER}=y\N{REPLACEMENT CHARACTER}")
    assert second.endswith("server  svc  method=GET  tenant=acme")


def test_attributes_are_counted_beyond_a_limit():
    many = {f"key{n}": n for n in range(1000)}
    first, second = (span("a", "1", attributes=many), span("b", "2", "1", attributes=dict(list(many.items())[:30])))
    (trace,) = build([first, second])
    _, above, below = rendered(trace).splitlines()
    assert above.endswith("key28=28  key29=29  … and 970 more")
    assert below.endswith("key28=28  key29=29")


def test_a_programs_text_cannot_steer_the_terminal():
    assert clean("a\x1b[31m\r\nb") == "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}b"
    assert len(clean("x" * 1000)) == 100
    (trace,) = build([span("\x1b]0;gone\x07[bold]name[/bold]", "1")])
    assert "\x1b" not in rendered(trace)
    assert "[bold]name[/bold]" in rendered(trace)


def test_durations():
    assert [duration(n) for n in (0, 999, 12_345, 1_500_000, 2_340_000_000)] == ["0 µs", "1 µs", "12 µs", "1.5 ms", "2.34 s"]


def test_summary_counts():
    spans = [span("a", "1"), span("b", "2", status="ERROR")]
    assert summary(1, spans, [], []) == "2 spans in 1 trace, 1 error, 0 metrics (0 points), 0 log records"


def test_json_lines_hold_everything():
    (line,) = json_lines(Signals(spans=(span("a", "1", attributes={"k": ("x", b"\0")}),)))
    read = json.loads(line)
    assert (read["signal"], read["name"], read["attributes"], read["scope"]["name"]) == ("span", "a", {"k": ["x", "AA=="]}, "s")
