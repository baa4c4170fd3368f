"""Signatures of functions from the DWARF of their object (cmd/compile/internal/dwarfgen, cmd/internal/dwarf; Go 1.22-1.27).

What the compiler does to a function's list of parameters, and is undone here:
- a function that was inlined somewhere has a concrete DIE whose parameters refer to an abstract one. Unnamed and blank
  parameters are not in the abstract DIE and follow the others; their names `~pN` and `~rN` say which position they have
  (cmd/compile/internal/ir/func.go, DeclareParams; dwarfgen/dwinl.go, assembleInlines);
- a result that lives in a register may be listed twice;
- the dictionary of a function that was compiled for a shape has no DIE up to Go 1.26. It stands behind the receiver
  (cmd/compile/internal/noder/reader.go, shapeSig). Closures inside such a function have none: they capture it;
- a type that comes from a type parameter is a reference to a DIE of the same symbol, which refers to the type.
"""

from __future__ import annotations

import re

from objinst.goobj.object import Object
from objinst.goobj.records import Reloc
from objinst.types.dies import Die, DieReader
from objinst.types.model import NoSignature, Param, Signature
from objinst.types.names import closing

INFO_PREFIX = "go:info."
DICT = Param(".dict", "unsafe.Pointer")
MAX_HOPS = 4
_SYNTHESIZED = re.compile(r"~[pr](\d+)")


def signature(obj: Object, index: int) -> Signature | NoSignature:
    """The parameters and results of the text symbol at `index`. Raises ObjectError if its DWARF is damaged."""
    name = obj.sym(index).name
    refs = obj.aux_symbols(index, "AuxDwarfInfo")
    target = obj.resolve(refs[0]).index if refs else None
    if target is None or target >= obj.n_defs or not obj.sym(target).size:
        return NoSignature(f"{name} has no DWARF (compiled with -dwarf=false, or written in assembly)")
    reader = DieReader(obj, target)
    root = reader.read(0)
    if root is None or root.abbrev.tag != "subprogram":
        return NoSignature(f"{name}: its DWARF is no subprogram")
    if not _describes(reader, root):
        return NoSignature(f"{name}: its DWARF describes no parameters (compiled with -dwarf=false)")
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
    return _in_order(name, params, results)


def _describes(reader: DieReader, root: Die) -> bool:
    """A subprogram DIE with -dwarf=false has neither a name nor an abstract origin."""
    return bool(root.attrs.get("name") or root.attrs.get("abstract_origin"))


def _parameter(reader: DieReader, die: Die) -> tuple[Param, bool] | NoSignature:
    """The parameter, and whether it is a result."""
    attrs = dict(die.attrs)
    origin = attrs.get("abstract_origin")
    if isinstance(origin, Reloc):
        target = _follow(reader, origin)
        if target is None:
            return NoSignature("its abstract DIE lies in another object")
        reader, abstract = target
        attrs = dict(abstract.attrs)
    for _ in range(MAX_HOPS):
        reference = attrs.get("type")
        if not isinstance(reference, Reloc):
            return NoSignature(f"parameter {attrs.get('name')!r} has no type")
        name = reader.object.resolve(reference.sym).name
        if name.startswith(INFO_PREFIX):
            return Param(str(attrs["name"]), name.removeprefix(INFO_PREFIX)), bool(attrs.get("variable_parameter"))
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


def _in_order(name: str, params: list[Param], results: list[Param]) -> Signature | NoSignature:
    listed = any(param.name == DICT.name for param in params)
    dictionary = None if listed else dictionary_position(name)
    ordered = _place(params, dictionary)
    ordered_results = _place(results, None)
    if ordered is None or ordered_results is None:
        return NoSignature(f"{name}: the positions of its unnamed parameters contradict each other")
    return Signature(ordered, ordered_results)


def _place(given: list[Param], dictionary: int | None) -> tuple[Param, ...] | None:
    """Unnamed ones at the position that their names say, the dictionary at its own, the others around them."""
    count = len(given) + (dictionary is not None)
    slots: dict[int, Param] = {} if dictionary is None else {min(dictionary, count - 1): DICT}
    rest = []
    for param in given:
        match = _SYNTHESIZED.fullmatch(param.name)
        if match is None:
            rest.append(param)
        elif int(match[1]) >= count or int(match[1]) in slots:
            return None
        else:
            slots[int(match[1])] = param
    others = iter(rest)
    return tuple(slots.get(i) or next(others) for i in range(count))


def dictionary_position(symbol: str) -> int | None:
    """Position of the hidden dictionary among the parameters of the function with this symbol name; None: it has none.

    Shaped functions are named `p.F[go.shape.int]`, methods `p.(*T[go.shape.int]).M` and `p.T[go.shape.int].M`; what follows
    (`.func1`, `-fm`, …) is a closure or a wrapper.
    """
    start = symbol.find("[go.shape.")
    if start < 0 or symbol.rfind("[", 0, start) > start:
        return None
    open_at = symbol.find("[")
    try:
        end = closing(symbol, open_at)
    except ValueError:
        return None
    tail = symbol[end + 1 :]
    if not tail:
        return 0
    return 1 if re.fullmatch(r"\)?\.[^.\-]+", tail) and not _is_closure(symbol[:open_at], tail) else None


def _is_closure(head: str, tail: str) -> bool:
    """`p.F[…].func1` is a closure, `p.T[…].func1` cannot be told from it by name; no method is called so by accident."""
    return not tail.startswith(")") and re.fullmatch(r"\.(func|gowrap|deferwrap)\d+", tail) is not None and "(" not in head
