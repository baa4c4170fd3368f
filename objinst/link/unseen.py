"""Calls of hooked functions that no hook sees because the compiler inlined them: for the plan, the report, and a warning.

The plan and the report show this for every target. The warning is made in each link, so it reads little: only the user's own rules, and archives
that refer to the function's package.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from objinst.link.session import Session
from objinst.plan.inlining import with_callers
from objinst.plan.model import Status, Target
from objinst.plan.unseen import ROOT, exact_rules, warning
from objinst.rewrite.result import Result
from objinst.types.names import escape


def count_inlined(session: Session, targets: Sequence[Target], *, all_calls: bool) -> Iterator[Target]:
    """The targets with the inlined calls of each, one after the other: if everything is hooked, the calls of all take much memory. all_calls: list
    every call also of functions that a pattern names. Excluded packages import only excluded packages, so they inline only functions of those."""
    excluded = session.facts.excluded
    apart = set() if any(target.package in excluded for target in targets) else excluded & session.packages.keys()
    own = [package for package in session.packages if package not in apart]
    others = [*sorted(apart), *(package for package in session.hooks if package not in apart)]
    exact = {target.rule for target in targets} if all_calls else exact_rules(session.rules)
    session.inlined.prepare([*own, *others])
    return (_named(session, target) for target in with_callers(targets, own, others, session.inlined.of, session.load, exact))


def warn(session: Session, results: Iterable[Result], lacking: Iterable[str]) -> None:
    """Prints a line for each function that a rule names in vain, because every call of it is inlined, and for each library that lacks something."""
    for line in lacking:
        print(f"otelobj: warning: {line}", file=sys.stderr)
    exact = exact_rules(session.rules)
    named = [target for result in results if exact.intersection(result.rules) for target in result.targets() if target.rule in exact]
    for target in all_inlined(session, named) if named else ():
        print(f"otelobj: warning: {warning(_named(session, target))}", file=sys.stderr)


def all_inlined(session: Session, targets: Sequence[Target]) -> list[Target]:
    """The targets of which every call is inlined. Raises ObjectError."""
    hooked = [target for target in targets if target.status is Status.HOOKED]
    names = {form.encode() for target in hooked for form in (target.package, escape(target.package))}
    named = {target.package for target in hooked}
    near = [package for package, path in session.packages.items() if package in named or (named != {ROOT} and _speaks(path, names))]
    others = [package for package, path in session.hooks.items() if named != {ROOT} and _speaks(path, names)]
    found = with_callers(hooked, near, others, session.inlined.of, session.load, {target.rule for target in hooked})
    return [target for target in found if target.unreferenced and target.inlined_calls]


def _speaks(path: Path, names: set[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data.find(name) >= 0 for name in names)


def _named(session: Session, target: Target) -> Target:
    """Names the root package by its import path, as -gcflags requires, if that is known."""
    program = next((rule.program for rule in session.rules.rules), "")
    calls = tuple(replace(call, package=program) if program and call.package == session.root else call for call in target.inlined_callers)
    return replace(target, inlined_callers=calls)
