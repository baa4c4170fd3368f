"""A receiver of telemetry that throws it away, in a process of its own: what is measured exports to somebody who answers at once.

It takes OTLP over HTTP, and what other agents are sent: any request is answered with 200 and an empty body.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from objinst import ending


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Reads what was sent, and answers."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Type", self.headers.get("Content-Type") or "application/json")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_POST  # noqa: N815 - the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Says nothing."""


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """A sink until the block ends; environment variables that send telemetry to it. What the user has set already stays."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    child = ending.fork(server.serve_forever)
    server.socket.close()
    try:
        yield {name: os.environ.get(name) or url for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "DD_TRACE_AGENT_URL")}
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
