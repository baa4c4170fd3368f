"""Where execution of a compiled function can come to: what the architectures' walks over its control flow share.

Nothing stands behind a call that never returns: the compiler ends the block there and lays out any other block behind it
(cmd/compile/internal/ssa, BlockExit; amd64/ssa.go and arm64/ssa.go, ssaGenBlock, Go 1.22-1.27). So such calls are known by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

ENDS = (
    "runtime.morestack", "runtime.gopanic", "runtime.panic", "runtime.goPanic", "runtime.throw", "runtime.fatal", "runtime.block", "runtime.Goexit",
    "runtime.goexit", "runtime.sigpanic",
)  # fmt: skip
"""Callees that never return, by the first letters of their names (ssagen/ssa.go, callers of rtcall without returns, and OCALLFUNC), and
runtime.morestack, behind which the function starts again as if it had only now been called."""


def reaches(start: int, goal: int, follow: Callable[[int], Iterable[int] | None]) -> bool | None:
    """Whether execution that stands at `start` can come to `goal`, offsets in a function. follow: what can be executed behind the
    instruction at an offset, None if it is not known. None: no way was found, and some are not known."""
    seen: set[int] = set()
    todo = [start]
    clear = True
    while todo:
        at = todo.pop()
        if at == goal:
            return True
        if at not in seen:
            seen.add(at)
            behind = follow(at)
            if behind is None:
                clear = False
            else:
                todo += behind
    return False if clear else None
