"""Where the arguments and results of a target are: computed from its signature and checked against its code.

At least two sources must agree: one that names types (objinst.signatures.find), laid out by the ABI, and what the object records about the
function without type names (objinst.signatures.agree). If they do not, the function is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from objinst.goobj import FuncInfo, Object, stackmap
from objinst.plan.model import Refusal, Value
from objinst.signatures.agree import Evidence, agree
from objinst.signatures.find import Signatures
from objinst.types import Assigned, FuncABI, GoType, Kind, NoSignature, Param, Signature, Unknown, assign, resolve
from objinst.types.names import unshaped
from trampolines import Arch

REMEDY = "build with DWARF, hook a method or an exported function, or let its hooks say it (`signature: declared`)"


@dataclass(frozen=True, slots=True)
class Layout:
    """results: None if no source gives all of them."""

    params: tuple[Value, ...]
    results: tuple[Value, ...] | None
    abi: FuncABI


def evidence(obj: Object, index: int, info: FuncInfo, calls: dict[int, str], arch: Arch) -> Evidence:
    """What the object says about a function's arguments without naming types. Raises ObjectError."""
    maps = obj.funcdata(index, "ArgsPointerMaps")
    decoded = stackmap.decode(maps) if maps else []
    return Evidence(
        obj.sym(index).name, info.args, arch.find_spills(bytes(obj.data(index)), calls), decoded[0] if decoded else None,
        obj.funcdata(index, "ArgInfo"),
    )  # fmt: skip


def find_layout(
    obj: Object, index: int, found: Evidence, signatures: Signatures, place: tuple[str, int], claimed: Callable[[], Signature | None]
) -> Layout | Refusal:
    """place: file and line of the function. claimed: the signature that its hooks declare, if nothing else describes the function. Raises ObjectError."""
    declared = signatures.of(obj, index, *place)
    if isinstance(declared, NoSignature):
        claim = claimed()
        if claim is None and found.takes_nothing:
            return Layout((), None, assign(obj.header.goarch, (), ()))
        if claim is None or (claim.params and found.arg_info is None):
            return Refusal("no-types", f"its parameters are not known: {declared.reason}; {REMEDY}")
        declared = claim
    typed = resolve(declared, signatures.table, obj)
    if isinstance(typed, Unknown):
        return Refusal("no-types", f"type {typed.name}: {typed.reason}; {REMEDY}")
    abi = assign(obj.header.goarch, typed.params, typed.results)
    problem = agree(abi, found)
    if problem:
        return Refusal("sources-disagree", problem)
    results = None if declared.incomplete else _values(declared.results, abi.results, signatures, obj)
    return Layout(_values(declared.params, abi.params, signatures, obj), results, abi)


def _values(names: Sequence[Param], homes: Sequence[Assigned], signatures: Signatures, near: Object) -> tuple[Value, ...]:
    """The values that hooks see: all but the dictionary of a generic function, with types that hooks can name."""
    values = []
    for name, home in zip(names, homes, strict=True):
        if name.hidden:
            continue
        elem = signatures.table.resolve(home.type.elem, near) if home.type.kind is Kind.SLICE else None
        shown = replace(home, type=replace(home.type, name=unshaped(home.type.name)))
        size, flat = (elem.size, elem.flat) if isinstance(elem, GoType) else (0, False)
        values.append(Value(name.name, shown, size, flat))
    return tuple(values)
