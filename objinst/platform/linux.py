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
PARENT, SESSION, USER_TIME, SYSTEM_TIME, BEGINNING = 1, 3, 11, 12, 19
"""Fields of /proc/PID/stat behind the command's name (proc(5)); times in ticks, the beginning since the system booted."""
PROCESSORS = ("model name", "Model", "Hardware", "cpu model")
"""Keys of /proc/cpuinfo that name the processor, by architecture."""


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
            with contextlib.suppress(OSError):
                found.setdefault(_stat(name, PARENT), []).append(int(name))
        return found

    def running(self) -> set[int]:
        return {int(name) for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208 - many times a second

    def command(self, process: int) -> list[str]:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode("utf-8", "surrogateescape").split("\0")

    def session(self, process: int) -> int:
        return _stat(process, SESSION)

    def processor_seconds(self, process: int) -> float:
        """To a hundredth."""
        return (_stat(process, USER_TIME) + _stat(process, SYSTEM_TIME)) / os.sysconf("SC_CLK_TCK")

    def memory(self, process: int) -> tuple[int, int]:
        lines = Path(f"/proc/{process}/status").read_text("utf-8", "replace").splitlines()
        fields = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS:", "VmHWM:")))
        if len(fields) < 2:
            raise OSError(f"process {process} has no memory")  # one that has ended and nobody has waited for
        return int(fields["VmRSS"].split()[0]) << 10, int(fields["VmHWM"].split()[0]) << 10

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
        """To a hundredth."""
        try:
            began = _stat("self", BEGINNING) / os.sysconf("SC_CLK_TCK")
        except OSError:
            return 0.0
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - began, 0.0)

    def processors(self) -> int:
        return len(os.sched_getaffinity(0))

    def processor(self) -> str:
        try:
            lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        except OSError:
            return ""
        known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
        return next((known[name] for name in PROCESSORS if known.get(name)), "")


def _stat(process: int | str, field: int) -> int:
    """A number from /proc/PID/stat. The command's name may have spaces and brackets. Raises OSError for a process that is not there."""
    with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - a signal handler has no time for paths
        words = file.read().rpartition(b")")[2].split()
    if len(words) <= field:
        raise OSError(f"/proc/{process}/stat has {len(words)} fields")
    return int(words[field])


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
