"""Which packages of an importcfg the linker loads.

The go command lists those and no others. Other build systems list what they have, such as the whole standard library, some of it in
archives that do not exist: there the linker's own way is taken, from the root package along the Autolib entries
(cmd/link/internal/ld/lib.go, loadlib and loadinternal, Go 1.22-1.27).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from objinst.gobuild.command import LinkCommand
from objinst.goobj.archive import Archive, peek

SANITIZERS = {"race": "runtime/race", "msan": "runtime/msan", "asan": "runtime/asan"}
"""Packages that a flag makes the linker load."""
CGO = "runtime/cgo"


@dataclass(frozen=True, slots=True)
class Loaded:
    """packages: import path -> archive of all that is linked, the root package left out. spare: what the importcfg has beside, and
    what hooks can use without making the program another one: it needs neither cgo nor a sanitizer that the program has not."""

    packages: dict[str, Path]
    spare: dict[str, Path]


def loaded(listed: Mapping[str, Path], command: LinkCommand) -> Loaded:
    """listed: the packages of the importcfg. Raises ObjectError for an archive that is loaded and damaged."""
    main = Path(command.main)
    listed = {package: path for package, path in listed.items() if path != main}  # the go command names it by its path, too
    if "/" in peek(main).build_id:
        return Loaded(listed, {})
    imports: dict[str, tuple[str, ...]] = {}

    def reach(roots: Iterable[str]) -> set[str]:
        seen: set[str] = set()
        waiting = list(roots)
        while waiting:
            package = waiting.pop()
            if package not in seen and package in listed:
                seen.add(package)
                if package not in imports:
                    imports[package] = imported(listed[package])
                waiting += imports[package]
        return seen

    own = reach([*imported(main), "runtime", *(package for flag, package in SANITIZERS.items() if command.on(flag))])
    foreign = {CGO, *SANITIZERS.values()} - own
    others = [package for package, path in listed.items() if package not in own and path.exists()]
    spare = {package: listed[package] for package in others if all(part not in foreign and listed[part].exists() for part in reach([package]))}
    return Loaded({package: listed[package] for package in listed if package in own}, spare)


def imported(archive: Path) -> tuple[str, ...]:
    """What an archive makes the linker load; nothing for one that does not exist, which the linker itself will name."""
    if not archive.exists():
        return ()
    return tuple(dict.fromkeys(path for obj in Archive.read(archive).objects().values() for path, _ in obj.autolib))
