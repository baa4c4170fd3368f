"""The receiver of telemetry counts what it gets."""

from __future__ import annotations

import socket
from http.client import HTTPConnection

import pytest

from objinst.bench import sink


def post(port: int, body: bytes, **headers: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/traces", body=body if headers.get("Transfer-Encoding") is None else [body], headers=headers, encode_chunked="Transfer-Encoding" in headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


def test_what_arrives_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DD_TRACE_AGENT_URL", "http://elsewhere")
    with sink.running() as where:
        assert where.env == {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{where.port}", "DD_TRACE_AGENT_URL": "http://elsewhere"}
        assert where.received() == sink.Received()
        assert post(where.port, b"12345", **{"Content-Type": "application/x-protobuf"}) == (200, b"")
        assert post(where.port, b"123", **{"Transfer-Encoding": "chunked"}) == (200, b"{}")
        with socket.create_connection(("127.0.0.1", where.port), timeout=60) as other:
            other.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            while other.recv(1000):
                pass
        assert where.received() == sink.Received(8, 1)
