"""The keys by which archives refer to functions of other archives: the index in a package, `import path#index`, or the symbol name.

A function in a package's SymbolDefs has both. A reference by package and index has no name, and assembly has only the name.
"""

from __future__ import annotations

from objinst.goobj import Object
from objinst.goobj.records import PKG_BUILTIN, SymRef


def own_keys(obj: Object, package: str, index: int) -> set[str]:
    """The keys by which others call a function: its name, and its index in its package."""
    return {obj.sym(index).name} | ({f"{package}#{index}"} if index < obj.starts[1] else set())


def symbol_keys(obj: Object | None, package: str, symbol: str) -> set[str]:
    """The keys of every function of this name; empty if there is none."""
    found = obj.find_all(symbol) if obj and symbol else []
    return set().union(*(own_keys(obj, package, index) for index in found if obj))


def callee_key(obj: Object, package: str, ref: SymRef) -> str:
    """The key of a function that `obj` refers to."""
    found = obj.resolve(ref)
    if found.index is not None and found.index < obj.starts[1]:
        return f"{package}#{found.index}"
    if found.package and ref.pkg != PKG_BUILTIN:
        return f"{found.package}#{ref.idx}"
    return found.name


def place_of(key: str) -> str:
    """The package in a key with an index, "" for a key that is a name."""
    package, mark, index = key.rpartition("#")
    return package if mark and index.isdigit() else ""
