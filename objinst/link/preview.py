"""What a build would do, determined without linking, for the interactive commands.

The user's go command compiles the packages into its cache, as for a plain build. Everything up to the plan then runs as in the link step.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import paths
from objinst.actions import ACTIONS
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import programs
from objinst.link import passes
from objinst.link.build import Build
from objinst.link.choice import Choice, choose
from objinst.link.session import Session, open_session
from objinst.link.unseen import count_inlined
from objinst.plan.missing import Missing, problems
from objinst.plan.model import Target
from objinst.rules import load, supports
from objinst.store import cache


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """targets: of one or more programs. problems: why a build with these rules would fail. supporting: names of built-in rules that only
    serve other rules, and that are not listed by default."""

    targets: tuple[Target, ...]
    problems: tuple[OtelobjError, ...]
    supporting: frozenset[str] = frozenset()


def plan_packages(packages: Sequence[str], rule_files: Sequence[Path]) -> PackagePlan:
    """The plan of the programs among packages. A rule that names nothing in one of them may name something in another.

    Raises OtelobjError if there is no program.
    """
    rules = load(rule_files, os.environ, ACTIONS)
    targets: dict[Target, None] = {}
    missing: dict[str, Missing] = {}
    for program in programs(packages, Path.cwd()):
        build = Build.of_program(program)
        choice = choose(build, rules.of_program(program.path))
        absent = list(choice.absent)
        if choice.applying:
            with open_link(build, choice) as session:
                found = [target for package in passes.touched(session) for target in passes.plan(session, package)]
                absent += choice.nameless({target.rule for target in found}, session.load)
                targets |= dict.fromkeys(count_inlined(session, found))
        missing |= {item.rule.name: item for item in absent if item.rule.name not in missing or item.code == "no-function"}
    named = {target.rule for target in targets}
    nameless = [item for item in missing.values() if item.rule.name not in named]
    supporting = frozenset(rule.name for rule in rules.rules if supports(rule))
    return PackagePlan((*targets, *(item.target() for item in nameless)), problems(nameless, list(targets), rules), supporting)


@contextlib.contextmanager
def open_link(build: Build, choice: Choice) -> Iterator[Session]:
    """The session of a program's link, with the hook packages that its rules want. Raises OtelobjError."""
    with cache.in_use(), paths.scratch_anywhere() as folder:
        yield open_session(build, choice, passes.hook_packages(build, choice), folder)
