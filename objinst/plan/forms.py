"""The form of a target's code, and what follows from it: how it can be entered, what its closure register holds, and how its exit
is seen.

A function without a stack check (a leaf, or one marked //go:nosplit) never moves the stack in the plain program. Its stub has a
check of its own, and a hook may move the stack, so the target is refused if a caller relies on the stack not moving. If g is in a state in
which the stack must not grow, the stub detects it and runs only the body (trampolines.contract.GrowGuard).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.model import Refusal, Value
from objinst.types import FuncABI, Kind
from trampolines import Arch
from trampolines.contract import ClosureUse, EpilogueScan

NOCTXT = "runtime.morestack_noctxt"
RECOVER = "runtime.gorecover"
ASSEMBLY, ADDRESS = " (assembly)", " (address)"
"""Suffixes to the name of a caller in assembly, and of one that takes the address of a function's code."""


def closure_use(obj: Object, index: int, morestack: str, calls: dict[int, str], arch: Arch) -> ClosureUse | Refusal:
    """morestack: the variant that the function calls, "" if it has no stack check. Raises ObjectError."""
    if morestack:
        return ClosureUse.RAW if morestack == NOCTXT else ClosureUse.POINTER
    reads = arch.reads_closure(bytes(obj.data(index)), calls, switch_cases(obj, index))
    if reads is None:
        return Refusal("context", "it is not clear whether it is a closure: an instruction near its entry is not known")
    return ClosureUse.POINTER if reads else ClosureUse.RAW


def unchecked(symbol: str, params: Sequence[Value], caller: str) -> Refusal | None:
    """Why a function without a stack check cannot be hooked. caller: a function that relies on it to have none, perhaps with the suffix ASSEMBLY
    or ADDRESS, or ""."""
    if caller.endswith(ADDRESS):
        who = caller.removesuffix(ADDRESS)
        return Refusal("nosplit", f"it has no stack check, and {who} takes the address of its code for a caller that is not Go code; hook its callers")
    if caller:
        who = "assembly" if caller == symbol else _named(caller)
        return Refusal("nosplit", f"it has no stack check, and {who} calls it where the stack must not move; hook its callers")
    address = next((value for value in params if value.type.kind is Kind.UINTPTR), None)
    if address:
        return Refusal("nosplit", f"it has no stack check, and {address.name or 'a parameter'} is a uintptr, perhaps an address in the stack; hook its callers")
    return None


def _named(caller: str) -> str:
    name = caller.removesuffix(ASSEMBLY)
    return f"{name}, which is //go:nosplit," if name == caller else f"{name}, which is assembly,"


def unmapped(caller: str) -> Refusal | None:
    """Why a function that is called from a frame without a stack map cannot be hooked. caller: the function that has this frame, or ""."""
    if not caller:
        return None
    who = caller.removesuffix(ASSEMBLY)
    return Refusal("stack-map", f"{who}, which is assembly, calls it from a frame without a stack map (NO_LOCAL_POINTERS), and a hook may let the runtime scan that frame")


@dataclass(frozen=True, slots=True)
class Exit:
    """How a target's exit is seen: its returns are patched (`epilogues`), or a stub calls the body from its own frame (None)."""

    epilogues: EpilogueScan | None

    @property
    def through(self) -> bool:
        return self.epilogues is None


def exit_form(scan: EpilogueScan, abi: FuncABI, calls: Collection[str], *, wrapper: bool) -> Exit | Refusal:
    """calls: names of the functions that the target calls; wrapper: it is a method wrapper of the compiler's.

    The frame of a call-through is between the body and its caller, so arguments and results must not be on the stack. A recover in the body,
    or in the function that a wrapper calls, would not detect that it runs in a deferred call (runtime/panic.go, gorecover).
    """
    if scan.refusal is None:
        return Exit(scan) if scan.sites else Refusal("no-return", "it never returns")
    code, why = scan.refusal
    if not scan.through:
        return Refusal(code, why)
    if abi.stack_args_size:
        return Refusal(code, f"{why}, nor can it be called from another frame, because it has arguments or results on the stack")
    if wrapper:
        return Refusal(code, f"{why}, nor can it be called from another frame: it is a wrapper, and what it calls may recover")
    if any(name.startswith(RECOVER) for name in calls):
        return Refusal(code, f"{why}, nor can it be called from another frame, because it calls recover")
    return Exit(None)


def switch_cases(obj: Object, index: int) -> list[int]:
    """Offsets in the function that its jump tables name (cmd/compile/internal/ssagen: F.jumpN, R_ADDR F+pc)."""
    cases: list[int] = []
    prefix = f"{obj.sym(index).name}.jump"
    for reloc in obj.relocs(index):
        table = obj.resolve(reloc.sym).index
        if table is not None and table < obj.n_defs and obj.sym(table).name.startswith(prefix):
            cases += [entry.add for entry in obj.relocs(table)]
    return cases
