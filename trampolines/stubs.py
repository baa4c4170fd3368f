"""An architecture at work: its record, the stubs, the finders, all behind one class. The package's own names (`trampolines.load`) are these."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from trampolines import flow, sequences
from trampolines.arch import ARCHES, ArchError, traits
from trampolines.asm import Assembly, EncodeError
from trampolines.contract import Code, EntrySpec, EpilogueScan, ExitSpec, GateSpec, Patched, PatchSite, SpillScan, ThroughSpec, ThunkSpec

ARCHITECTURES = tuple(ARCHES)
SHAPES = 4096
"""Stubs of a kind to remember: many functions are of one shape, and each is made once to see whether it can be."""

Spec = TypeVar("Spec")


class Arch:
    """An architecture at work: its record, its stubs, its finders. See trampolines.contract for what goes in and comes out. Stubs raise
    EncodeError for what cannot be made."""

    def __init__(self, goarch: str) -> None:
        """Raises ArchError for an architecture without a record, or without some part of its folder."""
        self.traits = traits(goarch)
        self._macros = _macros(goarch)
        self._decode: flow.Decode = part(goarch, "decode", "decode")
        self.find_epilogues: Callable[[bytes, Sequence[tuple[int, int]], Mapping[int, str]], EpilogueScan] = part(goarch, "epilogue", "find_epilogues")
        self.patch_returns: Callable[[bytes, Sequence[PatchSite]], Patched] = part(goarch, "epilogue", "patch_returns")
        self.is_call: Callable[[bytes | memoryview, int], bool] = part(goarch, "epilogue", "is_call")
        """Whether the branch with this relocation offset is a call; if not, it is a jump out of the function."""
        self.find_spills: Callable[[bytes, Mapping[int, str]], SpillScan] = part(goarch, "spills", "find_spills")
        self.entry_stub: Callable[[EntrySpec], Code] = self._remembered(sequences.entry_stub)
        self.exit_stub: Callable[[ExitSpec], Code] = self._remembered(sequences.exit_stub)
        self.thunk: Callable[[ThunkSpec], Code] = self._remembered(sequences.thunk)
        if self.traits.has_through:
            self._head: Callable[[sequences.Macros], Code] = part(goarch, "through", "head_stub")
            self.through_stub: Callable[[ThroughSpec], Code] = self._remembered(part(goarch, "through", "through_stub"))
        else:
            self._head = self.through_stub = self._no_through

    def _remembered(self, make: Callable[[sequences.Macros, Spec], Code]) -> Callable[[Spec], Code]:
        return functools.lru_cache(SHAPES)(functools.partial(make, self._macros))

    def _no_through(self, _: object) -> Code:
        raise EncodeError(f"no call-through on {self.traits.name}: every return has room for a jump")

    def head_stub(self) -> Code:
        """In the place of a function with a call-through: to role "body" if role "desc" is switched off, else to role "through"."""
        return self._head(self._macros)

    def count_stub(self, *, atomics: bool) -> Code:
        """Adds one to role "counter" and jumps to role "body". atomics: the target has the atomic instructions that Traits.has_atomics tells of."""
        return sequences.count_stub(self._macros, atomics=atomics)

    def hold_stub(self) -> Code:
        """Forwards a call to role "callee", with arguments and results in registers. Its frame, between a stub and hooks/rt, makes the collector
        scan the stub's frame and args area conservatively.

        A stub's maps describe a `uintptr` as a number, but it may be the only reference to an object: package unsafe guarantees that
        `(*T)(unsafe.Pointer(v.Pointer()))` works. Without hooks, only an asynchronous preemption can happen between the call and the conversion.
        Then the collector treats every word of the interrupted frame that is the address of an object as a pointer, and stacks move by the
        precise maps. It recognizes such a frame by its callee, runtime.asyncPreempt, and that by its FuncID (runtime/mgcmark.go, scanframeworker, Go
        1.22-1.27). The text symbol made of this code must have that FuncID."""
        return sequences.hold_stub(self._macros)

    def getg(self) -> Code:
        """func() unsafe.Pointer that returns g."""
        return sequences.getg(self._macros)

    def slot_handover(self, slot_offset: int, g_m: int, m_curg: int, teardown: bytes, body_frame: int) -> Code:
        """The exit of runtime.newproc1."""
        return sequences.slot_handover(self._macros, slot_offset, g_m, m_curg, teardown, body_frame)

    def death_gate(self, spec: GateSpec) -> Code:
        """In front of runtime.dieFromSignal."""
        return sequences.death_gate(self._macros, spec)

    def foreign_gate(self, spec: GateSpec) -> Code:
        """In front of runtime.raisebadsignal."""
        return sequences.foreign_gate(self._macros, spec)

    def reads_closure(self, code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None:
        """See flow.reads_closure."""
        return flow.reads_closure(self._decode, code, calls, cases)

    def comes_back(self, code: bytes, calls: Mapping[int, str], cases: Sequence[int], at: int) -> bool | None:
        """Whether the call with its relocation at `at` can be executed again after it has returned: whether it is in a loop. See flow.reaches."""
        return flow.reaches(self._decode, code, calls, cases, at + self.traits.call_tail, at - self.traits.call_head)


class Readback(Protocol):
    """What an architecture reads back of a linked program: its readback.py."""

    def read_entry(self, code: bytes, pc: int) -> tuple[int, int] | None: ...
    def read_through(self, code: bytes, pc: int) -> int | None: ...
    def read_count(self, code: bytes, pc: int) -> int | None: ...
    def read_exits(self, code: bytes, pc: int, pcsp: Sequence[tuple[int, int]]) -> list[tuple[int, int | None]]: ...
    def mentions(self, code: bytes, pc: int, address: int) -> bool: ...


@functools.cache
def load(goarch: str) -> Arch:
    """An architecture, at work. Raises ArchError."""
    return Arch(goarch)


def readback(goarch: str) -> Readback:
    """Raises ArchError."""
    return cast("Readback", _module(traits(goarch).name, "readback"))


def part(goarch: str, module: str, name: str) -> Any:
    """A function or class of an architecture's folder. Raises ArchError if it is not there."""
    found = getattr(_module(goarch, module), name, None)
    if found is None:
        raise ArchError(f"architecture {goarch}: trampolines/{goarch}/{module}.py has no {name}")
    return found


def _module(goarch: str, name: str) -> Any:
    full = f"trampolines.{goarch}.{name}"
    try:
        return importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name is None or not full.startswith(error.name):
            raise
        raise ArchError(f"architecture {goarch} has a record, but no trampolines/{goarch}/{name}.py") from None


def _macros(goarch: str) -> sequences.Macros:
    """The macro-assembler, which has every macro and every register that Assembly names."""
    found: sequences.Macros = part(goarch, "macros", "Macros")
    lacks = sorted({*getattr(found, "__abstractmethods__", ()), *(name for name in Assembly.__annotations__ if not hasattr(found, name))})
    if lacks:
        raise ArchError(f"architecture {goarch}: Macros in trampolines/{goarch}/macros.py lacks {', '.join(lacks)}")
    return found
