"""What is known about archives, read once and cached: for one archive under its identity, for several under the identities of all of them.

The values are JSON, and this module does not interpret them; objinst.plan.facts and objinst.plan.inlining do.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst.store import cache
from objinst.store.digest import own_digest
from objinst.store.parallel import share_out

FILE = "known.json"


@dataclass(frozen=True, slots=True)
class Known:
    """kind: of entries in the cache. packages: import path -> archive. identity: distinguishes an archive from others; read: returns what
    is known about the archive of a package."""

    kind: str
    packages: Mapping[str, Path]
    identity: Callable[[Path], str]
    read: Callable[[str], dict[str, Any]]

    def of(self, package: str) -> dict[str, Any]:
        """What is known about the archive of a package."""
        return self._kept(self._key(package), lambda: self.read(package))

    def prepare(self, packages: Iterable[str]) -> None:
        """Reads what is not in the cache yet, in parallel if that is much work."""
        new = [package for package in packages if not cache.has(self.kind, _digest(self._key(package)))]
        share_out([(self.packages[package].stat().st_size, functools.partial(self.of, package)) for package in new])

    def of_each(self, packages: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What is known about the archives of several packages."""
        self.prepare(packages)
        return {package: self.of(package) for package in packages}

    def together(self, what: str, packages: Iterable[str], make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The result of `make` for these packages together. what: its name, and everything else that it depends on."""
        return self._kept("\n".join([what, *map(self._key, packages)]), make)

    def _key(self, package: str) -> str:
        return f"{package} {self.identity(self.packages[package])}"

    def _kept(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def write(folder: Path) -> None:
            (folder / FILE).write_text(json.dumps(make(), separators=(",", ":")), "utf-8", "surrogateescape")

        found: dict[str, Any] = json.loads((cache.folder(self.kind, _digest(key), write) / FILE).read_text("utf-8", "surrogateescape"))
        return found


def _digest(key: str) -> str:
    return hashlib.sha256(f"{own_digest()}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()
