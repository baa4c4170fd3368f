"""Signatures of functions from the DWARF of their object (cmd/compile/internal/dwarfgen, cmd/internal/dwarf; Go 1.22-1.27).

What the compiler does to a function's list of parameters, and is undone here:
- a function that was inlined somewhere has a concrete DIE whose parameters refer to an abstract one. What is not in the
  abstract DIE (the dictionary; unnamed and blank parameters) may follow the others; the names `~pN` and `~rN` say which
  position those have (cmd/compile/internal/ir/func.go, DeclareParams; dwarfgen/dwinl.go, assembleInlines);
- a result that lives in a register may be listed twice;
- the dictionary of a function that was compiled for a shape has no DIE up to Go 1.26, and one in any place from Go 1.27 on.
  It is the first parameter after the receiver
  (cmd/compile/internal/noder/reader.go, shapeSig). Closures inside such a function have none: they capture it;
- unnamed results are left out if the function returns out of the body of a range-over-func loop: the compiler has then named them
  `#rv1`, which debug info does not show (cmd/compile/internal/rangefunc/rewrite.go, editReturn; ssa/debug.go, IsVarWantedForDebug);
- a type that comes from a type parameter is a reference to a DIE of the same symbol, which refers to the type.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from objinst.goobj.funcinfo import FuncInfo
from objinst.goobj.object import Object
from objinst.goobj.records import Reloc
from objinst.types.dies import Die, DieReader
from objinst.types.model import NoSignature, Param, Signature
from objinst.types.names import closing

INFO_PREFIX = "go:info."
PRODUCER_PREFIX = "go:cuinfo.producer."
DWARF_OFF = b"-dwarf=false"
DICT = Param(".dict", "unsafe.Pointer")
MAX_HOPS = 4
_CLOSURE = re.compile(r"(func|gowrap|deferwrap)\d+")
_PROMOTED = re.compile(r"\.[^./()]+(?:/[^./()]+)+\.")
"""The import path before an unexported method that was promoted from a type of another package: `p.T.internal/q.m`."""
_RANGE_BODY = re.compile(r"-range\d+")
_BODY_ITSELF = re.compile(r"-range\d+$")
"""Its result is a bool that is named `#r` (cmd/compile/internal/rangefunc/rewrite.go, bodyFunc), and so is not shown."""
_SYNTHESIZED = re.compile(r"~[pr](\d+)")


def signature(obj: Object, index: int) -> Signature | NoSignature:
    """The parameters and results of the text symbol at `index`. Raises ObjectError if its DWARF is damaged."""
    name = obj.sym(index).name
    refs = obj.aux_symbols(index, "AuxDwarfInfo")
    target = obj.resolve(refs[0]).index if refs else None
    if not obj.sym(index).size:
        return NoSignature(f"{name} has no code: every call of it was inlined or removed")
    if target is None or target >= obj.n_defs or not obj.sym(target).size:
        return NoSignature(f"{name} has no DWARF (compiled with -dwarf=false, or written in assembly)")
    reader = DieReader(obj, target)
    root = reader.read(0)
    if root is None or root.abbrev.tag != "subprogram":
        return NoSignature(f"{name}: its DWARF is not a subprogram")
    params: list[Param] = []
    results: list[Param] = []
    for die in reader.children(root):
        if die.abbrev.tag != "formal_parameter":
            continue
        found = _parameter(reader, die)
        if isinstance(found, NoSignature):
            return found
        param, is_result = found
        side = results if is_result else params
        if all(other.name != param.name for other in side):
            side.append(param)
    if not params and not results and _dwarf_off(obj):
        return NoSignature(f"{name}: its DWARF describes no parameters (compiled with -dwarf=false)")
    if _BODY_ITSELF.search(name):
        results = [Param("#r", "bool")]
    ordered = _in_order(name, params, results, concrete="abstract_origin" in root.attrs)
    if (
        isinstance(ordered, Signature)
        and not _BODY_ITSELF.search(name)
        and all(not result.name.startswith("~r") for result in results)
        and _ranges_over_func(obj, index)
    ):
        return replace(ordered, incomplete=True)
    return ordered


def _ranges_over_func(obj: Object, index: int) -> bool:
    """Whether the body of some range-over-func loop is in the function, inlined or as a closure; perhaps one of an inlined callee."""
    if not _has_range_bodies(obj):
        return False
    info = obj.aux_data(index, "AuxFuncInfo")
    inlined = FuncInfo.parse(info, obj.origin).inl_tree if info is not None else ()
    named = (*(node.func for node in inlined), *(reloc.sym for reloc in obj.relocs(index)))
    return any(_RANGE_BODY.search(obj.resolve(ref).name) for ref in named)


@lru_cache(maxsize=256)
def _has_range_bodies(obj: Object) -> bool:
    return b"-range" in obj.raw


@lru_cache(maxsize=256)
def _dwarf_off(obj: Object) -> bool:
    """Compiled with -dwarf=false: every DIE is there, without its parameters. The compiler notes its flags in a symbol
    (cmd/compile/internal/dwarfgen/dwarf.go, RecordFlags; "regabi" is always among them, so there is always one)."""
    if PRODUCER_PREFIX.encode() in obj.raw and DWARF_OFF not in obj.raw:
        return False
    found = [index for name in obj.names() if name.startswith(PRODUCER_PREFIX) for index in obj.find_all(name)]
    return not found or any(DWARF_OFF in bytes(obj.data(index)) for index in found)


def _parameter(reader: DieReader, die: Die) -> tuple[Param, bool] | NoSignature:
    """The parameter, and whether it is a result."""
    attrs = dict(die.attrs)
    origin = attrs.get("abstract_origin")
    if isinstance(origin, Reloc):
        target = _follow(reader, origin)
        if target is None:
            return NoSignature("its abstract DIE is in another object")
        reader, abstract = target
        attrs = dict(abstract.attrs)
    for _ in range(MAX_HOPS):
        reference = attrs.get("type")
        if not isinstance(reference, Reloc):
            return NoSignature(f"parameter {attrs.get('name')!r} has no type")
        name = reader.object.resolve(reference.sym).name
        if name.startswith(INFO_PREFIX):
            return Param(str(attrs.get("name", "")), name.removeprefix(INFO_PREFIX)), bool(attrs.get("variable_parameter"))
        target = _follow(reader, reference)
        if target is None:
            break
        attrs["type"] = target[1].attrs.get("type")
    return NoSignature(f"the type of parameter {attrs.get('name')!r} is unknown")


def _follow(reader: DieReader, reference: Reloc) -> tuple[DieReader, Die] | None:
    """The DIE that a reference points at."""
    index = reader.object.resolve(reference.sym).index
    if index is None or index >= reader.object.n_defs:
        return None
    target = reader if index == reader.index else DieReader(reader.object, index)
    die = target.read(reference.add)
    return None if die is None else (target, die)


def _in_order(name: str, params: list[Param], results: list[Param], *, concrete: bool) -> Signature | NoSignature:
    listed = [i for i, param in enumerate(params) if param.name == DICT.name]
    position = dictionary_position(name)
    if listed and position is None:
        if concrete:
            return NoSignature(f"{name}: the position of its dictionary is not known")
        position = listed[0]
    hidden = {} if position is None else {position: params[listed[0]] if listed else DICT}
    ordered = _place([param for param in params if param.name != DICT.name], hidden)
    ordered_results = _place(results, {})
    if ordered is None or ordered_results is None:
        return NoSignature(f"{name}: the positions of its unnamed parameters contradict each other")
    return Signature(ordered, ordered_results)


def _place(given: list[Param], hidden: dict[int, Param]) -> tuple[Param, ...] | None:
    """Unnamed ones at the position that their names say, hidden ones at theirs, the others around them."""
    count = len(given) + len(hidden)
    slots = dict(hidden)
    rest = []
    for param in given:
        match = _SYNTHESIZED.fullmatch(param.name)
        if match is None:
            rest.append(param)
        elif int(match[1]) >= count or int(match[1]) in slots:
            return None
        else:
            slots[int(match[1])] = param
    if any(position >= count for position in slots):
        return None
    others = iter(rest)
    return tuple(slots.get(i) or next(others) for i in range(count))


def dictionary_position(symbol: str) -> int | None:
    """Position of the hidden dictionary among the parameters of the function with this symbol name; None: it has none.

    Shaped functions are named `p.F[go.shape.int]`, methods `p.(*T[go.shape.int]).M` and `p.T[go.shape.int].M`; what follows
    (`.func1`, `-fm`, `-range1`, …) is a closure or a wrapper. `type:.eq.T[go.shape.int]` is the compiler's own, without one.
    """
    if "[go.shape." not in symbol or symbol.startswith("type:"):
        return None
    return receiver_count(symbol)


def receiver_count(symbol: str) -> int | None:
    """1 for the name of a method, 0 for that of a function, None for a closure or a wrapper of either."""
    try:
        bare = without_brackets(symbol)
    except ValueError:
        return None
    slash = re.split(r"[\[(]", symbol, maxsplit=1)[0].rfind("/") + 1
    parts = _PROMOTED.sub(".", bare[slash:]).split(".")[1:]
    if any("-" in part for part in parts) or (len(parts) > 1 and _CLOSURE.fullmatch(parts[-1])):
        return None
    return {1: 0, 2: 1}.get(len(parts))


def without_brackets(symbol: str) -> str:
    """A symbol name without type arguments, which may hold dots, slashes and parentheses. Raises ValueError."""
    while (start := symbol.find("[")) >= 0:
        symbol = symbol[:start] + symbol[closing(symbol, start) + 1 :]
    return symbol
