"""Calls that the compiler inlined, and that no hook can see: counted from FuncInfo.InlTree of every function of a link."""

from __future__ import annotations

from collections import Counter

from objinst.goobj import FuncInfo, Object
from objinst.goobj.records import PKG_BUILTIN, SymRef

ABI_INTERNAL = 1


def own_key(obj: Object, package: str, index: int) -> set[str]:
    """The names under which inlined_calls counts a function: by place in its package, and by name."""
    keys = {obj.sym(index).name}
    if index < obj.starts[1]:
        keys.add(f"{package}#{index}")
    return keys


def inlined_calls(obj: Object, package: str) -> dict[str, int]:
    """Callee -> number of inlined calls in the functions of one object. package: import path of the object itself.

    A callee in SymbolDefs is named `import path#index`, any other one by its name.
    """
    counts: Counter[str] = Counter()
    for index in obj.text_symbols():
        data = obj.aux_data(index, "AuxFuncInfo")
        if data is not None and len(data) > 24:
            counts.update(_callee(obj, package, node.func) for node in FuncInfo.parse(data, obj.origin).inl_tree)
    return dict(counts)


def _callee(obj: Object, package: str, ref: SymRef) -> str:
    found = obj.resolve(ref)
    if found.index is not None and found.index < obj.starts[1]:
        return f"{package}#{found.index}"
    if found.package and ref.pkg != PKG_BUILTIN:
        return f"{found.package}#{ref.idx}"
    return found.name
