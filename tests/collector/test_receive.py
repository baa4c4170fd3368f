"""The OTLP/HTTP receiver: what is sent is what is read, and what is no request is answered, never fatal."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import threading

import pytest
from otlp import PARENT, SPAN, TRACE, post, trace_request
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from objinst.collector import Collector
from objinst.errors import OtelobjError


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


def check_span(span) -> None:
    assert (span.name, span.kind, span.trace_id, span.span_id, span.parent_id) == ("GET /users/{id}", "SERVER", TRACE, SPAN, PARENT)
    assert (span.start, span.end, span.duration, span.trace_state, span.flags) == (1_000, 3_500, 2_500, "a=b", 1)
    assert (span.status, span.status_message) == ("ERROR", "boom")
    assert span.attributes == {"s": "x", "i": -3, "b": True, "d": 0.5, "raw": b"\0", "array": (1, "two"), "map": {"k": 7}}
    assert span.attributes["b"] is True
    assert [(event.name, event.time, event.attributes) for event in span.events] == [("exception", 2_000, {"exception.message": "boom"})]
    assert [(link.trace_id, link.span_id) for link in span.links] == [("01" * 16, "02" * 8)]
    assert span.resource == {"service.name": "front"}
    assert span.service == "front"
    assert (span.scope.name, span.scope.version) == ("nethttp", "1.2")


def test_protobuf_traces(collector):
    assert post(collector, "/v1/traces", trace_request().SerializeToString()) == (200, b"", "application/x-protobuf")
    (span,) = collector.spans()
    check_span(span)


def test_gzip_traces(collector):
    assert post(collector, "/v1/traces", gzip.compress(trace_request().SerializeToString()), Content_Encoding="gzip")[0] == 200
    check_span(collector.spans()[0])


def test_chunked_body(collector):
    connection = http.client.HTTPConnection(collector.endpoint.removeprefix("http://"), timeout=600)
    body = trace_request().SerializeToString()
    connection.request("POST", "/v1/traces", iter([body[:5], body[5:]]), {"Content-Type": "application/x-protobuf"}, encode_chunked=True)
    assert connection.getresponse().read() == b""
    # the connection is still in step: the same body again, not chunked
    connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
    assert connection.getresponse().status == 200
    connection.close()
    assert len(collector.spans()) == 2
    check_span(collector.spans()[0])


def test_json_traces_have_hex_ids_and_unknown_fields_are_ignored(collector):
    span = {
        "traceId": TRACE.upper(), "spanId": SPAN, "parentSpanId": PARENT, "name": "GET /users/{id}", "kind": 2, "flags": 1, "traceState": "a=b",
        "startTimeUnixNano": "1000", "endTimeUnixNano": 3500, "status": {"code": 2, "message": "boom"}, "fromTheFuture": {"x": [1]},
        "attributes": [
            {"key": "s", "value": {"stringValue": "x"}}, {"key": "i", "value": {"intValue": "-3"}}, {"key": "b", "value": {"boolValue": True}},
            {"key": "d", "value": {"doubleValue": 0.5}}, {"key": "raw", "value": {"bytesValue": "AA=="}},
            {"key": "array", "value": {"arrayValue": {"values": [{"intValue": 1}, {"stringValue": "two"}]}}},
            {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": 7}}]}}},
        ],
        "events": [{"name": "exception", "timeUnixNano": "2000", "attributes": [{"key": "exception.message", "value": {"stringValue": "boom"}}]}],
        "links": [{"traceId": "01" * 16, "spanId": "02" * 8}],
    }  # fmt: skip
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "front"}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "nethttp", "version": "1.2"}, "spans": [span]}]}]}
    status, answer, content_type = post(collector, "/v1/traces", json.dumps(body).encode(), "application/json; charset=utf-8")
    assert (status, answer, content_type) == (200, b"{}", "application/json")
    check_span(collector.spans()[0])


def test_metrics(collector):
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    histogram = metrics.add(name="http.server.request.duration", unit="s").histogram
    histogram.aggregation_temporality = 2
    point = histogram.data_points.add(count=3, sum=1.5, bucket_counts=[1, 2], explicit_bounds=[0.1], min=0.01)
    point.attributes.add(key="http.route").value.string_value = "/x"
    total = metrics.add(name="n").sum
    total.is_monotonic, total.aggregation_temporality = True, 1
    total.data_points.add(as_int=5)
    metrics.add(name="g").gauge.data_points.add(as_double=0.25)
    metrics.add(name="e").exponential_histogram.data_points.add(count=2, sum=4)
    metrics.add(name="q").summary.data_points.add(count=9, sum=1)
    assert post(collector, "/v1/metrics", request.SerializeToString())[0] == 200
    by_name = {metric.name: metric for metric in collector.metrics()}
    duration = by_name["http.server.request.duration"]
    assert (duration.type, duration.unit, duration.temporality) == ("histogram", "s", "CUMULATIVE")
    assert (duration.points[0].count, duration.points[0].sum, duration.points[0].min, duration.points[0].max) == (3, 1.5, 0.01, None)
    assert (duration.points[0].bounds, duration.points[0].bucket_counts, duration.points[0].attributes) == ((0.1,), (1, 2), {"http.route": "/x"})
    assert (by_name["n"].monotonic, by_name["n"].temporality, by_name["n"].points[0].value) == (True, "DELTA", 5)
    assert (by_name["g"].type, by_name["g"].points[0].value) == ("gauge", 0.25)
    assert (by_name["e"].points[0].count, by_name["e"].points[0].sum) == (2, 4)
    assert (by_name["q"].type, by_name["q"].points[0].count) == ("summary", 9)
    assert collector.wait_for_metric("n", 1) == by_name["n"]
    with pytest.raises(TimeoutError, match="no metric absent"):
        collector.wait_for_metric("absent", 0.01)


def test_logs(collector):
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    record = records.add(observed_time_unix_nano=9, severity_number=17, trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN))
    record.body.string_value = "it broke"
    records.add(severity_text="warn")
    assert post(collector, "/v1/logs", request.SerializeToString())[0] == 200
    first, second = collector.logs()
    assert (first.time, first.severity, first.body, first.trace_id, first.span_id) == (9, "ERROR", "it broke", TRACE, SPAN)
    assert (second.severity, second.body, second.trace_id) == ("warn", None, "")


@pytest.mark.parametrize(
    ("path", "body", "content_type", "headers", "status"),
    [
        ("/v1/traces", b"\xff\xff\xff", "application/x-protobuf", {}, 400),
        ("/v1/traces", b"{", "application/json", {}, 400),
        ("/v1/traces", b"[]", "application/json", {}, 400),
        ("/v1/traces", b'{"resourceSpans": 3}', "application/json", {}, 400),
        ("/v1/traces", b"[" * 100_000, "application/json", {}, 400),
        ("/v1/traces", b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}', "application/json", {}, 400),
        ("/v1/traces", b"no gzip", "application/x-protobuf", {"Content_Encoding": "gzip"}, 400),
        ("/v1/traces", gzip.compress(b"x" * 100, mtime=0)[:-9], "application/x-protobuf", {"Content_Encoding": "gzip"}, 400),
        ("/v1/traces", b"", "application/x-protobuf", {"Content_Encoding": "zstd"}, 415),
        ("/v1/traces", b"", "text/plain", {}, 415),
        ("/v1/profiles", b"", "application/x-protobuf", {}, 404),
        ("/v1/traces", gzip.compress(b"\0" * (65 << 20), mtime=0), "application/x-protobuf", {"Content_Encoding": "gzip"}, 413),
    ],
)
def test_bad_requests_are_answered(collector, path, body, content_type, headers, status):
    got, answer, _ = post(collector, path, body, content_type, **headers)
    assert got == status
    assert json.loads(answer)["message"]
    assert post(collector, "/v1/traces", trace_request().SerializeToString())[0] == 200
    assert len(collector.spans()) == 1


def test_unreadable_bodies_end_the_connection(collector):
    host, port = collector.endpoint.removeprefix("http://").split(":")
    for header in (b"Content-Length: 99999999999", b"Content-Length: many", b"Transfer-Encoding: chunked\r\n\r\nzz"):
        with socket.create_connection((host, int(port)), timeout=600) as client:
            client.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\n" + header + b"\r\n\r\n")
            answer = b"".join(iter(lambda c=client: c.recv(4096), b""))
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), answer


def test_other_methods_are_refused(collector):
    connection = http.client.HTTPConnection(collector.endpoint.removeprefix("http://"), timeout=600)
    connection.request("GET", "/v1/traces")
    assert connection.getresponse().status == 405
    connection.close()


def test_wait_for_returns_when_the_spans_are_there(collector):
    threading.Timer(0.1, post, (collector, "/v1/traces", trace_request().SerializeToString())).start()
    assert len(collector.wait_for(1, timeout=10**6)) == 1
    with pytest.raises(TimeoutError, match=r"2 spans expected .*SERVER GET /users/\{id\}"):
        collector.wait_for(2, timeout=0.05)
    collector.clear()
    assert collector.spans() == []


def test_on_signals_gets_each_request_once():
    seen = []
    with Collector(on_signals=seen.append) as collector:
        post(collector, "/v1/traces", trace_request().SerializeToString())
        post(collector, "/v1/traces", b"")
        collector.wait_for(1, timeout=600)
    assert [len(signals.spans) for signals in seen] == [1]


def test_a_taken_port_is_one_clear_error(collector):
    port = int(collector.endpoint.rpartition(":")[2])
    with pytest.raises(OtelobjError, match=f"cannot listen on 127.0.0.1:{port}") as caught:
        Collector(port=port)
    assert "--port" in caught.value.remedy


def test_spans_stay_readable_after_close():
    with Collector() as collector:
        post(collector, "/v1/traces", trace_request().SerializeToString())
    assert len(collector.spans()) == 1
    with pytest.raises(OSError):
        post(collector, "/v1/traces", b"")
