"""Functions that a rule names exactly, but whose calls the compiler has all inlined: the linker drops them, and their hooks never run.

The plan and the report show this for every target. This module runs in each link, so it reads little: only the user's own rules, and archives
that refer to the function's package.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from objinst.goobj import Object
from objinst.plan.inlining import with_callers
from objinst.plan.model import Status, Target
from objinst.rules import RuleSet, is_built_in
from objinst.types.names import escape

ROOT = "main"
FLAGS = 5
"""Packages to name in one message."""


def exact_rules(rules: RuleSet) -> frozenset[str]:
    """Names of the rules that this may concern: those that name a function exactly and require it."""
    return frozenset(rule.name for rule in rules.rules if not rule.is_glob and not rule.optional and not is_built_in(rule))


def all_inlined(
    targets: Sequence[Target], packages: Mapping[str, Path], hooks: Mapping[str, Path], said: Callable[[str], Mapping[str, Any]], load: Callable[[str], Object | None]
) -> list[Target]:
    """The targets of which every call is inlined. packages: of the link; hooks: packages that only hooks need; said: what
    objinst.plan.inlining reads from a package. Raises ObjectError."""
    hooked = [target for target in targets if target.status is Status.HOOKED]
    names = {form.encode() for target in hooked for form in (target.package, escape(target.package))}
    named = {target.package for target in hooked}
    near = [package for package, path in packages.items() if package in named or (named != {ROOT} and _speaks(path, names))]
    others = [package for package, path in hooks.items() if named != {ROOT} and _speaks(path, names)]
    return [target for target in with_callers(hooked, near, others, said, load) if target.unreferenced and target.inlined_calls]


def _speaks(path: Path, names: set[bytes]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data.find(name) >= 0 for name in names)


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
