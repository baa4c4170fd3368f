"""Runs a command and says what it took: seconds, processor time, and memory by tool.

Memory is asked for while the command runs, several times a second, since what the system tells afterwards (ru_maxrss) is of the largest process alone, and
begins with what this process had when it forked: it counts only where it is more than that. The system's own high-water mark of each process is taken, so
little is missed between two looks. Where the system does not tell, little is known of memory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from objinst import ending
from objinst.platform.host import host

INTERVAL = 0.03
"""Seconds between two looks: a look takes a millisecond or two of one processor."""
OFTEN = 0.003
"""The same for short runs of one program."""
SURE = 1.1
"""How much more than this process's own memory the system must tell of a child's, to be of the child."""
OURS = ("otelobj", "__main__.py")
"""Ends of words of a command line that is otelobj's, whatever interpreter runs it."""


@dataclass(frozen=True, slots=True)
class Run:
    """seconds: until the command ended; cpu: seconds of processors, of all its processes. memory: the most resident memory of all its processes at a time, largest: of
    one process, and tools: of one by the name of its tool; in bytes, and 0 or empty if unknown. What processes share counts for each."""

    status: int
    seconds: float
    cpu: float
    memory: int
    largest: int
    tools: Mapping[str, int]
    out: str
    err: str


def run(command: Sequence[str], folder: Path, env: Mapping[str, str], *, by: signal.Signals = signal.SIGINT, every: float = INTERVAL) -> Run:
    """Runs a command to its end, in a session of its own, of which nothing is left. every: seconds between two looks. Raises OSError if it cannot be
    started."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        at_fork = _memory(os.getpid())[0]
        began = time.perf_counter()
        with ending.started(
            command, by=by, cwd=folder, env={**env, "PWD": str(folder)}, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        ) as process:
            watch = Watch(process.pid, every)
            watch.start()
            try:
                _, status, used = os.wait4(process.pid, 0)
                seconds = time.perf_counter() - began
                process.returncode = os.waitstatus_to_exitcode(status)
            finally:
                watch.stop()
                end_session(process.pid)
        told = used.ru_maxrss * host().MAXRSS_UNIT
        largest = max([*watch.tools.values(), told if told > at_fork * SURE else 0])
        return Run(process.returncode, seconds, used.ru_utime + used.ru_stime, max(watch.memory, largest), largest, dict(watch.tools), _text(out), _text(err))


def end_session(number: int) -> None:
    """Ends what a command has left behind in the background."""
    with contextlib.suppress(OSError):
        os.killpg(number, signal.SIGTERM)


def process_cpu(process: int) -> float | None:
    """Seconds of processors that a running process has used, to a hundredth; None where the system does not tell."""
    try:
        return host().processor_seconds(process)
    except OSError:
        return None


def process_peak(process: int) -> int:
    """The most resident memory that a running process has had, in bytes; 0 where the system does not tell."""
    return _memory(process)[1]


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


class Watch(threading.Thread):
    """Looks at the processes of a session again and again. memory: the most of all at a time; tools: name -> the most of one; both in bytes."""

    def __init__(self, session: int, every: float) -> None:
        super().__init__(daemon=True)
        self.session, self.every, self.done = session, every, threading.Event()
        self.memory = 0
        self.tools: dict[str, int] = {}
        self._strangers: set[int] = set()

    def run(self) -> None:
        with contextlib.suppress(OSError):  # a system that does not tell
            while True:
                self._look()
                if self.done.wait(self.every):
                    return

    def stop(self) -> None:
        self.done.set()
        self.join()

    def _look(self) -> None:
        listed = host().running()
        self._strangers &= listed
        self.memory = max(self.memory, sum(self._note(process) for process in listed - self._strangers))

    def _note(self, process: int) -> int:
        """Bytes that a process of the session has now."""
        try:
            if host().session(process) != self.session:
                self._strangers.add(process)
                return 0
            tool, (now, peak) = tool_name(host().command(process)), _memory(process)
        except OSError:
            return 0  # it has ended, or has just begun
        if tool:
            self.tools[tool] = max(self.tools.get(tool, 0), peak)
        return now


def tool_name(words: Sequence[str]) -> str:
    """The name of the tool that a command line runs; "" of a process that has ended. A launcher in front of a tool is about to become that tool."""
    if any(word.endswith(OURS) for word in words[:4]):
        return "otelobj"
    return Path(words[0]).name if words and words[0] else ""


def _memory(process: int) -> tuple[int, int]:
    """Resident memory now, and the most so far, in bytes; 0 if unknown."""
    try:
        return host().memory(process)
    except OSError:
        return 0, 0
