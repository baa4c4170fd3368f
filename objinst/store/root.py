"""The folder of the cache. Its contents are linked into programs and run, so only its user may be able to write there.

$OTELOBJ_CACHE_DIR, else $XDG_CACHE_HOME/otelobj, else ~/.cache/otelobj. If that folder belongs to another
user, or others can write to it, or the home folder is read-only, a private temporary folder is used, and one line says so. Folders of
$OTELOBJ_SHARED_CACHE are only read: naming them means trusting their owner.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from objinst.ending import temporaries
from objinst.errors import OtelobjError, UsageError, reason
from objinst.platform.host import host

TAG = "CACHEDIR.TAG"
TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# This folder is a cache of otelobj, which may remove what is in it (https://bford.info/cachedir/).\n"
REMEDY = "free some disk space or point OTELOBJ_CACHE_DIR at a folder that can be written"
ENTRY_KINDS = {
    "archive": "rewritten packages",
    "compiled": "hook packages and what they import",
    "hooks": "sources of the hooks",
    "sources": "sources of the private zone",
    "inlined": "inlined calls of each package",
    "facts": "what each package says of others",
    "init": "how each hook package is loaded",
    "gotypes": "types from export data, and the helper that reads them",
}
"""What `cache.folder` makes: entries that are whole or not there."""
KINDS = ENTRY_KINDS | {
    "closure": "which archives a link needs",
    "go": "go's own caches, where a build has no home folder",
    "version": "answers to `link -V=full`",
    "pycache": "bytecode of an installation that cannot be written",
    "toolchains": "Go toolchains from PyPI",
    "locks": "lock files",
}
"""Folders of the cache. Others are not ours and are left alone."""


def root() -> Path:
    """The cache's folder; it may not exist yet. Raises UsageError for a relative path."""
    return _root(*(os.environ.get(name, "") for name in ("OTELOBJ_CACHE_DIR", "TMPDIR", *host().CACHE_VARIABLES)))


def shared() -> tuple[Path, ...]:
    """Shared folders to read from as well. Raises UsageError for a relative path."""
    found = tuple(Path(name) for name in os.environ.get("OTELOBJ_SHARED_CACHE", "").split(os.pathsep) if name)
    for path in found:
        if not path.is_absolute():
            raise UsageError(f"OTELOBJ_SHARED_CACHE={path} is relative", "builds start in many folders: name an absolute one")
    return found


def ready() -> Path:
    """The cache's folder, created if necessary. Raises OtelobjError."""
    place = root()
    _make(place)
    return place


@functools.cache
def _root(given: str, _temporary: str, *variables: str) -> Path:
    wanted, problem = _wanted(given, dict(zip(host().CACHE_VARIABLES, variables, strict=True)))
    if wanted is not None and not problem:
        problem = distrust(wanted) or ("" if given else _unwritable(wanted))
    if wanted is not None and not problem:
        return wanted
    private = _private()
    where = f"cache {wanted}" if wanted else "cache"
    print(f"otelobj: warning: {where}: {problem}; using {private} instead (OTELOBJ_CACHE_DIR names another; what others have put into it stays)", file=sys.stderr)
    return private


def _wanted(given: str, variables: Mapping[str, str]) -> tuple[Path | None, str]:
    """The folder that the environment selects, or why there is none. Raises UsageError."""
    if given:
        if not os.path.isabs(given):  # noqa: PTH117
            raise UsageError(f"OTELOBJ_CACHE_DIR={given} is relative", "builds start in many folders: name an absolute one")
        return Path(given), ""
    place = host().cache_folder(variables)
    return (place / "otelobj", "") if place else (None, "there is no home folder")


def distrust(place: Path) -> str:
    """Why a folder cannot be a private cache of this user; "" if it can, or does not exist yet."""
    try:
        state = place.stat()
    except OSError:
        state = None
    if state is not None and stat.S_ISDIR(state.st_mode):
        if host().owner(state) != host().user():
            return f"it belongs to user {host().owner(state)}, not {host().user()}"
        if host().others_write(state):
            return "others can write it"
        for kind in KINDS:
            with contextlib.suppress(OSError):
                inside = (place / kind).lstat()
                if host().owner(inside) != host().user() or host().others_write(inside) or not stat.S_ISDIR(inside.st_mode):
                    return f"{kind} in it is not a folder that this user alone can write"
    for parent in {*place.absolute().parents, *place.resolve().parents}:
        with contextlib.suppress(OSError):
            above = parent.stat()
            if host().owner(above) not in {0, host().user()}:
                return f"user {host().owner(above)} can replace it, who owns {parent}"
            if host().others_write(above) and not above.st_mode & stat.S_ISVTX:
                return f"others can replace it, since they can write {parent}"
    return ""


def _unwritable(place: Path) -> str:
    """Why a folder, or its first existing parent, cannot be written; "" if it can."""
    for folder in (place, *place.parents):
        if folder.is_dir():
            return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} cannot be written"
        if folder.exists():
            return ""  # in the way: what is to be made there says so
    return ""


def _private() -> Path:
    """A private temporary folder of this user. Raises OtelobjError."""
    try:
        place = temporaries() / f"otelobj-{host().user()}"
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        state = place.lstat()
        if stat.S_ISDIR(state.st_mode) and host().owner(state) == host().user() and not state.st_mode & 0o077:
            return place
        fresh = Path(tempfile.mkdtemp(prefix="otelobj-", dir=place.parent))
    except OSError as error:
        raise OtelobjError(f"no folder for the cache: {error.filename}: {reason(error)}", REMEDY) from error
    owner = os.getpid()
    atexit.register(lambda: shutil.rmtree(fresh, ignore_errors=True) if os.getpid() == owner else None)
    return fresh


@functools.cache
def _make(place: Path) -> None:
    """Raises OtelobjError."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in os.scandir(place)}
        if TAG not in names and names <= {"toolchains", "pycache"}:
            (place / TAG).write_text(TAG_TEXT, "utf-8")
    except OSError as error:
        if not place.is_dir():
            raise OtelobjError(f"cache {place}: {reason(error)}", REMEDY) from error
    problem = distrust(place)  # somebody may have been faster
    if problem:
        raise OtelobjError(f"cache {place}: {problem}", REMEDY)


def make_folder(place: Path, mode: int = 0o755) -> None:
    """Creates a folder in the cache, and those between, which nobody else can write, whatever the umask. Who may read is decided by the cache's own
    folder: nobody, if otelobj has made it. mode: 0700 for what other programs fill, who heed the umask. Raises OSError."""
    if not place.is_dir():
        make_folder(place.parent, mode)
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=mode)


def is_ours() -> bool:
    """Whether the folder is marked as otelobj's cache, so that entries may be removed."""
    try:
        return (root() / TAG).read_text("utf-8").startswith(TAG_TEXT.splitlines()[0])
    except (OSError, ValueError):
        return False
