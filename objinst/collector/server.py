"""The receiver: an HTTP server in threads of its own, and what it has received.

The protocol is OTLP/HTTP (opentelemetry-proto, docs/specification.md): POST to /v1/traces, /v1/metrics, /v1/logs, a body of
application/x-protobuf or application/json, plain or gzip; the answer has the request's type. http.server reads no chunked
bodies, so that is done here.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import ipaddress
import json
import re
import socket
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from objinst.collector.decode import DECODERS, DecodeError
from objinst.collector.model import LogRecord, Metric, Signals, Span
from objinst.collector.weight import TooHeavyError
from objinst.errors import OtelobjError

PROTOBUF, JSON = "application/x-protobuf", "application/json"
MAX_BODY = 16 << 20
"""Bytes of a request, before and after decompression."""
MAX_CONNECTIONS = 64
"""Each has a thread. More are closed at once; exporters try again."""
MAX_KEPT = 256 << 20
"""Bytes of memory, about, for the signals that are kept. The oldest are dropped first."""
TRAILERS = 32
IDLE_SECONDS = 30
"""A connection that says nothing is closed."""
LINGER_SECONDS = 2


class Collector:
    """Receives on host:port until closed; port 0 takes a free one. Usable from several threads.

    on_signals is called in the server's thread after each request that held anything. hosts: names by which senders call this machine,
    beside localhost, `host` and IP addresses.
    Raises OtelobjError if the address cannot be had.
    """

    def __init__(
        self, host: str = "127.0.0.1", port: int = 0, on_signals: Callable[[Signals], None] | None = None, hosts: Iterable[str] = ()
    ) -> None:
        self._kept: deque[Signals] = deque()
        self._bytes = 0
        self._dropped = 0
        self._changed = threading.Condition()  # its lock may be taken again by the thread that holds it
        self._on_signals = on_signals
        try:
            self._server = _Server((host, port), self._store, hosts)
        except (OSError, OverflowError) as error:
            raise OtelobjError(
                f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}",
                "another collector may run there: choose another --port, or 0 for a free one",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="collector", daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT."""
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def environ(self) -> dict[str, str]:
        """OTEL_* variables that make a program send here at once, all signals over OTLP/HTTP."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_METRICS_EXPORTER": "otlp",
            "OTEL_LOGS_EXPORTER": "otlp",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }

    def spans(self) -> list[Span]:
        """In the order received."""
        with self._changed:
            return [span for signals in self._kept for span in signals.spans]

    def metrics(self) -> list[Metric]:
        """In the order received: a metric comes again with every export."""
        with self._changed:
            return [metric for signals in self._kept for metric in signals.metrics]

    def logs(self) -> list[LogRecord]:
        """In the order received."""
        with self._changed:
            return [record for signals in self._kept for record in signals.logs]

    @property
    def dropped(self) -> int:
        """Spans, metrics and log records that were received and are no longer kept."""
        with self._changed:
            return self._dropped

    def clear(self) -> None:
        """Forgets what was received so far."""
        with self._changed:
            self._kept.clear()
            self._bytes = self._dropped = 0

    def wait_until(self, done: Callable[[Collector], bool], timeout: float) -> bool:
        """Waits until done(self) holds, at most `timeout` seconds; whether it does."""
        limit = time.monotonic() + timeout
        with self._changed:
            while not done(self):
                left = limit - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def wait_for(self, n_spans: int, timeout: float = 10) -> list[Span]:
        """All spans once there are at least n_spans. Raises TimeoutError, which names those that came."""
        if not self.wait_until(lambda c: len(c.spans()) >= n_spans, timeout):
            names = ", ".join(f"{span.kind} {span.name}" for span in self.spans()) or "none"
            raise TimeoutError(f"{n_spans} spans expected within {timeout} s, received: {names}{self._lost()}")
        return self.spans()

    def wait_for_metric(self, name: str, timeout: float = 10) -> Metric:
        """The latest export of a metric, once there is one. Raises TimeoutError."""
        if not self.wait_until(lambda c: any(m.name == name for m in c.metrics()), timeout):
            raise TimeoutError(f"no metric {name} within {timeout} s, received: {sorted({m.name for m in self.metrics()})}{self._lost()}")
        return next(metric for metric in reversed(self.metrics()) if metric.name == name)

    def _lost(self) -> str:
        return f", and {self.dropped} signals that are no longer kept" if self.dropped else ""

    def close(self) -> None:
        """Stops receiving; what was received stays readable."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _store(self, signals: Signals) -> None:
        with self._changed:
            if signals.count:
                self._kept.append(signals)
                self._bytes += signals.weight
            while self._bytes > MAX_KEPT:
                oldest = self._kept.popleft()
                self._bytes -= oldest.weight
                self._dropped += oldest.count
            self._changed.notify_all()
        if self._on_signals and (signals.spans or signals.metrics or signals.logs):
            self._on_signals(signals)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], store: Callable[[Signals], None], hosts: Iterable[str]) -> None:
        self.store = store
        self.hosts = frozenset({"localhost", address[0].lower(), *(name.lower() for name in hosts)})
        self.free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread of its own, if there is one to be had."""
        if not self.free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started
            self.free.release()
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As above, and then the place is free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.free.release()

    def is_meant(self, host: str) -> bool:
        """Whether a Host header names this receiver. A name of somebody else's is a page in a browser that has made it point here (DNS rebinding)."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        with contextlib.suppress(ValueError):
            ipaddress.ip_address(name)
            return True
        return name in self.hosts or name.endswith(".localhost")

    def server_bind(self) -> None:
        """Without http.server's look-up of the host's own name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event; anything else is a defect here and is shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _BadRequestError(Exception):
    """A request that is answered with an error status."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "otelobj"
    timeout = IDLE_SECONDS
    server: _Server

    def do_POST(self) -> None:
        """One export request."""
        try:
            signals, content_type = self._signals()
        except _BadRequestError as error:
            self._answer_error(error.status, str(error))
            if self.close_connection:
                self._linger()
        except TooHeavyError as error:
            self._answer_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        except DecodeError as error:
            self._answer_error(HTTPStatus.BAD_REQUEST, str(error))
        else:
            self.server.store(signals)
            self._answer(HTTPStatus.OK, content_type, b"{}" if content_type == JSON else b"")

    def _signals(self) -> tuple[Signals, str]:
        """What the request holds, and its content type."""
        host = self.headers.get("Host", "")
        if not self.server.is_meant(host):
            message = f"this receiver is not called {host[:100]!r}; start it with --allow-host NAME if it is"
            raise self._unreadable(HTTPStatus.MISDIRECTED_REQUEST, message)
        decode = DECODERS.get(self.path.partition("?")[0].rstrip("/"))
        if decode is None:
            raise self._unreadable(HTTPStatus.NOT_FOUND, f"no such path: {self.path[:100]}; known: {', '.join(DECODERS)}")
        content_type = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if content_type not in (PROTOBUF, JSON):
            raise self._unreadable(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {PROTOBUF} or {JSON}, not {content_type[:100]!r}")
        body = self._decompressed(self._body())
        return decode(body, is_json=content_type == JSON), content_type

    def do_GET(self) -> None:
        """Nothing is served."""
        self._answer_error(HTTPStatus.METHOD_NOT_ALLOWED, "OTLP requests are POST")

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Requests are not logged: the spans are what people look at."""

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._chunks()
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit() and len(self.headers.get_all("Content-Length", ())) <= 1):
            raise self._unreadable(HTTPStatus.BAD_REQUEST, f"Content-Length {length!r}")
        if len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            raise self._unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY} bytes")
        return self.rfile.read(int(length))

    def _chunks(self) -> bytes:
        """RFC 9112, 7.1; trailers are read and dropped."""
        body = bytearray()
        while True:
            text = self.rfile.readline(64).partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
                raise self._unreadable(HTTPStatus.BAD_REQUEST, "damaged chunk size")
            size = int(text, 16)
            if len(body) + size > MAX_BODY:
                raise self._unreadable(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY} bytes")
            if size == 0:
                for _ in range(TRAILERS):
                    if not self.rfile.readline(8192).strip():
                        return bytes(body)
                raise self._unreadable(HTTPStatus.BAD_REQUEST, f"more than {TRAILERS} trailers")
            body += self.rfile.read(size)
            self.rfile.readline(8)

    def _unreadable(self, status: HTTPStatus, message: str) -> _BadRequestError:
        """An error that leaves the body or part of it unread: the connection cannot go on."""
        self.close_connection = True
        return _BadRequestError(status, message)

    def _linger(self) -> None:
        """Drops what the client still sends, for a moment: closing a connection with something unread in it resets it, and the answer is lost."""
        end = time.monotonic() + LINGER_SECONDS
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LINGER_SECONDS)
            while time.monotonic() < end and self.connection.recv(1 << 16):
                pass

    def _decompressed(self, body: bytes) -> bytes:
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding == "identity":
            return body
        if encoding != "gzip":
            raise _BadRequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding must be gzip or none, not {encoding!r}")
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as unpacked:
                plain = unpacked.read(MAX_BODY + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise _BadRequestError(HTTPStatus.BAD_REQUEST, f"no gzip: {error}") from error
        if len(plain) > MAX_BODY:
            raise _BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {MAX_BODY} bytes unpacked")
        return plain

    def _answer_error(self, status: HTTPStatus, message: str) -> None:
        self._answer(status, JSON, json.dumps({"message": message}).encode())

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
