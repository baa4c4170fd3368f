"""The names under which functions of different archives know each other: by place in a package, `import path#index`, or by symbol name.

A function in some package's SymbolDefs has both: who refers to it by package and index knows no name, and assembly knows nothing else.
"""

from __future__ import annotations

from objinst.goobj import Object
from objinst.goobj.records import PKG_BUILTIN, SymRef


def own_keys(obj: Object, package: str, index: int) -> set[str]:
    """The names under which others call a function: by name, and by place in its package."""
    return {obj.sym(index).name} | ({f"{package}#{index}"} if index < obj.starts[1] else set())


def symbol_keys(obj: Object | None, package: str, symbol: str) -> set[str]:
    """The same of every function of this name; empty if there is none."""
    found = obj.find_all(symbol) if obj and symbol else []
    return set().union(*(own_keys(obj, package, index) for index in found if obj))


def callee_key(obj: Object, package: str, ref: SymRef) -> str:
    """The name under which a function that `obj` refers to is counted."""
    found = obj.resolve(ref)
    if found.index is not None and found.index < obj.starts[1]:
        return f"{package}#{found.index}"
    if found.package and ref.pkg != PKG_BUILTIN:
        return f"{found.package}#{ref.idx}"
    return found.name


def place_of(key: str) -> str:
    """The package of a function that is named by its place in it, "" for one that is named by its name."""
    package, mark, index = key.rpartition("#")
    return package if mark and index.isdigit() else ""
