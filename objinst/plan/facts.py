"""What the rewrite of one archive must know of all others in the link: read once of each, remembered by its identity.

A program is linked again and again with its root package changed, so what is known of all other packages together is remembered as
one, too.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst.goobj import Object
from objinst.goobj.archive import Archive
from objinst.plan.declared import Declared
from objinst.plan.keys import place_of
from objinst.plan.pinned import Calls, pinned, relied_on
from objinst.plan.reach import reached
from objinst.plan.scope import closed_packages
from objinst.plan.workers import workers
from objinst.rules import parse_func_name
from objinst.store import cache
from objinst.store.digest import own_digest
from objinst.store.parallel import share_out
from trampolines import Arch

ROOT = "main"
FILE = "facts.json"


@dataclass(frozen=True)
class Facts:
    """closed: packages that are never hooked. instances: package -> packages of whose generic functions and closures it may hold copies.

    pinned: package -> key of a function that it defines -> the caller that relies on it, see objinst.plan.pinned; frames: the same of what runs
    above callers in assembly whose frame has no stack map. workers: see objinst.plan.workers. All three without functions of closed packages. rt_users: packages that
    import hooks/rt.
    """

    closed: frozenset[str]
    instances: Mapping[str, frozenset[str]]
    pinned: Mapping[str, Mapping[str, str]]
    frames: Mapping[str, Mapping[str, str]]
    workers: tuple[tuple[str, int], ...]
    rt_users: frozenset[str]

    def pinned_of(self, package: str) -> str:
        """All that is pinned of a package's functions, as text: a program that pins others as well changes nothing for it."""
        return repr([sorted(known.get(package, {}).items()) for known in (self.pinned, self.frames)])


def gather(packages: Mapping[str, Path], rt: str, arch: Arch, identity: Callable[[Path], str]) -> Facts:
    """packages: all of the link, hook packages too. identity: what tells an archive from others. Raises ObjectError."""

    def of_one(package: str) -> dict[str, Any]:
        path = packages[package]
        return _remembered(key_of(package), lambda: _read(Archive.read(path), package, arch))

    def key_of(package: str) -> str:
        return f"{package} {identity(packages[package])}"

    def of_others() -> dict[str, Any]:
        new = [package for package in others if not cache.has("facts", _digest(key_of(package)))]
        share_out([(packages[package].stat().st_size, functools.partial(of_one, package)) for package in new])
        return _merged(map(of_one, others), others, rt)

    def holders_of() -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for package in others:
            for name in of_one(package)["names"]:
                found.setdefault(name, []).append(package)
        return found

    others = [package for package in sorted(packages) if package != ROOT]
    together = "\n".join(map(key_of, others))
    common = _remembered(together, of_others)
    root = of_one(ROOT) if ROOT in packages else {"imports": [], "instances": [], "pins": {}, "tails": {}, "frames": {}, "names": [], "workers": []}
    closed = frozenset(common["closed"])
    found = pinned([_calls(common), _calls(root)])
    holders = {name: [*common["holders"].get(name, ()), ROOT] for name in root["names"] if name in found.pins}
    if any(not place_of(key) and key not in common["pins"] for key in found.pins):
        # The root package names functions that no other one does: rare enough to ask who has them only then.
        everywhere = _remembered(f"holders\n{together}", holders_of)
        holders |= {key: [*everywhere.get(key, ()), *([ROOT] if key in holders else [])] for key in found.pins if not place_of(key)}
    holders = common["holders"] | holders
    frames: dict[str, dict[str, str]] = {}
    above = {key: caller for key, caller in found.frames.items() if _home(key) in packages.keys() - closed}
    if above:
        parts = [*map(key_of, sorted(packages)), *sorted(above)]
        for key, (caller, places) in _remembered("\n".join(["reached", *parts]), lambda: _reached(above, closed, packages)).items():
            for package in places:
                frames.setdefault(package, {})[key] = caller
    instances = {package: frozenset(names) for package, names in {**common["instances"], ROOT: root["instances"]}.items()}
    return Facts(
        closed, instances, _by_package(found.pins, holders, closed), frames,
        tuple(sorted({(name, place) for name, place in (*common["workers"], *root["workers"])})), frozenset([*common["rt_users"], *([ROOT] if rt in root["imports"] else [])]),
    )  # fmt: skip


def _by_package(known: Mapping[str, str], holders: Mapping[str, list[str]], closed: frozenset[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, caller in known.items():
        place = place_of(key)
        for package in (place,) if place else holders.get(key, ()):
            if package not in closed:
                found.setdefault(package, {})[key] = caller
    return found


def _home(key: str) -> str:
    """The package of a function."""
    name = parse_func_name(key)
    return place_of(key) or (name.pkg if name else "")


def _reached(frames: Mapping[str, str], closed: frozenset[str], packages: Mapping[str, Path]) -> dict[str, Any]:
    @functools.cache
    def load(package: str) -> Object | None:
        return Archive.read(packages[package]).go_object()[1] if package in packages else None

    return dict(reached(frames, closed, sorted(packages), load))


def _calls(raw: Mapping[str, Any]) -> Calls:
    return Calls(raw["pins"], raw["tails"], raw["frames"])


def _read(archive: Archive, package: str, arch: Arch) -> dict[str, Any]:
    objects = list(archive.objects().values()) or [archive.go_object()[1]]
    obj = objects[0]
    calls = relied_on(objects, package, arch)
    imports = sorted({path for path, _ in obj.autolib})
    return {"imports": imports, "instances": _instances(obj), "workers": workers(obj, arch), **_raw(calls), "names": sorted(calls.names)}


def _raw(calls: Calls) -> dict[str, Any]:
    return {"pins": calls.pins, "tails": calls.tails, "frames": calls.frames}


def _instances(obj: Object) -> list[str]:
    """The packages whose generic functions an object has instances of, and those whose closures it may have."""
    source = Declared(obj)
    return sorted({package for index in obj.text_symbols() for package in source.packages(index)})


def _merged(facts: Any, packages: list[str], rt: str) -> dict[str, Any]:
    by_package = dict(zip(packages, facts, strict=True))
    closed = closed_packages(lambda package: by_package[package]["imports"] if package in by_package else (), rt)
    calls = pinned(map(_calls, by_package.values()))
    holders: dict[str, list[str]] = {}
    for package, one in by_package.items():
        for name in one["names"]:
            if name in calls.pins:
                holders.setdefault(name, []).append(package)
    instances = {package: one["instances"] for package, one in by_package.items() if one["instances"]}
    loops = sorted({(name, place) for package, one in by_package.items() if package not in closed for name, place in one["workers"]})
    users = [package for package, one in by_package.items() if rt in one["imports"]]
    return {"closed": sorted(closed), "instances": instances, **_raw(calls), "holders": holders, "workers": loops, "rt_users": users}


def _remembered(key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    def write(folder: Path) -> None:
        (folder / FILE).write_text(json.dumps(make(), separators=(",", ":")), "utf-8", "surrogateescape")

    found: dict[str, Any] = json.loads((cache.folder("facts", _digest(key), write) / FILE).read_text("utf-8", "surrogateescape"))
    return found


def _digest(key: str) -> str:
    return hashlib.sha256(f"{own_digest()}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()
