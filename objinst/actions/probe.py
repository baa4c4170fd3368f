"""The `probe` action: a built-in measurement that needs no user code, no types and no SDK.

    probe: count

Counters and histograms are in a table of the function's object (objinst.rewrite.probes), where hooks/probe finds them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, Self

import yaml

from objinst.plan.action import Plannable
from objinst.plan.model import Use
from objinst.plan.subject import Subject
from objinst.rewrite.site import Emittable, Site
from objinst.rewrite.static import Address, Field
from objinst.rules import Rule
from objinst.rules.nodes import Nodes, closest

PACKAGE = "github.com/otelobj/otelobj/hooks/probe"


class ProbeKind(Enum):
    """count: calls; latency: a histogram of their durations; stress: count, and now and then a forced GC and a deep stack; hot: the same at every third call."""

    COUNT = "count"
    LATENCY = "latency"
    STRESS = "stress"
    HOT = "hot"


@dataclass(frozen=True, slots=True)
class Probe(Plannable):
    """count needs only a counter. latency needs the exit. stress and hot count, and also run Go code where possible."""

    support: ClassVar[str] = "probe"
    measures: ClassVar[bool] = True
    kind: ProbeKind

    @classmethod
    def parse(cls, nodes: Nodes, _key: yaml.ScalarNode, value: yaml.Node, _rule: str) -> Self:
        kinds = [kind.value for kind in ProbeKind]
        name = nodes.text(value, f"probe ({', '.join(kinds)})")
        if name not in kinds:
            raise nodes.error(value, f"unknown probe {name!r}", closest(name, kinds))
        return cls(ProbeKind(name))

    @property
    def package(self) -> str:
        return PACKAGE

    @property
    def counts(self) -> bool:
        return self.kind is not ProbeKind.LATENCY

    @property
    def calls(self) -> bool:
        return self.kind is not ProbeKind.COUNT

    @property
    def needs_exit(self) -> bool:
        return self.kind is ProbeKind.LATENCY

    def plan(self, rule: Rule, _function: Subject) -> ProbeUse:
        return ProbeUse(rule.name, rule.instrumentation, self.kind)


ACTION = Probe


@dataclass(frozen=True, slots=True)
class ProbeUse(Emittable):
    """A measurement by Go code."""

    kind: ProbeKind

    @property
    def takes_exit(self) -> bool:
        return True

    @property
    def only_timed(self) -> bool:
        return self.kind is ProbeKind.LATENCY

    def repeats(self, other: Use) -> bool:
        return isinstance(other, ProbeUse) and other.kind is self.kind

    def emit(self, site: Site) -> dict[str, Field]:
        """In place of the itab of a hook context, the hooks get the table of this object and the histogram of this function. That reference keeps
        the table in the program as long as the descriptor."""
        if site.probes is None:
            raise ValueError(f"{PACKAGE} is not in the link")
        before, after = (site.built_in(f"{PACKAGE}.{part}{self.kind.value.capitalize()}") for part in ("before", "after"))
        table = Address(site.probes.table)
        timed = self.kind is ProbeKind.LATENCY
        place = Address(site.probes.histograms, site.probes.histogram(site.plan.symbol)) if timed else table
        return {"Before": before, "After": after, "BeforeTab": table, "AfterTab": place}
