"""Functions that run above a frame in assembly without a stack map, if a hook there is more dangerous than the function itself.

Such a program works only if the Go functions above the frame neither grow the stack nor let the collector scan it (see
objinst.plan.nosplit). So their direct callees count too, and the callees of those, up to a function that calls something in the runtime
that may scan the stack anyway, such as an allocation. Few programs have such frames, so the archives are read only if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from objinst.goobj import Load, Object
from objinst.plan.keys import callee_key, place_of
from objinst.rules import parse_func_name

QUIET = re.compile(r"runtime\.(morestack|[gG]oPanic|panic|goPanic|mem(move|clr|equal|hash)|gcWriteBarrier|wb(Zero|Move)|duff|racefunc|cmpstring|strequal|(f|c|nil)?inter)")
"""Functions of the runtime that neither allocate nor block, or that end what is under way."""


def reached(frames: Mapping[str, str], excluded: frozenset[str], packages: list[str], load: Load) -> dict[str, tuple[str, list[str]]]:
    """Key of each function -> the function with the frame, and the packages that define the key. frames: see objinst.plan.nosplit.Calls. Raises ObjectError."""
    found: dict[str, tuple[str, list[str]]] = {}
    todo = list(frames.items())
    while todo:
        key, caller = todo.pop()
        places = [(package, index) for package, index in _definitions(key, packages, load) if package not in excluded]
        if key in found or not places:
            continue
        found[key] = (caller, sorted({package for package, _ in places}))
        for package, index in places:
            obj = load(package)
            if obj is not None:
                todo += [(callee, caller) for callee in _callees(obj, index, package)]
    return found


def _definitions(key: str, packages: list[str], load: Load) -> list[tuple[str, int]]:
    """Where a function is defined that has this key. An instance of a generic function may be in any package."""
    place = place_of(key)
    if place:
        return [(place, int(key.rpartition("#")[2]))]
    name = parse_func_name(key)
    if name is None:
        return []
    homes = packages if name.type_args else [name.pkg]
    return [(home, index) for home in homes if (obj := load(home)) for index in obj.find_all(key) if obj.is_text(index)]


def _callees(obj: Object, index: int, package: str) -> set[str]:
    """Keys of the functions that a function calls or has func values of; none if it calls something that may scan the stack anyway."""
    keys: set[str] = set()
    for reloc in obj.relocs(index):
        found = obj.resolve(reloc.sym)
        if reloc.type == obj.call_type:
            if found.package == "runtime" or (found.name.startswith("runtime.") and not QUIET.match(found.name)):
                return set()
            keys.add(callee_key(obj, package, reloc.sym))
        elif found.name.endswith("·f"):
            keys.add(found.name.removesuffix("·f"))
        elif found.index is not None and obj.is_text(found.index):
            keys.add(callee_key(obj, package, reloc.sym))
    return keys
