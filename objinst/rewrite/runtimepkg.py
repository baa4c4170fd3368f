"""The copy of package runtime: a goroutine slot in runtime.g, its handover to new goroutines, and stubs where goroutines end.

`type:runtime.g` grows by one pointer word at its end, which no compiled code knows of, so all offsets stay right; the
garbage collector scans the word because the type's pointer mask has its bit, and g0, a variable of that type, grows with it.
Everything is read from the type descriptor and checked before it is changed; an unknown shape is refused.
Source: runtime/runtime2.go (type g), runtime/proc.go (malg, newproc1, goexit1), internal/abi/type.go; Go 1.22-1.27.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from objinst.errors import ObjectError
from objinst.goobj import ABI_INTERNAL, STATIC_ABI, Edit, Reloc
from objinst.goversions import RuntimeTable
from objinst.plan.inlining import inlined_calls
from objinst.plan.keys import symbol_keys
from objinst.rewrite.channels import channel_offsets
from objinst.rewrite.death import signal_offsets
from objinst.rewrite.dwarf import exit_name
from objinst.rewrite.static import Layout, StaticData, layout
from objinst.rewrite.swap import Original, add_exit_stub, morestack_ref, move_body, patch_body, patch_epilogues, put_stub, read_original
from objinst.rewrite.text import Role, TextShape, add_text
from trampolines import Arch
from trampolines.asm import exit_room
from trampolines.contract import ClosureUse, EntrySpec, EpilogueScan, ExitSpec, GrowGuard, Piece, RegClass, ScopeFilter

WORD = 8
TYPE_SIZE, TYPE_PTRDATA, TYPE_TFLAG, TYPE_GCDATA = 0, 8, 20, 32
"""Offsets of abi.Type's fields in bytes (internal/abi/type.go)."""
TFLAG_GC_MASK_ON_DEMAND = 1 << 4
G_FIELDS, M_FIELDS = ("goid", "m", "param", "_panic", "throwsplit"), ("curg", "locks", "mallocing", "preemptoff")
"""Those that stubs and hooks/rt read (objinst/goversions/needs.py)."""
REMEDY = "this Go version's runtime.g is not known to otelobj; please report it with `go version`"


@dataclass(frozen=True, slots=True)
class Slot:
    """The goroutine slot. offset: bytes from the start of runtime.g; size: of the extended runtime.g.

    g, m: offsets in bytes of the fields of runtime.g and runtime.m. panic: PanicOff and FpOff, as hooks/rt/link.go has them. channel: see
    objinst.rewrite.channels. signals: see objinst.rewrite.death.
    """

    offset: int
    size: int
    g: Mapping[str, int]
    m: Mapping[str, int]
    panic: Mapping[str, int]
    channel: Mapping[str, int]
    signals: Mapping[str, int]

    @property
    def guard(self) -> GrowGuard:
        """What the stubs of functions without a stack check test."""
        return GrowGuard(self.g["m"], self.m["curg"], self.m["locks"], self.g["throwsplit"])


def extend_g(edit: Edit) -> Slot:
    """Adds the slot to runtime.g. Raises ObjectError if the type does not look as expected."""
    obj = edit.object
    type_index = obj.find("type:runtime.g", 0)
    g0 = obj.find("runtime.g0", 0)
    if type_index is None or g0 is None:
        raise ObjectError(f"{obj.origin}: no type:runtime.g or runtime.g0", REMEDY)
    data = bytearray(obj.data(type_index))
    if len(data) < TYPE_GCDATA + WORD:
        raise ObjectError(f"{obj.origin}: type:runtime.g has {len(data)} bytes", REMEDY)
    size, ptrdata = struct.unpack_from("<QQ", data)
    if data[TYPE_TFLAG] & TFLAG_GC_MASK_ON_DEMAND or size % WORD or ptrdata > size or obj.sym(g0).size != size:
        raise ObjectError(f"{obj.origin}: runtime.g has size {size}, pointers up to {ptrdata}, runtime.g0 {obj.sym(g0).size}", REMEDY)
    struct.pack_into("<QQ", data, 0, size + WORD, size + WORD)
    edit.replace(type_index, data=bytes(data), relocs=[_with_mask(edit, reloc, size, ptrdata) for reloc in obj.relocs(type_index)])
    edit.replace(g0, size=size + WORD)
    g, m = layout(obj, "runtime.g").fields, layout(obj, "runtime.m").fields
    missing = {*G_FIELDS} - g.keys() | {*M_FIELDS} - m.keys()
    if missing:
        raise ObjectError(f"{obj.origin}: runtime.g or runtime.m has no {', '.join(sorted(missing))}", REMEDY)
    panic = layout(obj, "runtime._panic").fields
    if "fp" not in panic:
        raise ObjectError(f"{obj.origin}: runtime._panic has no fp", REMEDY)
    return Slot(size, size + WORD, g, m, {"PanicOff": g["_panic"], "FpOff": panic["fp"]}, channel_offsets(obj), signal_offsets(obj))


def _with_mask(edit: Edit, reloc: Reloc, size: int, ptrdata: int) -> Reloc:
    """The relocation of GCData at a longer mask with the slot's bit set; any other relocation as it is."""
    if reloc.off != TYPE_GCDATA:
        return reloc
    target = edit.object.resolve(reloc.sym).index
    if target is None:
        raise ObjectError(f"{edit.object.origin}: the pointer mask of runtime.g is not where it should be", REMEDY)
    words = ptrdata // WORD
    mask = int.from_bytes(bytes(edit.object.data(target)), "little") & ((1 << words) - 1)
    mask |= 1 << (size // WORD)
    length = (size // WORD // 64 + 1) * 8
    name = "runtime.gcbits.otelobj.g"
    ref = edit.add_def(name, STATIC_ABI, edit.tables.kinds["SRODATA"], align=1, data=mask.to_bytes(length, "little"))
    return reloc.retargeted(ref)


class When(Enum):
    """When a watched function calls hooks/rt."""

    ALWAYS = "always"
    INHERITED = "inherited"  # for goroutines that may have inherited what is current
    SELECT = "select"  # for these, and for all on which something is current if a case sends
    MARK = "mark"  # where the channel's mark is another than that of what is current


@dataclass(frozen=True, slots=True)
class Watch:
    """A function of package runtime whose entry calls a function of hooks/rt, and its exit calls one too if there is a `back`, for entries that left a
    record. spills: its arguments; pointers: flags of the words of its args area; results: in registers; signature: of the function, as
    the Go version's runtime.json has it, where Go versions differ."""

    symbol: str
    call: str
    spills: tuple[Piece, ...] = ()
    pointers: tuple[bool, ...] = ()
    when: When = When.ALWAYS
    back: str = ""
    results: tuple[Piece, ...] = ()
    signature: str = ""


def _words(count: int) -> tuple[Piece, ...]:
    """Arguments of a word each."""
    return tuple(Piece(RegClass.INT, i, WORD, WORD * i) for i in range(count))


ONE, TWO = (_words(1), (True,)), (_words(2), (True, True))
SELECT = ((*_words(5), Piece(RegClass.INT, 5, 1, 40)), (True, True, True, False, False, False))
RECEIVED = ONE_BOOL = (Piece(RegClass.INT, 0, 1, 0),)
SELECTED_RECEIVED = (Piece(RegClass.INT, 0, 1, 1), Piece(RegClass.INT, 1, 1, 0))
"""Results, with what was received in front."""
SELECT_SENDS = 3
"""The argument of selectgo that says how many cases send."""
GOROUTINES = (
    Watch("runtime.gopanic", "onPanic", *TWO),
    Watch("runtime.preprintpanics", "onFatalPanic", *ONE),
    Watch("runtime.deferreturn", "onDeferReturn"),
    Watch("runtime.(*_panic).nextFrame", "onNextFrame", *ONE, back="onFrameFound", results=ONE_BOOL),
    Watch("runtime.Goexit", "onGoexit"),
    Watch("syscall.Exit", "onExit", _words(1), (False,)),
    Watch("os.sigpipe", "onSigpipe"),
    Watch("runtime.goexit1", "onGoroutineEnd"),
    Watch("runtime.corostart.deferwrap1", "onGoroutineEnd"),
    Watch("runtime.runfinq", "onSystemGoroutine"),
    Watch("runtime.runFinalizers", "onSystemGoroutine"),
    Watch("runtime.runCleanups", "onSystemGoroutine"),
    Watch("runtime.gcBgMarkWorker", "onSystemGoroutine", signature="()"),
    Watch("runtime.gcBgMarkWorker", "onSystemGoroutine", *ONE, signature="(chan struct{})"),
)
"""gopanic(e any): both words of an interface are pointers to the collector. preprintpanics(p *_panic) runs when nobody has recovered.
(*_panic).nextFrame() bool finds the frame whose deferred calls run next. A function whose deferred call has recovered goes on at deferreturn. Package runtime defines syscall.Exit(code int), and
os.sigpipe(), which runs after a write to a closed pipe on standard output or standard error.
Goroutines of the runtime that any goroutine may happen to start must not adopt what is current there."""
CHANNELS = (
    Watch("runtime.chansend1", "onSend", *TWO, When.MARK),
    Watch("runtime.selectnbsend", "onTrySend", *TWO, When.MARK),
    Watch("runtime.chanrecv1", "onReceive", *TWO, When.INHERITED, "onReceived"),
    Watch("runtime.chanrecv2", "onRange", *TWO, When.INHERITED, "onReceivedOK", RECEIVED),
    Watch("runtime.selectnbrecv", "onTry", *TWO, When.INHERITED, "onReceivedOK", SELECTED_RECEIVED),
    Watch("runtime.selectgo", "onSelect", *SELECT, When.SELECT, "onSelected", (Piece(RegClass.INT, 0, 8, 0), Piece(RegClass.INT, 1, 1, 8))),
)
"""What the compiler calls, after it has inlined: chansend1(c *hchan, elem unsafe.Pointer); selectnbsend(c *hchan, elem unsafe.Pointer)
(selected bool); chanrecv1(c *hchan, elem unsafe.Pointer); chanrecv2(c *hchan, elem unsafe.Pointer) (received bool); selectnbrecv(elem unsafe.Pointer, c *hchan) (selected, received bool);
selectgo(cas0 *scase, order0 *uint16, pc0 *uintptr, nsends, nrecvs int, block bool) (int, bool)."""


def watched(table: RuntimeTable, *, channels: bool) -> list[Watch]:
    """The functions that this Go version has. The generator has checked that none is missing (objinst/goversions/needs.py)."""
    every = (*GOROUTINES, *(CHANNELS if channels else ()))
    return [one for one in every if one.symbol in table.functions and one.signature in ("", table.functions[one.symbol])]


def watch(edit: Edit, arch: Arch, rt: str, desc: Layout, node: Layout, slot: Slot, functions: Iterable[Watch]) -> None:
    """Stubs at the entries of functions. rt: import path of hooks/rt; desc, node: layouts of its types.

    Raises ObjectError if the runtime lacks these functions in a form that can be hooked.
    """
    inlined = {callee for callee, _ in inlined_calls(edit.object, "runtime")}  # a profile makes the compiler inline more, and copies have no stubs
    for watched in functions:
        if inlined & symbol_keys(edit.object, "runtime", watched.symbol):
            raise ObjectError(f"{edit.object.origin}: the compiler has inlined {watched.symbol}", "build with another profile, or with -pgo=off")
        index = _function(edit, watched.symbol)
        original = read_original(edit, index)
        words = watched.pointers
        if original.info.args != WORD * len(words):
            raise ObjectError(f"{edit.object.origin}: {watched.symbol} has {original.info.args} bytes of arguments, not {WORD * len(words)}", REMEDY)
        checked = not edit.object.sym(index).flag & edit.tables.sym_flags["SymFlagNoSplit"]
        body = move_body(edit, index)
        blob = StaticData()
        blob.put(blob.reserve(desc.size), desc, On=1, Func=watched.symbol, Pkg="runtime")
        roles = {
            "desc": Role(blob.add_to(edit, f"otelobj.desc.{watched.symbol}", STATIC_ABI)),
            "enter": Role(edit.add_ref(f"{rt}.{watched.call}", ABI_INTERNAL)),
            "morestack": Role(morestack_ref(edit, index, ClosureUse.RAW)),
            "body": Role(body),
        }
        room = 0
        if watched.back:
            scan, spec = _exit(edit, arch, watched, original, slot, checked=checked)
            stub = arch.exit_stub(spec)
            room = 0 if checked else exit_room(stub.frame + 2 * WORD)
            back = Role(edit.add_ref(f"{rt}.{watched.back}", ABI_INTERNAL))
            dead = (False,) * len(words)  # the stack may have moved since, and arguments that the function no longer needs were not adjusted
            patch_body(edit, index, body, scan, arch, add_exit_stub(edit, original, body, stub, dead, {"desc": roles["desc"], "exit_hook": back}))
        guard = None if checked else slot.guard
        entry = EntrySpec(watched.spills, ClosureUse.RAW, toggle=False, guard=guard, room=room, filter=_filter(watched.when, slot, node))
        put_stub(edit, original, arch.entry_stub(entry), words, roles, [])


def _exit(edit: Edit, arch: Arch, watched: Watch, original: Original, slot: Slot, *, checked: bool) -> tuple[EpilogueScan, ExitSpec]:
    """Where a watched function returns, and the stub for that. Raises ObjectError if that cannot be patched."""
    scan = _returns(edit, arch, original)
    site = scan.sites[0]
    area = max((piece.offset + piece.size for piece in watched.results), default=0)
    words = (False,) * ((area + WORD - 1) // WORD)
    depth = max(value for value, _ in original.pcsp) if checked else 0
    return scan, ExitSpec(site.teardown, site.body_frame, watched.results, area, words, slot.offset, checked=depth, unchecked=not checked)


def _returns(edit: Edit, arch: Arch, original: Original) -> EpilogueScan:
    """Raises ObjectError if the returns of a function cannot all be patched."""
    obj, index = edit.object, original.index
    scan = arch.find_epilogues(bytes(obj.data(index)), original.pcsp, obj.calls(index))
    if scan.refusal or not scan.sites:
        raise ObjectError(f"{obj.origin}: the exits of {obj.sym(index).name} cannot be patched: {scan.refusal}", REMEDY)
    return scan


def _filter(when: When, slot: Slot, node: Layout) -> ScopeFilter | None:
    if when is When.ALWAYS:
        return None
    at = node.fields
    places = (slot.offset, slot.g["goid"], at["goid"], at["tag"], at["settled"], at["cell"])
    if when is When.MARK:
        return ScopeFilter(*places, mark=(slot.channel["MarkOff"], slot.channel["MarkSize"]))
    return ScopeFilter(*places, inherited=True, sends=SELECT_SENDS if when is When.SELECT else None)


def hand_over_slot(edit: Edit, arch: Arch, slot: Slot) -> None:
    """The exit of newproc1, which returns the new goroutine, stores the creator's slot in it."""
    index = _function(edit, "runtime.newproc1")
    original = read_original(edit, index)
    scan = _returns(edit, arch, original)
    site = scan.sites[0]
    stub = arch.slot_handover(slot.offset, slot.g["m"], slot.m["curg"], site.teardown, site.body_frame)
    info, name = original.info, exit_name("runtime.newproc1")
    shape = TextShape(0, (), info.func_id, info.func_flag, info.start_line, original.file, original.line, name, edit.ref_of(index))
    ref = add_text(edit, "otelobj.exit.runtime.newproc1", stub, shape, {})
    code, relocs = patch_epilogues(edit, index, scan, arch, ref)
    if len(code) != edit.object.sym(index).size:
        raise ObjectError(f"{edit.object.origin}: the exits of runtime.newproc1 have no room for a jump", REMEDY)
    edit.replace(index, data=code, relocs=relocs)


def _function(edit: Edit, name: str) -> int:
    """The ABIInternal definition of a function: some have an ABI0 wrapper of the same name."""
    found = [index for index in edit.object.find_all(name, ABI_INTERNAL) if edit.object.is_text(index)]
    if len(found) != 1:
        raise ObjectError(f"{edit.object.origin}: {len(found)} functions {name}", REMEDY)
    return found[0]
