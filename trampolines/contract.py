"""What a caller passes to an architecture and what it gets back: definitions only, no logic.

`trampolines.Arch` takes and gives these records. Nothing here depends on archives, objects or linkers: a place that needs an
address is a Fixup that names a *role* (and the kind of instruction it sits in); the caller maps roles to symbols and
kinds to relocation types.

"args base": the address of the first stack-assigned argument at the entry of the hooked function: SP+8 on both
architectures (amd64: above the return address; arm64: above the LR slot). Offsets "in the args area" count from there;
the spill area of the register-assigned parameters is part of it. "results area": a block inside the exit stub's frame
that holds the register-assigned results in the memory layout of their types.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class RegClass(Enum):
    """The two register files of Go's ABIInternal."""

    INT = "int"
    FLOAT = "float"


class Base(Enum):
    """Where a thunk finds a value."""

    ARGS = "args"  # the args area of the hooked call
    RESULTS = "results"  # the results area of the exit stub
    BOXES = "boxes"  # an array of two-word interface values made by the runtime part


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a value that one register holds: DWARF's word (DW_OP_piece).

    index: the ABI's sequence number in its class (int 0 is AX / R0; float 0 is X0 / F0).
    size: bytes held (1, 2, 4 or 8); offset: bytes from the base that the user of the record names.
    """

    reg: RegClass
    index: int
    size: int
    offset: int


class FixupKind(Enum):
    CALL = "call"  # amd64: rel32 of CALL or JMP; arm64: imm26 of B or BL
    PCREL = "pcrel"  # amd64 only: RIP-relative disp32, possibly followed by immediate bytes (see Fixup.addend)
    ADDR = "addr"  # arm64 only: ADRP + ADD pair, 8 bytes


class Fixup(NamedTuple):
    """A place in `Code.code` that needs an address. offset, size: bytes. addend: already includes what trailing immediate
    bytes of a PCREL need (Go's linker computes S + addend - (P + 4))."""

    offset: int
    size: int
    kind: FixupKind
    role: str
    addend: int = 0


@dataclass(frozen=True, slots=True)
class OpenDefer:
    """Where the runtime finds an open-coded defer when it unwinds a frame (runtime/panic.go, initOpenCodedDefers, Go 1.22-1.27).

    bits: of the byte whose bit i says that slot i is pending; slots: of func value 0. Both in bytes below the frame's varp (the top
    of its locals). The code also needs one call of role "deferreturn", after which it returns: there a recovered panic goes on.
    """

    bits: int
    slots: int


@dataclass(frozen=True, slots=True)
class Phase:
    """The maps at calls before `end` (bytes from the start of the code) and after the previous phase. args: the arguments are live, else
    nothing in the args area is; locals_map: as in Code. After the last phase the first one holds again."""

    end: int
    args: bool
    locals_map: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """Finished machine code of one text symbol.

    pcsp: (value, end) pairs, ascending, the last end == len(code); value: bytes SP has moved since the symbol's entry
        (amd64: 0 at entry, the return address not counted).
    frame: FuncInfo.Locals in bytes (amd64: without saved BP and return address; arm64: as the assembler computes it).
    locals_map: one bool a word, from the frame's lowest local word upward as Go's stack maps count it; empty if no locals map is needed.
    entries: named offsets into code (for example exit stub: {"exit": 0, "frameless": 9}).
    open_defer: what FUNCDATA_OpenCodedDeferInfo says (see OpenDefer), None if nothing is deferred.
    phases: of code whose calls need different maps; empty if locals_map and the args map hold at every call.
    """

    code: bytes
    fixups: tuple[Fixup, ...]
    pcsp: tuple[tuple[int, int], ...]
    frame: int
    locals_map: tuple[bool, ...]
    entries: tuple[tuple[str, int], ...] = ()
    open_defer: OpenDefer | None = None
    phases: tuple[Phase, ...] = ()

    def entry(self, name: str) -> int:
        return dict(self.entries)[name]


class ClosureUse(Enum):
    """What the closure register (DX / R26) holds at a function's entry."""

    POINTER = "pointer"  # a live pointer: F calls morestack, or reads the register before writing it
    RAW = "raw"  # unknown, passed on as a raw word


@dataclass(frozen=True, slots=True)
class GrowGuard:
    """What the stub of a function without a stack check tests before it grows the stack: offsets in bytes.

    g.m, m.curg, m.locks (32 bits), g.throwsplit (8 bits). Unless g == g.m.curg and the other two are 0, the plain program never grows the
    stack here (or dies if it does), and rt would run no hook, so the stub jumps to the body.
    """

    g_m: int
    m_curg: int
    m_locks: int
    g_throwsplit: int


@dataclass(frozen=True, slots=True)
class ScopeFilter:
    """What the stub of a channel operation tests first, so that it jumps straight to the body if rt has nothing to do. Offsets in bytes.

    slot, goid: in g; node_goid, node_tag (16 bits), node_settled (8 bits), node_cell: in the node that the slot points to.
    The stub jumps to the body
    - if the slot is nil or the tag is 0;
    - with `inherited`, also if the node is the goroutine's own and settled, the word that its cell points to is not 0, and the argument
      register number `sends`, if given, is 0;
    - with a `mark` (offset and size, 1 or 2 bytes, in the channel that the first register points to), also if the channel is nil, or its
      mark is the tag or has all bits set.
    """

    slot: int
    goid: int
    node_goid: int
    node_tag: int
    node_settled: int
    node_cell: int
    inherited: bool = False
    sends: int | None = None
    mark: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A signal gate: code in front of a function that ends the program by a signal (its first argument, 32 bits). It delays only `signals`.

    The numbers are those of the system that the program is linked for. getpid: of the system call that returns the process's id. wake: of the one that
    wakes waiters of a word of 32 bits; its arguments are the word's address, `operation` and how many. Both go by Assembly.system_call.

    "state" is a word. If it is 0, no process watches: jump to the body. If it is this process's id, the process watches: the word becomes minus
    the signal, the word at "note" (32 bits) becomes 1, one waiter is woken, and the gate returns. If it is another process's id, this
    is a copy of the process (fork), where nothing waits: jump to the body. If it is negative, the program is already ending: jump to the
    body, with the signal that came first.
    roles of death_gate: "state", "note", "body". foreign_gate jumps to it ("gate") if the word of this signal at "forward" is 0, that is,
    if no C code had a handler before the Go program began; roles: "state", "forward", "gate", "body".
    """

    signals: tuple[int, ...]
    getpid: int
    wake: int
    operation: int


@dataclass(frozen=True, slots=True)
class EntrySpec:
    """An entry stub.

    spills: register-assigned arguments; offsets in the args area.
    closure: see ClosureUse.
    toggle: test the descriptor's first byte and go straight to the body when it is 0 (first instruction of the stub).
    skippable: the called function returns bool (in AX / R0, byte); true: zero all result registers in `results`, zero the
        `stack_results` (offset, size; multiples of 8) of the args area and jump to role "exit" at its entry "frameless"
        (the caller adds the addend: the Fixup has addend 0).
    guard: for a function without a stack check; None if it has one.
    room: bytes below SP that the stub's stack check guarantees, at least; more than its own frame if the exit stub needs more.
    filter: see ScopeFilter; None: enter is always called.
    roles used: "desc", "enter", "body", "morestack", "exit".
    Calls enter(desc, args base, g).
    """

    spills: tuple[Piece, ...]
    closure: ClosureUse
    toggle: bool = True
    skippable: bool = False
    results: tuple[Piece, ...] = ()
    stack_results: tuple[tuple[int, int], ...] = ()
    guard: GrowGuard | None = None
    room: int = 0
    filter: ScopeFilter | None = None


@dataclass(frozen=True, slots=True)
class ExitSpec:
    """An exit stub.

    teardown: amd64: the original epilogue bytes before RET that free the body's frame, executed first; body_frame: the
        pcsp value before them. arm64: empty and 0 (at the patched RET the frame is gone).
    results: register-assigned results; offsets in the results area. area: its size in bytes, area_map: pointer words.
    slot_offset: of the goroutine slot in g. Fast path, before anything is saved, without touching result registers:
        node = slot(g); if node == nil or node.top (uint64 at offset 0) < g.stack.hi - args base (unsigned), return.
        g.stack.hi is at offset 8 of g.
    checked: bytes of the body's frame (its greatest pcsp value), which its stack check guaranteed; needed if body_frame is 0.
        The exit stub has no stack check: its frame may be as large as that, or as abi.StackSmall.
    unchecked: the body has no stack check. If its entry stub pushed a record, that stub checked for `exit_room` bytes. The exit stub may
        also run for records of other calls, and returns if there is less room.
    roles used: "desc", "exit_hook". Calls exit_hook(desc, results area, args base, g).
    """

    teardown: bytes
    body_frame: int
    results: tuple[Piece, ...]
    area: int
    area_map: tuple[bool, ...]
    slot_offset: int
    checked: int = 0
    unchecked: bool = False


@dataclass(frozen=True, slots=True)
class ThroughSpec:
    """A call-through: replaces entry and exit stub if the returns of the body have no room for a jump. It calls the body from a frame of
    its own, so nothing may be passed on the stack.

    entry: the entry stub that it replaces; toggle and room are not used. body_args: FuncInfo.Args of the body, the spill area of its
    register arguments. area, area_map, slot_offset: as in ExitSpec, for `entry.results`.
    roles used: "desc", "enter", "exit_hook", "called" (the body), "body" (jumped to where `entry.guard` forbids the hook), "morestack".
    """

    entry: EntrySpec
    body_args: int
    area: int
    area_map: tuple[bool, ...]
    slot_offset: int


@dataclass(frozen=True, slots=True)
class Load:
    """A thunk's move from memory to an argument register: dst.offset counts from `base`."""

    base: Base
    dst: Piece


@dataclass(frozen=True, slots=True)
class Copy:
    """A thunk's move from memory (`offset` from `base`) to the hook's outgoing stack arguments (`to`, bytes from the hook's args base).
    size: bytes, any."""

    base: Base
    offset: int
    to: int
    size: int


@dataclass(frozen=True, slots=True)
class ThunkSpec:
    """A thunk: func(itab, ctx, args, results, boxes unsafe.Pointer) in ABIInternal, that calls role "hook" with (itab, ctx)
    as its first, interface, parameter and the loads and copies as the rest. Without any, the hook gets the thunk's own arguments, all
    five. hook_args: FuncInfo.Args of the hook in bytes (stack arguments, results and spill area), to be reserved in the thunk's
    frame. The func value of role "catch" is deferred while
    the hook runs, so that a hook's panic ends there and the thunk returns: at the price of two stores. Has a stack check ("morestack" role) unless
    its frame is small enough to be NOSPLIT; `Code.entries` has "nosplit" -> 1 if so, and then its own args area is never
    written: the args map must have no pointers. With a check it has five.
    """

    loads: tuple[Load, ...]
    copies: tuple[Copy, ...]
    hook_args: int


@dataclass(frozen=True, slots=True)
class PatchSite:
    """An epilogue that can be overwritten. offset: where the jump goes; length: bytes that may be overwritten from there;
    teardown: original bytes before RET; body_frame: pcsp value at offset. Where a jump is longer than that, Patched has an island."""

    offset: int
    length: int
    teardown: bytes
    body_frame: int


@dataclass(frozen=True, slots=True)
class EpilogueScan:
    """sites: every return of the function, all patchable, or `refusal` says why not (machine reason, human sentence). through: the function
    leaves by returning only, so a call-through would see its exit."""

    sites: tuple[PatchSite, ...]
    refusal: tuple[str, str] | None = None
    through: bool = False


@dataclass(frozen=True, slots=True)
class Patched:
    """A body whose returns jump to role "target". Code after the original's end is an island: jumps that short ones lead to."""

    code: bytes
    fixups: tuple[Fixup, ...]


@dataclass(frozen=True, slots=True)
class SpillScan:
    """The spill code before morestack, decoded. pieces: offsets in the args area; None: there is no morestack call."""

    pieces: tuple[Piece, ...] | None
    refusal: tuple[str, str] | None = None
