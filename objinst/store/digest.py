"""Digests of otelobj itself and of the hook sources: part of every cache key and of `link -V=full`.

They cover contents, not file times: installers set those freely, and two machines that share a build cache must agree.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from objinst import hooktree, paths

SOURCES = ("*.py", "*.yaml", "*.json", "*.go")
HOOK_SOURCES = ("*.go", "go.mod", "go.sum", "*.s")
"""What is compiled. Rules count by what they mean (RuleSet.digest)."""


def content_digest(folder: Path, patterns: tuple[str, ...]) -> str:
    """Digest of the names and contents of the files below a folder, without tests."""
    state = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.rglob(pattern) if path.is_file()):
        place = path.relative_to(folder)
        if not path.name.endswith("_test.go") and hooktree.TESTS.isdisjoint(place.parts):
            content = path.read_bytes()
            state.update(f"{place}\0{len(content)}\0".encode())
            state.update(content)
    return state.hexdigest()


@functools.cache
def own_digest() -> str:
    """Digest of the code that rewrites, and of the built-in names, since hooks that create telemetry are marked."""
    state = content_digest(paths.HERE, SOURCES) + content_digest(paths.trampolines_dir(), SOURCES) + " ".join(hooktree.names())
    return hashlib.sha256(state.encode()).hexdigest()


@functools.cache
def hooks_digest() -> str:
    """Digest of the Go sources of the hooks, and of what decides those of the private zone."""
    hooks = paths.hooks_dir()
    return hashlib.sha256(f"{content_digest(hooks, HOOK_SOURCES)} {content_digest(hooks / hooktree.PRIVATE, ('*',))}".encode()).hexdigest()
