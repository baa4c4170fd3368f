"""Spans as traces: trees in the order of time, whatever order and however incomplete they came in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from objinst.collector.model import Span


@dataclass(slots=True)
class Node:
    """A span and the spans that name it as parent, by start time. orphan: it names a parent that was not received."""

    span: Span
    orphan: bool = False
    children: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trace:
    """roots: spans without a (received) parent, by start time."""

    trace_id: str
    roots: tuple[Node, ...]

    def walk(self) -> Iterator[tuple[int, Node]]:
        """(depth, node), parents before children. Not recursive: real traces have been thousands of spans deep."""
        todo = [(0, node) for node in reversed(self.roots)]
        while todo:
            depth, node = todo.pop()
            yield depth, node
            todo += [(depth + 1, child) for child in reversed(node.children)]

    @property
    def spans(self) -> list[Span]:
        return [node.span for _, node in self.walk()]

    @property
    def duration(self) -> int:
        """Nanoseconds from the first start to the last end."""
        spans = self.spans
        return max(span.end for span in spans) - min(span.start for span in spans)

    @property
    def services(self) -> list[str]:
        """In the order met."""
        return list(dict.fromkeys(span.service for span in self.spans))

    @property
    def errors(self) -> int:
        return sum(span.status == "ERROR" for span in self.spans)


def build(spans: Iterable[Span]) -> list[Trace]:
    """Traces by the start of their first span. A span received twice counts once."""
    by_trace: dict[str, list[Span]] = defaultdict(list)
    for span in sorted(spans, key=lambda span: span.start):
        by_trace[span.trace_id].append(span)
    return [Trace(trace_id, tuple(_roots(members))) for trace_id, members in by_trace.items()]


def _roots(spans: list[Span]) -> list[Node]:
    """spans: by start time. Every span hangs below exactly one root: a ring of parents is cut open at its first span."""
    nodes = {span.span_id: Node(span) for span in reversed(spans)}
    ordered = [nodes[span_id] for span_id in dict.fromkeys(span.span_id for span in spans)]
    for node in ordered:
        parent = nodes.get(node.span.parent_id)
        node.orphan = parent is None and bool(node.span.parent_id)
        if parent is not None:
            parent.children.append(node)
    reached: set[int] = set()
    parentless = [node for node in ordered if node.span.parent_id not in nodes]
    _reach(parentless, reached)
    cut = [node for node in ordered if _cut(node, nodes, reached)]
    return sorted(parentless + cut, key=lambda node: node.span.start)


def _cut(node: Node, nodes: dict[str, Node], reached: set[int]) -> bool:
    """Makes a root of a span that no root reaches. False if an earlier cut has reached it."""
    if id(node) in reached:
        return False
    nodes[node.span.parent_id].children.remove(node)
    node.orphan = True
    _reach([node], reached)
    return True


def _reach(start: list[Node], reached: set[int]) -> None:
    todo = list(start)
    while todo:
        node = todo.pop()
        reached.add(id(node))
        todo += node.children
