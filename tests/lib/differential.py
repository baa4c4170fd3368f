"""The same program twice: instrumented by hand with a library's official instrumentation, and without any, relinked by otelobj.

A library's folder has them in testdata/program: a Go module with the packages `hand` and `plain`. What they do is in a package of its own, `app`.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import toolchains
from objinst.collector import Collector
from objinst.collector.model import Span
from scriptrunner import GENEROUS, HANGS

GO = "1.26"


@dataclass(frozen=True)
class Runs:
    """What each program wrote to standard output, and a collector got from it."""

    hand: tuple[str, Collector]
    ours: tuple[str, Collector]
    both: tuple[str, Collector]
    """Of the program by hand, relinked by otelobj: it traces itself, so nothing is added."""

    def same_output(self) -> None:
        """The program does the same, and something."""
        assert self.ours[0] == self.hand[0] == self.both[0] != ""


def runs(source: Path, folder: Path, *args: str) -> Runs:
    """source: the module, with rules.yaml where the second program needs rules. folder: for the programs. args: of both."""
    toolchains.go(GO, source, "build", "-o", folder / "hand", "./hand")
    rules = source / "rules.yaml"
    tool = f"otelobj --rules {rules}" if rules.exists() else "otelobj"
    toolchains.go(GO, source, "build", f"-toolexec={tool}", "-o", folder / "ours", "./plain")
    toolchains.go(GO, source, "build", "-toolexec=otelobj", "-o", folder / "both", "./hand")
    return Runs(*(_run(folder / name, args) for name in ("hand", "ours", "both")))


def fixture(source: Path) -> Callable[..., Runs]:
    """A fixture, made once for a test module, that has the runs of the programs of a library."""

    @pytest.fixture(scope="module")
    def made(tmp_path_factory: pytest.TempPathFactory) -> Runs:
        return runs(source, tmp_path_factory.mktemp("difftest"))

    return made


def _run(program: Path, args: tuple[str, ...]) -> tuple[str, Collector]:
    with Collector() as collector:
        env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL")}
        env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", **GENEROUS}
        done = subprocess.run([program, *args], env=env, capture_output=True, text=True, timeout=HANGS, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout, collector


Request = tuple[object, ...]
"""Of a server's span: name, route, method, path, status code, status, its description, and messages of exceptions."""


def served(collector: Collector, error: str = "") -> Counter[Request]:
    """Requests by what the spans of a server say of them. error: an attribute that has the message where there is no exception."""
    return Counter(_request(span, error) for span in collector.spans() if span.kind == "SERVER")


def _request(span: Span, error: str) -> Request:
    names = ("http.route", "http.request.method", "url.path", "http.response.status_code")
    errors = tuple(str(event.attributes["exception.message"]) for event in span.events if event.name == "exception")
    if not errors and error in span.attributes:
        errors = (str(span.attributes[error]),)
    return (span.name, *(span.attributes.get(name) or None for name in names), span.status, span.status_message, errors)


def timed(collector: Collector) -> Counter[tuple[object, ...]]:
    """Requests by method, route and status code, as a server's metric counts them."""
    found: Counter[tuple[object, ...]] = Counter()
    for metric in collector.metrics():
        for point in metric.points if metric.name == "http.server.request.duration" else ():
            found[tuple(point.attributes.get(name) for name in ("http.request.method", "http.route", "http.response.status_code"))] += point.count or 0
    return found
