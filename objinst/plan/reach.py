"""What runs above a frame in assembly that has no stack map, as far as a hook is worse there than the function itself.

Such a program lives on Go functions that neither grow the stack nor let the collector look at it (see objinst.plan.pinned). So
their callees count, too, and those of these, as far as calls are direct, until a function calls something in the runtime that may look
at the stack of its own accord, such as an allocation.
Hardly any program has such frames, so the archives are read only if there is one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from objinst.goobj import Load, Object
from objinst.plan.keys import callee_key, place_of
from objinst.rules import parse_func_name

QUIET = re.compile(r"runtime\.(morestack|[gG]oPanic|panic|goPanic|mem(move|clr|equal|hash)|gcWriteBarrier|wb(Zero|Move)|duff|racefunc|cmpstring|strequal|(f|c|nil)?inter)")
"""Functions of the runtime that neither allocate nor block, or that end what is under way."""


def reached(frames: Mapping[str, str], closed: frozenset[str], packages: list[str], load: Load) -> dict[str, tuple[str, list[str]]]:
    """Key of each function -> who has the frame, and the packages that define it. frames: see objinst.plan.pinned.Calls. Raises ObjectError."""
    found: dict[str, tuple[str, list[str]]] = {}
    todo = list(frames.items())
    while todo:
        key, caller = todo.pop()
        places = [(package, index) for package, index in _definitions(key, packages, load) if package not in closed]
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
    """Keys of the functions that a function calls or has func values of; none if it calls what may look at the stack anyway."""
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
