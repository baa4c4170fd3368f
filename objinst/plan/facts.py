"""Facts: what the rewrite of one archive must know about all others in the link.

`read` gathers the facts of one archive, `merged` those of all archives but the root package's, `of_link` those of a link. The first two return JSON,
so that it can be cached: a program is linked many times with only its root package changed (objinst.link.facts).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from objinst.goobj import Object
from objinst.goobj.archive import Archive
from objinst.plan.declared import Declared
from objinst.plan.keys import place_of
from objinst.plan.nosplit import Calls, combined, relied_on
from objinst.plan.scope import excluded_packages
from objinst.plan.workers import workers
from objinst.rules import parse_func_name
from trampolines import Arch

ROOT = "main"
Said = Mapping[str, Any]
"""Facts of one archive, or of several together, as JSON."""


@dataclass(frozen=True)
class Facts:
    """excluded: packages that are never hooked. instances: package -> packages of whose generic functions and closures it may hold copies.

    nosplit: package -> key of a function that it defines -> the caller that relies on it, see objinst.plan.nosplit; frames: the same for functions that
    run above callers in assembly whose frame has no stack map. workers: see objinst.plan.workers. None of the three has functions of excluded packages.
    rt_users: packages that import hooks/rt.
    """

    excluded: frozenset[str]
    instances: Mapping[str, frozenset[str]]
    nosplit: Mapping[str, Mapping[str, str]]
    frames: Mapping[str, Mapping[str, str]]
    workers: tuple[tuple[str, int], ...]
    rt_users: frozenset[str]

    def reliance_of(self, package: str) -> str:
        """What is relied on in one package, as text. What is relied on elsewhere does not change it."""
        return repr([sorted(known.get(package, {}).items()) for known in (self.nosplit, self.frames)])


NOTHING: Said = {"imports": [], "instances": [], "nosplit": {}, "tails": {}, "frames": {}, "names": [], "workers": []}
"""Facts of no archive."""


def of_link(
    common: Said, root: Said, packages: Collection[str], rt: str,
    *, holders: Callable[[], Mapping[str, list[str]]], reached: Callable[[Mapping[str, str], frozenset[str]], Mapping[str, Any]],
) -> Facts:  # fmt: skip
    """common: see merged; root: the facts of the root package. packages: of the link, including hook packages; rt: import path of hooks/rt.

    holders: the result of `holders` for all packages but the root; reached: see objinst.plan.reach. Few links need either.
    """
    excluded = frozenset(common["excluded"])
    found = combined([_calls(common), _calls(root)])
    homes = {name: [*common["holders"].get(name, ()), ROOT] for name in root["names"] if name in found.nosplit}
    if any(not place_of(key) and key not in common["nosplit"] for key in found.nosplit):
        # The root package names functions that no other package does. That is rare, so their holders are looked up only then.
        everywhere = holders()
        homes |= {key: [*everywhere.get(key, ()), *([ROOT] if key in homes else [])] for key in found.nosplit if not place_of(key)}
    frames: dict[str, dict[str, str]] = {}
    above = {key: caller for key, caller in found.frames.items() if _home(key) in packages and _home(key) not in excluded}
    for key, (caller, places) in reached(above, excluded).items() if above else ():
        for package in places:
            frames.setdefault(package, {})[key] = caller
    instances = {package: frozenset(names) for package, names in {**common["instances"], ROOT: root["instances"]}.items()}
    workers_of_all = {(name, place) for name, place in (*common["workers"], *root["workers"])}
    users = frozenset([*common["rt_users"], *([ROOT] if rt in root["imports"] else [])])
    return Facts(excluded, instances, _by_package(found.nosplit, common["holders"] | homes, excluded), frames, tuple(sorted(workers_of_all)), users)


def _by_package(known: Mapping[str, str], holders: Mapping[str, list[str]], excluded: frozenset[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for key, caller in known.items():
        place = place_of(key)
        for package in (place,) if place else holders.get(key, ()):
            if package not in excluded:
                found.setdefault(package, {})[key] = caller
    return found


def _home(key: str) -> str:
    """The package of a function."""
    name = parse_func_name(key)
    return place_of(key) or (name.pkg if name else "")


def _calls(raw: Said) -> Calls:
    return Calls(raw["nosplit"], raw["tails"], raw["frames"])


def read(archive: Archive, package: str, arch: Arch) -> dict[str, Any]:
    """The facts of one archive. Raises ObjectError."""
    objects = list(archive.objects().values()) or [archive.go_object()[1]]
    obj = objects[0]
    calls = relied_on(objects, package, arch)
    imports = sorted({path for path, _ in obj.autolib})
    return {"imports": imports, "instances": _instances(obj), "workers": workers(obj, arch), **_raw(calls), "names": sorted(calls.names)}


def _raw(calls: Calls) -> dict[str, Any]:
    return {"nosplit": calls.nosplit, "tails": calls.tails, "frames": calls.frames}


def _instances(obj: Object) -> list[str]:
    """The packages whose generic functions an object has instances of, and those whose closures it may have."""
    source = Declared(obj)
    return sorted({package for index in obj.text_symbols() for package in source.packages(index)})


def merged(said: Mapping[str, Said], rt: str) -> dict[str, Any]:
    """The combined facts of all archives but the root package's. said: by package."""
    excluded = excluded_packages(lambda package: said[package]["imports"] if package in said else (), rt)
    calls = combined(map(_calls, said.values()))
    homes = {name: packages for name, packages in holders(said).items() if name in calls.nosplit}
    instances = {package: one["instances"] for package, one in said.items() if one["instances"]}
    loops = sorted({(name, place) for package, one in said.items() if package not in excluded for name, place in one["workers"]})
    users = [package for package, one in said.items() if rt in one["imports"]]
    return {"excluded": sorted(excluded), "instances": instances, **_raw(calls), "holders": homes, "workers": loops, "rt_users": users}


def holders(said: Mapping[str, Said]) -> dict[str, list[str]]:
    """Name of a function -> packages that define one of that name. Only functions that others may rely on by name."""
    found: dict[str, list[str]] = {}
    for package, one in said.items():
        for name in one["names"]:
            found.setdefault(name, []).append(package)
    return found
