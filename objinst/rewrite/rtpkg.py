"""The copy of package rt: `link` gets its data, `getg` its machine code.

`link` is a zeroed variable in the compiled package; here it becomes initialised data, written by field name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from objinst.errors import ObjectError
from objinst.goobj import ABI_INTERNAL, STATIC_ABI, Edit, Reloc, SymRef
from objinst.rewrite.death import DIE, gate_spec
from objinst.rewrite.dwarf import rename
from objinst.rewrite.runtimepkg import Slot
from objinst.rewrite.static import Address, Layout, Slice, StaticData, dropped, layout
from objinst.rewrite.swap import read_original, shape
from objinst.rewrite.text import text_aux
from trampolines import Arch

VERSION = 1
RUNTIME_FUNCS = {
    "UnsafeNew": "runtime.newobject",
    "TypedMemmove": "runtime.typedmemmove",
    "AssertE2I": "runtime.assertE2I",
    "Callers": "runtime.Callers",
    "Nanotime": "runtime.nanotime",
    "NoteSleep": "runtime.notetsleepg",
    "DieFromSignal": DIE,  # nil in a program without gates: rt watches for no signal then
    "FuncForPC": "runtime.FuncForPC",
    "FuncEntry": "runtime.(*Func).Entry",
    "FuncName": "runtime.(*Func).Name",
    "IsSecureMode": "runtime.isSecureMode",
}
REMEDY = "hooks/rt and otelobj are of different versions; reinstall otelobj"


def fill_link(
    edit: Edit, rt: str, slot: Slot, descriptors: Sequence[str], loops: Iterable[tuple[str, int]], arch: Arch, *, is_test: bool
) -> None:  # fmt: skip
    """descriptors: names of descriptor symbols in the link; loops: see objinst.plan.workers. is_test: the program is a test binary.
    Raises ObjectError if rt is of another version."""
    obj = edit.object
    index = obj.find(f"{rt}.link", 0)
    if index is None:
        raise ObjectError(f"{obj.origin}: no variable {rt}.link", REMEDY)
    kind = layout(obj, f"{rt}.linkInfo")
    blob = StaticData()
    at = blob.reserve(kind.size)
    table = StaticData()
    start = table.words([Address(edit.add_ref(name, 0), weak=True) for name in descriptors])
    blob.put(at, kind, Version=VERSION, GSize=slot.size, GType=Address(edit.add_ref("type:runtime.g", 0)), Dropped=dropped(edit), **_offsets(kind, slot, arch))
    blob.put(at, kind, Tests=int(is_test))
    for field, function in RUNTIME_FUNCS.items():
        if function != DIE or gate_spec(obj) is not None:
            blob.put(at, kind, **{field: Address(_func_value(edit, function))})
    blob.put(at, kind, NilPanic=Address(edit.add_ref("type:*runtime.PanicNilError", 0)), Signals=Address(edit.add_ref("runtime.sig", 0)))
    if descriptors:
        blob.put(at, kind, Descs=Slice(start, len(descriptors), table.add_to(edit, "otelobj.descs", STATIC_ABI)))
    hashes = sorted({site_hash(name, place) for name, place in loops})
    if hashes:
        words = StaticData()
        blob.put(at, kind, Loops=Slice(words.words(hashes), len(hashes), words.add_to(edit, "otelobj.loops", STATIC_ABI)))
    edit.replace(index, kind=edit.tables.kinds["SDATA"], data=bytes(blob.data), relocs=blob.relocs(edit, edit.ref_of(index)))


def site_hash(name: str, place: int) -> int:
    """64-bit FNV-1a of a function's name and an offset in it, lowest byte first, without leading zeros, as hooks/rt/loops.go has it."""
    value = 14695981039346656037
    for byte in name.encode("utf-8", "surrogateescape") + place.to_bytes(max(1, (place.bit_length() + 7) // 8), "little"):
        value = (value ^ byte) * 1099511628211 & (1 << 64) - 1
    return value


def _offsets(kind: Layout, slot: Slot, arch: Arch) -> dict[str, int]:
    """SlotOff, ReturnOff, what is known of panics, channels and signals, and fields named …Off: offsets in runtime.g (GoidOff, MOff, ParamOff, ThrowsplitOff) or
    runtime.m (the others)."""
    found = {"SlotOff": slot.offset, "ReturnOff": arch.traits.return_below_args, **slot.panic, **slot.channel, **slot.signals}
    for name in kind.fields:
        if name.endswith("Off") and name not in found:
            field = name[0].lower() + name[1:-3]
            found[name] = (slot.g if name in ("GoidOff", "MOff", "ParamOff", "ThrowsplitOff") else slot.m)[field]
    return found


def _func_value(edit: Edit, function: str) -> SymRef:
    """A func value of a runtime function: a word of read-only data that holds its address."""
    addr = edit.tables.relocs["R_ADDR"]
    target = edit.add_ref(function, ABI_INTERNAL)
    return edit.add_def(f"otelobj.func.{function}", STATIC_ABI, edit.tables.kinds["SRODATA"], align=8, data=bytes(8), relocs=[Reloc(0, 8, addr, 0, target)])


def name_for_debuggers(edit: Edit, rt: str) -> None:
    """What entry stubs call is named like a private function of the runtime in DWARF, so that delve steps through stubs (rewrite/dwarf.py)."""
    for function in ("enter", "enterTimed", "enterHeld"):
        index = edit.object.find(f"{rt}.{function}", ABI_INTERNAL)
        if index is not None:
            rename(edit, index, f"runtime.otelobj.{function}")


def give_getg(edit: Edit, arch: Arch, rt: str) -> None:
    """Replaces the body of rt.getg, compiled as `return nil`, by machine code that returns g."""
    index = edit.object.find(f"{rt}.getg", ABI_INTERNAL)
    if index is None:
        raise ObjectError(f"{edit.object.origin}: no function {rt}.getg", REMEDY)
    code, made = arch.getg(), shape(read_original(edit, index), (), f"{rt}.getg")
    edit.replace(index, data=code.code, size=len(code.code), relocs=[], aux=text_aux(edit, edit.ref_of(index), code, made))
