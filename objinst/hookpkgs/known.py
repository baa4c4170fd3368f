"""What is known of a hook set of the private zone, so that the next link needs no `go list`: neither one of another program, nor one on another machine.

Packages are named by content, those of the standard library also by their fingerprints, and archives by their keys in the cache, never by a folder of
this machine, but for archives in the go command's build cache: their paths are hints, and where they lead nowhere, the go command is asked for the same
archive. A hook set also serves
every link that wants a part of its hook packages, so the one that `otelobj cache warm` makes serves all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from objinst import hooktree
from objinst.goobj.archive import fingerprint
from objinst.hookpkgs.compile import ARCHIVE, KIND, content
from objinst.hookpkgs.request import PRIVATE_SDK, HookRequest, HookSet
from objinst.store import cache
from objinst.store.root import shared

KEYS = {"roots", "parts", "modules", "loads", "left_out", "notes", "watched", "apart", "header", "flags", "env", "exporters", "sdk", "sources", "hooks", "std"}
PROGRAM = "program"
"""The place of a package that is the program's: a link must have it."""
DIGEST = re.compile(r"[0-9a-f]{64}")
Exports = Callable[[Sequence[str]], Mapping[str, Path]]
"""The go command's archives of packages of the standard library."""


@dataclass(frozen=True, slots=True)
class Part:
    """A package of a hook set, or one that it imports. content: see `objinst.hookpkgs.compile.content`; place: of its archive, `compiled KEY`, a path,
    PROGRAM, or "" for an archive that the go command must be asked for; module: path, "" for the standard library; imports: names of other parts.

    fingerprint: of a package of the standard library, in hexadecimal; "" for others. An archive with the same one serves as well: importers were compiled
    against what it stands for, and what a package of the standard library imports is not read from its archive."""

    content: str
    place: str
    module: str
    imports: tuple[str, ...]
    fingerprint: str = ""

    def is_served_by(self, content: str, archive: Path) -> bool:
        """Whether an archive with a content may be in the place of the one that is known. Raises ObjectError if it cannot be read."""
        return content == self.content or (self.fingerprint != "" and fingerprint(archive).hex() == self.fingerprint)

    def archive(self) -> Path | None:
        """None if it is not there any more."""
        if self.key:
            found = cache.find(KIND, self.key)
            return found / ARCHIVE if found else None
        return Path(self.place) if self.place not in ("", PROGRAM) and cache.is_whole(Path(self.place)) else None

    @property
    def key(self) -> str:
        """In the cache; "" for an archive that is not there."""
        kind, _, key = self.place.partition(" ")
        return key if kind == KIND else ""


@dataclass(frozen=True, slots=True)
class Known:
    """roots: hook packages. parts: import path in the link -> package. modules: path -> version. loads, left_out, notes: see HookSet.

    watched: packages that observe the program -> packages of the program that they need; apart: those that this program has.
    header, flags, env, exporters, sdk: what it was made for. sources, hooks: digests of these entries in the cache; "" for none.
    std: state of the toolchain whose archives of the standard library lie at these paths; "" where no part has one.
    """

    roots: tuple[str, ...]
    parts: Mapping[str, Part]
    modules: Mapping[str, str]
    loads: tuple[str, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    watched: Mapping[str, tuple[str, ...]]
    apart: tuple[str, ...]
    header: str
    flags: tuple[str, ...]
    env: Mapping[str, str]
    exporters: tuple[str, ...]
    sources: str
    hooks: str
    std: str = ""
    sdk: str = PRIVATE_SDK

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Known:
        """Raises ValueError for anything else than `json` gives."""
        try:
            if entry.keys() != KEYS:
                raise ValueError(f"has the keys {', '.join(sorted(entry))}")
            names = [_text(part[0]) for part in entry["parts"]]
            parts = {
                name: Part(_text(known), _place(place), _text(module), tuple(names[at] for at in imports), _text(found))
                for name, known, place, module, imports, found in entry["parts"]
            }
            watched = {_text(name): _texts(names) for name, names in entry["watched"].items()}
            modules, env = ({_text(name): _text(value) for name, value in entry[key].items()} for key in ("modules", "env"))
            digests = [_text(entry[key]) for key in ("sources", "hooks")]
            if not all(digest == "" or DIGEST.fullmatch(digest) for digest in digests):
                raise ValueError(f"digests {digests}")
            lists = {key: _texts(entry[key]) for key in ("roots", "loads", "left_out", "notes", "apart", "flags", "exporters")}
            return cls(parts=parts, modules=modules, watched=watched, header=_text(entry["header"]), env=env, sdk=_text(entry["sdk"]), sources=digests[0], hooks=digests[1], std=_text(entry["std"]), **lists)
        except (TypeError, AttributeError, LookupError) as error:
            raise ValueError(str(error)) from error

    def json(self) -> dict[str, Any]:
        """For `of`; imports are numbers of parts."""
        found: dict[str, Any] = {name: getattr(self, name) for name in sorted(KEYS)}
        number = {name: at for at, name in enumerate(self.parts)}
        parts = [
            [name, part.content, part.place, part.module, [number[other] for other in part.imports if other in number], part.fingerprint]
            for name, part in self.parts.items()
        ]
        return found | {"parts": parts}

    @property
    def is_portable(self) -> bool:
        """Whether it says nothing of a program or of a user's hook packages."""
        places = {part.place for part in self.parts.values()}
        return not self.apart and not self.loads and not self.left_out and PROGRAM not in places and all(map(hooktree.owner, self.roots))

    def portable(self) -> Known:
        """The same without paths of this machine."""
        return replace(self, std="", parts={name: part if part.key or part.place == PROGRAM else replace(part, place="") for name, part in self.parts.items()})

    def made_from(self) -> list[tuple[str, str]]:
        """Kind and digest of the entries with its sources. A link of it needs none of them, but one of other packages does."""
        return [(kind, digest) for kind, digest in (("sources", self.sources), ("hooks", self.hooks)) if digest]

    def archive_keys(self) -> list[str]:
        """Of the archives in the cache."""
        return sorted({part.key for part in self.parts.values() if part.key})

    def for_link(self, request: HookRequest, exports: Exports | None, std: str = "") -> tuple[HookSet, Known] | None:
        """The hook set of a link, if every package of it that the link has is the same here and all other archives are there; and what is known now.

        exports: looks up what is missing of the standard library; without it, that is not known. std: state of the toolchain; where it is another,
        the archives of its standard library are looked up anew."""
        wanted = self._wanted(request)
        if wanted is None:
            return None
        archives: dict[str, Path] = {}
        missing: list[str] = []
        for name in wanted:
            part = self.parts[name]
            if name in request.link:
                if not part.is_served_by(request.content_of(name), request.link[name]):
                    return None
            elif (archive := part.archive() if part.key or self.std == std else None) is not None:
                archives[name] = archive
            elif part.key or part.place == PROGRAM or exports is None:
                return None
            else:
                missing.append(name)
        now = self
        if missing and exports is not None:
            found = exports(missing)
            if any(name not in found or not self.parts[name].is_served_by(content(found[name]), found[name]) for name in missing):
                return None
            archives |= {name: found[name] for name in missing}
            kept = self.parts if self.std == std else self.portable().parts
            now = replace(self, std=std, parts={name: replace(part, place=str(found[name])) if name in missing else part for name, part in kept.items()})
        modules = {self.parts[name].module for name in wanted}
        versions = {path: version for path, version in self.modules.items() if path in modules}
        uses = tuple(name for name in wanted if name in request.link)
        left_out = tuple(name for name in self.left_out if name in request.packages)
        return HookSet(archives, versions, uses, self.loads, left_out, self.notes), now

    def _wanted(self, request: HookRequest) -> list[str] | None:
        """The parts that a link needs; None if it needs others, or observes other packages of the program."""
        if {path for path, names in self.watched.items() if all(name in request.link for name in names)} != set(self.apart):
            return None
        if set(request.packages) == set(self.roots):
            return list(self.parts)
        if not self.is_portable or not set(request.packages) <= set(self.roots) or any(root in request.link for root in self.roots):
            return None
        seen = set()
        waiting = list(request.packages)
        while waiting:
            name = waiting.pop()
            if name not in seen and name not in self.left_out:
                seen.add(name)
                waiting += self.parts[name].imports
        return [name for name in self.parts if name in seen]


def place_of(archive: Path) -> str:
    """Of a part, from the path of its archive."""
    entry = archive.parent
    is_ours = archive.name == ARCHIVE and any(entry == folder / KIND / entry.name[:2] / entry.name for folder in (cache.root(), *shared()))
    return f"{KIND} {entry.name}" if is_ours else str(archive)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise TypeError(f"{values!r} is no list")
    return tuple(map(_text, values))


def _place(value: object) -> str:
    place = _text(value)
    kind, _, key = place.partition(" ")
    if not (place in ("", PROGRAM) or place.startswith("/") or (kind == KIND and DIGEST.fullmatch(key))):
        raise ValueError(f"{place!r} is no place")
    return place
