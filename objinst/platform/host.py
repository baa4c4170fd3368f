"""The system that otelobj runs on. The class has what every POSIX system can do; a system's file has one with more, or with other answers.

Light: every link imports it, and what only some links need is imported where it is needed.
"""

from __future__ import annotations

import functools
import os
import signal
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from objinst.platform import system
from trampolines.arch import ARCHES

NAMES = {"win32": "windows"}
"""sys.platform where it is not GOOS."""
MACHINES = {found.machine: found.name for found in ARCHES.values()}
"""GOARCH by what uname says."""


class Host:
    """A POSIX system about which nothing else is known."""

    SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    """What asks a process to end."""
    OPEN_EXACTLY = os.O_NOFOLLOW | os.O_CLOEXEC
    """Flags to open a file that is no link, for this process alone."""
    TEMPORARY: tuple[str, ...] = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - as tempfile has them
    """Folders for temporary files that no variable names."""
    LAUNCHER = "otelobj"
    """The file that go runs, beside Python in an installation."""
    STAT = ("stat", "-c", "%n %i %s %y %z", "--")
    """As the launcher runs it: name, inode, size, and the times of content and inode. Files that do not exist give no line."""

    CACHE_VARIABLES: tuple[str, ...] = ("XDG_CACHE_HOME", "HOME")
    """Environment variables that locate caches."""

    MAXRSS_UNIT = 1024
    """Bytes that ru_maxrss counts (getrusage(2)): one on darwin."""

    # processes

    def tie(self) -> Callable[[int], None] | None:
        """What a new child calls so that the kernel sends it a signal, its argument, when its parent dies; None where there is no such thing."""
        return None

    def adopt_orphans(self) -> None:
        """From now on children whose parent has died are children of this process, where the system can do that."""

    def children(self) -> dict[int, list[int]]:
        """Parent -> children, of all processes; empty where the system does not tell."""
        return {}

    def running(self) -> set[int]:
        """All processes. Raises OSError where the system does not tell, as the next four do; they do so of a process that has ended, too."""
        raise OSError

    def command(self, process: int) -> list[str]:  # noqa: ARG002
        """The command line of a process."""
        raise OSError

    def session(self, process: int) -> int:  # noqa: ARG002
        """The process that leads the session of another."""
        raise OSError

    def processor_seconds(self, process: int) -> float:  # noqa: ARG002
        """Seconds of processors that a process has used."""
        raise OSError

    def memory(self, process: int) -> tuple[int, int]:  # noqa: ARG002
        """The resident memory of a process now, and the most so far, in bytes."""
        raise OSError

    def age(self) -> float:
        """Seconds since this process began, what it has executed before included; 0 where the system does not tell."""
        return 0.0

    def processors(self) -> int:
        """How many processes can run at once."""
        return os.cpu_count() or 1

    def processor(self) -> str:
        """What the processor is sold as; "" where the system does not tell."""
        return ""

    @functools.cached_property
    def goarch(self) -> str:
        """GOARCH of this machine; "" for one that is not known."""
        return MACHINES.get(os.uname().machine, "")

    # files

    def lock(self, handle: int, *, shared: bool = False, wait: bool = True) -> None:
        """Locks an open file until it is closed. Raises BlockingIOError if another process has it and this one does not wait, OSError for a file
        system without locks."""
        import fcntl  # noqa: PLC0415 - not every system has it

        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))

    def lockers(self, handle: int) -> list[int]:  # noqa: ARG002
        """The processes that have an open file locked; empty where the system does not tell."""
        return []

    def cache_folder(self, environ: Mapping[str, str]) -> Path | None:
        """The folder for caches of this user; None for a user without a home folder. environ: has CACHE_VARIABLES, "" for one that is not set."""
        xdg, home = environ.get("XDG_CACHE_HOME", ""), environ.get("HOME", "")
        if os.path.isabs(xdg):  # noqa: PTH117 - the specification ignores relative ones
            return Path(xdg)
        home = home if os.path.isabs(home) else self._home()  # noqa: PTH117
        return Path(home) / ".cache" if os.path.isdir(home) else None  # noqa: PTH112

    def _home(self) -> str:
        import pwd  # noqa: PLC0415 - only where HOME is missing

        try:
            return pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:
            return ""

    def user(self) -> int:
        """Number of the user that this process acts for."""
        return os.geteuid()

    def owner(self, state: os.stat_result) -> int:
        """Number of the user that a file belongs to."""
        return state.st_uid

    def others_write(self, state: os.stat_result) -> bool:
        """Whether anybody but this user can write a folder."""
        return bool(state.st_mode & stat.S_IWOTH) or (bool(state.st_mode & stat.S_IWGRP) and not _is_own_group(state.st_gid))


def _is_own_group(number: int) -> bool:
    """Whether a group has this user alone, as some distributions give everybody one."""
    import grp  # noqa: PLC0415
    import pwd  # noqa: PLC0415

    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(number)
    except KeyError:
        return False
    return user.pw_gid == number and group.gr_name == user.pw_name and not set(group.gr_mem) - {user.pw_name}


@functools.cache
def host() -> Host:
    """The system of this machine."""
    found = getattr(system(goos()), "HOST", None)
    return found if isinstance(found, Host) else Host()


def goos() -> str:
    """GOOS of this machine."""
    return NAMES.get(sys.platform, sys.platform)
