"""The copy of package runtime: signal gates in front of the functions with which it ends the program by a signal.

At that point sigsend and signal_ignored have found, at delivery, that the program does not handle this signal (runtime/signal_unix.go, sighandler);
on a thread that Go does not know, badsignal has. The gate wakes a goroutine of hooks/rt (death.go), which exports what was recorded and then
calls dieFromSignal itself. A program that sends a signal to itself can check in advance whether it is handled: the bits are in runtime.sig, and
the variable's type gives their layout. Source: runtime/sigqueue.go, runtime/signal_unix.go, Go 1.22-1.27.
"""

from __future__ import annotations

from objinst.errors import ObjectError
from objinst.goobj import ABI_INTERNAL, Edit, Object, SymRef
from objinst.plan.inlining import inlined_calls
from objinst.plan.keys import symbol_keys
from objinst.platform.target import check
from objinst.rewrite.dwarf import entry_name
from objinst.rewrite.static import layout
from objinst.rewrite.swap import move_body, read_original, shape
from objinst.rewrite.text import Role, relocations, text_aux
from trampolines import Arch
from trampolines.contract import Code, GateSpec

DIE, BAD = "runtime.dieFromSignal", "runtime.raisebadsignal"
REMEDY = "this Go version's handling of signals is not known to otelobj; please report it with `go version`"


def signal_offsets(obj: Object) -> dict[str, int]:
    """WantedOff and IgnoredOff: of bits in the variable runtime.sig, by number of the signal. Raises ObjectError if it has none."""
    index = obj.find("runtime.sig", 0)
    kind = None if index is None else next((aux.sym for aux in obj.aux(index) if aux.type == obj.tables.aux["AuxGotype"]), None)
    if kind is None:
        raise ObjectError(f"{obj.origin}: no variable runtime.sig, or one without a type", REMEDY)
    fields = layout(obj, obj.resolve(kind).name.removeprefix("type:")).fields
    if not {"wanted", "ignored"} <= fields.keys():
        raise ObjectError(f"{obj.origin}: runtime.sig has the fields {', '.join(fields)}", REMEDY)
    return {"WantedOff": fields["wanted"], "IgnoredOff": fields["ignored"]}


def gate_spec(obj: Object) -> GateSpec | None:
    """Of the gates in a program to which an object belongs; None if it has none. Raises OtelobjError for a system that cannot be linked for."""
    return check(obj.header.goos, obj.header.goarch).gates.get(obj.header.goarch)


def gates(edit: Edit, arch: Arch, rt: str) -> None:
    """rt: import path of hooks/rt. Raises ObjectError if the runtime lacks these functions, or the compiler has inlined them."""
    spec = gate_spec(edit.object)
    if spec is None:
        return
    state, note = (Role(edit.add_ref(f"{rt}.{name}", 0)) for name in ("death", "deathNote"))
    inlined = {callee for callee, _ in inlined_calls(edit.object, "runtime")}
    for name in (DIE, BAD):
        if inlined & symbol_keys(edit.object, "runtime", name):
            raise ObjectError(f"{edit.object.origin}: the compiler has inlined {name}", "build with another profile, or with -pgo=off")
    die, bad, forward = _find(edit, DIE, ABI_INTERNAL), _find(edit, BAD, ABI_INTERNAL), _find(edit, "runtime.fwdSig", 0)
    _put(edit, die, arch.death_gate(spec), {"state": state, "note": note})
    roles = {"state": state, "forward": Role(edit.ref_of(forward)), "gate": Role(edit.ref_of(die))}
    _put(edit, bad, arch.foreign_gate(spec), roles)


def _find(edit: Edit, name: str, abi: int) -> int:
    index = edit.object.find(name, abi)
    if index is None:
        raise ObjectError(f"{edit.object.origin}: no {name}", REMEDY)
    return index


def _put(edit: Edit, index: int, code: Code, roles: dict[str, Role]) -> SymRef:
    """Puts a gate in a function's place; the original becomes the body. A gate has no frame and calls nothing, so the function's flags hold for it."""
    original = read_original(edit, index)
    body = move_body(edit, index)
    made = shape(original, (), entry_name(edit.object.sym(index).name))
    aux = text_aux(edit, edit.ref_of(index), code, made)
    edit.replace(index, data=code.code, size=len(code.code), relocs=relocations(edit, code, {**roles, "body": Role(body)}), aux=aux)
    edit.rehash(index)
    return body
