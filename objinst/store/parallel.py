"""Work for all processors: one forked process each. They return results only on disk."""

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
    """Runs tasks in parallel if there are enough of them, the largest first; otherwise callers compute on demand. Each task comes with the
    number of bytes that it has to read."""
    if sum(size for size, _ in tasks) >= WORTH_A_PROCESS:
        in_parallel([task for _, task in sorted(tasks, key=operator.itemgetter(0), reverse=True)])


def in_parallel(tasks: Sequence[Callable[[], object]]) -> None:
    """Runs every task once, distributed in order over as many processes as there are processors.

    Only for tasks whose result is on disk and is looked up later: a task that fails silently ends the work of its process. All processes
    end before this returns, even if it raises, and before this process ends.
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
