"""A receiver of telemetry that throws it away, in a process of its own: what is measured exports to somebody who answers at once.

It takes OTLP over HTTP, and what other agents are sent: any request is answered with 200. It counts bytes, so that it is seen whether two programs have sent as much.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from objinst import ending

COUNTS = "/otelobj-bench"
"""Where the sink says what it has received."""


@dataclass(frozen=True, slots=True)
class Received:
    """size: bytes of bodies, as they were sent; http2: connections that spoke HTTP/2, which the sink does not."""

    size: int = 0
    http2: int = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    raw_requestline: bytes  # typeshed does not have it
    size = http2 = 0
    counting = threading.Lock()

    def do_POST(self) -> None:
        """Reads what was sent, and answers."""
        size = 0
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while more := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                size += len(self.rfile.read(more + 2)) - 2
            self.rfile.readline()
        else:
            size = len(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        with self.counting:
            Handler.size += size
        kind = self.headers.get("Content-Type") or "application/json"
        self._answer(b"" if "protobuf" in kind else b"{}", kind)

    do_PUT = do_POST  # noqa: N815 - the library's names

    def do_GET(self) -> None:
        """Says what was received, or what a Datadog agent says of itself: nothing."""
        counts = {"size": Handler.size, "http2": Handler.http2} if self.path == COUNTS else {}
        self._answer(json.dumps(counts).encode(), "application/json")

    def parse_request(self) -> bool:
        """Counts prefaces of HTTP/2 (RFC 9113, 3.4), which the library refuses."""
        if not self.raw_requestline.startswith(b"PRI * HTTP/2"):
            return super().parse_request()
        with self.counting:
            Handler.http2 += 1
        self.close_connection = True
        return False

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


@dataclass(frozen=True, slots=True)
class Sink:
    """env: variables that send telemetry to it; none if the user's own go elsewhere."""

    port: int
    env: Mapping[str, str]

    def received(self) -> Received:
        """What it has received until now; nothing, if it does not say."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", COUNTS)
            return Received(**json.loads(connection.getresponse().read()))
        except (OSError, HTTPException, ValueError):
            return Received()
        finally:
            connection.close()


@contextlib.contextmanager
def running() -> Iterator[Sink]:
    """A sink until the block ends. What the user has set already stays."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    child = ending.fork(server.serve_forever)
    server.socket.close()
    try:
        yield Sink(port, {name: os.environ.get(name) or f"http://127.0.0.1:{port}" for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "DD_TRACE_AGENT_URL")})
    finally:
        os.kill(child, signal.SIGTERM)
        ending.wait(child)


def is_free(host: str, port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return True
    return False
