"""Calls of hooked functions that no hook sees because the compiler inlined them: for the plan, the report, and a warning."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace

from objinst.link.session import Session
from objinst.plan.inlining import with_callers
from objinst.plan.model import Target
from objinst.plan.unseen import all_inlined, exact_rules, warning
from objinst.rewrite.result import Result


def count_inlined(session: Session, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets with the inlined calls of each. Excluded packages import only excluded packages, so they inline only functions of those."""
    excluded = session.facts.excluded
    apart = set() if any(target.package in excluded for target in targets) else excluded & session.packages.keys()
    own = [package for package in session.packages if package not in apart]
    others = [*sorted(apart), *(package for package in session.hooks if package not in apart)]
    return tuple(_named(session, target) for target in with_callers(targets, own, others, session.inlined.of, session.load))


def warn(session: Session, results: Iterable[Result]) -> None:
    """Prints a line for each function that a rule names in vain, because every call of it is inlined."""
    exact = exact_rules(session.rules)
    named = [target for result in results if exact.intersection(result.rules) for target in result.targets() if target.rule in exact]
    for target in all_inlined(named, session.packages, session.hooks, session.inlined.of, session.load) if named else ():
        print(f"otelobj: warning: {warning(_named(session, target))}", file=sys.stderr)


def _named(session: Session, target: Target) -> Target:
    """Names the root package by its import path, as -gcflags requires, if that is known."""
    program = next((rule.program for rule in session.rules.rules), "")
    calls = tuple(replace(call, package=program) if program and call.package == session.root else call for call in target.inlined_callers)
    return replace(target, inlined_callers=calls)
