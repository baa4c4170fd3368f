"""Rules as values, and whether they name a package or a function."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from objinst.rules.action import Action
from objinst.rules.names import FuncName, is_glob, matches_func, matches_package, matches_recv

VERSION = re.compile(r"v(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
"""A module version; minor and patch may be left out in a rule (golang.org/x/mod/semver)."""


@dataclass(frozen=True, slots=True)
class Where:
    """A condition on a function: globs of its name and receiver (None: any), and conditions that must all, at least one, or not hold."""

    func: str | None = None
    recv: str | None = None
    all_of: tuple[Where, ...] = ()
    one_of: tuple[Where, ...] = ()
    negated: tuple[Where, ...] = ()

    def holds(self, name: FuncName) -> bool:
        return (
            (self.func is None or matches_func(self.func, name))
            and (self.recv is None or matches_recv(self.recv, name.recv))
            and all(part.holds(name) for part in self.all_of)
            and (not self.one_of or any(part.holds(name) for part in self.one_of))
            and not any(part.holds(name) for part in self.negated)
        )

    def names(self, name: FuncName) -> bool:
        """Whether a function that the condition holds for is named exactly, alone or as one of a list (`{a,b}`), whatever its receiver."""
        return (self.func is not None and not is_glob(self.func.replace("{", ""))) or any(part.names(name) for part in (*self.all_of, *self.one_of) if part.holds(name))

    @property
    def is_literal(self) -> bool:
        """Names functions by their exact name."""
        globs = (self.func is None or is_glob(self.func)) or (self.recv is not None and is_glob(self.recv.removeprefix("*") or "*"))
        return not (globs or self.all_of or self.one_of or self.negated)


@dataclass(frozen=True, slots=True)
class Rule:
    """target: import path, a glob of import paths, or `main`. version: (start, end) of the module, inclusive and exclusive, "" open.

    origin: file and line, for messages. optional: nothing is wrong if it cannot be carried out. program: import path of the program's own
    package, `main` to the linker; "" if it is not known.
    """

    name: str
    instrumentation: str
    target: str
    where: Where
    do: tuple[Action, ...]
    origin: str
    version: tuple[str, str] = ("", "")
    optional: bool = False
    program: str = ""

    def matches_package(self, package: str) -> bool:
        """package: as the linker has it."""
        return matches_package(self.target, package) or (package == "main" and self.program != "" and matches_package(self.target, self.program))

    def matches_version(self, version: str | None) -> bool:
        """A module whose version is not known (the main module, the standard library) matches every range."""
        if version is None or self.version == ("", ""):
            return True
        key = version_key(version)
        if key is None:
            return True
        start, end = (version_key(part) for part in self.version)
        return (start is None or start <= key) and (end is None or key < end)

    def matches_function(self, name: FuncName) -> bool:
        return self.where.holds(name)

    @property
    def probes(self) -> bool:
        """Does nothing but measure, so that it needs no SDK."""
        return all(action.measures for action in self.do)

    @property
    def is_glob(self) -> bool:
        """May name any number of functions, so that one which cannot be hooked is no error."""
        return is_glob(self.target) or not self.where.is_literal


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order: built-in ones first, then by file and place in it; a rule that replaces another keeps its place."""

    rules: tuple[Rule, ...]

    def match(self, package: str, version: str | None) -> list[Rule]:
        return [rule for rule in self.rules if rule.matches_package(package) and rule.matches_version(version)]

    def of_program(self, path: str) -> RuleSet:
        """The rules for one program. path: import path of its own package."""
        return RuleSet(tuple(replace(rule, program=path) for rule in self.rules))

    def without_packages(self, packages: Collection[str]) -> RuleSet:
        """The rules that need none of these hook packages."""
        return RuleSet(tuple(rule for rule in self.rules if not any(action.package in packages for action in rule.do)))

    def digest(self) -> str:
        """Of everything that changes what is linked: not of where the rules were written."""
        parts = [repr((r.name, r.instrumentation, r.target, r.where, r.do, r.version, r.optional)) for r in self.rules]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


VersionKey = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
RELEASE = ((2, 0, ""),)
"""Sorts after every pre-release identifier."""


@functools.cache
def version_key(version: str) -> VersionKey | None:
    """Orders versions as semver.org does (11: numbers before words, a pre-release before its release); None if it is no version."""
    match = VERSION.fullmatch(version)
    if match is None:
        return None
    major, minor, patch = (int(part or 0) for part in match.groups()[:3])
    pre = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in match[4].split(".")) if match[4] else RELEASE
    return major, minor, patch, pre
