"""Which functions may never be hooked, whatever a rule says.

runtime and every package it imports (they run on the system stack, under locks, before the scheduler exists); what
`hooks/rt` depends on; FIPS text (its checksum covers the code); assembly; what can run between fork and exec; and three
functions that the runtime calls where otelobj's Go code must not run.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

from objinst.goobj import Object
from objinst.plan.model import Refusal

RT_IMPORTS = frozenset({"unsafe", "sync/atomic"})
BY_NAME = {
    "time.sendTime": "runs on the system stack under a timer lock",
    "time.goFunc": "runs on the system stack under a timer lock",
    "sync.poolCleanup": "runs while the world is stopped",
}
FORK_ROOTS = ("syscall.forkAndExecInChild", "syscall.forkAndExecInChild1")


def excluded_packages(imports: Callable[[str], Iterable[str]], rt: str) -> frozenset[str]:
    """runtime, rt and all that they import. imports: the direct imports of a package of the link."""
    seen: set[str] = set()
    todo = ["runtime", "sync/atomic", rt]
    while todo:
        package = todo.pop()
        if package not in seen:
            seen.add(package)
            todo += imports(package)
    return frozenset(seen | RT_IMPORTS)


@functools.lru_cache(maxsize=4)
def fork_set(syscall: Object) -> frozenset[int]:
    """Text symbols of package syscall that can run between fork and exec: reached by calls from the child's code."""
    roots = [index for name in FORK_ROOTS for index in syscall.find_all(name)]
    seen: set[int] = set()
    while roots:
        index = roots.pop()
        if index in seen:
            continue
        seen.add(index)
        targets = (syscall.resolve(reloc.sym).index for reloc in syscall.relocs(index))
        roots += [target for target in targets if target is not None and syscall.is_text(target)]
    return frozenset(seen)


def refusal_by_name(symbol: str) -> Refusal | None:
    """The refusal of the functions that are never hooked by name."""
    why = BY_NAME.get(symbol)
    return Refusal("unsafe-context", f"{symbol} {why}") if why else None
