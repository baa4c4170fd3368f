"""OTLP requests to values: protobuf and JSON (opentelemetry-proto 1.x, docs/specification.md, "OTLP/HTTP").

JSON differs from protobuf's own mapping in one point: identifiers are hex, not base64. Unknown fields are ignored, as the
specification asks of receivers; bytes that are no request at all raise DecodeError.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from objinst.collector import weight
from objinst.collector.model import Event, Link, LogRecord, Metric, Point, Scope, Signals, Span, Value

ID_FIELDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
NO_SEVERITY = "UNSPECIFIED"
M = TypeVar("M", bound=Message)


class DecodeError(ValueError):
    """The body is no request of this kind."""


def decode_traces(body: bytes, *, is_json: bool) -> Signals:
    """Raises DecodeError, TooHeavyError."""
    request, size = _parse(ExportTraceServiceRequest(), body, is_json=is_json)
    return Signals(
        weight=size,
        spans=tuple(
            _span(span, _attributes(group.resource.attributes), _scope(scoped.scope))
            for group in request.resource_spans
            for scoped in group.scope_spans
            for span in scoped.spans
        )
    )


def decode_metrics(body: bytes, *, is_json: bool) -> Signals:
    """Raises DecodeError, TooHeavyError."""
    request, size = _parse(ExportMetricsServiceRequest(), body, is_json=is_json)
    return Signals(
        weight=size,
        metrics=tuple(
            _metric(metric, _attributes(group.resource.attributes), _scope(scoped.scope))
            for group in request.resource_metrics
            for scoped in group.scope_metrics
            for metric in scoped.metrics
        )
    )


def decode_logs(body: bytes, *, is_json: bool) -> Signals:
    """Raises DecodeError, TooHeavyError."""
    request, size = _parse(ExportLogsServiceRequest(), body, is_json=is_json)
    return Signals(
        weight=size,
        logs=tuple(
            _log(record, _attributes(group.resource.attributes), _scope(scoped.scope))
            for group in request.resource_logs
            for scoped in group.scope_logs
            for record in scoped.log_records
        )
    )


DECODERS: Mapping[str, Callable[..., Signals]] = {
    "/v1/traces": decode_traces,
    "/v1/metrics": decode_metrics,
    "/v1/logs": decode_logs,
}
"""By request path."""


def _parse(request: M, body: bytes, *, is_json: bool) -> tuple[M, int]:
    """The request, and the bytes that it takes in memory, about. Raises DecodeError, TooHeavyError."""
    try:
        messages = weight.of_json(body) if is_json else weight.of_protobuf(body, request.DESCRIPTOR)
        if is_json:
            document = _ids_to_base64(json.loads(body))
            if not isinstance(document, dict):
                raise DecodeError("no JSON object")
            json_format.ParseDict(document, request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (ProtobufError, json_format.ParseError, ValueError, RecursionError) as error:
        raise DecodeError(f"no {type(request).__name__}: {error}") from error
    return request, len(body) + messages * weight.OBJECT


def _ids_to_base64(value: object) -> object:
    """Hex identifiers as protobuf's JSON mapping wants bytes. Attribute keys are values here, never field names."""
    if isinstance(value, list):
        return [_ids_to_base64(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _id(item) if key in ID_FIELDS and isinstance(item, str) else _ids_to_base64(item) for key, item in value.items()}


def _id(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except (ValueError, binascii.Error) as error:
        raise DecodeError(f"identifier {text!r} is not hex") from error


def _value(value: common.AnyValue) -> Value:
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return tuple(_value(item) for item in value.array_value.values)
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case field:
            plain: Value = getattr(value, field)
            return plain


def _attributes(pairs: Iterable[common.KeyValue]) -> dict[str, Value]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _scope(scope: common.InstrumentationScope) -> Scope:
    return Scope(scope.name, scope.version, _attributes(scope.attributes))


def _span(span: trace_pb2.Span, resource: Mapping[str, Value], scope: Scope) -> Span:
    return Span(
        name=span.name,
        kind=_enum(trace_pb2.Span.SpanKind.DESCRIPTOR, span.kind, "SPAN_KIND_"),
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
        status=_enum(trace_pb2.Status.StatusCode.DESCRIPTOR, span.status.code, "STATUS_CODE_"),
        status_message=span.status.message,
        attributes=_attributes(span.attributes),
        events=tuple(Event(event.name, event.time_unix_nano, _attributes(event.attributes)) for event in span.events),
        links=tuple(Link(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes)) for link in span.links),
        resource=resource,
        scope=scope,
        trace_state=span.trace_state,
        flags=span.flags,
    )


def _metric(metric: metrics_pb2.Metric, resource: Mapping[str, Value], scope: Scope) -> Metric:
    kind = metric.WhichOneof("data") or "gauge"
    data = getattr(metric, kind)
    temporality = getattr(data, "aggregation_temporality", 0)
    return Metric(
        name=metric.name,
        type=kind,
        unit=metric.unit,
        description=metric.description,
        temporality=_enum(metrics_pb2.AggregationTemporality.DESCRIPTOR, temporality, "AGGREGATION_TEMPORALITY_") if temporality else "",
        monotonic=bool(getattr(data, "is_monotonic", False)),
        points=tuple(_POINTS[kind](point) for point in data.data_points),
        resource=resource,
        scope=scope,
    )


def _number(point: metrics_pb2.NumberDataPoint) -> Point:
    field = point.WhichOneof("value")
    value = None if field is None else point.as_int if field == "as_int" else point.as_double
    return Point(_attributes(point.attributes), point.start_time_unix_nano, point.time_unix_nano, value)


def _histogram(point: metrics_pb2.HistogramDataPoint) -> Point:
    return _distribution(point, point.bucket_counts, point.explicit_bounds)


def _exponential(point: metrics_pb2.ExponentialHistogramDataPoint) -> Point:
    return _distribution(point, point.positive.bucket_counts, ())


def _distribution(
    point: metrics_pb2.HistogramDataPoint | metrics_pb2.ExponentialHistogramDataPoint, bucket_counts: Iterable[int], bounds: Iterable[float]
) -> Point:
    return Point(
        _attributes(point.attributes),
        point.start_time_unix_nano,
        point.time_unix_nano,
        count=point.count,
        sum=point.sum if point.HasField("sum") else None,
        bounds=tuple(bounds),
        bucket_counts=tuple(bucket_counts),
        min=point.min if point.HasField("min") else None,
        max=point.max if point.HasField("max") else None,
    )


def _summary(point: metrics_pb2.SummaryDataPoint) -> Point:
    return Point(_attributes(point.attributes), point.start_time_unix_nano, point.time_unix_nano, count=point.count, sum=point.sum)


_POINTS: Mapping[str, Callable[..., Point]] = {
    "gauge": _number,
    "sum": _number,
    "histogram": _histogram,
    "exponential_histogram": _exponential,
    "summary": _summary,
}


def _log(record: logs_pb2.LogRecord, resource: Mapping[str, Value], scope: Scope) -> LogRecord:
    number = _enum(logs_pb2.SeverityNumber.DESCRIPTOR, record.severity_number, "SEVERITY_NUMBER_")
    return LogRecord(
        time=record.time_unix_nano or record.observed_time_unix_nano,
        severity=record.severity_text or ("" if number == NO_SEVERITY else number),
        body=_value(record.body),
        attributes=_attributes(record.attributes),
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
        event_name=record.event_name,
        resource=resource,
        scope=scope,
    )


def _enum(descriptor: object, number: int, prefix: str) -> str:
    """The name of an enumeration's value; the number itself for one that is newer than our schema."""
    known = getattr(descriptor, "values_by_number").get(number)  # noqa: B009 - EnumDescriptor's stub lacks it
    return known.name.removeprefix(prefix) if known else str(number)
