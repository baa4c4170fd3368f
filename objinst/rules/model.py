"""Rules as values, and whether they name a package or a function."""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass

FUNC_NAME = re.compile(r"(?P<pkg>(?:[^\[(]*/)?[^\[(./]+)\.(?:\((?P<ptr>\*?)(?P<precv>[^)\[]+)(?:\[.*\])?\)\.|(?P<recv>[^.\[(]+)(?:\[.*?\])?\.)?(?P<name>[^.\[]+)(?P<args>\[.*\])?$")


@dataclass(frozen=True, slots=True)
class FuncName:
    """A linker symbol taken apart: `net/http.(*Transport).roundTrip` is net/http, *Transport, roundTrip."""

    pkg: str
    recv: str
    name: str
    type_args: str = ""


@functools.lru_cache(maxsize=None)
def parse_func_name(symbol: str) -> FuncName | None:
    """None for what is no function of the source: closures, deferred wrappers, generated equality functions."""
    match = FUNC_NAME.match(symbol)
    if match is None or symbol.startswith(("type:", "go:")):
        return None
    recv = (match["ptr"] or "") + (match["precv"] or match["recv"] or "")
    return FuncName(match["pkg"].replace("%2e", "."), recv, match["name"], match["args"] or "")


@dataclass(frozen=True, slots=True)
class InjectHooks:
    """Typed hooks: function names (empty: none) in the Go package `path`."""

    before: str
    after: str
    path: str


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
            (self.func is None or glob_matches(self.func, name.name))
            and (self.recv is None or glob_matches(self.recv, name.recv))
            and all(part.holds(name) for part in self.all_of)
            and (not self.one_of or any(part.holds(name) for part in self.one_of))
            and not any(part.holds(name) for part in self.negated)
        )

    @property
    def is_literal(self) -> bool:
        """Names one function by its exact name."""
        return self.func is not None and "*" not in self.func and not (self.all_of or self.one_of or self.negated)


@dataclass(frozen=True, slots=True)
class Rule:
    """target: import path, a glob of import paths, or `main`. version: (start, end) of the module, inclusive and exclusive, "" open.

    origin: file and line, for messages. optional: nothing is wrong if it cannot be carried out.
    """

    name: str
    instrumentation: str
    target: str
    where: Where
    do: tuple[InjectHooks, ...]
    origin: str
    version: tuple[str, str] = ("", "")
    optional: bool = False

    def matches_package(self, package: str) -> bool:
        return path_glob(self.target).fullmatch(package) is not None

    def matches_version(self, version: str | None) -> bool:
        """A module whose version is not known (the main module, the standard library) matches every range."""
        if version is None or self.version == ("", ""):
            return True
        key = version_key(version)
        start, end = self.version
        return (not start or version_key(start) <= key) and (not end or key < version_key(end))

    def matches_function(self, name: FuncName) -> bool:
        return self.where.holds(name)

    @property
    def is_glob(self) -> bool:
        return "*" in self.target or not self.where.is_literal


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order: built-in ones first, then by file and place in it."""

    rules: tuple[Rule, ...]

    def match(self, package: str, version: str | None) -> list[Rule]:
        return [rule for rule in self.rules if rule.matches_package(package) and rule.matches_version(version)]

    def digest(self) -> str:
        """Of everything that changes what is linked: not of where the rules were written."""
        parts = [repr((r.name, r.instrumentation, r.target, r.where, r.do, r.version, r.optional)) for r in self.rules]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@functools.lru_cache(maxsize=None)
def path_glob(pattern: str) -> re.Pattern[str]:
    """`*` within one path element, `**` across them."""
    parts = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join({"**": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts))


@functools.lru_cache(maxsize=None)
def _name_glob(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def glob_matches(pattern: str, text: str) -> bool:
    """`*` stands for anything; a receiver's own leading `*` is meant literally where the pattern is exactly the receiver."""
    return pattern == text or ("*" in pattern.lstrip("*") or pattern == "*") and _name_glob(pattern).fullmatch(text) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Orders v1.2.3; a pre-release comes before its release."""
    core, _, pre = version.removeprefix("v").partition("-")
    numbers = [int(part) if part.isdigit() else 0 for part in core.split("+")[0].split(".")]
    return (*numbers, *(0,) * (3 - len(numbers)), 0 if pre else 1)
