"""Functions that cannot be hooked because a caller runs where the stack must not move, or must not be scanned.

A function marked //go:nosplit may hold addresses of the stack in integers, or run where nothing may grow the stack; so may assembly,
which calls Go functions through wrappers that are marked (cmd/compile/internal/ssagen/abi.go, makeABIWrapper).
The same holds for each direct callee that has no stack check itself: a hook there would let the stack grow and the collector run.
The linker assumes that indirect callees have a check (cmd/link/internal/ld/stackcheck.go), and so does this module. The assembler
marks leaf functions as nosplit (cmd/internal/obj/x86/obj6.go), but a leaf calls nothing. A tail call passes on what its caller relies on.

Nothing checks assembly, so it is treated more strictly:
- Marked or not, it relies on every function that it calls, jumps to, or takes the address of, in code or in data, and on the functions
  in variables that it reads. It may call them itself or pass them to other code, perhaps on a thread that runs no goroutine.
- If its frame has no stack map (no NO_LOCAL_POINTERS), the runtime throws "missing stackmap" as soon as it scans that stack
  (runtime/stkframe.go, getStackMap, Go 1.22-1.27). With a simple Go callee that never happens; with a hook it would.

Compiled code takes the address of a function's code, rather than of its func value, in two cases: for a closure, which reads the closure
register, and through internal/abi.FuncPCABIInternal, for a caller that is not Go code.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from objinst.goobj import FuncInfo, Object, SymRef
from objinst.goobj.records import RELOC, Blk
from objinst.plan.forms import ADDRESS, ASSEMBLY, switch_cases
from objinst.plan.keys import callee_key, own_keys
from trampolines import Arch

PREFIXES = ("type:", "go:", "runtime.gcbits")
"""Of data that describes types and such: it names functions, but is no variable."""


@dataclass(frozen=True, slots=True)
class Calls:
    """What one object, or several, say about calls. nosplit: callee -> a caller that relies on it to have no stack check; frames: callee -> a caller in assembly whose
    frame has no stack map; tails: caller -> callees of its tail calls, to which the reliance of its own callers extends. Functions are keys of objinst.plan.keys.

    names: functions that any of this can concern by name.
    """

    nosplit: dict[str, str] = field(default_factory=dict)
    tails: dict[str, list[str]] = field(default_factory=dict)
    frames: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)

    def add(self, other: Calls) -> None:
        """Adds what is not yet known; existing entries stay."""
        for key, caller in other.nosplit.items():
            self.nosplit.setdefault(key, caller)
        for key, caller in other.frames.items():
            self.frames.setdefault(key, caller)
        for key, callees in other.tails.items():
            self.tails.setdefault(key, []).extend(callees)
        self.names.update(other.names)


def relied_on(objects: Sequence[Object], package: str, arch: Arch) -> Calls:
    """The calls in the objects of one archive. package: import path of the archive. Raises ObjectError."""
    found = Calls()
    compiled = [obj for obj in objects if not obj.from_assembly]
    for obj in compiled:
        found.add(unchecked_calls(obj, package, arch))
    for obj in objects:
        if obj.from_assembly:
            found.add(assembly_calls(obj, package, compiled))
    return found


def unchecked_calls(obj: Object, package: str, arch: Arch) -> Calls:
    """The calls in a compiled object. package: import path of the object itself. Raises ObjectError."""
    call, nosplit = obj.call_type, obj.tables.sym_flags["SymFlagNoSplit"]
    found = Calls()
    unchecked: set[int] = set()
    for index in obj.text_symbols():
        sym = obj.sym(index)
        flagged, wrapper = bool(sym.flag & nosplit), sym.abi == 0
        if not flagged and not wrapper and not arch.traits.leaves_unmarked:
            continue
        made = [(reloc.off, callee_key(obj, package, reloc.sym)) for reloc in obj.relocs(index) if reloc.type == call]
        checked = not flagged and any(callee.startswith("runtime.morestack") for _, callee in made)
        if checked and not wrapper:
            continue
        unchecked.add(index)
        found.names.add(sym.name)
        code = obj.data(index)
        for offset, callee in made:
            if not 0 <= offset <= len(code) - arch.traits.call_tail:
                raise obj.error(f"{sym.name}: a call at {offset:#x}, of {len(code)} bytes of code")
            if callee.startswith("runtime.morestack"):
                continue
            leaving = not arch.is_call(code, offset)
            if leaving or wrapper:
                for key in own_keys(obj, package, index):
                    found.tails.setdefault(key, []).append(callee)
            if flagged and not leaving:
                found.nosplit.setdefault(callee, sym.name)
    for index, user in _addresses(obj, unchecked, arch):
        for key in own_keys(obj, package, index):
            found.nosplit.setdefault(key, obj.name(user) + ADDRESS)
    return found


def _addresses(obj: Object, unchecked: set[int], arch: Arch) -> Iterator[tuple[int, int]]:
    """The functions, other than closures, whose code address is taken: (function, function that takes it)."""
    kind = obj.tables.relocs[arch.traits.address_relocation]
    internal = {obj.ref_of(index): index for index in unchecked}
    users: dict[int, int] = {}
    for number, (_, _, found, _, pkg, idx) in enumerate(RELOC.iter_unpack(obj.block(Blk.RELOC))):
        if found == kind and (index := internal.get(SymRef(pkg, idx))) is not None:
            users.setdefault(index, number)
    for index, number in users.items():
        user = obj.owner_of_reloc(number)
        if obj.is_text(user) and arch.reads_closure(bytes(obj.data(index)), obj.calls(index), switch_cases(obj, index)) is False:
            yield index, user


def assembly_calls(obj: Object, package: str, compiled: Sequence[Object]) -> Calls:
    """The calls in an assembled object. compiled: the other objects of its archive. Raises ObjectError."""
    found = Calls()
    for index in range(obj.n_defs):
        caller = obj.name(index) + ASSEMBLY
        unmapped = obj.is_text(index) and _unmapped(obj, index)
        for reloc in obj.relocs(index):
            target = obj.resolve(reloc.sym)
            if (target.index is not None and target.index < obj.n_defs) or not target.name or target.name.startswith(("runtime.morestack", *PREFIXES)):
                continue
            keys = {callee_key(obj, package, reloc.sym).removesuffix("·f")}
            called = keys if reloc.type == obj.call_type else set().union(*(_held(other, package, target.name) for other in compiled))
            for key in keys | called:
                found.nosplit.setdefault(key, caller)
            for key in called if unmapped else ():
                found.frames.setdefault(key, caller)
    return found


def _unmapped(obj: Object, index: int) -> bool:
    """Whether a function in assembly has a frame that the runtime cannot scan."""
    info = obj.aux_data(index, "AuxFuncInfo")
    if info is None or FuncInfo.parse_head(info, f"{obj.origin}: {obj.name(index)}").locals <= 0:
        return False
    return obj.funcdata_symbol(index, "LocalsPointerMaps") is None


def _held(obj: Object, package: str, name: str) -> set[str]:
    """The functions that a name refers to: the function of this name, or those in the initial value of a variable."""
    defined = obj.find_all(name)
    todo = [index for index in defined if not obj.is_text(index)]
    seen = set(todo)
    keys = {name} if len(defined) > len(todo) else set()
    while todo:
        for ref in obj.refers_to(todo.pop()):
            target = obj.index_of(ref)
            if target is None or target >= obj.n_defs:
                key = callee_key(obj, package, SymRef(*ref))
                keys.add(key.removesuffix("·f"))
            elif obj.is_text(target):
                keys |= own_keys(obj, package, target)
            elif target not in seen and not obj.name(target).startswith(PREFIXES):
                seen.add(target)
                todo.append(target)
    return keys




@dataclass(frozen=True, slots=True)
class Reliance:
    """The caller that relies on a function, "" if there is none. nosplit: it relies on the absence of a stack check; frame: it relies on the stack
    not being scanned while the function runs."""

    nosplit: str = ""
    frame: str = ""

    @classmethod
    def on(cls, keys: Collection[str], nosplit: Mapping[str, str], frames: Mapping[str, str]) -> Reliance:
        """keys: of the function, see objinst.plan.keys."""
        return cls(*(next((known[key] for key in sorted(keys) if key in known), "") for known in (nosplit, frames)))


NOBODY = Reliance()


def combined(calls: Iterable[Calls]) -> Calls:
    """The calls of all packages of a link, combined. nosplit and frames include every function that tail calls lead to."""
    found = Calls()
    for one in calls:
        found.add(one)
    for known in (found.nosplit, found.frames):
        todo = list(known)
        while todo:
            key = todo.pop()
            for callee in found.tails.get(key, ()):
                if callee not in known:
                    known[callee] = known[key]
                    todo.append(callee)
    return found
