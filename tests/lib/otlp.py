"""Requests to the OTLP receiver, and spans made by hand."""

from __future__ import annotations

import http.client

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from objinst.collector import Collector
from objinst.collector.model import Scope, Span

TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"
MS = 1_000_000


def post(collector: Collector, path: str, body: bytes, content_type: str = "application/x-protobuf", **headers: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(collector.endpoint.removeprefix("http://"), timeout=600)
    try:
        connection.request("POST", path, body, {"Content-Type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}})
        response = connection.getresponse()
        return response.status, response.read(), response.headers["Content-Type"]
    finally:
        connection.close()


def trace_request(name: str = "GET /users/{id}") -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    attribute = group.resource.attributes.add(key="service.name")
    attribute.value.string_value = "front"
    scoped = group.scope_spans.add()
    scoped.scope.name, scoped.scope.version = "nethttp", "1.2"
    span = scoped.spans.add(
        name=name, kind=2, trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), parent_span_id=bytes.fromhex(PARENT),
        start_time_unix_nano=1_000, end_time_unix_nano=3_500, trace_state="a=b", flags=1,
    )  # fmt: skip
    span.status.code, span.status.message = 2, "boom"
    for key, field, value in (
        ("s", "string_value", "x"),
        ("i", "int_value", -3),
        ("b", "bool_value", True),
        ("d", "double_value", 0.5),
        ("raw", "bytes_value", b"\0"),
    ):
        setattr(span.attributes.add(key=key).value, field, value)
    array = span.attributes.add(key="array").value.array_value
    array.values.add(int_value=1)
    array.values.add(string_value="two")
    pair = span.attributes.add(key="map").value.kvlist_value.values.add(key="k")
    pair.value.int_value = 7
    event = span.events.add(name="exception", time_unix_nano=2_000)
    event.attributes.add(key="exception.message").value.string_value = "boom"
    span.links.add(trace_id=b"\1" * 16, span_id=b"\2" * 8)
    return request


def span(name: str, span_id: str, parent: str = "", *, start: int = 0, end: int = 10 * MS, trace: str = "t", **more) -> Span:
    fields = {
        "kind": "SERVER", "status": "UNSET", "status_message": "", "attributes": {}, "events": (), "links": (),
        "resource": {"service.name": "svc"}, "scope": Scope("s", "", {}),
    } | more  # fmt: skip
    return Span(name=name, trace_id=trace, span_id=span_id, parent_id=parent, start=start, end=end, **fields)
