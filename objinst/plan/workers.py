"""Finds calls that receive work from a channel in a loop: a goroutine that makes them may serve many requests, whichever of them started it.

The compiler turns each receive, range and select into a call into the runtime (cmd/compile/internal/walk/select.go, range.go, Go 1.22-1.27).
A loop around it is a path in the function's control flow from the call back to itself. A call is identified by the function that contains
the code, even if that code was inlined, and by its return address. A call does not receive work
- if it is a plain receive in a function that also sends: it waits for a resource, such as a place in a semaphore, and returns it later;
- if the function returns what it received, or something derived from it, as in a pool's Get with a retry loop. It may return an error.
  Without debug information (`go run` leaves it out of package main), no function is known to return anything.

Two cases are missed, both in loops over iterators: a single receive in a body that the compiler did not inline, because the loop is in another
function; and unnamed results of a function that returns out of such a body (objinst.signatures.dwarf).
"""

from __future__ import annotations

import re

from objinst.goobj import Object
from objinst.plan.forms import switch_cases
from objinst.rules.names import printed
from objinst.signatures.dwarf import signature
from objinst.types import NoSignature
from trampolines import Arch

TAKES = frozenset({"runtime.chanrecv2", "runtime.selectgo", "runtime.selectnbrecv"})
RECEIVE = "runtime.chanrecv1"
"""A receive without `ok`, which may also wait for an end, a place or a token."""
PUTS_BACK = frozenset({"runtime.chansend1", "runtime.selectnbsend"})
_RANGE_BODY = re.compile(r"-range\d+$")


def workers(obj: Object, arch: Arch) -> list[tuple[str, int]]:
    """The calls that receive work: name of the function, as runtime.Func.Name has it, and return address, bytes from its start. In order. Raises
    ObjectError."""
    candidates = obj.users(obj.builtin_refs(TAKES | {RECEIVE}))
    pairs = obj.tables.runtime.bracket_pairs
    return sorted({(printed(obj.name(index), pairs), place) for index in candidates if obj.is_text(index) for place in work_calls(obj, index, arch)})


def work_calls(obj: Object, index: int, arch: Arch) -> list[int]:
    """Return addresses, bytes from the function's start, of its calls that receive work; none if it is not a worker. Raises ObjectError."""
    calls = obj.calls(index)
    wanted = TAKES if PUTS_BACK.intersection(calls.values()) else TAKES | {RECEIVE}
    code, cases = bytes(obj.data(index)), switch_cases(obj, index)
    found = [at + arch.traits.call_tail for at, callee in calls.items() if callee in wanted and arch.comes_back(code, calls, cases, at)]
    return found if found and returns_nothing(obj, index) else []


def returns_nothing(obj: Object, index: int) -> bool:
    """Whether a function returns nothing but an error. The body of a loop over an iterator returns what the iterator requires, so the enclosing
    function counts."""
    name = obj.name(index)
    while body := _RANGE_BODY.search(name):
        name = name[: body.start()]
        outer = obj.find(name)
        if outer is None:
            return False
        index = outer
    found = signature(obj, index)
    return isinstance(found, NoSignature) or [result.type for result in found.results] in ([], ["error"])
