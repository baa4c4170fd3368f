"""Whether execution can come back to a call in a function: whether the call is in a loop (amd64)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trampolines.amd64.decode import decode
from trampolines.flow import ENDS, reaches

DISPLACEMENT = 4


def comes_back(code: bytes, calls: Mapping[int, str], cases: Sequence[int], at: int) -> bool | None:
    """Whether the call with its displacement at `at` can be executed again after it has returned; None: no way was found, and some
    instruction is not known. calls: offset of each relocated displacement -> name of the callee; cases: offsets that jump tables name."""

    def follow(here: int) -> Iterable[int] | None:
        if not 0 <= here < len(code):
            return ()
        step = decode(code, here, calls)
        if step is None:
            return None
        if step.callee is not None and step.callee.startswith(ENDS):
            return ()
        behind = list(cases) if step.switches else []
        if step.target is not None:
            behind.append(step.target)
        if step.falls:
            behind.append(here + step.length)
        return behind

    return reaches(at + DISPLACEMENT, at - 1, follow)
