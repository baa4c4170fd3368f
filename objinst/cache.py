"""The cache on disk: folders made once under a digest, whole or not at all, within a bound.

A folder is made beside its place and renamed into it, so an interrupt or a full disk leaves nothing half made; two processes
that make the same one both succeed. The sizes of its files stand in it: one that lost some to a power cut is made again.
Links hold a shared lock while they use the cache; what was not used for the longest time is removed when a link has added to it
and no other is running. $OTELOBJ_CACHE_DIR, else $XDG_CACHE_HOME/otelobj, else ~/.cache/otelobj; $OTELOBJ_CACHE_SIZE is the bound.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from objinst.ending import temporary_folder
from objinst.errors import OtelobjError, UsageError, reason

REMEDY = "free some disk space or point OTELOBJ_CACHE_DIR at a folder that can be written"
OTHERS = ("closure", "go", "locks", "toolchains", "version")
"""What lies in the cache beside the entries that `folder` makes."""
SIZES = ".sizes"
"""In each entry: size and name of every file."""
NEW = ".new-"
DEFAULT_BOUND = 5 * 10**9
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
ROOM = 0.8
"""Share of the bound that is left after trimming, so that not every link has to trim."""

_made: set[Path] = set()


def root() -> Path:
    """The cache's folder; it may not exist yet."""
    given = os.environ.get("OTELOBJ_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "otelobj"


def has(kind: str, digest: str) -> bool:
    """Whether `folder` would find it."""
    return _is_whole(_place(kind, digest))


def _place(kind: str, digest: str) -> Path:
    return root() / kind / digest[:2] / digest


def folder(kind: str, digest: str, make: Callable[[Path], None]) -> Path:
    """The folder of `digest`, made by `make` in an empty folder if there is none. Raises OtelobjError if it cannot be written."""
    place = _place(kind, digest)
    if _is_whole(place):
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(place.parent, NEW) as fresh:
            make(fresh)
            (fresh / SIZES).write_text("".join(f"{size} {name}\n" for name, size in _sizes(fresh)), "utf-8", "surrogateescape")
            _put(fresh, place)
    except OSError as error:
        raise OtelobjError(f"cache {place}: {reason(error)}", REMEDY) from error
    _made.add(place)
    return place


def _put(fresh: Path, place: Path) -> None:
    """Renames; another process may have been quicker, and what is not whole gives way. Raises OSError."""
    try:
        fresh.rename(place)
    except OSError:
        if not _is_whole(place):
            shutil.rmtree(place, ignore_errors=True)
            fresh.rename(place)


def _sizes(folder: Path) -> list[tuple[str, int]]:
    """Names, relative to the folder, and sizes in bytes of all files."""
    found = []
    for parent, _, names in os.walk(folder):
        at = os.path.relpath(parent, folder)
        found += [(os.path.normpath(os.path.join(at, name)), os.stat(os.path.join(parent, name)).st_size) for name in names]  # noqa: PTH116, PTH118
    return found


def _is_whole(place: Path) -> bool:
    """Whether all files of an entry are there in their sizes; it counts as used now."""
    try:
        with open(f"{place}/{SIZES}", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123 - hundreds of entries a link
            pairs = [line.split(" ", 1) for line in file.read().splitlines()]
        if any(os.stat(f"{place}/{name}").st_size != int(size) for size, name in pairs):  # noqa: PTH116
            return False
        with contextlib.suppress(OSError):  # a cache that cannot be written is never trimmed
            os.utime(place)
    except (OSError, ValueError):
        return False
    return True


def is_whole(path: Path) -> bool:
    """Of a file in an entry of the cache; of any other, whether it exists."""
    return _is_whole(path.parent) if root() in path.parents else path.exists()


# locks


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Held by one process at a time; released when the process ends."""
    path = _lock_path(name)
    try:
        handle = path.open("w")
    except OSError as error:
        raise OtelobjError(f"cache {path}: {error.strerror}", REMEDY) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _lock_path(name: str) -> Path:
    """Raises OtelobjError."""
    path = root() / "locks" / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OtelobjError(f"cache {path}: {error.strerror}", REMEDY) from error
    return path


@contextlib.contextmanager
def in_use() -> Iterator[None]:
    """While a link uses the cache nothing is removed from it; what it added may push out what is older. Raises UsageError."""
    limit = bound()
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError, OtelobjError):  # a cache that cannot be written, or a file system without locks
            handle = stack.enter_context(_lock_path("cache").open("w"))
            fcntl.flock(handle, fcntl.LOCK_SH)
        yield
    if _made:
        trim(limit)


@contextlib.contextmanager
def alone(*, wait: bool) -> Iterator[bool]:
    """Whether no link uses the cache; none will meanwhile. wait: until that is so."""
    with contextlib.ExitStack() as stack:
        try:
            handle = stack.enter_context(_lock_path("cache").open("w"))
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except (OSError, OtelobjError):
            yield False
        else:
            yield True


# the bound


def bound() -> int | None:
    """Bytes that the cache may have after a link; None: any number. Raises UsageError."""
    text = os.environ.get("OTELOBJ_CACHE_SIZE", "").strip()
    if not text:
        return DEFAULT_BOUND
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)B?", text, re.IGNORECASE)
    if match is None and text != "off":
        raise UsageError(f"OTELOBJ_CACHE_SIZE={text} is no size", "a number with K, M, G or T behind it, such as 500M, or `off`")
    return int(float(match[1]) * UNITS[match[2].upper()]) if match else None


def trim(limit: int | None) -> int:
    """Removes what was not used for the longest time, down to ROOM of the limit. Returns the bytes freed: none while another link runs."""
    with alone(wait=False) as ours:
        if not ours:
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
    """(time of the last use, bytes, path) of all that can be made again."""
    places = [path.parent for kind in _kinds() for path in kind.glob(f"*/*/{SIZES}")]
    places += (root() / "closure").glob("*")
    places += (path for path in (root() / "version").rglob("*") if path.is_file())
    for place in places:
        with contextlib.suppress(OSError):
            size = sum(size for _, size in _sizes(place)) if place.is_dir() else place.stat().st_size
            yield place.stat().st_mtime, size, place


def _kinds() -> list[Path]:
    """Folders of entries that `folder` made."""
    return [path for path in root().iterdir() if path.name not in OTHERS]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
