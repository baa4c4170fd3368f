"""Work for all processors: one process each, forked, so that nothing is handed over but what they leave on disk."""

from __future__ import annotations

import functools
import operator
import os
import signal
from collections.abc import Callable, Sequence

from objinst.ending import fork, wait
from objinst.platform.host import host

WORTH_A_PROCESS = 4 << 20
"""Bytes of archives to read or rewrite from which on the work is shared out."""


def share_out(tasks: Sequence[tuple[int, Callable[[], object]]]) -> None:
    """Does the tasks by several processes, the largest first, if they are worth it; if not, they are left to whoever looks for what they
    make. Each with the bytes that it has to look at."""
    if sum(size for size, _ in tasks) >= WORTH_A_PROCESS:
        in_parallel([task for _, task in sorted(tasks, key=operator.itemgetter(0), reverse=True)])


def in_parallel(tasks: Sequence[Callable[[], object]]) -> None:
    """Runs every task once, dealt out in order to as many processes as there are processors.

    Only for tasks whose effect is on disk and which somebody looks for later: one that fails ends the work of its process, quietly.
    The processes end before this returns, also if it ends by an exception, and before this process ends.
    """
    workers = max(min(host().processors(), len(tasks)), 1)
    children: list[int] = []
    try:
        children += (fork(functools.partial(_do, tasks[number::workers])) for number in range(1, workers))
        _do(tasks[::workers])
    except BaseException:
        for child in children:
            os.kill(child, signal.SIGTERM)
        raise
    finally:
        for child in children:
            wait(child)


def _do(tasks: Sequence[Callable[[], object]]) -> None:
    for task in tasks:
        task()
