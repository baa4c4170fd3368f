"""How this process ends on a signal: it first ends the processes that it has started, then removes its temporary files, then dies.

All of this happens in the signal handler. Nothing is raised: an exception could arrive between a call and the assignment of its result, or
in a finalizer, where Python drops it. So every process and file is registered here before code that knows it can be interrupted. Orphans
(children of a go command that was killed) are adopted and ended too, if the system supports that.

SIGKILL has no handler. Then the system ends the child processes, if it can, and unfinished files remain under names that are never taken
for finished ones.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from objinst.errors import OtelobjError
from objinst.platform.host import host

PATIENCE = 10.0
"""Seconds after which a process that was asked to end is killed."""
AGAIN = 0.1
"""Seconds after which it is asked again: Python forgets the signals that a forked child gets while it is being set up (PyOS_AfterFork_Child)."""

_processes: dict[int, signal.Signals] = {}
"""Process IDs of our children, and the signal that each ends by after it has cleaned up."""
_temporary: set[Path] = set()
_unfinished: dict[Path, tuple[int, ...]] = {}
"""Output files whose names others choose: other files of such a name stay."""
_deferring = 0
_deferred: list[int] = []
_is_ending = False


def handle(*, interrupts: bool) -> None:
    """From now on SIGTERM and SIGHUP end this process as described above. interrupts: SIGINT too; otherwise it raises KeyboardInterrupt."""
    for number in host().SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN and (interrupts or number != signal.SIGINT):
            signal.signal(number, _on_signal)


def _on_signal(number: int, _frame: object) -> None:
    if _deferring:
        _deferred.append(number)
    elif not _is_ending:
        _end(number)


def _end(number: int) -> None:
    global _is_ending  # noqa: PLW0603 - a process ends once
    _is_ending = True
    try:
        clear()
    finally:
        die(number)


def die(number: int) -> None:
    """Ends by a signal, like a tool without cleanup, so that the waiting process sees it."""
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # RuntimeError: the signal has interrupted a flush
        sys.stderr.flush()
    with contextlib.suppress(OSError):  # SIGKILL has no handler
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def clear() -> None:
    """Ends all processes that this one has started, waits for them, and removes unfinished files."""
    with contextlib.suppress(OSError):
        _end_processes()
    for path in list(_temporary):
        _remove(path)
    for path in list(_unfinished):
        _remove_unfinished(path)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """A signal during this block takes effect at its end."""
    global _deferring  # noqa: PLW0603 - of the process, as its signals are
    _deferring += 1
    try:
        yield
    finally:
        _deferring -= 1
        if _deferred and not _deferring and not _is_ending:
            _end(_deferred[0])


# files


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """A file or folder that the block creates and that is removed after it. Renaming it within the block keeps it."""
    _temporary.add(path)
    try:
        yield path
    finally:
        _remove(path)
        _temporary.discard(path)


def temporaries() -> Path:
    """The folder for the system's temporary files. Raises OtelobjError if there is none, because tempfile would use the current folder, which is the user's."""
    named = [os.environ.get(name, "") for name in ("TMPDIR", "TEMP", "TMP")]
    try:
        found = tempfile.gettempdir()
    except OSError:
        found = ""
    if found not in map(os.path.abspath, filter(None, [*named, *host().TEMPORARY])):
        raise OtelobjError("no folder for temporary files can be written", "free some space in /tmp, or point TMPDIR at a folder that can be written")
    return Path(found)


@contextlib.contextmanager
def temporary_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """An empty folder under a new name, removed after the block. Raises OSError if it cannot be created."""
    with temporary(parent / f"{prefix}{os.getpid()}-{os.urandom(6).hex()}") as path:
        path.mkdir(mode=0o700)
        yield path


def write_whole(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Writes a file completely or not at all: its bytes, or one piece after the other. First under an unpredictable name, never through a symbolic link. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | host().OPEN_EXACTLY
    with temporary(path.with_name(f".{path.name}.{os.urandom(8).hex()}")) as fresh:
        with open(os.open(fresh, flags, 0o666), "wb") as file:  # noqa: PTH123 - pathlib has no flags
            file.writelines([data] if isinstance(data, bytes) else data)
        fresh.replace(path)


@contextlib.contextmanager
def whole_or_gone(path: Path) -> Iterator[None]:
    """A file that the block writes: it is kept if the block ends normally, and removed if a signal or an exception ends it."""
    _unfinished[path] = _state(path)
    try:
        yield
    except BaseException:
        _remove_unfinished(path)
        raise
    finally:
        _unfinished.pop(path, None)


def _state(path: Path) -> tuple[int, ...]:
    """A value that changes when the file is written; empty if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _remove_unfinished(path: Path) -> None:
    """Removes an unfinished file; keeps a previous file that has not been overwritten yet."""
    if _state(path) != _unfinished.get(path):
        _remove_file(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        _remove_file(path)


def _remove_file(path: Path) -> None:
    """Not a device: programs are linked to /dev/null."""
    with contextlib.suppress(OSError):
        if path.is_file():
            path.unlink()


# processes


def run(
    command: Sequence[str], *, by: signal.Signals = signal.SIGTERM, said: str | None = None, capture_output: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """subprocess.run(check=False). by: the signal that makes the command clean up and end, should this process end. said: its standard input."""
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} if capture_output else {}
    pipes |= {"stdin": subprocess.PIPE} if said is not None else {}
    with started(command, by=by, **pipes, **options) as process:
        out, err = process.communicate(said)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


@contextlib.contextmanager
def started(command: Sequence[str], *, by: signal.Signals = signal.SIGTERM, **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process, which the block's end waits for. by: the signal that makes it clean up and end, should the block or this process end early."""
    with deferred():
        process = subprocess.Popen(command, preexec_fn=_tied(by), **options)  # noqa: PLW1509 - it makes one system call
        _processes[process.pid] = by
    with process:
        try:
            yield process
        except BaseException:
            process.send_signal(by)
            raise  # Popen waits
        finally:
            process.wait()
            _processes.pop(process.pid, None)


def fork(work: Callable[[], object]) -> int:
    """The process ID of a child that does the work and exits silently, with status 0 on success. It gets SIGTERM if this process dies."""
    tie = _tied(signal.SIGTERM)
    with deferred():
        child = os.fork()
        if child:
            _processes[child] = signal.SIGTERM
            return child
        status = 1
        try:
            _processes.clear()
            _temporary.clear()
            _unfinished.clear()
            if tie is not None:
                tie()
            _leave_deferral()
            work()
            status = 0
        finally:
            if status:
                clear()
            os._exit(status)


def _leave_deferral() -> None:
    """In a child: a signal that has arrived since before the fork was for this process too."""
    global _deferring  # noqa: PLW0603
    _deferring = 0
    if _deferred:
        _end(_deferred[0])


def wait(child: int) -> None:
    """Waits for a child of `fork`."""
    os.waitpid(child, 0)
    _processes.pop(child, None)


def _end_processes() -> None:
    host().adopt_orphans()
    began = time.monotonic()
    asked = -1
    while True:
        passed = time.monotonic() - began
        if passed // AGAIN > asked:
            asked = int(passed // AGAIN)
            for process in _descendants():
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL if passed > PATIENCE else _processes.get(process, signal.SIGTERM))
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _descendants() -> list[int]:
    """Process IDs of our children, their children and so on; only the registered ones if the system does not list them."""
    children = host().children()
    if not children:
        return list(_processes)
    found = list(children.get(os.getpid(), ()))
    for process in found:
        found += children.get(process, ())
    return found


def _tied(number: signal.Signals) -> Callable[[], None] | None:
    """For a new child, what makes the system send it a signal when this process dies. None if it cannot."""
    ask = host().tie()
    if ask is None:
        return None
    parent = os.getpid()

    def tie() -> None:
        ask(number)
        if os.getppid() != parent:  # it has died before
            os._exit(1)

    return tie
