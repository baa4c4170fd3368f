"""What both macro-assemblers share: growing code with labels, fixups and the pc-to-SP table, and the macros that each of them has.

A macro is one step of a sequence (trampolines.sequences), whatever it takes on a machine: `jump_if_zero` is TESTQ and JE on amd64, CBZ on
arm64. The folder of an architecture has a class with the macros, in its macros.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from trampolines.contract import Base, Code, Fixup, FixupKind, OpenDefer, Phase

WORD = 8
ARGS = 8
"""From SP to the args area at a function's entry: above the return address (amd64), or the slot of the link register (arm64)."""
STACK_LO = 0
"""Offset of g.stack.lo."""
STACK_HI = 8
"""Offset of g.stack.hi (runtime/runtime2.go: stack is g's first field)."""
STACK_GUARD = 16
"""Offset of g.stackguard0."""
STACK_SMALL = 128
"""internal/abi/stack.go: a frame up to this size may lie below the guard."""
STACK_BIG = 4096
"""internal/abi/stack.go: the check for a larger frame would have to guard against underflow."""
STACK_NOSPLIT = 2 * 800
"""internal/abi/stack.go, StackNosplitBase: what a chain of functions without a check may use below a checked frame; twice that with -race."""


class EncodeError(ValueError):
    """An operand that an instruction cannot hold, or a frame that a stub may not have."""


def exit_room(frame: int) -> int:
    """What the entry stub of a function without a stack check must make sure of, for an exit stub with this frame to find STACK_NOSPLIT
    below it. The check itself leaves one StackNosplit."""
    return frame + STACK_NOSPLIT // 2


class Frame(NamedTuple):
    """A stub's frame. first: offset of its first usable word from SP; depth: bytes that SP moves. The top word belongs to the frame pointer
    that is saved in it (amd64) or by a callee (arm64)."""

    first: int
    depth: int

    @property
    def locals(self) -> int:
        """FuncInfo.Locals, in bytes."""
        return self.depth - WORD

    @property
    def args(self) -> int:
        """Offset of the args area from SP while the frame is open."""
        return self.depth + ARGS

    def words(self, at: int = 0, pointers: Sequence[bool] = ()) -> tuple[bool, ...]:
        """A locals map: flags of the words from SP + at on; no other word holds a pointer."""
        below = at // WORD
        return (*(False,) * below, *pointers, *(False,) * (self.locals // WORD - below - len(pointers)))


class Label:
    """A place in code under construction. at: its offset, negative as long as it is not known."""

    __slots__ = ("at", "uses")

    def __init__(self) -> None:
        self.at = -1
        self.uses: list[tuple[int, Callable[[int], bytes]]] = []
        """Of jumps that wait for it: offset, and what makes the jump of its distance, in bytes from its first one."""


class Assembly(ABC):
    """Code under construction, and the macros. sp: bytes that SP has moved since the entry; `moved` records it from here on.

    Operands: register numbers of the machine, offsets and sizes in bytes. A conditional jump goes to a label of the same stub, or to a role.
    Where it cannot reach a role by itself, it goes to the next `leave` or `outlet` of that role.
    """

    SP: ClassVar[int]
    G: ClassVar[int]
    CLOSURE: ClassVar[int]
    INT_ARGS: ClassVar[tuple[int, ...]]
    """Arguments and results in the ABI's order."""
    FLOAT_ARGS: ClassVar[tuple[int, ...]]
    T0: ClassVar[int]
    T1: ClassVar[int]
    """Free at any entry and exit. Macros that take neither may change others that are, too."""
    NODE: ClassVar[int]
    TAG: ClassVar[int]
    MARK: ClassVar[int]
    CELL: ClassVar[int]
    """What a filter holds (ScopeFilter): `NODE` outlives `TAG`, which outlives `MARK`."""
    BASES: ClassVar[Mapping[Base, int]]
    """What a thunk holds its parameters in while it fills the hook's."""
    COPY: ClassVar[int]
    """A thunk copies stack arguments by way of it."""
    SCALED: ClassVar[bool]
    """A displacement is counted in units of what is moved, so both sides of a copy must be aligned for it."""
    STATE: ClassVar[int]
    WATCHER: ClassVar[int]
    SIGNAL: ClassVar[int]
    PASSED: ClassVar[int]
    MINUS: ClassVar[int]
    SPARE: ClassVar[int]
    """What gates hold (GateSpec)."""
    SYSTEM_ARGS: ClassVar[tuple[int, ...]]
    SYSTEM_RESULT: ClassVar[int]
    EQ: ClassVar[int]
    NE: ClassVar[int]
    NEGATIVE: ClassVar[int]
    """Conditions, for `jump_if`."""

    __slots__ = ("_late", "_outlets", "_pcsp", "_waiting", "code", "entries", "fixups", "sp")

    def __init__(self, sp: int = 0) -> None:
        self.code = bytearray()
        self.fixups: list[Fixup] = []
        self.entries: dict[str, int] = {}
        self.sp = sp
        self._pcsp: list[tuple[int, int]] = []
        self._waiting = 0
        self._outlets: dict[str, Label] = {}
        self._late: list[Callable[[], None]] = []

    # code, labels, tables

    @property
    def here(self) -> int:
        return len(self.code)

    def emit(self, code: bytes) -> int:
        """Appends an instruction; returns its offset."""
        at = len(self.code)
        self.code += code
        return at

    def fixup(self, kind: FixupKind, role: str, size: int, *, at: int, addend: int = 0) -> None:
        self.fixups.append(Fixup(at, size, kind, role, addend))

    def moved(self, sp: int) -> None:
        """From the next instruction on SP has moved by `sp` bytes in all."""
        if sp != self.sp:
            self._close()
            self.sp = sp

    def _close(self) -> None:
        end = len(self.code)
        if end and (not self._pcsp or self._pcsp[-1][1] != end):
            self._pcsp.append((self.sp, end))

    def branch(self, label: Label, size: int, encode: Callable[[int], bytes]) -> None:
        """A jump of `size` bytes to a label. encode: makes it of its distance in bytes, counted from its first one."""
        at = len(self.code)
        if label.at < 0:
            self._waiting += not label.uses
            label.uses.append((at, encode))
            self.code += bytes(size)
        else:
            self.code += encode(label.at - at)

    def bind(self, label: Label) -> None:
        """The label is here. Raises EncodeError if one of the jumps to it does not reach."""
        label.at = here = len(self.code)
        if label.uses:
            self._waiting -= 1
        for at, encode in label.uses:
            jump = encode(here - at)
            self.code[at : at + len(jump)] = jump

    def far(self, role: str) -> Label:
        """The label of the next `leave` or `outlet` of a role, for jumps that cannot reach it by themselves."""
        return self._outlets.setdefault(role, Label())

    def leave(self, role: str) -> None:
        """Jumps to a role; so do the conditional jumps before that could not."""
        waiting = self._outlets.pop(role, None)
        if waiting is not None:
            self.bind(waiting)
        self.jump(role)

    def outlet(self, role: str) -> None:
        """As `leave`, but nothing comes here except such conditional jumps: without any, there is no code."""
        if role in self._outlets:
            self.leave(role)

    def later(self, make: Callable[[], None]) -> None:
        """Code that is made by the next `out_of_line`."""
        self._late.append(make)

    def out_of_line(self) -> None:
        """What macros have put off, where execution does not fall into it."""
        for make in self._late:
            make()
        self._late.clear()

    def finish(self, frame: int, locals_map: Sequence[bool], open_defer: OpenDefer | None = None, phases: Sequence[Phase] = ()) -> Code:
        """Raises EncodeError for a jump to a label that is nowhere, and for code that was put off and never made."""
        if self._waiting or self._late:
            raise EncodeError(f"{self._waiting} labels and {len(self._late)} pieces of code have no place in the stub")
        self._close()
        entries = tuple(self.entries.items())
        return Code(bytes(self.code), tuple(self.fixups), tuple(self._pcsp), frame, tuple(locals_map), entries, open_defer, tuple(phases))

    # registers and memory

    @abstractmethod
    def move(self, dst: int, src: int) -> None: ...

    @abstractmethod
    def move_long(self, dst: int, src: int) -> None:
        """32 bits; the upper half becomes 0."""

    @abstractmethod
    def set_value(self, reg: int, value: int) -> None:
        """16 bits without sign; the rest becomes 0."""

    @abstractmethod
    def zero(self, reg: int) -> None: ...

    @abstractmethod
    def zero_float(self, reg: int) -> None: ...

    @abstractmethod
    def negate(self, dst: int, src: int, *, keep: bool) -> None:
        """dst becomes -src. keep: src is needed afterwards."""

    @abstractmethod
    def load(self, dst: int, base: int, disp: int, size: int) -> None:
        """Extended with zeros."""

    @abstractmethod
    def store(self, src: int, base: int, disp: int, size: int) -> None: ...

    @abstractmethod
    def load_float(self, dst: int, base: int, disp: int, size: int) -> None: ...

    @abstractmethod
    def store_float(self, src: int, base: int, disp: int, size: int) -> None: ...

    @abstractmethod
    def store_zero(self, disp: int) -> None:
        """A word at SP + disp."""

    @abstractmethod
    def store_one(self, disp: int) -> None:
        """A byte at SP + disp. May change T0."""

    @abstractmethod
    def address(self, dst: int, role: str) -> None: ...

    @abstractmethod
    def stack_address(self, dst: int, disp: int) -> None:
        """dst becomes SP + disp."""

    @abstractmethod
    def distance(self, dst: int, disp: int) -> None:
        """dst becomes g.stack.hi - (SP + disp)."""

    @abstractmethod
    def increment(self, role: str, *, atomics: bool) -> None:
        """Adds one to a word that others may change at the same time. Changes T0 and T1. atomics: see Arch.count_stub."""

    # jumps

    @abstractmethod
    def call(self, role: str) -> None: ...

    @abstractmethod
    def call_morestack(self) -> None:
        """Calls role "morestack" as the compiler does."""

    @abstractmethod
    def jump(self, role: str) -> None: ...

    @abstractmethod
    def jump_to(self, label: Label) -> None: ...

    @abstractmethod
    def ret(self) -> None: ...

    @abstractmethod
    def compare(self, left: int, right: int) -> None:
        """What follows is one jump_if or several, with nothing between that is not a move."""

    @abstractmethod
    def compare_zero(self, reg: int) -> None: ...

    @abstractmethod
    def compare_value(self, reg: int, value: int, spare: int) -> None:
        """value: 16 bits without sign. May change `spare`."""

    @abstractmethod
    def compare_word(self, reg: int, base: int, disp: int) -> None:
        """With a word in memory."""

    @abstractmethod
    def jump_if(self, condition: int, to: Label | str) -> None:
        """After a comparison."""

    @abstractmethod
    def jump_if_zero(self, reg: int, to: Label | str) -> None: ...

    @abstractmethod
    def jump_if_not_zero(self, reg: int, to: Label | str) -> None: ...

    @abstractmethod
    def jump_if_true(self, reg: int, to: Label | str) -> None:
        """reg: a bool, of which only the lowest byte is defined."""

    @abstractmethod
    def jump_if_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        """size: 1 or 4. May change T1."""

    @abstractmethod
    def jump_unless_zero_at(self, base: int, disp: int, size: int, to: Label | str) -> None:
        """size: 1 or 4. May change T1."""

    @abstractmethod
    def jump_unless_g(self, base: int, disp: int, to: Label | str) -> None:
        """Unless the word is g. May change T1."""

    @abstractmethod
    def jump_if_at_most(self, reg: int, base: int, to: Label | str) -> None:
        """If reg <= the word at `base`, without sign."""

    @abstractmethod
    def jump_if_off(self, desc: str, to: str) -> None:
        """To a role if the first byte at another is 0. May change T0."""

    # stack

    @classmethod
    @abstractmethod
    def frame(cls, size: int) -> Frame:
        """With `size` bytes to use, a multiple of WORD."""

    @abstractmethod
    def open_frame(self, frame: Frame) -> None: ...

    @abstractmethod
    def close_frame(self, frame: Frame) -> None: ...

    @abstractmethod
    def open_held_frame(self, frame: Frame) -> None:
        """Of the holding stub, at its first instruction."""

    @abstractmethod
    def close_held_frame(self, frame: Frame) -> None: ...

    @abstractmethod
    def teardown(self, code: bytes, body_frame: int) -> None:
        """The body's own epilogue but for its return (see ExitSpec). Raises EncodeError for code that does not free `body_frame` bytes in all."""

    @abstractmethod
    def jump_below_guard(self, below: int, to: Label) -> None:
        """The compiler's own stack check of a function that needs `below` bytes. May change T0 and T1."""

    @abstractmethod
    def jump_without_room(self, below: int, to: Label) -> None:
        """If less than STACK_NOSPLIT bytes are left of the stack below the next `below`. May change T1."""

    # the operating system

    @abstractmethod
    def system_call(self, number: int) -> None:
        """Arguments in SYSTEM_ARGS, what comes back in SYSTEM_RESULT. number: 16 bits without sign."""

    @abstractmethod
    def exchange(self, base: int, old: int, new: int, again: Label) -> None:
        """Makes the word at `base` new if it is old (which is in SYSTEM_RESULT, too); if not, moves SIGNAL to the first argument and jumps.
        Others see what was stored before it no later than what is stored after it."""
