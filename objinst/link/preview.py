"""What a build would do, determined without linking, for the interactive commands.

The user's go command compiles the packages into its cache, as for a plain build. Everything up to the plan then runs as in the link step.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import hooktree, paths
from objinst.actions import ACTIONS
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import programs
from objinst.link import passes
from objinst.link.build import Build
from objinst.link.choice import Choice, choose
from objinst.link.session import Session, open_session
from objinst.link.unseen import count_inlined
from objinst.plan.inventory import Library, inventory
from objinst.plan.missing import Missing, degraded, problems
from objinst.plan.model import Target
from objinst.rules import load, supports
from objinst.store import cache

ALL_LIBRARIES = {"OTELOBJ_ENABLE": ",".join(hooktree.libraries())}


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """targets: of one or more programs. problems: why a build with these rules would fail. lacking: what libraries lack in these programs, notes: what the
    user may want to choose, a line each. supporting: names of built-in rules that only serve other rules, and that are not listed by default.
    libraries: of the programs, each once for a version."""

    targets: tuple[Target, ...]
    problems: tuple[OtelobjError, ...]
    supporting: frozenset[str] = frozenset()
    lacking: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    libraries: tuple[Library, ...] = ()


def plan_packages(packages: Sequence[str], rule_files: Sequence[Path]) -> PackagePlan:
    """The plan of the programs among packages. A rule that names nothing in one of them may name something in another.

    Raises OtelobjError if there is no program.
    """
    rules = load(rule_files, os.environ, ACTIONS)
    targets: dict[Target, None] = {}
    missing: dict[str, Missing] = {}
    lacking: dict[str, None] = {}
    notes: dict[str, None] = {}
    libraries: dict[tuple[str, str, str], Library] = {}
    known = load((), ALL_LIBRARIES, ACTIONS).rules
    for program in programs(packages, Path.cwd()):
        build = Build.of_program(program)
        choice = choose(build, rules.of_program(program.path))
        absent = list(choice.absent)
        found: list[Target] = []
        lines: list[str] = []
        if choice.applying:
            with open_link(build, choice) as session:
                found = [target for package in passes.touched(session) for target in passes.plan(session, package)]
                nameless = choice.nameless(session.rules, {target.rule for target in found}, session.load)
                lines = degraded(nameless, found, session.rules, build.info.version_of)
                lacking |= dict.fromkeys(lines)
                lines += session.notes
                absent += nameless
                targets |= dict.fromkeys(count_inlined(session, found, all_calls=True))
                if suggestion := passes.suggestion(session):
                    notes[suggestion] = None
        modules = {module.path: module.linked()[1] for module in build.info.deps}
        listed = inventory(build.packages, modules, build.info.version_of, known, choice.rules.rules, found, lines)
        for item in listed:
            key = (item.name, item.title, item.version)
            libraries[key] = max(libraries.get(key, item), item, key=lambda item: item.hooked)
        missing |= {item.rule.name: item for item in absent if item.rule.name not in missing or item.code == "no-function"}
    named = {target.rule for target in targets}
    nameless = [item for item in missing.values() if item.rule.name not in named]
    supporting = frozenset(rule.name for rule in rules.rules if supports(rule))
    problem = problems(nameless, list(targets), rules)
    return PackagePlan((*targets, *(item.target() for item in nameless)), problem, supporting, tuple(lacking), tuple(notes), tuple(libraries.values()))


@contextlib.contextmanager
def open_link(build: Build, choice: Choice) -> Iterator[Session]:
    """The session of a program's link, with the hook packages that its rules want. Raises OtelobjError."""
    with cache.in_use(), paths.scratch_anywhere() as folder:
        yield open_session(build, choice, passes.hook_packages(build, choice), folder)
