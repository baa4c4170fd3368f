"""Traces for people, as trees with durations, status and the most important attributes; and for machines, as one JSON object per line."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from rich.text import Text
from rich.tree import Tree

from objinst.cli.terminal import clean, count
from objinst.collector.model import LogRecord, Metric, Signals, Span, Value
from objinst.collector.traces import Node, Trace

SHOWN: Mapping[str, str] = {
    "http.request.method": "method",
    "http.route": "route",
    "http.response.status_code": "status",
    "url.full": "url",
    "url.path": "path",
    "rpc.method": "rpc",
    "db.system.name": "db",
    "db.query.text": "query",
    "messaging.destination.name": "destination",
    "http.request.resend_count": "resend",
    "error.type": "error",
}
"""Attributes worth a place on the line, and what they are called there."""

DETAILS = ("client.", "code.", "http.", "network.", "server.", "url.", "user_agent.")
"""Namespaces of the semantic conventions that instrumentations fill with a dozen attributes a span: of these, only the ones above are shown. A
span by rule has what its rule asks for, and where its function is, which goes without saying."""
BY_RULE = "github.com/otelobj/otelobj/hooks/span"
PLACE = frozenset({"code.function.name", "code.file.path", "code.line.number"})

ATTRIBUTES = 30
"""Of one span, beside those with a name above: more than any rule asks for."""
EVENTS = 50
"""Of one span."""
RECORDS = 50
"""Log records of one span."""
DEEPEST = 60
LINES = 1000
"""Of one trace's tree: a loop that calls itself makes traces thousands of spans deep, and every level is an indentation."""
MS, SECOND = 1_000_000, 1_000_000_000


def duration(nanoseconds: int) -> str:
    """About three digits, in a suitable unit."""
    if nanoseconds >= SECOND:
        return f"{nanoseconds / SECOND:.2f} s"
    if nanoseconds >= MS:
        return f"{nanoseconds / MS:.1f} ms"
    return f"{nanoseconds / 1000:.0f} µs"


def span_line(node: Node) -> Text:
    """Name, kind, service, duration, attributes, status."""
    span = node.span
    failed = span.status == "ERROR"
    line = Text(clean(span.name) or "(no name)", style="bold red" if failed else "bold")
    line.append(f"  {duration(span.duration)}", style="yellow")
    line.append(f"  {span.kind.lower()}", style="cyan")
    if span.service:
        line.append(f"  {clean(span.service)}", style="magenta")
    for key, label in SHOWN.items():
        value = span.attributes.get(key)
        if value is None or _superfluous(span, key):
            continue
        bad = failed and key in ("error.type", "http.response.status_code")
        line.append(f"  {label}=", style="dim")
        line.append(clean(value), style="red" if bad else "")
    own = [(key, value) for key, value in span.attributes.items() if _is_own(span, key)]
    for key, value in own[:ATTRIBUTES]:
        line.append(f"  {clean(key)}=", style="dim")
        line.append(clean(_text(value)))
    if len(own) > ATTRIBUTES:
        line.append(f"  … and {len(own) - ATTRIBUTES} more", style="dim")
    if failed:
        line.append("  ERROR" + (f": {clean(span.status_message)}" if span.status_message else ""), style="bold red")
    if node.orphan:
        line.append("  (its parent was not received)", style="dim")
    return line


def _is_own(span: Span, key: str) -> bool:
    """Whether an attribute was set deliberately, and is not on the line yet."""
    if key in SHOWN:
        return False
    return key not in PLACE if span.scope.name == BY_RULE else not key.startswith(DETAILS)


def _text(value: Value) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_text(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(_text, value))}]" if isinstance(value, tuple) else str(value)


def _superfluous(span: Span, key: str) -> bool:
    """Whether another attribute on the line already shows it."""
    if key == "url.path":
        return "http.route" in span.attributes or "url.full" in span.attributes
    return key == "error.type" and str(span.attributes[key]) == str(span.attributes.get("http.response.status_code"))


def events(span: Span) -> list[Text]:
    """Exceptions, then other events by name."""
    lines = []
    for event in span.events[:EVENTS]:
        at = f"+{duration(event.time - span.start)}"
        if event.name == "exception":
            kind, message = (clean(event.attributes.get(f"exception.{key}", "")) for key in ("type", "message"))
            lines.append(Text(f"! {kind}: {message}  {at}" if kind else f"! {message}  {at}", style="red"))
        else:
            lines.append(Text(f"· {clean(event.name)}  {at}", style="dim"))
    if len(span.events) > EVENTS:
        lines.append(Text(f"· … {count(len(span.events) - EVENTS, 'event')} more", style="dim"))
    return lines


def log_lines(span: Span, records: Sequence[LogRecord]) -> list[Text]:
    """Severity, body and attributes of the log records of a span, in the order of time."""
    lines = []
    for record in sorted(records, key=lambda record: record.time)[:RECORDS]:
        severity = clean(record.severity).upper()
        line = Text("» ", style="dim")
        line.append(f"{severity} " if severity else "", style="red" if severity.startswith(("ERROR", "FATAL", "PANIC", "DPANIC")) else "green")
        line.append(clean("" if record.body is None else _text(record.body)))
        for key, value in list(record.attributes.items())[:ATTRIBUTES]:
            line.append(f"  {clean(key)}=", style="dim")
            line.append(clean(_text(value)))
        if len(record.attributes) > ATTRIBUTES:
            line.append(f"  … and {len(record.attributes) - ATTRIBUTES} more", style="dim")
        line.append(f"  +{duration(record.time - span.start)}", style="dim")
        lines.append(line)
    if len(records) > RECORDS:
        lines.append(Text(f"» … {count(len(records) - RECORDS, 'log record')} more", style="dim"))
    return lines


def trace_tree(trace: Trace, records: Iterable[LogRecord] = ()) -> Tree:
    """The trace as a rich tree; its own label is the trace's line. records: log records, of which those of its spans are shown below them."""
    by_span: dict[str, list[LogRecord]] = defaultdict(list)
    for record in records:
        if record.trace_id == trace.trace_id:
            by_span[record.span_id].append(record)
    spans, services = len(trace.spans), [clean(name) for name in trace.services if name]
    head = Text(f"trace {trace.trace_id}", style="dim")
    head.append(f"  {duration(trace.duration)}  {count(spans, 'span')}" + (f"  {' → '.join(services)}" if services else ""))
    if trace.errors:
        head.append(f"  {count(trace.errors, 'error')}", style="red")
    tree = Tree(head, guide_style="dim")
    at = [tree]
    lines = hidden = 0
    for depth, node in trace.walk():
        if depth >= DEEPEST or lines >= LINES:
            hidden += 1
            continue
        below = [*events(node.span), *log_lines(node.span, by_span.get(node.span.span_id, ()))]
        lines += 1 + len(below)
        del at[depth + 1 :]
        branch = at[depth].add(span_line(node))
        for line in below:
            branch.add(line)
        at.append(branch)
    if hidden:
        tree.add(Text(f"… {count(hidden, 'span')} more (deeper than {DEEPEST}, or beyond {LINES} lines); --json shows all", style="dim"))
    return tree


def summary(traces: int, spans: list[Span], metrics: list[Metric], logs: list[LogRecord]) -> str:
    """Counts of everything received, in a line."""
    errors = sum(span.status == "ERROR" for span in spans)
    parts = [f"{count(len(spans), 'span')} in {count(traces, 'trace')}", count(errors, "error")]
    names = len({metric.name for metric in metrics})
    points = sum(len(metric.points) for metric in metrics)
    return ", ".join([*parts, f"{count(names, 'metric')} ({count(points, 'point')})", count(len(logs), "log record")])


def json_lines(signals: Signals) -> list[str]:
    """One object per span, metric and log record: {"signal": "span", …}. Bytes are base64."""
    kinds = (("span", signals.spans), ("metric", signals.metrics), ("log", signals.logs))
    return [json.dumps({"signal": kind} | asdict(item), default=_json) for kind, items in kinds for item in items]


def _json(value: object) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
