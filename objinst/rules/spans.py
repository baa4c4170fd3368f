"""The `span` action of a rule: a name, a kind, and attributes that are read from arguments and results by path.

    span: { name: "order {arg.order.ID}", kind: internal, attributes: { order.id: arg.order.ID, n: result.0, size: len(arg.1) } }

A path is checked here as text; whether a function has what it names is found out when the link's types are known (plan.spans).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from objinst.rules.nodes import Nodes, closest

KINDS = ("internal", "server", "client", "producer", "consumer")
"""In the order of OpenTelemetry's SpanKind, from 1 on."""
SPAN_KEYS = ("name", "kind", "attributes")
ROOTS = ("arg", "recv", "result")
NAME = re.compile(r"[^\W\d]\w*")
INDEX = re.compile(r"\d{1,3}")
TEMPLATE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
FORMS = "arg.NAME, arg.N, recv, result.NAME or result.N, fields behind it, such as arg.order.ID; len(PATH) is a length"


@dataclass(frozen=True, slots=True)
class ValuePath:
    """What of a call is read. root: arg, recv or result; which: a name or an index, "" for recv; length: its length, not itself.

    origin: file and line, for messages.
    """

    root: str
    which: str
    fields: tuple[str, ...] = ()
    length: bool = False
    origin: str = field(default="", compare=False, repr=False)

    def __str__(self) -> str:
        text = ".".join((self.root, *([self.which] if self.which else ()), *self.fields))
        return f"len({text})" if self.length else text


@dataclass(frozen=True, slots=True)
class Span:
    """A span for every call. name: literals and paths, empty for the function's own name; kind: one of KINDS."""

    name: tuple[str | ValuePath, ...] = ()
    kind: str = KINDS[0]
    attributes: tuple[tuple[str, ValuePath], ...] = ()

    @property
    def paths(self) -> tuple[ValuePath, ...]:
        """All that are read, each once."""
        parts = (*self.name, *(path for _, path in self.attributes))
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, ValuePath)))


def read_span(nodes: Nodes, node: yaml.Node) -> Span:
    """The value of `span`; nothing at all is a span with the function's name. Raises UsageError."""
    if isinstance(node, yaml.ScalarNode) and not node.value:
        return Span()
    keys = nodes.keys(node, SPAN_KEYS, "span")
    kind = nodes.text(keys["kind"], "kind") if "kind" in keys else KINDS[0]
    if kind not in KINDS:
        raise nodes.error(keys["kind"], f"unknown span kind {kind!r}", closest(kind, KINDS))
    name = _template(nodes, keys["name"]) if "name" in keys else ()
    return Span(name, kind, _attributes(nodes, keys["attributes"]) if "attributes" in keys else ())


def _attributes(nodes: Nodes, node: yaml.Node) -> tuple[tuple[str, ValuePath], ...]:
    found = []
    for key, value in nodes.pairs(node, "attributes to be a mapping of names to paths"):
        name = nodes.text(key, "the name of an attribute")
        found.append((name, _path(nodes, value, nodes.text(value, f"attribute {name}"))))
    return tuple(found)


def _template(nodes: Nodes, node: yaml.Node) -> tuple[str | ValuePath, ...]:
    """`{path}` stands for a value, `{{` and `}}` for braces."""
    text = nodes.text(node, "name")
    parts: list[str | ValuePath] = []
    last = 0
    for match in TEMPLATE.finditer(text):
        if match[0] in ("{", "}"):
            raise nodes.error(node, f"name {text!r}: {match[0]} stands alone", "write {{ and }} for braces")
        parts.append(text[last : match.start()])
        last = match.end()
        if match[1] is None:
            parts.append(match[0][0])
            continue
        path = _path(nodes, node, match[1].strip())
        if path.root == "result":
            raise nodes.error(node, f"name {text!r}: {path} is not known when the span starts", "take it as an attribute")
        parts.append(path)
    return _joined([*parts, text[last:]])


def _joined(parts: list[str | ValuePath]) -> tuple[str | ValuePath, ...]:
    """Neighbouring literals as one, empty ones left out."""
    joined: list[str | ValuePath] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part:
            joined.append(part)
    return tuple(joined)


def _path(nodes: Nodes, node: yaml.Node, text: str) -> ValuePath:
    length = text.startswith("len(") and text.endswith(")")
    root, *rest = (text[4:-1].strip() if length else text).split(".")
    if root not in ROOTS:
        raise nodes.error(node, f"path {text!r} begins with {root!r}", closest(root, ROOTS) + f"; a path is {FORMS}")
    which = ""
    if root != "recv":
        which, rest = (rest[0], rest[1:]) if rest else ("", [])
        if not NAME.fullmatch(which) and not INDEX.fullmatch(which):
            raise nodes.error(node, f"path {text!r} does not say which {root}", f"a path is {FORMS}")
    for part in rest:
        if not NAME.fullmatch(part):
            raise nodes.error(node, f"path {text!r}: {part!r} is no name of a field", f"a path is {FORMS}")
    return ValuePath(root, which, tuple(rest), length, f"{nodes.path}:{node.start_mark.line + 1}")
