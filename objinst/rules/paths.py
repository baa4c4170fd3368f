"""Paths by which rules name values of a call: arguments, the receiver, results, and values reached from these.

    arg.order.ID, recv.Region, result.0, len(arg.1); in a text: "order {arg.order.ID}"

A path is checked here as text; whether a function has what it names is found out when the link's types are known (objinst.plan.subject).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from objinst.rules.nodes import Nodes, closest

ROOTS = ("arg", "recv", "result")
NAME = re.compile(r"[^\W\d]\w*")
INDEX = re.compile(r"\d{1,3}")
TEMPLATE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
FORMS = "arg.NAME, arg.N, recv, result.NAME or result.N, followed by fields, such as arg.order.ID; len(PATH) is a length"


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


def read_template(nodes: Nodes, node: yaml.Node, what: str, *, results: bool = False) -> tuple[str | ValuePath, ...]:
    """A text in which `{path}` stands for a value, `{{` and `}}` for braces. what: its name, for messages; results: whether it may have results.
    Raises UsageError."""
    text = nodes.text(node, what)
    parts: list[str | ValuePath] = []
    last = 0
    for match in TEMPLATE.finditer(text):
        if match[0] in ("{", "}"):
            raise nodes.error(node, f"{what} {text!r}: {match[0]} stands alone", "write {{ and }} for braces")
        parts.append(text[last : match.start()])
        last = match.end()
        if match[1] is None:
            parts.append(match[0][0])
            continue
        path = read_path(nodes, node, match[1].strip())
        if path.root == "result" and not results:
            raise nodes.error(node, f"{what} {text!r}: {path} is not known when the span starts", "take it as an attribute")
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


def read_path(nodes: Nodes, node: yaml.Node, text: str) -> ValuePath:
    """Raises UsageError."""
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
            raise nodes.error(node, f"path {text!r}: {part!r} is not the name of a field", f"a path is {FORMS}")
    return ValuePath(root, which, tuple(rest), length, f"{nodes.path}:{node.start_mark.line + 1}")
