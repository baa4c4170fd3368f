"""The hook packages that rules need."""

from __future__ import annotations

from collections.abc import Iterable

from objinst.rules.model import Action, InjectHooks, Probe, Rule

RT = "github.com/otelobj/otelobj/hooks/rt"
PROBE = "github.com/otelobj/otelobj/hooks/probe"
SPAN = "github.com/otelobj/otelobj/hooks/span"


def hook_packages(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Import paths of the packages whose code the rules let run, and of rt, which calls it."""
    return tuple(sorted({RT, *(_package(action) for rule in rules for action in rule.do)}))


def _package(action: Action) -> str:
    if isinstance(action, InjectHooks):
        return action.path
    return PROBE if isinstance(action, Probe) else SPAN
