"""Linux, as the system that otelobj runs on and as the one that programs are linked for."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from objinst.platform.host import Host
from objinst.platform.target import Target
from trampolines.arch import AMD64, ARCHES, ARM64
from trampolines.contract import GateSpec

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
"""linux/prctl.h"""


class Linux(Host):
    """As the host."""

    def tie(self) -> Callable[[int], None] | None:
        """None in threads, too: the kernel means the thread that has started the child."""
        call = _prctl()
        if call is None or threading.get_native_id() != os.getpid():
            return None
        return lambda number: call(PR_SET_PDEATHSIG, number)

    def adopt_orphans(self) -> None:
        call = _prctl()
        if call is not None:
            call(PR_SET_CHILD_SUBREAPER, 1)

    def children(self) -> dict[int, list[int]]:
        try:
            names = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208 - a signal handler has no time for paths
        except OSError:
            return {}
        found: dict[int, list[int]] = {}
        for name in names:
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123
                found.setdefault(int(file.read().rpartition(b")")[2].split()[1]), []).append(int(name))
        return found

    def parent_command(self) -> list[str]:
        return Path(f"/proc/{os.getppid()}/cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")

    def lockers(self, handle: int) -> list[int]:
        """From /proc/locks (proc_locks(5)): `1: FLOCK  ADVISORY  READ 16423 fe:00:5359396 0 EOF`. The device's numbers are left out: some file systems
        have others there than stat(2) tells."""
        number = os.fstat(handle).st_ino
        try:
            rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
            return sorted({int(row[4]) for row in rows if row[1] == "FLOCK" and int(row[5].rpartition(":")[2]) == number and int(row[4]) != os.getpid()})
        except (OSError, ValueError, IndexError):
            return []

    def age(self) -> float:
        """To a hundredth: field 22 of /proc/PID/stat is in ticks since the system booted (proc(5))."""
        try:
            began = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return 0.0
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - began, 0.0)

    def processors(self) -> int:
        return len(os.sched_getaffinity(0))


@functools.cache
def _prctl() -> Callable[[int, int], None] | None:
    try:
        import ctypes  # noqa: PLC0415 - only for links that start something

        prctl = ctypes.CDLL(None).prctl
    except Exception:  # noqa: BLE001 - a Python without ctypes, or one that is statically linked
        return None
    word = ctypes.c_ulong

    def call(option: int, value: int) -> None:
        prctl(option, word(value), word(0), word(0), word(0))

    return call


HOST = Linux()

SIGHUP, SIGINT, SIGTERM = 1, 2, 15
FUTEX_WAKE_PRIVATE = 1 | 128
"""linux/futex.h"""
SYSTEM_CALLS = {AMD64.name: (39, 202), ARM64.name: (172, 98)}
"""getpid and futex (syscall/zsysnum_linux_*.go)."""
TARGET = Target(
    "linux",
    architectures=tuple(ARCHES),
    build_modes=("exe", "pie"),
    gates={
        goarch: GateSpec((SIGHUP, SIGINT, SIGTERM), getpid, futex, FUTEX_WAKE_PRIVATE) for goarch, (getpid, futex) in SYSTEM_CALLS.items()
    },
    programs={b"\x7fELF": "an ELF program"},
    reader="objinst.platform.elf",
)
