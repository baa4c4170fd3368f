"""`otelobj collector`: the receiver alone, for a laptop without a collector."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO

import click
from rich.console import Console

from objinst.cli.render import json_lines, summary, trace_tree
from objinst.cli.terminal import console
from objinst.collector import Collector, Signals, Span
from objinst.collector.traces import Trace, build

DEFAULT_PORT = 4318
DEFAULT_DELAY = 5.0
CALLS = ("CLIENT", "PRODUCER")
"""Kinds of spans below which another process may have some."""
TICK = 0.1
MAX_SPANS = 100_000
MAX_BYTES = 256 << 20
"""Kept for traces that go on after they were shown; those to which nothing was added for the longest time are forgotten first."""


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", default=DEFAULT_PORT, type=click.IntRange(0, 65535), help="Port to listen on; 0: a free one.")
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="A name by which senders call this machine, beside localhost and IP addresses.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each span, metric and log record, instead of trees.")
@click.option(
    "--quiet-for",
    default=1.0,
    type=click.FloatRange(min=0),
    metavar="SECONDS",
    help="Show a trace when nothing was added to it for so long; if something of it seems to be missing, after what exporters keep back in addition "
    "($OTEL_BSP_SCHEDULE_DELAY, 5 s if unset).",
)
def command(host: str, port: int, hosts: tuple[str, ...], *, as_json: bool, quiet_for: float) -> int:
    """Receive OTLP/HTTP (protobuf and JSON) and show traces as trees, log records below their spans, until interrupted; then the counts."""
    output = sys.stdout
    feed = TraceFeed(quiet_for, batch=schedule_delay(os.environ))
    stop = Stop()
    receive = _print_json(output, stop) if as_json else feed.add_all
    _stop_on_signals(stop)
    with Collector(host, port, receive, hosts) as collector:
        print(
            f"listening for OTLP/HTTP: OTEL_EXPORTER_OTLP_ENDPOINT={collector.endpoint} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", file=sys.stderr, flush=True
        )
        screen = console(output)
        while not stop.wanted:
            time.sleep(TICK)
            if traces := feed.quiet():
                _show(screen, traces, collector)
            output.flush()
    _show(screen, feed.rest(), collector)
    spans = collector.spans()
    where = sys.stderr if as_json else output
    print(summary(len({span.trace_id for span in spans}), spans, collector.metrics(), collector.logs()), file=where)
    if collector.dropped:
        print(f"and {collector.dropped} more, which were dropped from memory", file=where)
    return 0


def _show(screen: Console, traces: Sequence[Trace], collector: Collector) -> None:
    """Shows traces with the log records that have come. Those outside a span are counted at the end; --json shows them."""
    records = defaultdict(list)
    for record in collector.logs():
        records[record.trace_id].append(record)
    for trace in traces:
        screen.print(trace_tree(trace, records.get(trace.trace_id, ())))


class Stop:
    """Whether the receiver is to end. Not a threading.Event: a signal handler that sets one while it interrupts wait() blocks forever."""

    wanted = False


def schedule_delay(environ: Mapping[str, str]) -> float:
    """Seconds for which an exporter may hold finished spans (OpenTelemetry's specification, batch span processor). A program with another
    setting than this process may hold them longer."""
    text = environ.get("OTEL_BSP_SCHEDULE_DELAY", "").strip()
    return int(text) / 1000 if text.isdigit() else DEFAULT_DELAY


class TraceFeed:
    """Traces, as soon as no more spans arrive. A trace that continues after it was shown is shown again, completely. Thread-safe.

    Each process sends its spans every `batch` seconds, so the parts of a trace arrive that far apart. A trace that may be incomplete waits
    that much longer.
    """

    def __init__(self, quiet_for: float, clock: Callable[[], float] = time.monotonic, *, batch: float = 0) -> None:
        self._quiet_for = quiet_for
        self._clock = clock
        self._batch = batch
        self._lock = threading.Lock()
        self._spans: dict[str, list[tuple[Span, int]]] = {}
        self._waiting: dict[str, float] = {}
        self._complete: dict[str, bool] = {}
        self._count = self._bytes = 0

    def add_all(self, signals: Signals) -> None:
        """The spans of a request."""
        self.add(signals.spans, signals.weight)

    def add(self, spans: tuple[Span, ...], weight: int = 0) -> None:
        """weight: approximate size in memory, in bytes."""
        each = weight // max(len(spans), 1)
        with self._lock:
            for span in spans:
                known = self._spans.pop(span.trace_id, [])
                self._spans[span.trace_id] = known  # the last one now
                known.append((span, each))
                self._count += 1
                self._bytes += each
                self._waiting[span.trace_id] = self._clock()
                self._complete.pop(span.trace_id, None)
                while self._count > MAX_SPANS or self._bytes > MAX_BYTES:
                    self._forget(next(iter(self._spans)))

    def _forget(self, trace_id: str) -> None:
        for _, size in self._spans.pop(trace_id):
            self._count -= 1
            self._bytes -= size
        self._waiting.pop(trace_id, None)
        self._complete.pop(trace_id, None)

    def quiet(self) -> list[Trace]:
        """Traces to show now."""
        now = self._clock()
        with self._lock:
            return self._take([trace_id for trace_id, last in self._waiting.items() if self._is_quiet(trace_id, now - last)])

    def _is_quiet(self, trace_id: str, age: float) -> bool:
        if age < self._quiet_for or age >= self._quiet_for + self._batch:
            return age >= self._quiet_for
        if trace_id not in self._complete:
            self._complete[trace_id] = seems_complete([span for span, _ in self._spans[trace_id]])
        return self._complete[trace_id]

    def rest(self) -> list[Trace]:
        """All traces that have not been shown yet."""
        with self._lock:
            return self._take(list(self._waiting))

    def _take(self, trace_ids: list[str]) -> list[Trace]:
        for trace_id in trace_ids:
            del self._waiting[trace_id]
            self._complete.pop(trace_id, None)
        return build(span for trace_id in trace_ids for span, _ in self._spans[trace_id])


def seems_complete(spans: Sequence[Span]) -> bool:
    """Whether nothing refers to a span that was not received: every parent exists, and every span that called another process has a child. A
    process ends a span after its descendants and sends them no later, so its part is complete once its root has arrived."""
    known, parents = {span.span_id for span in spans}, {span.parent_id for span in spans}
    return parents - {""} <= known and all(span.span_id in parents for span in spans if span.kind in CALLS)


def _print_json(output: TextIO, stop: Stop) -> Callable[[Signals], None]:
    """Prints its input; stops the receiver when the output is closed."""
    lock = threading.Lock()

    def receive(signals: Signals) -> None:
        try:
            with lock:
                output.write("".join(line + "\n" for line in json_lines(signals)))
                output.flush()
        except BrokenPipeError:
            stop.wanted = True

    return receive


def _stop_on_signals(stop: Stop) -> None:
    """SIGINT and SIGTERM both end the receiver cleanly."""

    def end(*_: object) -> None:
        stop.wanted = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
