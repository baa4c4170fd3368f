"""One command with a time limit; what it leaves behind in its session is ended with it."""

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

IDLE = 0.2
"""A process that used less of its time than this share was not computing: it hung."""
MOST = 8_000_000
"""Bytes of output that are looked at."""


@dataclass(frozen=True, slots=True)
class Finished:
    """status: as subprocess has it. cpu: seconds, of what it waited for too. limited: it was ended at the time limit."""

    status: int
    output: str
    seconds: float
    cpu: float
    limited: bool

    @property
    def end(self) -> str:
        """How it ended, in words."""
        if self.limited:
            return "hang" if self.cpu < IDLE * self.seconds else "slow"
        if self.status < 0:
            return f"signal {-self.status}"
        return f"exit {self.status}"


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], limit: float) -> Finished:
    with tempfile.TemporaryFile() as output:
        begin = time.monotonic()
        process = subprocess.Popen(command, cwd=cwd, env=dict(env) | {"PWD": str(cwd)}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        limited = threading.Event()

        def stop() -> None:
            limited.set()
            kill(process.pid)

        timer = threading.Timer(limit, stop)
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        seconds = time.monotonic() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if not limited.is_set():
            kill(process.pid)  # what it started and did not wait for
        output.seek(0)
        text = output.read(MOST).decode("utf-8", "replace")
    return Finished(process.returncode, text, seconds, usage.ru_utime + usage.ru_stime, limited.is_set())


def kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
