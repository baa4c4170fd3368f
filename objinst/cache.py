"""The cache on disk: folders made once under a digest, whole or not at all.

A folder is made beside its place and renamed into it, so an interrupt or a full disk leaves nothing half made; two processes
that make the same one both succeed. $OTELOBJ_CACHE_DIR, else $XDG_CACHE_HOME/otelobj, else ~/.cache/otelobj.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from objinst.errors import OtelobjError

REMEDY = "free some disk space or point OTELOBJ_CACHE_DIR at a folder that can be written"


def root() -> Path:
    """The cache's folder; it may not exist yet."""
    given = os.environ.get("OTELOBJ_CACHE_DIR")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "otelobj"


def folder(kind: str, digest: str, make: Callable[[Path], None]) -> Path:
    """The folder of `digest`, made by `make` in an empty folder if there is none. Raises OtelobjError if it cannot be written."""
    place = root() / kind / digest[:2] / digest
    if place.is_dir():
        return place
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=place.parent))
    except OSError as error:
        raise OtelobjError(f"cache {place}: {error.strerror}", REMEDY) from error
    try:
        make(fresh)
        with contextlib.suppress(OSError):
            fresh.rename(place)
        if not place.is_dir():
            raise OtelobjError(f"cache {place} cannot be put in place", REMEDY)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
            raise OtelobjError(f"cache {place}: {error.strerror}", REMEDY) from error
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


@contextlib.contextmanager
def lock(name: str) -> Iterator[None]:
    """Held by one process at a time; released when the process ends."""
    path = root() / "locks" / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = path.open("w")
    except OSError as error:
        raise OtelobjError(f"cache {path}: {error.strerror}", REMEDY) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
