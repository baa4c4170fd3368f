"""What a build would do, found out without linking: for the commands that people type.

The user's go command compiles the packages into its cache, as for a plain build; everything up to the plan is then done as in the
link step.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import paths
from objinst.errors import OtelobjError
from objinst.gobuild import BuildInfo
from objinst.gobuild.gocmd import Go, Program, link_tool, programs
from objinst.goobj import header as headers
from objinst.hookpkgs import resolve
from objinst.link.main import head, hook_packages, in_force, make_link, request
from objinst.link.passes import Link, identity
from objinst.plan.missing import Missing, Surroundings, problems, surroundings
from objinst.plan.model import Target
from objinst.rules import Rule, RuleSet, load, supports
from objinst.store import cache


@dataclass(frozen=True, slots=True)
class PackagePlan:
    """targets: of one or more programs. problems: what would let a build with these rules fail. supporting: names of rules that come with
    otelobj and only serve others, which nobody asks about."""

    targets: tuple[Target, ...]
    problems: tuple[OtelobjError, ...]
    supporting: frozenset[str] = frozenset()


def plan_packages(packages: Sequence[str], rule_files: Sequence[Path]) -> PackagePlan:
    """The plan of the programs among packages. A rule that names nothing in one of them may name something in another.

    Raises OtelobjError if there is no program.
    """
    rules = load(rule_files, os.environ)
    targets: dict[Target, None] = {}
    missing: dict[str, Missing] = {}
    for program in programs(packages, Path.cwd()):
        own = rules.of_program(program.path)
        around = surroundings_of(program, own)
        valid, applying = in_force(own, around)
        absent = around.unmatched()
        if applying:
            with open_link(program, valid, applying) as link:
                found = [target for package in link.touched() for target in link.planned(package)]
                absent += around.nameless(applying, {target.rule for target in found}, link.load)
                targets |= dict.fromkeys(link.count_inlined(found))
        missing |= {item.rule.name: item for item in absent if item.rule.name not in missing or item.code == "no-function"}
    named = {target.rule for target in targets}
    nameless = [item for item in missing.values() if item.rule.name not in named]
    supporting = frozenset(rule.name for rule in rules.rules if supports(rule))
    return PackagePlan((*targets, *(item.target() for item in nameless)), problems(nameless, list(targets), rules), supporting)


def surroundings_of(program: Program, rules: RuleSet) -> Surroundings:
    """See objinst.plan.missing."""
    return surroundings(rules, str(link_tool()), list(program.archives), BuildInfo.of(program.path, program.modules))


@contextlib.contextmanager
def open_link(program: Program, rules: RuleSet, applying: Sequence[Rule]) -> Iterator[Link]:
    """A program's link, with the hook packages that the rules name. Raises OtelobjError."""
    archives = dict(program.archives)
    info = BuildInfo.of(program.path, program.modules)
    header, _ = headers.parse(head(archives["main"]), str(archives["main"]))
    go = Go.beside(str(link_tool()), {"GOOS": header.goos, "GOARCH": header.goarch, "CGO_ENABLED": "1" if "runtime/cgo" in archives else "0"})
    identities = {name: identity(path) for name, path in archives.items()}
    with cache.in_use(), paths.scratch_anywhere() as folder:
        closure = resolve(request(hook_packages(applying, header.go_version), archives, identities, {}, info, header.line, go), go)
        yield make_link(header, "main", archives, closure.archives, rules, folder, info, go, has_sources=True)
