"""Whether execution can come back to a call in a function: whether the call is in a loop (arm64)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from trampolines.arm64.decode import branch
from trampolines.flow import ENDS, reaches


def comes_back(code: bytes, calls: Mapping[int, str], cases: Sequence[int], at: int) -> bool | None:
    """Whether the call at `at` can be executed again after it has returned. calls: offset of each relocated call or branch -> name of the
    callee; cases: offsets that jump tables name. Never None: whatever is no branch goes on behind it."""

    def follow(here: int) -> Iterable[int]:
        if not 0 <= here <= len(code) - 4:
            return ()
        (word,) = struct.unpack_from("<I", code, here)
        leaves = branch(word, here, calls.get(here), cases)
        if leaves is None:
            return (here + 4,)
        return () if leaves.callee is not None and leaves.callee.startswith(ENDS) else leaves.targets

    return reaches(at + 4, at, follow)
