"""What the rewrite of one archive must know of all others in the link: read once of each, remembered by its identity.

A program is linked again and again with its root package changed, so what is known of all other packages together is remembered as
one, too.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from objinst import cache
from objinst.archive import Archive
from objinst.digest import own_digest
from objinst.forks import share_out
from objinst.goobj import Object
from objinst.plan.declared import Declared
from objinst.plan.pinned import Calls, pinned, unchecked_calls
from objinst.plan.scope import closed_packages
from objinst.plan.workers import workers
from trampolines import Arch

ROOT = "main"
FILE = "facts.json"


@dataclass(frozen=True)
class Facts:
    """closed: packages that are never hooked. instances: package -> packages of whose generic functions and closures it may hold copies.

    pinned: see objinst.plan.pinned, workers: see objinst.plan.workers, both without functions of closed packages. rt_users: packages that import
    hooks/rt.
    """

    closed: frozenset[str]
    instances: Mapping[str, frozenset[str]]
    pinned: Mapping[str, str]
    workers: tuple[tuple[str, int], ...]
    rt_users: frozenset[str]

    def pinned_of(self, package: str) -> list[tuple[str, str]]:
        """What is pinned of a package's functions by their place in it; of no package (""): all that is known by name alone, which may be anybody's."""
        return self._by_package.get(package, [])

    @functools.cached_property
    def _by_package(self) -> dict[str, list[tuple[str, str]]]:
        found: dict[str, list[tuple[str, str]]] = {}
        for key, caller in sorted(self.pinned.items()):
            found.setdefault(key.partition("#")[0] if "#" in key else "", []).append((key, caller))
        return found


def gather(packages: Mapping[str, Path], rt: str, arch: Arch, identity: Callable[[Path], str]) -> Facts:
    """packages: all of the link, hook packages too. identity: what tells an archive from others. Raises ObjectError."""

    def of_one(package: str) -> dict[str, Any]:
        path = packages[package]
        return _remembered(key_of(package), lambda: _read(Archive.read(path).go_object()[1], package, arch))

    def key_of(package: str) -> str:
        return f"{package} {identity(packages[package])}"

    def of_others() -> dict[str, Any]:
        new = [package for package in others if not cache.has("facts", _digest(key_of(package)))]
        share_out([(packages[package].stat().st_size, functools.partial(of_one, package)) for package in new])
        return _merged(map(of_one, others), others, rt)

    others = [package for package in sorted(packages) if package != ROOT]
    common = _remembered("\n".join(map(key_of, others)), of_others)
    root = of_one(ROOT) if ROOT in packages else {"imports": [], "instances": [], "pins": {}, "tails": {}, "workers": []}
    closed = frozenset(common["closed"])
    found = pinned([Calls(common["pins"], common["tails"]), Calls(root["pins"], root["tails"])])
    instances = {package: frozenset(names) for package, names in {**common["instances"], ROOT: root["instances"]}.items()}
    return Facts(
        closed, instances, {key: caller for key, caller in found.items() if key.partition("#")[0] not in closed},
        tuple(sorted({(name, place) for name, place in (*common["workers"], *root["workers"])})), frozenset([*common["rt_users"], *([ROOT] if rt in root["imports"] else [])]),
    )  # fmt: skip


def _read(obj: Object, package: str, arch: Arch) -> dict[str, Any]:
    imports = sorted({path for path, _ in obj.autolib})
    return {"imports": imports, "instances": _instances(obj), "workers": workers(obj, arch), **asdict(unchecked_calls(obj, package, arch))}


def _instances(obj: Object) -> list[str]:
    """The packages whose generic functions an object has instances of, and those whose closures it may have."""
    source = Declared(obj)
    return sorted({package for index in obj.text_symbols() for package in source.packages(index)})


def _merged(facts: Any, packages: list[str], rt: str) -> dict[str, Any]:
    by_package = dict(zip(packages, facts, strict=True))
    closed = closed_packages(lambda package: by_package[package]["imports"] if package in by_package else (), rt)
    calls = [Calls(one["pins"], one["tails"]) for one in by_package.values()]
    tails: dict[str, list[str]] = {}
    for one in calls:
        for key, callees in one.tails.items():
            tails.setdefault(key, []).extend(callees)
    instances = {package: one["instances"] for package, one in by_package.items() if one["instances"]}
    loops = sorted({(name, place) for package, one in by_package.items() if package not in closed for name, place in one["workers"]})
    users = [package for package, one in by_package.items() if rt in one["imports"]]
    return {"closed": sorted(closed), "instances": instances, "pins": pinned(calls), "tails": tails, "workers": loops, "rt_users": users}


def _remembered(key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    def write(folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(make(), separators=(",", ":")), "utf-8", "surrogateescape")

    found: dict[str, Any] = json.loads((cache.folder("facts", _digest(key), write) / FILE).read_text("utf-8", "surrogateescape"))
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(f"{own_digest()}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()
