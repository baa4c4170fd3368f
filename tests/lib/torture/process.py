"""One command with a time limit; what it leaves behind in its session is ended with it.

The limit is of processor time, since a machine that has other work to do makes nothing hang. A command hangs if it sleeps, with all that it
has started, long after it could have been done.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 10
"""Times the limit that a command may take by the clock."""
ASLEEP = 20
"""Looks in a row, one a second, that must find all processes asleep."""
MOST = 8_000_000
"""Bytes of output that are looked at."""
STOPPING = threading.Event()
TICKS = os.sysconf("SC_CLK_TCK")


class StoppedError(Exception):
    """The run as a whole is being ended: what a command did then says nothing."""


@dataclass(frozen=True, slots=True)
class Finished:
    """status: as subprocess has it. cpu: seconds, of what it waited for too. limited: why it was ended before its time, `slow` or `hang`, or nothing."""

    status: int
    output: str
    seconds: float
    cpu: float
    limited: str

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.limited:
            return self.limited
        return f"signal {-self.status}" if self.status < 0 else f"exit {self.status}"


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float) -> Finished:
    """Raises StoppedError if STOPPING is set before it ends."""
    with tempfile.TemporaryFile() as output:
        begin = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env) | {"PWD": str(cwd)}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            limited = _watch(process.pid, limit)
        finally:
            kill(process.pid)  # and what it has started and did not wait for
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if STOPPING.is_set():
            raise StoppedError
        seconds = time.monotonic() - begin
        output.seek(0)
        text = output.read(MOST).decode("utf-8", "replace")
    return Finished(process.returncode, text, seconds, usage.ru_utime + usage.ru_stime, limited)


def _watch(pid: int, limit: float) -> str:
    """Waits for the end of a process, which is not reaped; says why it must be ended, if so."""
    handle = os.pidfd_open(pid)
    try:
        begin, asleep = time.monotonic(), 0
        while not select.select([handle], [], [], 1.0)[0]:
            if STOPPING.is_set():
                return "stopped"
            waited = time.monotonic() - begin
            if waited < limit:
                continue
            busy, used = _session(pid)
            asleep = 0 if busy else asleep + 1
            if asleep >= ASLEEP:
                return "hang"
            if used >= limit or waited >= limit * PATIENCE + ASLEEP:
                return "slow"
        return ""
    finally:
        os.close(handle)


def _session(leader: int) -> tuple[bool, float]:
    """Whether a thread of a session wants to run, and the processor time of its processes, with that of children they have waited for (proc(5))."""
    busy, used = False, 0.0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != leader:
                continue
            used += sum(int(field) for field in fields[11:15]) / TICKS
            for task in (folder / "task").iterdir():
                busy = busy or (task / "stat").read_text().rpartition(")")[2].split()[0] in {"R", "D"}
    return busy, used


def kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
