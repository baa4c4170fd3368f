"""The pinned modules of the private zone: their versions and hashes, and the files of ours that are compiled in place of theirs.

`hooks/private/` has go.mod and go.sum, which name every module of the zone, and `replace.yaml`. Nothing else decides what is compiled: no
file of the user's, no module proxy, no checksum database. A hash in go.sum is that of golang.org/x/mod/sumdb/dirhash (Hash1): over names and
contents of all files of a module.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from objinst.errors import OtelobjError, reason
from objinst.goversions import number
from objinst.hooktree import PRIVATE
from objinst.paths import hooks_dir

REPLACE = "replace.yaml"
WHOLE = "_replace"
"""Folder of whole files. The go command looks into no folder whose name begins like that."""
REQUIRE = re.compile(r"^(?:require\s+|\t)(\S+) (v\S+)(?: // indirect)?$", re.MULTILINE)
IMPORT = re.compile(r'^\s*_ "([^"]+)"$', re.MULTILINE)
KEYS = {"module", "version", "file", "why"}
OPTIONAL = {"sha256", "below", "edits"}
REINSTALL = "reinstall otelobj; docs/contributing/private-sdk.md says what hooks/private holds"
UPDATE = "after a change of hooks/private/go.mod look at what replace.yaml does to the module, and write its version and the file's hash there"


@dataclass(frozen=True, slots=True)
class Pin:
    """A module. sum: hash of its files, as in go.sum ("h1:" and base64)."""

    path: str
    version: str
    sum: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A file of ours. sha256: of the file that it replaces, in hex; None if it is added. below: minor Go version; 25 for toolchains
    older than Go 1.25. edits: (old, new) texts; none if the file is there as a whole. place: folder of the list."""

    module: str
    version: str
    file: str
    sha256: str | None
    below: int | None
    edits: tuple[tuple[str, str], ...]
    place: Path

    def concerns(self, go: int) -> bool:
        return self.below is None or go < self.below

    def content(self, original: bytes | None) -> bytes:
        """What is compiled. original: the module's file, None if it has none. Raises OtelobjError if this replaces another file."""
        where = f"{self.place / REPLACE}: {self.file} of {self.module} {self.version}"
        if (None if original is None else hashlib.sha256(original).hexdigest()) != self.sha256:
            kind = "is missing in the module" if original is None else "is added, and the module has one" if self.sha256 is None else "has another hash"
            raise OtelobjError(f"{where} {kind}", UPDATE)
        if not self.edits or original is None:
            return _read(self.place / WHOLE / self.module / self.file)
        text = original.decode("utf-8")
        for old, new in self.edits:
            if text.count(old) != 1:
                raise OtelobjError(f"{where}: {text.count(old)} places of an edit, not one: {old!r}", UPDATE)
            text = text.replace(old, new)
        return text.encode("utf-8")


@dataclass(frozen=True, slots=True)
class Pins:
    """modules: by path. packages: import paths that the hooks take from the private zone; hook_packages: others' packages of the hooks zone."""

    modules: Mapping[str, Pin]
    replacements: tuple[Replacement, ...]
    packages: tuple[str, ...]
    hook_packages: tuple[str, ...]

    def owner(self, package: str) -> Pin | None:
        """The module of a package: the longest path that is a prefix of its own."""
        owners = [path for path in self.modules if package == path or package.startswith(f"{path}/")]
        return self.modules[max(owners, key=len)] if owners else None

    def replaced(self, module: str, where: Path, go_version: str) -> dict[str, bytes]:
        """File below the module -> content that is compiled in its place. where: folder of the module's files. go_version: such as 1.24.11.

        Raises OtelobjError if a replacement does not belong to what is there."""
        ours = [item for item in self.replacements if item.module == module and item.concerns(number(go_version))]
        return {item.file: item.content(_read(where / item.file) if (where / item.file).exists() else None) for item in ours}


def folder() -> Path:
    return hooks_dir() / PRIVATE


@functools.cache
def pins() -> Pins:
    """Raises OtelobjError if hooks/private is damaged, or its files do not agree with each other."""
    return read(folder())


def read(place: Path) -> Pins:
    """`pins` of any folder."""
    sums = dict(_sum(line, place) for line in _text(place / "go.sum").splitlines())
    text = _text(place / "go.mod")
    if re.search(r"^(replace|exclude)\b", text, re.MULTILINE):
        raise OtelobjError(f"{place / 'go.mod'} has a directive other than require", "what is compiled is what it requires: change the versions instead")
    modules = {}
    for path, version in REQUIRE.findall(text):
        if (path, version) not in sums or (path, f"{version}/go.mod") not in sums:
            raise OtelobjError(f"{place / 'go.sum'} has no hash of {path} {version}", f"cd hooks/{PRIVATE} && go mod tidy")
        modules[path] = Pin(path, version, sums[path, version])
    replacements = tuple(_replacements(place / REPLACE))
    if len({(item.module, item.file) for item in replacements}) < len(replacements):
        raise OtelobjError(f"{place / REPLACE} has two entries for one file", "make one of them")
    for item in replacements:
        pinned = modules[item.module].version if item.module in modules else "none"
        if pinned != item.version:
            raise OtelobjError(f"{place / REPLACE}: {item.file} is for {item.module} {item.version}, go.mod has {pinned}", UPDATE)
    return Pins(modules, replacements, _imports(place / "imports.go"), _imports(place / "hooks" / "imports.go"))


def _sum(line: str, place: Path) -> tuple[tuple[str, str], str]:
    words = line.split()
    if len(words) != 3 or not words[2].startswith("h1:"):
        raise OtelobjError(f"{place / 'go.sum'}: no line of a go.sum: {line!r}", REINSTALL)
    return (words[0], words[1]), words[2]


def _imports(path: Path) -> tuple[str, ...]:
    return tuple(IMPORT.findall(_text(path)))


def _replacements(path: Path) -> list[Replacement]:
    try:
        entries = yaml.safe_load(_text(path)) or []
        return [_replacement(entry, path.parent) for entry in entries]
    except (yaml.YAMLError, TypeError, ValueError, KeyError) as error:
        raise OtelobjError(f"{path}: {error}", REINSTALL) from error


def _replacement(entry: Mapping[str, Any], place: Path) -> Replacement:
    """Raises ValueError, KeyError or TypeError."""
    if not KEYS <= entry.keys() <= KEYS | OPTIONAL:
        raise ValueError(f"an entry has the keys {', '.join(sorted(entry))}")
    edits = tuple((str(edit["old"]), str(edit["new"])) for edit in entry.get("edits") or [])
    if edits and "sha256" not in entry:
        raise ValueError(f"{entry['file']} is edited, but no hash says which file")
    below = number(str(entry["below"])) if "below" in entry else None
    return Replacement(str(entry["module"]), str(entry["version"]), str(entry["file"]), entry.get("sha256"), below, edits, place)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OtelobjError(f"{path}: {reason(error)}", REINSTALL) from error


def _text(path: Path) -> str:
    return _read(path).decode("utf-8", "replace")
