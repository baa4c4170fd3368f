"""What strangers send to the receiver is bounded in size, count, threads and time, and answered."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import os
import socket
import subprocess
import sys

import pytest
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from otlp import post, span, trace_request

from objinst.cli import collector as command
from objinst.cli.collector import TraceFeed
from objinst.cli.render import DEEPEST, trace_tree
from objinst.cli.terminal import console
from objinst.collector import Collector, server, weight
from objinst.collector.traces import build
from places import ROOT, TESTS


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


def bomb(fields: bytes, levels: int = 3) -> bytes:
    """Millions of empty messages in a few kilobytes of gzip."""
    body = fields * 2_000_000
    for tag in (b"\x12", b"\x0a")[: levels - 1]:
        body = tag + varint(len(body)) + body
    return gzip.compress(body, 9)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def raw(collector: Collector, text: bytes) -> bytes:
    host, port = collector.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(text)
        return b"".join(iter(lambda: client.recv(4096), b""))


BOMBED = """
import resource, sys
from pathlib import Path
from otlp import post
from objinst.collector import Collector
body = Path(sys.argv[1]).read_bytes()
with Collector() as collector:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(5):
        status, _, _ = post(collector, "/v1/traces", body, Content_Encoding="gzip")
    print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_small_request_takes_little_memory(tmp_path):
    """In a process of its own, whose peak is looked at."""
    file = tmp_path / "bomb.gz"
    file.write_bytes(bomb(b"\x12\x00"))
    assert file.stat().st_size < 20_000
    environ = os.environ | {"PYTHONPATH": f"{TESTS / 'lib'}:{ROOT}"}
    done = subprocess.run([sys.executable, "-c", BOMBED, str(file)], capture_output=True, text=True, check=True, env=environ)
    status, kilobytes = map(int, done.stdout.split())
    assert status == 413
    assert kilobytes < 100_000


@pytest.mark.parametrize("body", [b"[" * 200_000, b"{}," * 200_000, b'["00",' * 1 + b'"01",' * 300_000 + b'"02"]', json.dumps({"resourceSpans": [{}] * 200_000}).encode()])
def test_json_of_many_objects(collector, body):
    assert post(collector, "/v1/traces", body, "application/json")[0] in {400, 413}
    assert collector.spans() == []


def nested(depth: int) -> bytes:
    request = trace_request()
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep").value
    for _ in range(depth):
        value = value.array_value.values.add()
    return request.SerializeToString()


def test_packed_numbers_are_counted(collector):
    """Each becomes an object: 15 kB of gzip took 480 MB."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    point = metric.exponential_histogram.data_points.add()
    point.positive.bucket_counts.extend([1] * 160)
    assert post(collector, "/v1/metrics", request.SerializeToString())[0] == 200
    point.positive.bucket_counts.extend([300] * 1_000_000)
    assert post(collector, "/v1/metrics", gzip.compress(request.SerializeToString()), Content_Encoding="gzip")[0] == 413
    assert len(collector.metrics()) == 1


def test_chunks_of_a_byte_and_endless_trailers(collector):
    head = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = trace_request().SerializeToString()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    assert raw(collector, head + chunks + b"0\r\n\r\n" + b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200")
    assert raw(collector, head + b"0\r\n" + b"a: b\r\n" * 100).startswith(b"HTTP/1.1 400")
    for size in (b"+5", b"0x5", b"1_0", b"-1", b"f" * 9):
        assert raw(collector, head + size + b"\r\nhello\r\n0\r\n\r\n").startswith(b"HTTP/1.1 400"), size


def test_deep_values(collector):
    assert post(collector, "/v1/traces", nested(20))[0] == 200
    assert post(collector, "/v1/traces", nested(60))[0] in {400, 413}


def count(message: Message) -> int:
    """Messages in a message, by its own reflection."""
    total = 1
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            total += sum(map(count, value)) if field.is_repeated else count(value)
    return total


def test_messages_are_counted_as_the_parser_finds_them():
    request = trace_request()
    assert weight.of_protobuf(request.SerializeToString(), ExportTraceServiceRequest.DESCRIPTOR) == count(request)
    assert weight.of_protobuf(nested(10), ExportTraceServiceRequest.DESCRIPTOR) == count(ExportTraceServiceRequest.FromString(nested(10)))


@pytest.mark.parametrize("damage", [b"\xff" * 40, b"\x0a\xff\xff\xff\xff\xff\x7f", b"\x0b" * 10, b"\x09\x00", b"\x0a\x05\x12"])
def test_damaged_requests_are_answered(collector, damage):
    assert post(collector, "/v1/traces", damage)[0] == 400


@pytest.mark.parametrize("length", ["\u00b2".encode("latin-1"), b"-1", b"+5", b"1_0", b"0x10", b"5, 5", b"9" * 5000, b"5\r\nContent-Length: 6"])
def test_malformed_lengths_are_bad_requests(collector, length):
    answer = raw(collector, b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: " + length + b"\r\n\r\nhello")
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:4318", "localhost.attacker.example", "127.0.0.1.attacker.example", "[::1", ""])
def test_names_of_others_are_refused(collector, host):
    assert post(collector, "/v1/traces", trace_request().SerializeToString(), Host=host)[0] == 421
    assert collector.spans() == []


@pytest.mark.parametrize(
    ("path", "header", "status"),
    [
        (b"/v1/traces", b"Host: attacker.example\r\nContent-Type: application/x-protobuf", b"421"),
        (b"/v2/traces", b"Host: localhost\r\nContent-Type: application/x-protobuf", b"404"),
        (b"/v1/traces", b"Host: localhost\r\nContent-Type: text/html", b"415"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"x" * (4 << 20)], ids=["none yet", "4 MB"])
def test_what_is_refused_is_not_read(collector, path, header, status, body):
    """The answer does not wait for a body, and arrives in spite of one."""
    answer = raw(collector, b"POST " + path + b" HTTP/1.1\r\n" + header + b"\r\nContent-Encoding: gzip\r\nContent-Length: 8000000\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert b"Connection: close" in answer


@pytest.mark.parametrize("host", ["localhost:4318", "127.0.0.1", "[::1]:4318", "10.1.2.3:1", "app.localhost", "LOCALHOST"])
def test_names_of_ours_are_taken(collector, host):
    assert post(collector, "/v1/traces", trace_request().SerializeToString(), Host=host)[0] == 200


def test_a_name_can_be_allowed():
    with Collector(hosts=["collector.lan"]) as collector:
        assert post(collector, "/v1/traces", trace_request().SerializeToString(), Host="Collector.LAN:4318")[0] == 200


def test_threads_are_bounded(monkeypatch):
    monkeypatch.setattr(server, "MAX_CONNECTIONS", 3)
    with Collector() as collector, contextlib.ExitStack() as stack:
        host, port = collector.endpoint.removeprefix("http://").split(":")
        body = trace_request().SerializeToString()
        request = b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-protobuf\r\nContent-Length: %d\r\n\r\n" % len(body) + body
        held = [stack.enter_context(socket.create_connection((host, int(port)), timeout=20)) for _ in range(3)]
        for client in held:
            client.sendall(request)
            assert client.recv(100).startswith(b"HTTP/1.1 200")
        with socket.create_connection((host, int(port)), timeout=20) as one_more:
            with contextlib.suppress(ConnectionError):
                assert one_more.recv(100) == b""
        held[0].close()
        collector.wait_until(lambda c: c._server.free._value > 0, 0)
        for _ in range(1000):
            with contextlib.suppress(ConnectionError, OSError):
                if post(collector, "/v1/traces", body)[0] == 200:
                    break
        assert len(collector.spans()) == 4


def test_what_is_kept_is_bounded(monkeypatch):
    body = trace_request().SerializeToString()
    monkeypatch.setattr(server, "MAX_KEPT", 3 * (len(body) + weight.OBJECT * weight.of_protobuf(body, ExportTraceServiceRequest.DESCRIPTOR)))
    with Collector() as collector:
        for number in range(10):
            post(collector, "/v1/traces", trace_request(f"GET /users/{number:4}").SerializeToString())
        assert [one.name[-1] for one in collector.spans()] == ["7", "8", "9"]
        assert collector.dropped == 7
        collector.clear()
        assert collector.dropped == 0


def test_the_feed_forgets_the_oldest_traces(monkeypatch):
    monkeypatch.setattr(command, "MAX_SPANS", 10)
    feed = TraceFeed(0, clock=lambda: 0.0)
    for number in range(100):
        feed.add((span(f"s{number}", "1", trace=f"{number:032x}"),))
    assert sorted(trace.roots[0].span.name for trace in feed.rest()) == sorted(f"s{number}" for number in range(90, 100))
    monkeypatch.setattr(command, "MAX_BYTES", 1000)
    feed.add((span("large", "1", trace="f" * 32),), 900)
    assert [trace.roots[0].span.name for trace in feed.rest()] == ["large"]


def test_deep_trees_end():
    spans = [span(f"s{number}", f"{number:016x}", f"{number - 1:016x}" if number else "") for number in range(3000)]
    out = io.StringIO()
    console(out).print(trace_tree(build(spans)[0]))
    lines = out.getvalue().splitlines()
    assert len(lines) == DEEPEST + 2
    assert f"{3000 - DEEPEST} spans more" in lines[-1]
