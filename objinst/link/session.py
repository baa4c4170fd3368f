"""One link as one value: what is linked, with which rules and hooks, and how to read it.

The passes (objinst.link.passes) are functions over it. Values that are computed once from it, such as the facts of all archives, are cached on it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trampolines
from objinst.actions import link_tables
from objinst.gobuild import usertree
from objinst.goobj import Header, Load, Object
from objinst.goobj.archive import Archive
from objinst.hookpkgs import HookSet
from objinst.link.build import Build, identity
from objinst.link.choice import Choice
from objinst.link.facts import gather
from objinst.plan import inlining
from objinst.plan.eligibility import Eligibility
from objinst.plan.facts import Facts
from objinst.plan.hooks import HookFinder
from objinst.rewrite.tables import LinkTables
from objinst.rules import RT, RuleSet
from objinst.signatures.find import Helper, Signatures
from objinst.signatures.gotypes import GoTypes
from objinst.store.digest import own_digest
from objinst.store.known import Known
from objinst.types import TypeTable
from objinst.types.names import escape
from trampolines import Arch


@dataclass(frozen=True, eq=False)
class Session:
    """header: of the root package. root: its symbol prefix. packages: import path -> archive, the root package under `main`; hooks: the same for
    hook packages and what only they import; wanted: the hook packages that rules need.

    versions: import path -> version of its module, None if that is not known. load: the object of a package or hook package, None if there is none.
    digest: of otelobj and the rules; folder: for files of this link only. helper: signatures that no object contains. notes: of the hook set.
    """

    header: Header
    packages: Mapping[str, Path]
    hooks: Mapping[str, Path]
    rules: RuleSet
    digest: str
    load: Load
    folder: Path
    root: str = "main"
    wanted: tuple[str, ...] = ()
    versions: Callable[[str], str | None] = lambda _: None
    helper: Helper | None = None
    notes: tuple[str, ...] = ()

    @property
    def goarch(self) -> str:
        return self.header.goarch

    @functools.cached_property
    def arch(self) -> Arch:
        return trampolines.load(self.goarch)

    @property
    def archives(self) -> dict[str, Path]:
        return {**self.hooks, **self.packages}

    def path(self, package: str) -> Path:
        return self.packages.get(package) or self.hooks[package]

    def digest_of(self, parts: Sequence[str]) -> str:
        """A cache key: digest of these parts, otelobj and the rules."""
        return hashlib.sha256("\n".join([self.digest, *parts]).encode()).hexdigest()

    @functools.cached_property
    def hooks_digest(self) -> str:
        return self.digest_of(sorted(identity(path) for path in self.hooks.values()))

    @functools.cached_property
    def packages_digest(self) -> str:
        """Digest of all packages but the root package, which no other package imports."""
        return self.digest_of(sorted(identity(path) for name, path in self.packages.items() if name != "main"))

    @functools.cached_property
    def facts(self) -> Facts:
        """The facts of all packages of the link together."""
        return gather(self.archives, RT, self.arch, identity, self.load)

    @functools.cached_property
    def finder(self) -> HookFinder:
        return HookFinder(self.goarch, Signatures(TypeTable(self.load, [*self.packages, *self.hooks]), self.helper), self.load)

    @functools.cached_property
    def eligibility(self) -> Eligibility:
        """Decides what the rules do to each function."""
        return Eligibility(self.arch, self.finder, self.facts, self.rules, self.versions, self.load, frozenset(self.packages), frozenset(self.hooks))

    @functools.cached_property
    def tables(self) -> dict[str, LinkTables]:
        """Hook package -> the tables that its actions keep. Raises ObjectError if a hook package is of another version."""
        return {package: tables for package, tables in link_tables(self.load).items() if package in self.wanted}

    @functools.cached_property
    def inits(self) -> Known:
        """How the root package loads each package: its fingerprint, and whether it has something to initialize."""
        return Known("init", self.archives, identity, self._read_init)

    def _read_init(self, package: str) -> dict[str, Any]:
        obj = Archive.read(self.archives[package]).go_object()[1]
        return {"fingerprint": obj.fingerprint.hex(), "has_task": obj.find(f"{escape(package)}..inittask") is not None}

    @functools.cached_property
    def inlined(self) -> Known:
        """The inlined calls of each package."""
        archives = self.archives
        return Known("inlined", archives, identity, lambda package: inlining.read(Archive.read(archives[package]).objects().values(), package))


def loader(archives: Mapping[str, Path]) -> Load:
    """Reads the object of a package, once. Raises ObjectError."""

    @functools.cache
    def load(package: str) -> Object | None:
        path = archives.get(package)
        return None if path is None else Archive.read(path).go_object()[1]

    return load


def open_session(build: Build, choice: Choice, hook_set: HookSet, folder: Path) -> Session:
    """hook_set: of the hook packages that the rules want. Rules with packages that it leaves out are not in force."""
    hooks = hook_set.archives | {package: build.spare[package] for package in hook_set.uses if package in build.spare}
    tags = [tag for tag in build.info.settings.get("-tags", "").split(",") if tag]
    modules = usertree.user_modules(usertree.build_folder()) if build.has_sources else {}
    helper = GoTypes(build.go, build.header.goos, build.header.goarch, {**build.packages, **hooks}, tags, build.has_sources, modules)
    rules = choice.rules.without_packages(hook_set.left_out)
    wanted = tuple(package for package in dict.fromkeys((*choice.hooks, *hook_set.loads)) if package not in hook_set.left_out)
    digest = f"{own_digest()}{rules.digest()} {build.info.path} sources={build.has_sources}"
    load = loader({**hooks, **build.packages})
    return Session(build.header, build.packages, hooks, rules, digest, load, folder, build.root, wanted, build.info.version_of, helper, hook_set.notes)
