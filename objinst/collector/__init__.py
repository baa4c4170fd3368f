"""An OTLP/HTTP receiver in memory: what instrumented programs send, as values.

For people without a collector at hand (`otelobj collector`, `otelobj demo`) and for tests, which look at the spans as data:

    with Collector() as collector:
        run(program, env=os.environ | collector.environ())
        spans = collector.wait_for(3, timeout=10)

It keeps what it gets until it ends or is cleared: it is a tool for a laptop, no store.
"""

from objinst.collector.model import Event, Link, LogRecord, Metric, Point, Scope, Signals, Span, Value
from objinst.collector.server import Collector

__all__ = ["Collector", "Event", "Link", "LogRecord", "Metric", "Point", "Scope", "Signals", "Span", "Value"]
