"""Work for all processors: one process each, forked, so that nothing is handed over but what they leave on disk."""

from __future__ import annotations

import operator
import os
import signal
from collections.abc import Callable, Sequence

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
    The processes end before this returns, also if it ends by an exception.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(min(processors, len(tasks)), 1)
    children = [_fork(tasks[number::workers]) for number in range(1, workers)]
    try:
        for task in tasks[::workers]:
            task()
    except BaseException:
        for child in children:
            os.kill(child, signal.SIGTERM)
        raise
    finally:
        for child in children:
            os.waitpid(child, 0)


def _fork(tasks: Sequence[Callable[[], object]]) -> int:
    """The process ID of a child that runs the tasks."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setpgid(0, 0)  # a signal to the group reaches the parent, which hands on one: a second would meet the clean-up after the first
        for task in tasks:
            task()
        status = 0
    finally:
        os._exit(status)
