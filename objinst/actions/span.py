"""The `span` action: a span for every call, with a name, a kind, and attributes that paths read from arguments and results.

    span: { name: "order {arg.order.ID}", kind: internal, attributes: { order.id: arg.order.ID, n: result.0, size: len(arg.1) } }

hooks/span finds everything it needs in a `span.config` in the function's descriptor, written by field name. At run time it only reads memory; it looks
nothing up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Self

import yaml

from objinst.errors import OtelobjError
from objinst.plan.action import Plannable
from objinst.plan.model import CallValue, NoValueError, Use
from objinst.rules import Rule, ValuePath
from objinst.rules.nodes import Nodes, closest
from objinst.rules.paths import read_path, read_template

if TYPE_CHECKING:  # see objinst.plan.action
    from objinst.plan.subject import Subject
    from objinst.rewrite.site import Site
    from objinst.rewrite.static import Field, Slice

PACKAGE = "github.com/otelobj/otelobj/hooks/span"
KEYS = ("name", "kind", "attributes")
KINDS = ("internal", "server", "client", "producer", "consumer")
"""In the order of OpenTelemetry's SpanKind, from 1 on."""
IN_ARGS, EMPTY, COUNT = 1, 2, 4
"""Flags of span.value."""


@dataclass(frozen=True, slots=True)
class Span(Plannable):
    """A span for every call. name: literals and paths, empty for the function's own name; kind: one of KINDS."""

    spans: ClassVar[bool] = True
    name: tuple[str | ValuePath, ...] = ()
    kind: str = KINDS[0]
    attributes: tuple[tuple[str, ValuePath], ...] = ()

    @classmethod
    def parse(cls, nodes: Nodes, _key: yaml.ScalarNode, value: yaml.Node, _rule: str) -> Self:
        """Without any keys: a span with the function's name."""
        if isinstance(value, yaml.ScalarNode) and not value.value:
            return cls()
        keys = nodes.keys(value, KEYS, "span")
        kind = nodes.text(keys["kind"], "kind") if "kind" in keys else KINDS[0]
        if kind not in KINDS:
            raise nodes.error(keys["kind"], f"unknown span kind {kind!r}", closest(kind, KINDS))
        name = read_template(nodes, keys["name"], "name") if "name" in keys else ()
        return cls(name, kind, read_attributes(nodes, keys["attributes"]) if "attributes" in keys else ())

    @property
    def package(self) -> str:
        return PACKAGE

    @property
    def paths(self) -> tuple[ValuePath, ...]:
        parts = (*self.name, *(path for _, path in self.attributes))
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, ValuePath)))

    @property
    def needs_exit(self) -> bool:
        return True

    def plan(self, rule: Rule, function: Subject) -> SpanUse:
        """Raises OtelobjError for a path that the function does not have, if the rule names the function exactly. For other rules (a glob,
        `optional`) the path goes into `left_out`."""
        search = Search(rule, function)
        at_entry, at_return = search.attributes(self.attributes)
        name = search.template(self.name)
        return SpanUse(
            rule.name, rule.instrumentation, function.title, function.printed, name, KINDS.index(self.kind) + 1, at_entry, at_return, function.errors, function.go_context,
            tuple(search.left_out.values()),
        )  # fmt: skip


ACTION = Span
Attributes = tuple[tuple[str, CallValue], ...]
Template = tuple[str | CallValue, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """Finds in a function what a rule wants of it. left_out: paths that it does not have -> why."""

    rule: Rule
    function: Subject
    left_out: dict[ValuePath, str] = field(default_factory=dict)

    def _find(self, path: ValuePath) -> CallValue | None:
        try:
            return self.function.find(path)
        except NoValueError as error:
            if not self.rule.is_glob and not self.rule.optional:
                raise OtelobjError(f"{path.origin}: rule {self.rule.name}: {error}", error.remedy) from error
            self.left_out[path] = str(error)
            return None

    def attributes(self, wanted: tuple[tuple[str, ValuePath], ...]) -> tuple[Attributes, Attributes]:
        """Those that are read at the entry, and those at the return."""
        found = [(key, path.root, self._find(path)) for key, path in wanted]
        at_entry = tuple((key, value) for key, root, value in found if value and root != "result")
        return at_entry, tuple((key, value) for key, root, value in found if value and root == "result")

    def template(self, parts: tuple[str | ValuePath, ...]) -> Template:
        """Empty if one of its values is not there."""
        found = [part if isinstance(part, str) else self._find(part) for part in parts]
        return () if None in found else tuple(part for part in found if part is not None)


@dataclass(frozen=True, slots=True)
class SpanUse(Use):
    """One rule's span on one target. name: literals and values, empty for title. title: the function as people write it; function:
    as runtime.FuncForPC names it. kind: OpenTelemetry's SpanKind. go_context: offset of the context.Context parameter."""

    title: str
    function: str
    name: Template
    kind: int
    at_entry: Attributes
    at_return: Attributes
    errors: tuple[CallValue, ...]
    go_context: int | None
    left_out: tuple[str, ...] = ()

    def emit(self, site: Site) -> dict[str, Field]:
        """In place of the itab of a hook context, the hooks get the config."""
        config = site.address(_config(site, self))
        before, after = (site.built_in(f"{PACKAGE}.{name}") for name in ("before", "after"))
        return {"Flags": site.TELEMETRY, "Before": before, "After": after, "BeforeTab": config, "AfterTab": config}


def read_attributes(nodes: Nodes, node: yaml.Node) -> tuple[tuple[str, ValuePath], ...]:
    found = []
    for key, value in nodes.pairs(node, "attributes to be a mapping of names to paths"):
        name = nodes.text(key, "the name of an attribute")
        found.append((name, read_path(nodes, value, nodes.text(value, f"attribute {name}"))))
    return tuple(found)


def _config(site: Site, use: SpanUse) -> int:
    """The offset of a `span.config` in the site's data."""
    kind, data = site.struct(PACKAGE, "config"), site.data
    at = data.reserve(kind.size)
    data.put(
        at, kind, Title=use.title, Function=use.function, File=site.plan.file, Line=site.plan.line, Kind=use.kind, Name=template(site, use.name),
        AtEntry=attributes(site, use.at_entry), AtReturn=attributes(site, use.at_return), Errors=_values(site, use.errors),
        HasContext=int(use.go_context is not None), Context=use.go_context or 0,
    )  # fmt: skip
    return at


def template(site: Site, parts: Template) -> Slice:
    """A slice of `span.part` in the site's data."""
    kind, data = site.struct(PACKAGE, "part"), site.data
    start = data.reserve(kind.size * len(parts))
    for number, part in enumerate(parts):
        at = start + number * kind.size
        if isinstance(part, str):
            data.put(at, kind, Text=part)
        else:
            data.put(at, kind, Value=site.address(_values(site, (part,)).at))
    return site.slice(start, len(parts))


def attributes(site: Site, found: Attributes) -> Slice:
    """A slice of `span.attr` in the site's data."""
    kind, data = site.struct(PACKAGE, "attr"), site.data
    start = data.reserve(kind.size * len(found))
    for number, (key, value) in enumerate(found):
        at = start + number * kind.size
        data.put(at, kind, Key=key)
        _value(site, at + kind.fields["Value"], value)
    return site.slice(start, len(found))


def _values(site: Site, values: tuple[CallValue, ...]) -> Slice:
    kind, data = site.struct(PACKAGE, "value"), site.data
    start = data.reserve(kind.size * len(values))
    for number, value in enumerate(values):
        _value(site, start + number * kind.size, value)
    return site.slice(start, len(values))


def _value(site: Site, at: int, value: CallValue) -> None:
    data = site.data
    flags = (IN_ARGS if value.in_args else 0) | (EMPTY if value.empty else 0) | (COUNT if value.count else 0)
    data.put(
        at, site.struct(PACKAGE, "value"), Offsets=data.int32s(value.offsets), Kind=int(value.kind), Elem=int(value.elem or 0), ElemSize=value.elem_size,
        Flags=flags, Fields=data.strings(value.fields),
    )  # fmt: skip
