"""Functions that a rule names exactly, but whose calls the compiler has all inlined: the linker drops them, and their hooks never run.

The plan and the report show this for every target; objinst.link.unseen finds those to warn of.
"""

from __future__ import annotations

from objinst.plan.model import Target
from objinst.rules import RuleSet, is_built_in

ROOT = "main"
FLAGS = 5
"""Packages to name in one message."""


def exact_rules(rules: RuleSet) -> frozenset[str]:
    """Names of the rules that this may concern: those that name a function exactly and require it."""
    return frozenset(rule.name for rule in rules.rules if not rule.is_glob and not rule.optional and not is_built_in(rule))


def advice(target: Target) -> str:
    """How to make the inlined calls of a function visible; "" if there are none."""
    packages = list(dict.fromkeys(call.package for call in target.inlined_callers))
    flags = " ".join(f"-gcflags={package}=-l" for package in packages[:FLAGS] if package != ROOT) + (" …" if len(packages) > FLAGS else "")
    if not packages:
        return ""
    return "hook a function that is not inlined" + (f", or build with {flags}" if flags else ", or compile package main with -l")


def warning(target: Target) -> str:
    """A line for the user."""
    calls = "its only call is" if target.inlined_calls == 1 else f"all {target.inlined_calls} calls are"
    return f"rule {target.rule}: {target.symbol} never runs its hooks, for {calls} inlined; {advice(target)}"
