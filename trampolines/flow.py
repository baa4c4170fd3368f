"""Where the execution of a compiled function can get, and what it does to the closure register on the way: walks over decoded instructions.

Execution does not continue after a call that never returns: the compiler ends the block there, and any other block may follow in the code
(cmd/compile/internal/ssa, BlockExit; amd64/ssa.go and arm64/ssa.go, ssaGenBlock, Go 1.22-1.27). So such calls are known by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

ENDS = (
    "runtime.morestack", "runtime.gopanic", "runtime.panic", "runtime.goPanic", "runtime.throw", "runtime.fatal", "runtime.block", "runtime.Goexit",
    "runtime.goexit", "runtime.sigpanic",
)  # fmt: skip
"""Callees that never return, by the first letters of their names (ssagen/ssa.go, callers of rtcall without returns, and OCALLFUNC), and
runtime.morestack, after which the function starts again as if it had only now been called."""
TRANSPARENT = ("runtime.duffzero", "runtime.duffcopy", "runtime.gcWriteBarrier")
"""Callees that preserve the closure register. After any other call, the caller's value is gone."""


class StackCheck(NamedTuple):
    """At the head of a function. end: offset of the first instruction after the check; tail: offset of the code that grows the stack."""

    end: int
    tail: int


class Step(NamedTuple):
    """One decoded instruction. length: in bytes. reads, writes: the closure register; reads is None if unknown. target: offset that
    it jumps to. falls: the next instruction can be reached. switches: it jumps to the cases of a switch. callee: the function that a call calls, "" if it is in
    a register; None if it is not a call."""

    length: int
    reads: bool | None = False
    writes: bool = False
    target: int | None = None
    falls: bool = True
    switches: bool = False
    callee: str | None = None

    def successors(self, at: int, cases: Sequence[int]) -> list[int]:
        """Offsets of what can be executed next. at: of the instruction; cases: offsets that the function's jump tables name."""
        found = list(cases) if self.switches else []
        if self.target is not None:
            found.append(self.target)
        if self.falls:
            found.append(at + self.length)
        return found


Decode = Callable[[bytes, int, Mapping[int, str]], Step | None]
"""decode(code, offset, calls): the instruction at an offset, None if it is not known. calls: offset of the relocation of each call, or jump out of
the function -> name of the callee."""


def reads_closure(decode: Decode, code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None:
    """Whether a function reads the closure register before it writes it: then it holds a live pointer at the function's entry. None: no
    such path was found, but some instruction is unknown. Only needed for functions without a stack check: others call a variant of morestack that shows it.

    Follows every path from the entry as long as the register holds the caller's value. cases: offsets that jump tables name; an
    indirect jump goes to one of these, or is a tail call of a method, which has no closure.
    """
    seen: set[int] = set()
    todo = [0]
    clear = True
    while todo:
        at = todo.pop()
        if at in seen or not 0 <= at < len(code):
            continue
        seen.add(at)
        step = decode(code, at, calls)
        if step is None or step.reads is None:
            clear = False
        elif step.reads:
            return True
        elif not step.writes and (step.callee is None or step.callee.startswith(TRANSPARENT)):
            todo += step.successors(at, cases)
    return False if clear else None


def reaches(decode: Decode, code: bytes, calls: Mapping[int, str], cases: Sequence[int], start: int, goal: int) -> bool | None:
    """Whether execution at offset `start` can reach `goal`. None: no path was found, but some instruction is unknown. calls, cases:
    as in reads_closure."""
    seen: set[int] = set()
    todo = [start]
    clear = True
    while todo:
        at = todo.pop()
        if at == goal:
            return True
        if at in seen or not 0 <= at < len(code):
            continue
        seen.add(at)
        step = decode(code, at, calls)
        if step is None:
            clear = False
        elif step.callee is None or not step.callee.startswith(ENDS):
            todo += step.successors(at, cases)
    return False if clear else None
