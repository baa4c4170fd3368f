"""The same requests against a program instrumented by hand with otelhttp and against the plain one relinked by otelobj.

Spans (name, kind, attributes, status, events, parent) and metrics (name, unit, type, attributes of the points, counts) must be
the same. The differences that are meant stand in MEANT, each with its reason.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import differential

from objinst.collector import Collector

HERE = Path(__file__).parent
SOURCE = HERE / "testdata" / "program"
VOLATILE = {"server.port", "network.peer.port", "client.port", "url.full"}
"""Ports differ from run to run."""
HIJACKED = "/upgrade"
"""The route whose handler takes over the connection, where that can be had: not with HTTP/2."""

MEANT = {
    "panic": "a handler that panics gives an error span named after its route; otelhttp leaves the status unset, and names a span only"
    " once the handler has returned",
    "error.type": "client metrics of a request that failed say how, as the semantic conventions ask; the otelhttp compared with does not",
    "hijacked": "nobody knows what a handler has written on a connection that it took over; otelhttp says 200",
    "http.route": "the route is an attribute of the span, as newer versions of otelhttp have it; the one compared with has it in metrics only",
    "http.server.active_requests": "the semantic conventions have this metric; no version of otelhttp does",
    "network.protocol": "the client reports the version that was negotiated, as newer versions of otelhttp do; the one compared with reports"
    " that of the request, which is 1.1 whatever happens",
}
"""Differences that are meant. Bytes that io.ReaderFrom sends or that net/http drains count here and not there: test_same_body_sizes
compares the routes that do neither."""

runs = differential.fixture(SOURCE)


def hijacked(found: Any) -> bool:
    """found: a span or a point of a metric. On spans the otelhttp compared with has the path alone."""
    attributes = found.attributes
    return HIJACKED in (attributes.get("http.route"), attributes.get("url.path")) and attributes.get("network.protocol.version") == "1.1"


def span_key(span: Any, by_id: dict[str, Any]) -> tuple[object, ...]:
    parent = by_id.get(span.parent_id)
    panicked = any(event.name == "exception" for event in span.events)
    attributes = {k: v for k, v in span.attributes.items() if k not in VOLATILE and k != "http.route" and not k.endswith("body.size")}
    if hijacked(span):
        attributes.pop("http.response.status_code", None)
    if span.kind == "CLIENT":
        attributes = {k: v for k, v in attributes.items() if not k.startswith("network.protocol")}
    return (
        span.name.split()[0] if panicked else span.name,
        span.kind,
        "ERROR" if panicked and span.kind == "SERVER" else span.status,
        tuple(sorted((k, str(v)) for k, v in attributes.items())),
        tuple(event.name for event in span.events),
        parent.name if parent else "",
    )


def spans(collector: Collector) -> Counter[tuple[object, ...]]:
    found = collector.spans()
    by_id = {span.span_id: span for span in found}
    return Counter(span_key(span, by_id) for span in found)


def test_the_program_does_the_same(runs: differential.Runs) -> None:
    runs.same_output()


def test_same_spans(runs: differential.Runs) -> None:
    hand, ours = (spans(run[1]) for run in (runs.hand, runs.ours))
    assert sum(hand.values()) > 20
    missing, extra = hand - ours, ours - hand
    assert not missing and not extra, f"only by hand: {list(missing)}\nonly ours: {list(extra)}"


def test_the_status_of_a_hijacked_connection_is_not_known(runs: differential.Runs) -> None:
    collector = runs.ours[1]
    found = [span for span in collector.spans() if hijacked(span)]
    points = [point for metric in collector.metrics() if metric.name == "http.server.request.duration" for point in metric.points if hijacked(point)]
    assert found and points
    assert not [one for one in (*found, *points) if "http.response.status_code" in one.attributes]


def metric_keys(collector: Collector) -> dict[tuple[str, str, str], set[tuple[object, ...]]]:
    keys: dict[tuple[str, str, str], set[tuple[object, ...]]] = {}
    for metric in collector.metrics():
        if metric.name.startswith("http."):
            left_out = VOLATILE | ({"network.protocol.name", "network.protocol.version", "error.type"} if ".client." in metric.name else set())
            points = {
                tuple(sorted((k, str(v)) for k, v in p.attributes.items() if k not in left_out and not (k == "http.response.status_code" and hijacked(p))))
                for p in metric.points
            }
            keys.setdefault((metric.name, metric.unit, metric.type), set()).update(points)
    return keys


def test_same_metrics(runs: differential.Runs) -> None:
    hand, ours = (metric_keys(run[1]) for run in (runs.hand, runs.ours))
    assert {name for name, _, _ in hand} >= {"http.server.request.duration", "http.client.request.duration"}
    active = [key for key in ours if key[0] == "http.server.active_requests"]
    assert active == [("http.server.active_requests", "{request}", "sum")]
    del ours[active[0]]
    assert ours.keys() == hand.keys()
    # What clients write into their Host header is no attribute of a server's metrics: each would be a time series.
    hosts = {"server.address", "server.port"}
    of_servers = [key for key in hand if key[0].startswith("http.server.")]
    assert of_servers and all(any(name in hosts for name, _ in point) for key in of_servers for point in hand[key])
    hand |= {key: {tuple(pair for pair in point if pair[0] not in hosts) for point in hand[key]} for key in of_servers}
    for key, points in hand.items():
        assert ours[key] == points, f"{key}: only by hand {points - ours[key]}, only ours {ours[key] - points}"


def test_same_body_sizes(runs: differential.Runs) -> None:
    """Of responses that were written with Write and requests that were read to their end."""

    def sizes(collector: Collector) -> set[tuple[str, object, object]]:
        found = set()
        for span in collector.spans():
            if span.kind == "SERVER" and span.name.split()[-1] in ("/ok/{id}", "/error", "/echo", "/empty"):
                found.add((span.name, span.attributes.get("http.response.body.size"), span.attributes.get("http.request.body.size")))
        return found

    assert sizes(runs.ours[1]) == sizes(runs.hand[1]) != set()


def test_the_scope_has_its_name_wherever_the_package_lies(runs: differential.Runs) -> None:
    collector = runs.ours[1]
    metrics = [metric for metric in collector.metrics() if metric.name.startswith("http.")]
    assert {found.scope.name for found in (*collector.spans(), *metrics)} == {"github.com/otelobj/otelobj/hooks/nethttp"}


def test_a_program_that_traces_itself(runs: differential.Runs) -> None:
    """Nothing is added, and nothing doubled."""
    assert spans(runs.both[1]) == spans(runs.hand[1])
