"""What hook packages of libraries are compiled against: the program's copy of the library, and OpenTelemetry from the private zone.

In a package below `hooks/instrumentation/LIBRARY`, an import is the program's if its module is one that the library's go.mod requires, unless that is a
hook module, OpenTelemetry, or marked as ours by a comment:

    require (
        github.com/gin-gonic/gin v1.9.1                 the program's
        github.com/DataDog/go-sqllexer v0.1.0 // private   ours, which hooks/private pins
        go.opentelemetry.io/otel v1.41.0                ours
    )

Imports are read from the sources of all files of a package, whatever their constraints are, since this is also asked where there is no go command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from objinst import hooktree
from objinst.gobuild import usertree
from objinst.hookpkgs.sources import is_in, program_modules


def reached(hooks: Path, packages: Iterable[str], wanted: Callable[[str], object] = hooktree.owner) -> list[str]:
    """Hook packages, and those that they import, directly or indirectly, as far as they are wanted."""
    found: dict[str, None] = {}
    waiting = [package for package in packages if hooktree.owner(package)]
    while waiting:
        package = waiting.pop()
        if package not in found:
            found[package] = None
            waiting += [name for name in imports(hooks, package) if wanted(name)]
    return list(found)


def observed(hooks: Path, packages: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Those of the hook packages, and of the ones that they import, which import packages of the program -> these. hooks: folder of the hook modules.

    It is asked for in each link. Only hooks of libraries are read, since no other hook module imports them."""
    found = {}
    for package in reached(hooks, (package for package in packages if library(package)), library):
        folder = hooktree.modules()[hooktree.owner(package) or ""]
        theirs = program_modules(hooks / folder)
        if names := tuple(name for name in imports(hooks, package) if is_in(name, theirs)):
            found[package] = names
    return found


def imports(hooks: Path, package: str) -> tuple[str, ...]:
    """What the sources of a hook package import, or seem to. Empty for any other package."""
    owner = hooktree.owner(package) or ""
    folder = hooktree.modules().get(owner, hooktree.BRIDGE if owner == hooktree.BRIDGE_PATH else None)
    if folder is None:
        return ()
    files = [file for file in (hooks / folder / package.removeprefix(owner).lstrip("/")).glob("*.go") if not file.name.endswith("_test.go")]
    return tuple(sorted({name for file in files for name in usertree.IMPORT.findall(file.read_text("utf-8"))}))


def library(package: str) -> hooktree.Library | None:
    """The library that a hook package is for."""
    folder = hooktree.modules().get(hooktree.owner(package) or "", "")
    return hooktree.libraries().get(folder.removeprefix(f"{hooktree.INSTRUMENTATION}/"))


def without(hooks: Path, packages: Iterable[str], dropped: Mapping[str, object]) -> list[str]:
    """The packages that import none of the dropped ones, not even indirectly."""
    return [package for package in packages if dropped.keys().isdisjoint(reached(hooks, [package]))]
