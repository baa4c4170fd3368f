"""Calls that the compiler inlined, and that no hook can see: read from FuncInfo.InlTree of every function of a link.

If nothing else refers to such a function, the linker drops it, and its hooks never run. The tree has a node for each inlined call of which code is left (cmd/internal/obj/inl.go and pcln.go, Go 1.22-1.27): the callee, the
file and line of the call, and the node of the enclosing call. The result for one archive depends on nothing else, so it can be cached. A link
then only sorts by callee.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import Any

from objinst.goobj import FuncInfo, Load, Object
from objinst.goobj.funcinfo import NO_NODES
from objinst.goobj.records import SymRef
from objinst.plan.keys import callee_key, symbol_keys
from objinst.plan.model import InlinedCall, Target

LISTED = 10
"""Inlined calls of a function that a report lists of each package, for a rule that names many functions: there may be millions in all."""


def with_callers(
    targets: Sequence[Target], packages: Iterable[str], others: Iterable[str], said: Callable[[str], Mapping[str, Any]], load: Load, exact: Container[str]
) -> Iterator[Target]:
    """The targets with the inlined calls of each in `packages`. others: the rest of the link, which may also refer to targets.

    said: the result of `read` for a package. exact: rules of whose targets all calls are listed; of others', LISTED calls of each package.
    """
    keys = {place: symbol_keys(load(place[0]), *place) for place in {(target.package, target.symbol) for target in targets}}
    wanted = {key for found in keys.values() for key in found}
    whole = {key for target in targets if target.rule in exact for key in keys[target.package, target.symbol]}
    seen: dict[str, list[InlinedCall]] = {}
    counts: Counter[str] = Counter()
    referred: set[str] = set()
    for package in packages:
        stored = said(package)
        referred |= wanted.intersection(stored["refers"])
        for callee, count, calls in _unpacked(stored, package, wanted, whole):
            counts[callee] += count
            seen.setdefault(callee, []).extend(calls)
    for package in others:
        referred |= wanted.intersection(said(package)["refers"])
    for target in targets:
        own = keys[target.package, target.symbol]
        calls = sorted((call for key in own for call in seen.get(key, ())), key=lambda call: (call.package, *_place(call)))
        callers = tuple(replace(call, function=_numbered(call.function, load)) for call in calls)
        yield replace(target, inlined_calls=sum(counts[key] for key in own), inlined_callers=callers, unreferenced=bool(own) and not own & referred)


def _place(call: InlinedCall) -> tuple[str, int, str]:
    return call.file, call.line, call.inside


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


def _unpacked(stored: Mapping[str, Any], package: str, wanted: set[str], whole: set[str]) -> Iterator[tuple[str, int, list[InlinedCall]]]:
    """Callee, the number of its calls, and those of them that are kept. Functions are named as they are stored."""
    names = stored["names"]
    for callee in stored["calls"].keys() & wanted:
        packed = stored["calls"][callee]
        calls = (InlinedCall(names[function], names[file], line, names[inside], package) for function, file, line, inside in packed)
        yield callee, len(packed), list(calls) if callee in whole else nsmallest(LISTED, calls, _place)


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
