"""The hook packages that rules need."""

from __future__ import annotations

from collections.abc import Iterable

from objinst.rules.model import Rule

RT = "github.com/otelobj/otelobj/hooks/rt"
PRIVATE = "otelobj.private/"
"""What the import paths of the private zone begin with."""
OBSERVERS = "otelobj.hooks/"
"""The same for packages of others that observe a library of the program, with OpenTelemetry from the private zone."""


def hook_packages(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Import paths of the packages whose code the rules let run, and of rt, which calls it."""
    return tuple(sorted({RT, *(action.package for rule in rules for action in rule.do)}))
