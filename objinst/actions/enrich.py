"""The `enrich` action: attributes for the span that is current when the function runs, and the route of the server's span. It makes no span.

    enrich: { attributes: { tenant.id: recv.tenant.ID, items: len(result.0) }, route: "/api{arg.pattern}" }

hooks/span finds what to read in a `span.enrichment` in the function's descriptor, written by field name, as it does for `span`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import yaml

from objinst.actions.span import PACKAGE, Attributes, Search, Template, attributes, read_attributes, template
from objinst.plan.action import Plannable
from objinst.plan.model import Use
from objinst.rules import Rule, ValuePath
from objinst.rules.nodes import Nodes
from objinst.rules.paths import read_template

if TYPE_CHECKING:  # see objinst.plan.action
    from objinst.plan.subject import Subject
    from objinst.rewrite.site import Site
    from objinst.rewrite.static import Field

KEYS = ("attributes", "route")
RESULT = "result"


@dataclass(frozen=True, slots=True)
class Enrich(Plannable):
    """Attributes for the current span. route: literals and paths, empty for none: either of results, or of what the function is called with."""

    attributes: tuple[tuple[str, ValuePath], ...] = ()
    route: tuple[str | ValuePath, ...] = ()

    @classmethod
    def parse(cls, nodes: Nodes, key: yaml.ScalarNode, value: yaml.Node, rule: str) -> Self:
        keys = nodes.keys(value, KEYS, "enrich")
        if not keys:
            raise nodes.error(key, f"rule {rule}: enrich adds nothing", "give it `attributes`, `route` or both")
        route = read_template(nodes, keys["route"], "route", results=True) if "route" in keys else ()
        roots = {part.root for part in route if isinstance(part, ValuePath)}
        if RESULT in roots and len(roots) > 1:
            what = f"rule {rule}: the route has values that are read when the function begins, and results"
            raise nodes.error(keys["route"], what, "take only results, or none: arguments may have changed when the function returns")
        return cls(read_attributes(nodes, keys["attributes"]) if "attributes" in keys else (), route)

    @property
    def package(self) -> str:
        return PACKAGE

    @property
    def paths(self) -> tuple[ValuePath, ...]:
        parts = (*self.route, *(path for _, path in self.attributes))
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, ValuePath)))

    @property
    def needs_exit(self) -> bool:
        return any(path.root == RESULT for path in self.paths)

    @property
    def _is_late(self) -> bool:
        return any(isinstance(part, ValuePath) and part.root == RESULT for part in self.route)

    def plan(self, rule: Rule, function: Subject) -> EnrichUse:
        """Raises OtelobjError as `Span.plan` does."""
        search = Search(rule, function)
        at_entry, at_return = search.attributes(self.attributes)
        route = search.template(self.route)
        return EnrichUse(rule.name, rule.instrumentation, at_entry, at_return, route, self._is_late, function.go_context, tuple(search.left_out.values()))


ACTION = Enrich


@dataclass(frozen=True, slots=True)
class EnrichUse(Use):
    """What one rule adds at one target. is_late: the route is read when the function returns; go_context: offset of the context.Context parameter."""

    at_entry: Attributes
    at_return: Attributes
    route: Template
    is_late: bool
    go_context: int | None
    left_out: tuple[str, ...] = ()

    def emit(self, site: Site) -> dict[str, Field]:
        """In place of the itab of a hook context, the hooks get the enrichment."""
        kind, data = site.struct(PACKAGE, "enrichment"), site.data
        at = data.reserve(kind.size)
        data.put(
            at, kind, AtEntry=attributes(site, self.at_entry), AtReturn=attributes(site, self.at_return), Route=template(site, self.route),
            Late=int(self.is_late), HasContext=int(self.go_context is not None), Context=self.go_context or 0,
        )  # fmt: skip
        fields: dict[str, Field] = {"Flags": site.TELEMETRY, "Before": site.built_in(f"{PACKAGE}.enter"), "BeforeTab": site.address(at)}
        if not self.at_return and not self.is_late:
            return fields
        return fields | {"After": site.built_in(f"{PACKAGE}.leave"), "AfterTab": site.address(at)}
