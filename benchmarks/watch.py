"""What otelobj takes of a build that runs: seconds until the real linker starts, and memory, summed over its processes.

Read from /proc while the build runs, since a link step ends in the linker and its processes end with it.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 0.02
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SESSION, START, COMM_END = 3, 19, b")"
"""Fields of /proc/PID/stat behind the command's name (proc(5))."""


@dataclass(frozen=True, slots=True)
class Watched:
    """seconds: from otelobj's start to the linker's, 0 if there was no otelobj. memory: the most resident memory of all processes of otelobj at a time, bytes;
    what they share counts for each."""

    seconds: float
    memory: int


def run(command: Sequence[str], folder: Path, env: Mapping[str, str]) -> Watched:
    """Runs a command that links once. Raises SystemExit if it fails."""
    process = subprocess.Popen(command, cwd=folder, env=env, start_new_session=True)
    watch = Watch(process.pid)
    watch.start()
    status = process.wait()
    watch.done.set()
    watch.join()
    if status:
        raise SystemExit(f"status {status}: {' '.join(command)}")
    return Watched((watch.linker - watch.own) / TICK if watch.own and watch.linker else 0, watch.memory)


class Watch(threading.Thread):
    """Looks at the processes of a session again and again. own: when the first one of otelobj started, in ticks, 0 if none did; linker: the
    last one, since otelobj itself may build a program."""

    def __init__(self, session: int) -> None:
        super().__init__(daemon=True)
        self.session, self.done = session, threading.Event()
        self.own = self.linker = self.memory = 0
        self._strangers: set[str] = set()

    def run(self) -> None:
        while not self.done.wait(INTERVAL):
            listed = {name for name in os.listdir("/proc") if name.isdecimal()}
            self._strangers &= listed
            self.memory = max(self.memory, sum(self._look(name) for name in listed - self._strangers))

    def _look(self, name: str) -> int:
        """Notes a process; returns its resident memory in bytes if it is otelobj's."""
        try:
            stat = Path("/proc", name, "stat").read_bytes()
            fields = stat[stat.rindex(COMM_END) + 2 :].split()
            if int(fields[SESSION]) != self.session:
                self._strangers.add(name)
                return 0
            words = Path("/proc", name, "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"/link") and b"-V=full" not in words:
                self.linker = max(self.linker, int(fields[START]))
            if b"--tool" not in words:
                return 0
            self.own = min(self.own or int(fields[START]), int(fields[START]))
            return int(Path("/proc", name, "statm").read_bytes().split()[1]) * PAGE
        except (OSError, ValueError, IndexError):
            return 0  # it has ended
