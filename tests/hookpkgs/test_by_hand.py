"""What arrives from a program that otelobj links is what arrives from the same program instrumented by hand, with the official packages.

The program (testbins/byhand) has forms, by its build tags: without OpenTelemetry, with the API alone, with an SDK, with otelhttp and the metrics of the Go runtime. By hand it has what it lacks
of otelhttp and of a set-up from the environment, and is built by the go command alone. Both do the same, one thing at a time, so their spans can be compared
in the order in which they started, field by field: name, kind, parent, trace, status, attributes, events, links, scope, resource. So can metrics. A
difference is a line, and each that is meant stands in MEANT, with its reason.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import toolchains
from objinst.collector import Collector
from objinst.collector.model import Metric, Point, Scope, Span
from places import TESTBINS
from scriptrunner import GENEROUS, HANGS

GO = "1.26"
SOURCE = TESTBINS / "byhand"
FORMS = {
    "without": ("", "otelhttp,auto"),
    "api": ("api", "api,otelhttp,auto"),
    "sdk": ("api,sdk", "api,sdk,otelhttp"),
    "otelhttp": ("api,otelhttp,runtime", "api,otelhttp,runtime,auto"),
    "sdk-otelhttp": ("api,sdk,otelhttp,runtime", "api,sdk,otelhttp,runtime"),
}
"""Form -> build tags of the program that otelobj links, and of the one by hand."""
IN_TEST = "sdk"
"""The form that is not left to long mode: the bridge carries spans, metrics and contexts both ways, and by hand the fewest packages are compiled."""
ENVIRONMENT = {
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "region=eu", "OTEL_METRIC_EXPORT_INTERVAL": "86400000",
}  # fmt: skip
"""Metrics are exported once, at the end."""
LONG_AGO = 1_704_067_200 * 10**9
"""What the program says about time lies before: 2024-01-01."""
PORTS = {"server.port", "network.peer.port"}


@dataclass(frozen=True)
class Meant:
    """lines: differences, as a regular expression for the whole line. forms: where there is one."""

    lines: str
    reason: str
    forms: tuple[str, ...] = tuple(FORMS)


HOST = frozenset({"server.address", "server.port"})
"""What clients write into their Host header is no attribute of our servers' metrics, since each would be a time series. The conventions have it as opt-in."""
OTELHTTP, OURS = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", "github.com/otelobj/otelobj/hooks/nethttp"
OF_HTTP = r"(span #\d+ (CLIENT|SERVER) (HTTP|GET|POST|DELETE)\b.*|metric http\..*)"
BARE, NO_SDK = ("without", "api", "sdk"), ("without", "api", "otelhttp")
MEANT = (
    Meant(
        rf"{OF_HTTP}: (scope: '{OTELHTTP}' by hand, '{OURS}' here|scope version: '.*' by hand, '.*' here)",
        "a scope names the package that made the span",
        BARE,
    ),
    Meant(
        r"span #\d+ SERVER .*: http\.route: none by hand, '/.*' here",
        "the route is known when the handler has returned; otelhttp around a mux has it in the span's name alone",
        BARE,
    ),
    Meant(
        r"span #\d+ CLIENT HTTP BREW: name: 'HTTP BREW' by hand, 'HTTP' here",
        "the conventions ask for names with methods that are known; otelhttp has that for servers",
        BARE,
    ),
    Meant(r"metric http\.server\.active_requests: only here", "a metric of the conventions that otelhttp does not have"),
    Meant(r"metric go\..*: only here", "otelobj adds the metrics of the Go runtime, where the program does not", BARE),
    Meant(
        r"span #\d+ INTERNAL without a context: (parent: '' by hand, '#\d+' here|trace: '#\d+' by hand, '#\d+' here)",
        "a span that gets no context is below the innermost one of its goroutine",
        ("api", "sdk", "otelhttp", "sdk-otelhttp"),
    ),
    Meant(
        r"resource: (container|host|os|process|telemetry\.distro)\..*: none by hand, .* here",
        "otelobj describes the process and itself where it sets the SDK up",
        NO_SDK,
    ),
)


def build(folder: Path, name: str, tags: str, *flags: str) -> Path:
    toolchains.go(GO, folder, "build", "-mod=mod", f"-tags={tags}", *flags, "-o", name, ".")
    return folder / name


@dataclass(frozen=True)
class Run:
    output: str
    spans: tuple[Span, ...]
    metrics: tuple[Metric, ...]


def run(program: Path) -> Run:
    with Collector() as collector:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL")}
        env = kept | ENVIRONMENT | GENEROUS | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        done = subprocess.run([program], env=env, capture_output=True, text=True, timeout=HANGS, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return Run(done.stdout, tuple(sorted(collector.spans(), key=lambda span: span.start)), tuple(collector.metrics()))


def plain(name: str, value: object) -> object:
    """An attribute's value without what differs from run to run."""
    if name in PORTS:
        return "PORT"
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", value) if isinstance(value, str) else value


def attributes(prefix: str, found: Mapping[str, object]) -> dict[str, object]:
    return {f"{prefix}{name}": plain(name, value) for name, value in found.items()}


def of_scope(scope: Scope) -> dict[str, object]:
    return {"scope": scope.name, "scope version": scope.version} | attributes("scope ", scope.attributes)


def moment(nanoseconds: int) -> object:
    return nanoseconds if nanoseconds < LONG_AGO else "now"


def of_spans(spans: tuple[Span, ...]) -> Iterator[dict[str, object]]:
    """The fields of each span. Other spans are named by their place in the order."""
    place = {span.span_id: f"#{n}" for n, span in enumerate(spans)}
    traces: dict[str, str] = {}
    for span in spans:
        traces.setdefault(span.trace_id, place[span.span_id])
    for span in spans:
        yield {
            "name": span.name, "kind": span.kind, "parent": place.get(span.parent_id, span.parent_id), "trace": traces[span.trace_id], "status": span.status,
            "message": span.status_message, "state": span.trace_state, "flags": span.flags, "start": moment(span.start), "end": moment(span.end),
            "events": tuple((event.name, moment(event.time), *sorted(attributes("", event.attributes).items())) for event in span.events),
            "links": tuple((place.get(link.span_id, "not sampled"), *sorted(link.attributes.items())) for link in span.links),
        } | attributes("", span.attributes) | of_scope(span.scope)  # fmt: skip


def the_resource(of: Run) -> dict[str, object]:
    """That of all spans and metrics."""
    first, *others = [attributes("", found.resource) for found in (*of.spans, *of.metrics)]
    assert all(other == first for other in others), [found.name for found, other in zip((*of.spans, *of.metrics), [first, *others], strict=True) if other != first]
    return first


def of_point(metric: Metric, point: Point) -> object:
    """How long something took differs from run to run, and so does what most metrics of the Go runtime say."""
    if metric.name.startswith("go.") and metric.name not in ("go.processor.limit", "go.config.gogc"):
        return "measured"
    if metric.type == "histogram":
        return point.count, None if metric.unit == "s" else (point.sum, point.bucket_counts, point.min, point.max), point.bounds
    return point.value


def of_metrics(metrics: Iterable[Metric], left_out: frozenset[str] = frozenset()) -> dict[str, dict[str, object]]:
    """Fields by name of the metric; one for each time series. left_out: attributes of the metrics of servers."""
    found: dict[str, dict[str, object]] = {}
    for metric in metrics:
        assert metric.name not in found, f"{metric.name} was exported twice"
        out = left_out if metric.name.startswith("http.server.") else ()
        kept = [{name: value for name, value in sorted(attributes("", point.attributes).items()) if name not in out} for point in metric.points]
        points = {f"{of}": of_point(metric, point) for of, point in zip(kept, metric.points, strict=True)}
        assert len(points) == len(metric.points)
        about = {"type": metric.type, "unit": metric.unit, "description": metric.description, "temporality": metric.temporality, "monotonic": metric.monotonic}
        found[metric.name] = about | points | of_scope(metric.scope)
    return found


def compared(what: str, hand: Mapping[str, object], ours: Mapping[str, object]) -> Iterator[str]:
    """A line for each field that differs."""
    for name in sorted(hand.keys() | ours.keys()):
        by_hand, here = (repr(fields[name]) if name in fields else "none" for fields in (hand, ours))
        if by_hand != here:
            yield f"{what}: {name}: {by_hand} by hand, {here} here"


def differences(hand: Run, ours: Run) -> list[str]:
    names = [[f"{span.kind} {span.name}" for span in one.spans] for one in (hand, ours)]
    assert len(names[0]) == len(names[1]) > 10, f"by hand {names[0]}\nhere {names[1]}"
    lines = [*compared("resource", the_resource(hand), the_resource(ours))]
    for n, (by_hand, here) in enumerate(zip(of_spans(hand.spans), of_spans(ours.spans), strict=True)):
        lines += compared(f"span #{n} {by_hand['kind']} {by_hand['name']}", by_hand, here)
    is_wrapped = any("otelhttp" in span.scope.name for span in ours.spans)
    by_hand, here = of_metrics(hand.metrics, frozenset() if is_wrapped else HOST), of_metrics(ours.metrics)
    assert "http.server.request.duration" in by_hand
    lines += [f"metric {name}: {'only by hand' if name in by_hand else 'only here'}" for name in sorted(by_hand.keys() ^ here.keys())]
    for name in sorted(by_hand.keys() & here.keys()):
        lines += compared(f"metric {name}", by_hand[name], here[name])
    return lines


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(SOURCE, tmp_path_factory.mktemp("byhand") / "program")


@pytest.mark.parametrize("form", [pytest.param(form, marks=[] if form == IN_TEST else [pytest.mark.long]) for form in FORMS])
def test_the_same_as_by_hand(source: Path, form: str) -> None:
    here, by_hand = FORMS[form]
    hand = run(build(source, f"{form}-by-hand", by_hand))
    ours = run(build(source, form, here, "-toolexec=otelobj"))
    assert ours.output == hand.output != ""
    lines = differences(hand, ours)
    meant = [one for one in MEANT if form in one.forms]
    left = [line for line in lines if not any(re.fullmatch(one.lines, line) for one in meant)]
    assert not left, "\n".join(left)
    gone = [one.lines for one in meant if not any(re.fullmatch(one.lines, line) for line in lines)]
    assert not gone, f"no such difference any more: {gone}"
