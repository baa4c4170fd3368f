"""Modules that nothing vouches for: no go.sum file has their hash, and the checksum database is not asked.

The go command checks a module against go.sum, and against the checksum database if it has no line there. GOSUMDB=off, GONOSUMDB and GOPRIVATE leave
the second out, and what it then downloads is taken as it is (cmd/go/internal/modfetch/fetch.go, checkModSum and useSumDB, Go 1.22-1.27). The modules of
the private zone are all pinned; here it is about what hook packages of the user's own import.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from objinst.gobuild.gocmd import Go

VARIABLES = ("GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOPRIVATE")
"""What decides whether the database is asked, beside the go command's own file."""


def notes(go: Go, folder: Path, given: str) -> list[str]:
    """A line about such modules, if there are any. folder: of the synthetic module, after its packages were listed. given: its go.sum before that."""
    named = unvouched(given, (folder / "go.sum").read_text("utf-8"), lambda: settings(go, folder))
    said = (
        f"no go.sum has the hash of {len(named)} modules that hook packages of yours need, and the checksum database is not asked (GOSUMDB, GONOSUMDB): "
        f"{', '.join(named)}; `go get` them in the program's module, or remove the setting"
    )
    return [said] if named else []


def settings(go: Go, folder: Path) -> tuple[str, str]:
    """GOSUMDB and GONOSUMDB, as the go command takes them."""
    found = json.loads(go.run(["env", "-json", "GOSUMDB", "GONOSUMDB"], folder))
    return found["GOSUMDB"], found["GONOSUMDB"]


def unvouched(given: str, after: str, asked: Callable[[], tuple[str, str]]) -> list[str]:
    """PATH@VERSION of modules whose hash is new in go.sum, and was not compared with the database's. asked: of `settings`, if there are any."""
    words = (line.split() for line in sorted({*after.splitlines()} - {*given.splitlines()}))
    new = [(line[0], line[1]) for line in words if len(line) == 3 and not line[1].endswith("/go.mod")]
    if not new:
        return []
    database, left_out = asked()
    return [f"{path}@{version}" for path, version in new if database == "off" or matches(left_out.split(","), path)]


def matches(patterns: Iterable[str], path: str) -> bool:
    """Whether one of these patterns matches the first elements of a module path (golang.org/x/mod/module, MatchPrefixPatterns)."""
    elements = path.split("/")
    for pattern in patterns:
        wanted = pattern.rstrip("/").split("/") if pattern else []
        if wanted and len(wanted) <= len(elements) and all(fnmatch.fnmatchcase(part, word) for part, word in zip(elements, wanted, strict=False)):
            return True
    return False
