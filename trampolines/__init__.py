"""Machine code per architecture: encoders, sequences, and the finders that read compiled functions. Imports nothing from objinst."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from trampolines.contract import Code, EntrySpec, EpilogueScan, ExitSpec, Patched, PatchSite, SpillScan, ThroughSpec, ThunkSpec

ARCHITECTURES = ("amd64", "arm64")


class Arch(Protocol):
    """What an architecture package offers; see trampolines.contract for the records."""

    INT_REGS: int
    FLOAT_REGS: int
    RETURN_BELOW_ARGS: int
    """Bytes from the args area of a call down to its return address, while its entry stub calls enter."""
    LEAVES_UNMARKED: bool
    """Some functions without a stack check lack the mark that says so (AttrNoSplit)."""

    def entry_stub(self, spec: EntrySpec) -> Code: ...
    def exit_stub(self, spec: ExitSpec) -> Code: ...
    def head_stub(self) -> Code:
        """In the place of a function with a call-through: to role "body" if role "desc" is switched off, else to role "through"."""

    def count_stub(self, *, atomics: bool) -> Code:
        """Adds one to role "counter" and jumps to role "body". atomics: the target has Armv8.1's atomic instructions."""

    def through_stub(self, spec: ThroughSpec) -> Code: ...
    def thunk(self, spec: ThunkSpec) -> Code: ...
    def hold_stub(self) -> Code:
        """Hands a call on to role "callee", arguments and results in registers: a frame between a stub and hooks/rt that makes the collector
        scan the stub's frame and args area conservatively.

        A stub's maps call a `uintptr` a number, and it may be the only reference to an object: `(*T)(unsafe.Pointer(v.Pointer()))` is a
        promise of package unsafe. Without hooks nothing can come between the call and the conversion but an asynchronous preemption, where the
        collector takes every word of the interrupted frame that is the address of an object for a pointer, and stacks move by the precise
        maps. It knows such a frame by its callee, runtime.asyncPreempt, and that by its FuncID (runtime/mgcmark.go, scanframeworker, Go
        1.22-1.27). The text symbol made of this code must have that FuncID."""

    def getg(self) -> Code:
        """func() unsafe.Pointer that returns g."""

    def slot_handover(self, slot_offset: int, g_m: int, m_curg: int, teardown: bytes, body_frame: int) -> Code:
        """The exit of runtime.newproc1."""

    def find_epilogues(self, code: bytes, pcsp: Sequence[tuple[int, int]], calls: Mapping[int, str]) -> EpilogueScan: ...
    def patch_returns(self, code: bytes, sites: Sequence[PatchSite]) -> Patched: ...
    def find_spills(self, code: bytes, calls: Mapping[int, str]) -> SpillScan: ...
    def is_call(self, code: bytes | memoryview, offset: int) -> bool:
        """Whether the branch with this relocation offset is a call; if not, it is a jump out of the function."""

    def reads_context(self, code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None: ...
    def comes_back(self, code: bytes, calls: Mapping[int, str], cases: Sequence[int], at: int) -> bool | None:
        """Whether the call with this relocation offset can be executed again after it has returned: whether it is in a loop."""



def arch(goarch: str) -> Arch:
    """The package of an architecture. Raises KeyError for one that otelobj does not know."""
    if goarch not in ARCHITECTURES:
        raise KeyError(goarch)
    return cast("Arch", importlib.import_module(f"trampolines.{goarch}"))


class Readback(Protocol):
    """What an architecture reads back of a linked program; see its readback.py."""

    def read_entry(self, code: bytes, pc: int) -> tuple[int, int] | None: ...
    def read_through(self, code: bytes, pc: int) -> int | None: ...
    def read_count(self, code: bytes, pc: int) -> int | None: ...
    def read_exits(self, code: bytes, pc: int, pcsp: Sequence[tuple[int, int]]) -> list[tuple[int, int | None]]: ...
    def mentions(self, code: bytes, pc: int, address: int) -> bool: ...


def readback(goarch: str) -> Readback:
    """Raises KeyError for an architecture that otelobj does not know."""
    if goarch not in ARCHITECTURES:
        raise KeyError(goarch)
    return cast("Readback", importlib.import_module(f"trampolines.{goarch}.readback"))
