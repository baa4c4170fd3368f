"""Spans, metrics and log records as they were received. Definitions only.

Names and meanings are OTLP's (opentelemetry-proto 1.x, trace.proto, metrics.proto, logs.proto); identifiers are lower-case hex,
enumerations their proto names without the prefix (`SERVER`, `ERROR`, `DELTA`), times nanoseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | bool | int | float | bytes | tuple["Value", ...] | Mapping[str, "Value"] | None
"""An attribute's value; a kvlist is a mapping, an array a tuple."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation scope."""

    name: str
    version: str
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a span; an exception is one named `exception`."""

    name: str
    time: int
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a span to another one."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Span:
    """parent_id: "" for a root span. kind: INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER. status: UNSET, OK or ERROR."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start: int
    end: int
    status: str
    status_message: str
    attributes: Mapping[str, Value]
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    resource: Mapping[str, Value]
    scope: Scope
    trace_state: str = ""
    flags: int = 0

    @property
    def duration(self) -> int:
        """Nanoseconds from start to end."""
        return self.end - self.start

    @property
    def service(self) -> str:
        """`service.name` of the resource, "" if it has none."""
        return str(self.resource.get("service.name", ""))


@dataclass(frozen=True, slots=True)
class Point:
    """A data point. value: of sums and gauges; count, sum, bounds, bucket_counts: of histograms (bounds empty for exponential
    ones, whose positive buckets are given). min, max: None where the sender does not say.
    """

    attributes: Mapping[str, Value]
    start: int
    time: int
    value: int | float | None = None
    count: int = 0
    sum: float | None = None
    bounds: tuple[float, ...] = ()
    bucket_counts: tuple[int, ...] = ()
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """type: gauge, sum, histogram, exponential_histogram or summary. temporality: DELTA, CUMULATIVE or "". One per export: the
    same metric comes again with each.
    """

    name: str
    type: str
    unit: str
    description: str
    temporality: str
    monotonic: bool
    points: tuple[Point, ...]
    resource: Mapping[str, Value]
    scope: Scope


@dataclass(frozen=True, slots=True)
class LogRecord:
    """trace_id, span_id: "" outside a span."""

    time: int
    severity: str
    body: Value
    attributes: Mapping[str, Value]
    trace_id: str
    span_id: str
    event_name: str
    resource: Mapping[str, Value]
    scope: Scope


@dataclass(frozen=True, slots=True)
class Signals:
    """What one export request held. weight: bytes in memory, about."""

    spans: tuple[Span, ...] = ()
    metrics: tuple[Metric, ...] = ()
    logs: tuple[LogRecord, ...] = ()
    weight: int = 0

    @property
    def count(self) -> int:
        """Of all of them."""
        return len(self.spans) + len(self.metrics) + len(self.logs)
