"""Digests of otelobj itself and of the hook sources: part of every cache key and of `link -V=full`."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from objinst import paths

SOURCES = ("*.py", "*.yaml", "*.json")
HOOK_SOURCES = ("*.go", "go.mod", "go.sum", "*.s")


def stat_digest(folder: Path, patterns: tuple[str, ...]) -> str:
    """Names, sizes and times of the files below a folder: quick, for sources that are installed and not edited in place."""
    state = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.rglob(pattern)):
        stat = path.stat()
        state.update(f"{path.relative_to(folder)}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return state.hexdigest()


@functools.cache
def own_digest() -> str:
    """Of the code that rewrites."""
    import trampolines  # noqa: PLC0415 - its folder is wanted, not its code

    state = stat_digest(paths.HERE, SOURCES) + stat_digest(Path(trampolines.__file__).parent, SOURCES)
    return hashlib.sha256(state.encode()).hexdigest()


@functools.cache
def hooks_digest() -> str:
    """Of the Go sources of the hooks."""
    return stat_digest(paths.hooks_dir(), HOOK_SOURCES)
