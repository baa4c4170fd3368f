"""Older releases of modules that only the hooks bring, where those they ask for do not build with the user's.

The user's modules stay at their versions, and these can be older than what those of the hooks were written against: grpc v1.79 calls
functions of golang.org/x/net/http2 that x/net v0.40 does not have. What a module needs stands in its own go.mod. So the module of a package
that does not build gives way to its newest release that asks for no more than the version at hand of one of the modules that the package
imports, and the build is tried again: the compiler does not say which of them is too old, so the smallest step comes first. Where no
release fits, an importer of the package gives way, to a release that did without it. Versions only go down, so that comes to an end.
A module whose demands are met is not at fault. If nothing helps, what the compiler said first stands.
"""

from __future__ import annotations

import bisect
import functools
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import Go, documents
from objinst.hookpkgs.modules import Pin, order

FAILED = re.compile(r"^# (\S+)$", re.MULTILINE)
"""The go command's heading over what the compiler says about a package (cmd/go/internal/work, Shell.reportCmd)."""
NONE = "v0"
"""Less than any release: a module that must not be asked for at all."""


def older_release(go: Go, folder: Path, listing: Sequence[str], said: str, users: Collection[str]) -> Pin | None:
    """What to try instead of a module that does not build.

    listing: flags and packages of `go list -deps` in folder, where the hook set's go.mod is. said: by the go command that failed.
    users: modules of the user's build. None if there is nothing to try. Raises OtelobjError if no releases can be looked up.
    """
    try:
        graph = _Graph.of(go, folder, listing)
    except OtelobjError:
        return None  # it is not packages that fail, but the modules altogether

    def releases_of(package: str) -> _Releases | None:
        module = graph.module(package)
        current = selected(module) if module else None
        ours = module is not None and module["Path"] not in users and module["Path"] not in hooktree.modules()
        return _Releases(go, folder, module["Path"], current) if module and current and ours else None

    stuck: list[tuple[str, str]] = []
    for package in graph.failed(said):
        releases = releases_of(package)
        too_old = releases.asks_too_much(graph.at_hand(package)) if releases else {}
        if releases and too_old:
            found = releases.newest(too_old)
            if found is not None:
                return found
            stuck += [(importer, releases.path) for importer in graph.importers(package)]
    for importer, path in stuck:
        releases = releases_of(importer)
        found = releases.newest({path: NONE}) if releases else None
        if found is not None:
            return found
    return None


@dataclass(frozen=True, slots=True)
class _Graph:
    """Packages as `go list -e -deps` describes them, by import path; modules of the hook set's go.mod and their versions."""

    packages: Mapping[str, Mapping[str, Any]]
    modules: Mapping[str, str]

    @classmethod
    def of(cls, go: Go, folder: Path, listing: Sequence[str]) -> _Graph:
        listed = documents(go.run(["list", "-e", "-deps", "-json=ImportPath,Imports,Module,Error", *listing], folder))
        mod = json.loads(go.run(["mod", "edit", "-json"], folder))
        modules = {item["Path"]: item["Version"] for item in mod.get("Require") or []}
        modules |= {item["Old"]["Path"]: item["New"].get("Version", "") for item in mod.get("Replace") or [] if item["Old"]["Path"] == item["New"]["Path"]}
        return cls({item["ImportPath"]: item for item in listed}, modules)

    def failed(self, said: str) -> list[str]:
        """Packages that did not compile, and those that import what is not there."""
        missing = [importer for name, package in self.packages.items() if package.get("Error") for importer in self.importers(name)]
        return [name for name in dict.fromkeys([*FAILED.findall(said), *missing]) if name in self.packages]

    def importers(self, name: str) -> list[str]:
        """Those of other modules."""
        own = self.module(name)
        return [path for path, package in self.packages.items() if name in (package.get("Imports") or []) and self.module(path) != own]

    def module(self, name: str) -> Mapping[str, Any] | None:
        """None for the standard library. A package that is not there would be in the module with the longest path above it."""
        package = self.packages.get(name, {})
        if package.get("Module") or not package.get("Error"):
            return package.get("Module")
        path = max((path for path in self.modules if name.startswith(f"{path}/")), key=len, default=None)
        return None if path is None else {"Path": path, "Version": self.modules[path]}

    def at_hand(self, name: str) -> dict[str, str]:
        """Selected versions of the modules that a package imports."""
        modules = [module for path in self.packages[name].get("Imports") or [] if (module := self.module(path))]
        return {module["Path"]: version for module in modules if (version := selected(module)) is not None}


def selected(module: Mapping[str, Any]) -> str | None:
    """The version of a module as `go list` describes it; None for a folder or another module in its place."""
    replaced = module.get("Replace", module)
    return replaced.get("Version") if replaced["Path"] == module["Path"] else None


@dataclass(frozen=True)
class _Releases:
    """Those of one module, as the module proxy knows them. current: the one at hand."""

    go: Go
    folder: Path
    path: str
    current: str

    def wants(self, version: str) -> Mapping[str, str]:
        """Module -> version of the go.mod of a release."""
        file = json.loads(self.go.run(["list", "-mod=mod", "-m", "-json=GoMod", "--", f"{self.path}@{version}"], self.folder))["GoMod"]
        return {item["Path"]: item["Version"] for item in json.loads(self.go.run(["mod", "edit", "-json", file], self.folder)).get("Require") or []}

    def is_short(self, version: str, other: str, at_hand: str) -> bool:
        return order(self.wants(version).get(other, NONE)) > order(at_hand)

    def asks_too_much(self, at_hand: Mapping[str, str]) -> dict[str, str]:
        """Modules of which the current release asks for more than is at hand."""
        return {other: version for other, version in at_hand.items() if self.is_short(self.current, other, version)}

    def newest(self, at_hand: Mapping[str, str]) -> Pin | None:
        """The newest release before the current one that asks for no more than is at hand of one of these modules.

        What releases ask for only grows, so it is found by bisection: each go.mod that is looked at is a question to the module proxy.
        """
        known = json.loads(self.go.run(["list", "-mod=mod", "-m", "-versions", "-json=Versions", "--", self.path], self.folder)).get("Versions") or []
        releases = [version for version in known if "-" not in version and order(version) < order(self.current)]
        fitting = [bisect.bisect_left(releases, True, key=functools.partial(self.is_short, other=other, at_hand=at)) for other, at in at_hand.items()]
        return Pin(self.path, releases[max(fitting) - 1]) if max(fitting) else None
