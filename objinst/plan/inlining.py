"""Calls that the compiler inlined, and that no hook can see: read from FuncInfo.InlTree of every function of a link.

If nothing else refers to such a function, the linker drops it, and its hooks never run. The tree has a node for each inlined call of which code is left (cmd/internal/obj/inl.go and pcln.go, Go 1.22-1.27): the callee, the
file and line of the call, and the node of the enclosing call. The result for one archive depends on nothing else, so it can be cached. A link
then only sorts by callee.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from objinst.goobj import FuncInfo, Load, Object
from objinst.goobj.funcinfo import NO_NODES
from objinst.goobj.records import SymRef
from objinst.plan.keys import callee_key, symbol_keys
from objinst.plan.model import InlinedCall, Target


def with_callers(
    targets: Sequence[Target], packages: Iterable[str], others: Iterable[str], said: Callable[[str], Mapping[str, Any]], load: Load
) -> tuple[Target, ...]:
    """The targets with the inlined calls of each in `packages`. others: the rest of the link, which may also refer to targets.

    said: the result of `read` for a package.
    """
    keys = {place: symbol_keys(load(place[0]), *place) for place in {(target.package, target.symbol) for target in targets}}
    wanted = {key for found in keys.values() for key in found}
    seen: dict[str, list[InlinedCall]] = {}
    referred: set[str] = set()
    for package in packages:
        stored = said(package)
        referred |= wanted.intersection(stored["refers"])
        for callee, call in _unpacked(stored, package, wanted, load):
            seen.setdefault(callee, []).append(call)

    def told(target: Target) -> Target:
        own = keys[target.package, target.symbol]
        callers = sorted((call for key in own for call in seen.get(key, ())), key=lambda call: (call.package, call.file, call.line, call.inside))
        return replace(target, inlined_calls=len(callers), inlined_callers=tuple(callers), unreferenced=bool(own) and not own & referred)

    for package in others:
        referred |= wanted.intersection(said(package)["refers"])
    return tuple(told(target) for target in targets)


def read(objects: Iterable[Object], package: str) -> dict[str, Any]:
    """What the objects of one archive, including assembly, inline and refer to, as JSON. Raises ObjectError."""
    objects = list(objects)
    calls = (call for obj in objects for call in inlined_calls(obj, package))
    return _packed(calls) | {"refers": sorted({name for obj in objects for name in references(obj, package)})}


def inlined_calls(obj: Object, package: str) -> Iterator[tuple[str, InlinedCall]]:
    """Callee and call, of all functions of one object. package: import path of the object itself.

    A callee in some package's SymbolDefs is named `import path#index`, any other by its symbol name. The same holds for the calling function,
    if it is in another package.
    """
    for index in obj.text_symbols():
        data = obj.aux_data(index, "AuxFuncInfo")
        if data is None or len(data) <= NO_NODES:
            continue
        inside = obj.sym(index).name
        tree = FuncInfo.parse(data, f"{obj.origin}: {inside}").inl_tree
        for node in tree:
            function = _named(obj, package, tree[node.parent].func) if 0 <= node.parent < len(tree) else inside
            yield callee_key(obj, package, node.func), InlinedCall(function, obj.source(node.file) or "", node.line, inside, package)


def _named(obj: Object, package: str, ref: SymRef) -> str:
    return obj.resolve(ref).name or callee_key(obj, package, ref)


def references(obj: Object, package: str) -> set[str]:
    """What the code and data of an object refer to, with the same names as callees. A function's references to itself do not count."""
    dwarf = {number for name, number in obj.tables.kinds.items() if name.startswith("SDWARF")}
    refs: set[tuple[int, int]] = set()
    for index in range(obj.n_defs):
        named = obj.refers_to(index)
        if named and obj.sym(index).kind not in dwarf:
            refs |= named - {obj.ref_of(index)}
    return {callee_key(obj, package, SymRef(*ref)) for ref in refs}


def _unpacked(stored: Mapping[str, Any], package: str, wanted: set[str], load: Load) -> Iterator[tuple[str, InlinedCall]]:
    names = stored["names"]
    for callee in stored["calls"].keys() & wanted:
        for function, file, line, inside in stored["calls"][callee]:
            yield callee, InlinedCall(_numbered(names[function], load), names[file], line, names[inside], package)


def _numbered(name: str, load: Load) -> str:
    """The name of a function that is given as `import path#index`."""
    package, mark, index = name.rpartition("#")
    obj = load(package) if mark and index.isdigit() else None
    return obj.sym(int(index)).name if obj else name


def _packed(calls: Iterable[tuple[str, InlinedCall]]) -> dict[str, Any]:
    """A form for JSON with every name only once: a large package has tens of thousands of inlined calls."""
    names: dict[str, int] = {}
    packed: dict[str, list[tuple[int, int, int, int]]] = {}
    for callee, call in calls:
        function, file, inside = (names.setdefault(name, len(names)) for name in (call.function, call.file, call.inside))
        packed.setdefault(callee, []).append((function, file, call.line, inside))
    return {"names": list(names), "calls": packed}
