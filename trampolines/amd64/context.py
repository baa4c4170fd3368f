"""Whether a function reads the closure context (DX) before it writes it: then DX holds a live pointer at its entry (amd64).

Needed of functions without a stack check: of others, the variant of morestack that they call tells. Follows every path from the
entry for as long as DX is what the caller left in it. An instruction that is not known ends the search without an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trampolines.amd64.decode import decode

TRANSPARENT = ("runtime.duffzero", "runtime.duffcopy", "runtime.gcWriteBarrier")
"""Callees that leave DX alone. After any other call it holds nothing that the caller passed."""


def reads_context(code: bytes, calls: Mapping[int, str], cases: Sequence[int]) -> bool | None:
    """None: not understood. calls: offset of each call's displacement -> name of the callee; cases: offsets that jump tables name. An
    indirect jump goes to one of these, or is a tail call of a method, which has no context."""
    seen: set[int] = set()
    todo = [0]
    while todo:
        at = todo.pop()
        while at not in seen and at < len(code):
            seen.add(at)
            step = decode(code, at, calls)
            if step is None:
                return None
            if step.reads:
                return True
            if step.writes or (step.callee is not None and not step.callee.startswith(TRANSPARENT)):
                break
            todo += cases if step.switches else () if step.target is None else (step.target,)
            if not step.falls:
                break
            at += step.length
    return False
