"""Signatures of methods from the method tables of type descriptors: there without DWARF, for unexported methods too.

A table's entry (internal/abi/type.go, Method, Go 1.22-1.27) has four R_METHODOFF-like offsets: name, function type without the
receiver, and twice the code; the last, Tfn, is the method as it is called directly, with the receiver as first parameter.
"""

from __future__ import annotations

from functools import lru_cache

from objinst.goobj.object import Object
from objinst.goobj.records import TYPE_PREFIX, SymRef
from objinst.types import names
from objinst.types.descriptors import NameOf
from objinst.types.model import NoSignature, Param, Signature

MTYP, TFN = 4, 12
"""Offsets in abi.Method of the function type and the code."""


def method_signature(obj: Object, index: int, name_of: NameOf) -> Signature | NoSignature:
    """Of the text symbol at `index`, if a type descriptor of the object has it in its method table. Raises ObjectError."""
    found = _methods(obj).get(index)
    name = obj.sym(index).name
    if found is None:
        return NoSignature(f"{name} is in no type's method table")
    receiver, reference = found
    func = name_of(obj, reference).removeprefix(TYPE_PREFIX)
    try:
        params, results = names.function(func)
    except ValueError:
        return NoSignature(f"{name}: its type {func!r} is not known")
    return Signature(
        (Param("~p0", receiver), *(Param(f"~p{i}", param) for i, param in enumerate(params, 1))),
        tuple(Param(f"~r{i}", result) for i, result in enumerate(results)),
    )


@lru_cache(maxsize=64)
def _methods(obj: Object) -> dict[int, tuple[str, SymRef]]:
    """Text symbol -> name of the receiver's type, reference to the function type."""
    wanted = obj.tables.relocs["R_METHODOFF"]
    found: dict[int, tuple[str, SymRef]] = {}
    for name in obj.names():
        if not name.startswith(TYPE_PREFIX) or name.startswith(TYPE_PREFIX + "."):
            continue
        for index in obj.find_all(name):
            relocs = {reloc.off: reloc for reloc in obj.relocs(index) if reloc.type == wanted}
            for at, reloc in relocs.items():
                # Mtyp, Ifn and Tfn are adjacent; only Mtyp is followed by both others.
                code = relocs.get(at + TFN - MTYP)
                target = obj.resolve(code.sym).index if code is not None and at + 4 in relocs else None
                if target is not None and target < obj.n_defs and obj.is_text(target):
                    found[target] = (name.removeprefix(TYPE_PREFIX), reloc.sym)
    return found
