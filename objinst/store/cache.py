"""The cache on disk: each entry is a folder, created once under a digest, completely or not at all. Its total size is bounded.

A folder is created under a temporary name and renamed, so an interrupt or a full disk leaves no partial entry. Two processes that create
the same entry both succeed. An entry records the sizes, times and digests of its files; one that is damaged, for example by a power cut,
is created again. Links hold a shared lock while they use the cache. After a link that added to it, the least recently used entries are
removed, if no other link is running, neither one of this user nor one of a user who reads this cache, and only in a folder that is marked
as otelobj's cache. objinst.store.root says where the cache is; $OTELOBJ_CACHE_SIZE is its bound.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from objinst.ending import temporary_folder, write_whole
from objinst.errors import OtelobjError, UsageError, reason
from objinst.platform.host import host
from objinst.store.root import ENTRY_KINDS, REMEDY, is_ours, make_folder, ready, root, shared

__all__ = ["NEW", "RECORD", "REMEDY", "alone", "bound", "contents", "file_digest", "find", "folder", "has", "in_use", "is_ours", "is_whole", "lock", "ready", "root", "trim"]

RECORD = ".entry"
"""In each entry: size in bytes, time of the last change in ns, SHA-256 and name of every file."""
END = "end\n"
"""The record's last line: one that was cut off is none."""
NEW = ".new-"
DEFAULT_BOUND = 5 * 10**9
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
ROOM = 0.8
"""Share of the bound that is left after trimming, so that not every link has to trim."""

STILL_USED = "wait for these builds to end, or end them; `otelobj cache clean --force` removes what they use, and they may fail"
READERS = "readers"
"""The lock that others may hold who read from this cache. The owner must let them read its file."""
READERS_WAIT = 5.0
"""Seconds for which a link waits for it."""

_made: set[Path] = set()
_left_out: set[Path] = set()
"""Shared caches whose lock was not to be had."""


def has(kind: str, digest: str) -> bool:
    """Whether `folder` would find it."""
    return find(kind, digest) is not None


def find(kind: str, digest: str) -> Path | None:
    """The folder of `digest`, if there is one."""
    places = (_in(folder, kind, digest) for folder in (root(), *_readable()))
    return next((place for place in places if _is_whole(place)), None)


def touch(kind: str, digest: str) -> None:
    """Marks an entry of the user's own cache as used, if there is one: those that were not used for the longest time are removed first."""
    with contextlib.suppress(OSError):
        os.utime(_in(root(), kind, digest))


def _in(folder: Path, kind: str, digest: str) -> Path:
    return folder / kind / digest[:2] / digest


def folder(kind: str, digest: str, make: Callable[[Path], None]) -> Path:
    """The folder of `digest`. If there is none, `make` fills a new one. Raises OtelobjError if it cannot be written."""
    found = find(kind, digest)
    if found is not None:
        return found
    place = _in(ready(), kind, digest)
    try:
        make_folder(place.parent)
        with temporary_folder(place.parent, NEW) as fresh:
            make(fresh)
            _record(fresh)
            _permit(fresh)
            _put(fresh, place)
    except OSError as error:
        raise OtelobjError(f"cache {place}: {reason(error)}", REMEDY) from error
    _made.add(place)
    return place


def _permit(folder: Path) -> None:
    """Lets those read an entry whom the umask lets read files, and nobody else write it. Raises OSError."""
    readers = (folder / RECORD).stat().st_mode & 0o044
    for parent, _, names in os.walk(folder):
        Path(parent).chmod(0o700 | readers | readers >> 2)
        for file in (Path(parent, name) for name in names):
            mode = file.stat().st_mode
            if mode & 0o022:
                file.chmod(mode & 0o755)


def _put(fresh: Path, place: Path) -> None:
    """Renames a folder into place. Another process may have been faster; a damaged entry is replaced. Raises OSError."""
    try:
        fresh.rename(place)
    except OSError:
        if not _is_whole(place):
            shutil.rmtree(place, ignore_errors=True)
            fresh.rename(place)


def _files(folder: Path) -> list[str]:
    """Names, relative to the folder, of all files but the record."""
    found = []
    for parent, _, names in os.walk(folder):
        at = os.path.relpath(parent, folder)
        found += [os.path.normpath(os.path.join(at, name)) for name in names]  # noqa: PTH118
    return sorted(name for name in found if name != RECORD)


def _record(folder: Path, digests: Mapping[str, str] | None = None) -> None:
    """Writes the record of an entry, atomically. digests: SHA-256 of each file, if they are known. Raises OSError."""
    if digests is None:
        digests = {name: file_digest(folder / name) for name in _files(folder)}
    lines = []
    for name, digest in digests.items():
        state = (folder / name).stat()
        lines.append(f"{state.st_size} {state.st_mtime_ns} {digest} {name}\n")
    write_whole(folder / RECORD, "".join([*lines, END]).encode("utf-8", "surrogateescape"))


def contents(place: Path) -> dict[str, tuple[int, str]]:
    """The files of an entry as it was made: name -> size and SHA-256. Raises OSError or ValueError."""
    lines = (place / RECORD).read_text("utf-8", "surrogateescape").removesuffix(END).splitlines()
    return {name: (int(size), digest) for size, _, digest, name in (line.split(" ", 3) for line in lines)}


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's content. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_whole(place: Path) -> bool:
    """Whether all files of an entry exist as recorded. Marks the entry as used.

    Files of this user are checked by size and time. Files of other users in a shared cache are checked by content, once per process; in this
    user's cache, files of other users are ignored. A copied cache has other times, so its contents are checked too.
    """
    try:
        with open(f"{place}/{RECORD}", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - hundreds of entries a link
            is_own = host().owner(os.fstat(file.fileno())) == host().user()
            text = file.read()
        if not text.endswith(END):
            return False
        lines = [line.split(" ", 3) for line in text.removesuffix(END).splitlines()]
        is_shared = root() not in place.parents
        moved = False
        for size, changed, _, name in lines:
            state = os.lstat(f"{place}/{name}")
            if state.st_size != int(size) or not stat.S_ISREG(state.st_mode):
                return False
            moved = moved or state.st_mtime_ns != int(changed)
            is_own = is_own and host().owner(state) == host().user()
        if not is_own and not is_shared:
            return False  # somebody else has put it there
        if (moved or not is_own) and not _has_content(place, tuple((digest, name) for _, _, digest, name in lines)):
            return False
        if is_shared:
            return True
        with contextlib.suppress(OSError):  # a cache that cannot be written is never trimmed
            if moved:
                _record(place, {name: digest for _, _, digest, name in lines})
            os.utime(place)
    except (OSError, ValueError):
        return False
    return True


@functools.cache
def _has_content(place: Path, files: tuple[tuple[str, str], ...]) -> bool:
    """files: (SHA-256, name)."""
    try:
        return all(file_digest(place / name) == digest for digest, name in files)
    except OSError:
        return False


def is_whole(path: Path) -> bool:
    """Whether the cache entry of a file is whole; for a file outside the cache, whether it exists."""
    return _is_whole(path.parent) if any(folder in path.parents for folder in (root(), *shared())) else path.exists()


# locks


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """A lock that one process holds at a time; released when the process ends. name: of a file, no path; ValueError would be a defect of the caller."""
    if "/" in name:
        raise ValueError(f"a lock called {name!r}")
    with _lock_file(name) as handle:
        host().lock(handle.fileno())
        yield


def _lock_file(name: str, mode: int = 0o600) -> BinaryIO:
    """Opens a lock file without truncating it or following a symbolic link. Raises OtelobjError."""
    path = ready() / "locks" / f"{name}.lock"
    try:
        make_folder(path.parent)
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | host().OPEN_EXACTLY, mode), "r+b", buffering=0)
    except OSError as error:
        raise OtelobjError(f"cache {path}: {reason(error)}", REMEDY) from error


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """While a link uses the cache and shared caches, nothing is removed from them. Afterwards, what it added may displace older entries. Raises
    UsageError."""
    limit = bound()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, OtelobjError):  # a cache that cannot be written, or a file system without locks
            handle = stack.enter_context(_lock_file("cache"))
            host().lock(handle.fileno(), shared=True)
            _lock_file(READERS, 0o644).close()
        for place in shared():
            stack.enter_context(_read_lock(place))
        yield
    if _made:
        trim(limit)


@contextlib.contextmanager
def _read_lock(place: Path) -> Iterator[None]:
    """Prevents the owner of a shared cache from removing what a link here reads. If the lock cannot be taken in time, that cache is not used.

    It has its own file: anyone who can read the shared cache can hold it, and the owner's links must not wait for that.
    """
    try:
        handle = os.open(place / "locks" / f"{READERS}.lock", os.O_RDONLY | host().OPEN_EXACTLY)
    except OSError:  # nobody removes anything from a copy, or a layer of an image
        yield
        return
    try:
        end = time.monotonic() + READERS_WAIT
        while not _is_locked(handle):
            if time.monotonic() > end:
                _left_out.add(place)
                break
            time.sleep(0.05)
        yield
    finally:
        _left_out.discard(place)
        os.close(handle)


def _is_locked(handle: int) -> bool:
    """Whether a shared lock could be taken; always true on a file system without locks."""
    try:
        host().lock(handle, shared=True, wait=False)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _readable() -> list[Path]:
    """Shared caches to search."""
    return [place for place in shared() if place not in _left_out]


@contextlib.contextmanager
def alone(*, wait: float | None = None, waits: Callable[[str], None] = lambda _: None) -> Iterator[bool]:
    """Whether no link uses the cache, including links of other users; none can start meanwhile. False on a file system without locks.

    wait: seconds to wait until that is the case, None: not at all. waits: called with the names of the processes that are waited for. Raises
    OtelobjError if they still use the cache after that.
    """
    with contextlib.ExitStack() as stack:
        try:
            handles = [stack.enter_context(_lock_file(name, mode)).fileno() for name, mode in (("cache", 0o600), (READERS, 0o644))]
        except OtelobjError:
            handles = []
        yield bool(handles) and all(_is_taken(handle, wait, waits) for handle in handles)


def _is_taken(handle: int, wait: float | None, waits: Callable[[str], None]) -> bool:
    """Whether this process has a lock alone, see `alone`."""
    end: float | None = None
    while True:
        try:
            host().lock(handle, wait=False)
        except BlockingIOError:
            if wait is None:
                return False
            if end is None:
                end = time.monotonic() + wait
                waits(_users(handle))
            elif time.monotonic() >= end:
                raise OtelobjError(f"{root()} is still in use, by {_users(handle)}", STILL_USED) from None
            time.sleep(0.05)
        except OSError:
            return False
        else:
            return True


def _users(handle: int) -> str:
    """The processes that have a lock, for messages."""
    numbers = host().lockers(handle)
    return f"process{'es' * (len(numbers) > 1)} {', '.join(map(str, numbers))}" if numbers else "other processes"


# the bound


def bound() -> int | None:
    """The maximum size of the cache after a link, in bytes; None: no limit. Raises UsageError."""
    text = os.environ.get("OTELOBJ_CACHE_SIZE", "").strip()
    return size_of(text, "OTELOBJ_CACHE_SIZE") if text else DEFAULT_BOUND


def size_of(text: str, name: str) -> int | None:
    """Bytes; None for `off`. name: of the setting. Raises UsageError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text, re.IGNORECASE)
    if match is None and text != "off":
        raise UsageError(f"{name}={text} is not a size", "give a number followed by K, M, G or T, such as 500M, or `off`")
    return int(float(match[1]) * UNITS[match[2].upper()]) if match else None


def trim(limit: int | None) -> int:
    """Removes the least recently used entries, down to ROOM of the limit. Returns the bytes freed: 0 while another link runs."""
    with alone() as ours:
        if not (ours and is_ours()):
            return 0
        for left in (path for kind in _kinds() for path in kind.glob(f"*/{NEW}*")):  # of a process that was killed: all others hold the lock
            shutil.rmtree(left, ignore_errors=True)
        entries = sorted(_entries())
        total = sum(size for _, size, _ in entries)
        freed = 0
        if limit is None or total <= limit:
            return 0
        for _, size, path in entries:
            if total - freed <= limit * ROOM:
                break
            _remove(path)
            freed += size
        return freed


def _entries() -> Iterator[tuple[float, int, Path]]:
    """(time of the last use, bytes, path) of every entry that can be created again."""
    places = [path.parent for kind in _kinds() for path in kind.glob(f"*/*/{RECORD}")]
    places += (root() / "closure").glob("*")
    places += (path for path in (root() / "version").rglob("*") if path.is_file())
    for place in places:
        with contextlib.suppress(OSError):
            files = [path for path in place.rglob("*") if not path.is_dir()] if place.is_dir() else [place]
            yield place.stat().st_mtime, sum(path.lstat().st_size for path in files), place


def _kinds() -> list[Path]:
    """Folders with entries that `folder` created."""
    return [root() / name for name in ENTRY_KINDS]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
