"""Finds older releases of modules that only the hooks need, if the releases they require do not build with the user's modules.

The user's modules keep their versions, which can be older than the hooks' modules expect: grpc v1.79 calls functions of
golang.org/x/net/http2 that x/net v0.40 does not have. A module's go.mod says what it requires. If a package does not build, its module is
replaced by an older release, and the build is tried again. The new release is the newest one that requires no more than the selected
version of one of the modules that the package imports. The compiler does not say which of those modules is too old, so the smallest step
is tried first. If no release qualifies, a module that imports the package is replaced by a release that did not need it. Versions only
decrease, so the search ends. A module whose requirements are met is never replaced. If nothing helps, the first compiler error is reported.
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
    """The release to try in place of a module that does not build.

    listing: flags and packages of `go list -deps` in folder, where the hook set's go.mod is. said: output of the go command that failed.
    users: modules of the user's build. None if no release is left to try. Raises OtelobjError if releases cannot be looked up.
    """
    try:
        graph = _Graph.of(go, folder, listing)
    except OtelobjError:
        return None  # the modules as a whole fail, not single packages

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
        """Packages that did not compile, and packages that import a missing one."""
        missing = [importer for name, package in self.packages.items() if package.get("Error") for importer in self.importers(name)]
        return [name for name in dict.fromkeys([*FAILED.findall(said), *missing]) if name in self.packages]

    def importers(self, name: str) -> list[str]:
        """Importers in other modules."""
        own = self.module(name)
        return [path for path, package in self.packages.items() if name in (package.get("Imports") or []) and self.module(path) != own]

    def module(self, name: str) -> Mapping[str, Any] | None:
        """None for the standard library. A missing package is attributed to the module with the longest matching path."""
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
    """The releases of one module that the module proxy lists. current: the selected one."""

    go: Go
    folder: Path
    path: str
    current: str

    def wants(self, version: str) -> Mapping[str, str]:
        """What the go.mod of a release requires: module -> version."""
        file = json.loads(self.go.run(["list", "-mod=mod", "-m", "-json=GoMod", "--", f"{self.path}@{version}"], self.folder))["GoMod"]
        return {item["Path"]: item["Version"] for item in json.loads(self.go.run(["mod", "edit", "-json", file], self.folder)).get("Require") or []}

    def is_short(self, version: str, other: str, at_hand: str) -> bool:
        return order(self.wants(version).get(other, NONE)) > order(at_hand)

    def asks_too_much(self, at_hand: Mapping[str, str]) -> dict[str, str]:
        """Modules of which the current release requires a later version than the selected one."""
        return {other: version for other, version in at_hand.items() if self.is_short(self.current, other, version)}

    def newest(self, at_hand: Mapping[str, str]) -> Pin | None:
        """The newest release before the current one that requires no more than the selected version of one of these modules.

        Requirements only grow from release to release, so bisection finds it. Each step asks the module proxy for one go.mod.
        """
        known = json.loads(self.go.run(["list", "-mod=mod", "-m", "-versions", "-json=Versions", "--", self.path], self.folder)).get("Versions") or []
        releases = [version for version in known if "-" not in version and order(version) < order(self.current)]
        fitting = [bisect.bisect_left(releases, True, key=functools.partial(self.is_short, other=other, at_hand=at)) for other, at in at_hand.items()]
        return Pin(self.path, releases[max(fitting) - 1]) if max(fitting) else None
