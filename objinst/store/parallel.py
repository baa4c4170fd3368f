"""Work for all processors: one forked process each. They return results only on disk."""

from __future__ import annotations

import bisect
import contextlib
import functools
import operator
import os
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from objinst.ending import fork, wait
from objinst.errors import OtelobjError
from objinst.platform.host import host

if TYPE_CHECKING:
    from multiprocessing import connection

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


def in_order(needs: Mapping[str, Collection[str]], work: Callable[[str], object], done: Callable[[], object]) -> None:
    """Does the work for every name, after that for the names that it needs, in as many processes as there are processors.

    Results are on disk. needs: in an order in which each name follows those it needs; the longest chains begin first. done: called here after each.
    Raises what has stopped it.
    """
    from multiprocessing import connection  # noqa: PLC0415 - only the first link with a toolchain comes here

    weight: dict[str, int] = {}
    users: dict[str, list[str]] = {name: [] for name in needs}
    for name, needed in needs.items():
        for other in needed:
            users[other].append(name)
    for name in reversed(list(needs)):
        weight[name] = 1 + max((weight[user] for user in users[name]), default=0)
    waits = {name: len(needed) for name, needed in needs.items()}
    ready = sorted((name for name, count in waits.items() if not count), key=weight.__getitem__)
    idle: list[connection.Connection] = []
    busy: dict[connection.Connection, str] = {}
    children: list[int] = []
    left = len(needs)
    try:
        for _ in range(min(host().processors(), len(needs))):
            ours, theirs = connection.Pipe()
            children.append(fork(functools.partial(_serve, theirs, (*idle, ours), work)))
            theirs.close()
            idle.append(ours)
        while left:
            while idle and ready:
                worker = idle.pop()
                busy[worker] = ready.pop()
                with _alive():
                    worker.send(busy[worker])
            finished = set(connection.wait(busy))
            for worker in [worker for worker in busy if worker in finished]:
                with _alive():
                    problem = worker.recv()
                _raise(problem)
                name = busy.pop(worker)
                idle.append(worker)
                left -= 1
                done()
                for user in users[name]:
                    waits[user] -= 1
                    if not waits[user]:
                        bisect.insort(ready, user, key=weight.__getitem__)
        for worker in idle:
            with contextlib.suppress(ConnectionError):  # it was killed, after its work
                worker.send(None)
    except BaseException:
        for child in children:
            os.kill(child, signal.SIGTERM)
        raise
    finally:
        for worker in (*idle, *busy):
            worker.close()
        for child in children:
            wait(child)


@contextlib.contextmanager
def _alive() -> Iterator[None]:
    """While one speaks with a worker. Raises OtelobjError if it was killed, whether at work or idle (BrokenPipeError) or in between (ConnectionResetError)."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise OtelobjError("a process that compiles was killed", "is there enough memory? build again: what is compiled is kept") from None


def _serve(pipe: connection.Connection, others: Sequence[connection.Connection], work: Callable[[str], object]) -> None:
    """Works on what comes through a pipe, until None comes, or EOFError because the parent is gone. others: ends of the parent's, which would hide that."""
    for other in others:
        other.close()
    while (name := pipe.recv()) is not None:
        problem = None
        try:
            work(name)
        except Exception as error:  # noqa: BLE001 - raised again in the process that waits for it
            problem = error
        pipe.send(problem)


def _raise(problem: Exception | None) -> None:
    if problem is not None:
        raise problem


def _do(tasks: Sequence[Callable[[], object]]) -> None:
    for task in tasks:
        task()
