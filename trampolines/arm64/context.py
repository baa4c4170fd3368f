"""Whether a function reads the closure context (R26) before it writes it: then R26 holds a live pointer at its entry (arm64).

Needed of functions without a stack check: of others, the variant of morestack that they call tells. Follows every path from the
entry for as long as R26 is what the caller left in it. An instruction that is not known ends the search without an answer.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

from trampolines.arm64.decode import branch, touch

TRANSPARENT = ("runtime.duffzero", "runtime.duffcopy", "runtime.gcWriteBarrier")
"""Callees that leave R26 alone. After any other call it holds nothing that the caller passed."""


def reads_context(code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None:
    """None: not understood. calls: offset of each call instruction -> name of the callee; cases: offsets that jump tables name. An
    indirect jump goes to one of these, or is a tail call of a method, which has no context."""
    words = [word for (word,) in struct.iter_unpack("<I", code)]
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        while 0 <= at < len(code) and at not in seen:
            seen.add(at)
            word = words[at // 4]
            leaves = branch(word, at, calls.get(at), cases)
            if leaves is not None:
                if leaves.reads:
                    return True
                if leaves.callee is None or leaves.callee.startswith(TRANSPARENT):
                    todo += leaves.targets
                break
            done = touch(word)
            if done is None:
                return None
            if done.reads:
                return True
            if done.writes:
                break
            at += 4
    return False
