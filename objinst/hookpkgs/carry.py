"""What of the cache is carried to other machines: the hook sets of the private zone that are known, with their archives and sources.

An export has everything that a link without OpenTelemetry's API takes from elsewhere than from its toolchain. Archives of the standard library are
not in it: the go command makes those, without network. Sources are, so that a link that wants what no hook set here has can still compile it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from objinst import VERSION
from objinst.errors import OtelobjError
from objinst.hookpkgs import memory, zone
from objinst.hookpkgs.compile import KIND
from objinst.hookpkgs.known import DIGEST, KEYS, Known
from objinst.hookpkgs.request import PROGRAM_SDK
from objinst.store import bundle, cache
from objinst.store.digest import hooks_digest, own_digest

KINDS = frozenset({KIND, "sources", "hooks"})
"""Of entries in an export."""
NOTHING = "`otelobj cache warm` compiles them"


@dataclass(frozen=True, slots=True)
class Warm:
    """A hook set in the cache. memo: its key; missing: how many of its entries are not there any more."""

    memo: str
    known: Known
    missing: int

    def __str__(self) -> str:
        """Toolchain and variant, in one line."""
        words = self.known.header.removeprefix("go object ").split()
        cgo = "with cgo" if self.known.env.get("CGO_ENABLED") == "1" else "without cgo"
        others = [f"{name}={value}" for name, value in sorted(self.known.env.items()) if name != "CGO_ENABLED"]
        levels = [word for word in words[3:] if not word.startswith("X:")]  # the experiments, most of which the version implies
        return " ".join([words[2], f"{words[0]}/{words[1]}", *levels, cgo, *self.known.flags, *others, *self._chosen]) if len(words) > 2 else self.known.header

    @property
    def _chosen(self) -> list[str]:
        return [*self.known.exporters, *(["OTELOBJ_SDK=program"] if self.known.sdk == PROGRAM_SDK else [])]

    @property
    def entries(self) -> list[tuple[str, str]]:
        """(kind, digest) in the cache."""
        return entries_of(self.known)


def entries_of(known: Known) -> list[tuple[str, str]]:
    return [*((KIND, key) for key in known.archive_keys()), *known.made_from()]


def warm() -> list[Warm]:
    """The hook sets of this version of otelobj that serve any program, without those of which others have all."""
    found: list[Warm] = []
    for file in sorted((cache.root() / "closure").glob("*.json")):
        sets = [known for entry in memory.entries(file, KEYS) if (known := _known(entry)) and known.is_portable and zone.key(known) == file.stem]
        found += [Warm(file.stem, known, _missing(known)) for known in sets if not any(_is_part(known, other) for other in sets)]
    return found


def _known(entry: Mapping[str, Any]) -> Known | None:
    try:
        return Known.of(entry)
    except ValueError:
        return None


def _is_part(known: Known, other: Known) -> bool:
    return set(known.roots) < set(other.roots) and all(other.parts.get(name, part).content == part.content for name, part in known.parts.items())


def _missing(known: Known) -> int:
    return sum(not cache.has(kind, digest) for kind, digest in entries_of(known))


def export(path: Path, chosen: Sequence[Warm]) -> tuple[str, int]:
    """Writes hook sets to a file. Returns its SHA-256, and how many bytes of the cache are in it. Raises OtelobjError."""
    if not chosen:
        raise OtelobjError("the cache has no hook packages that serve any program", NOTHING)
    for found in chosen:
        if found.missing:
            raise OtelobjError(f"{found}: {found.missing} entries of the cache are not there any more", "`otelobj cache warm` makes them again")
    entries = [bundle.Entry.read(kind, digest) for kind, digest in sorted({pair for found in chosen for pair in found.entries})]
    memories: dict[str, list[dict[str, Any]]] = {}
    for found in chosen:
        memories.setdefault(found.memo, []).append(found.known.portable().json())
    about: dict[str, Any] = {**_identity(), "toolchains": sorted({str(found) for found in chosen}), "headers": sorted({found.known.header for found in chosen})}
    about["memories"] = {memo: sorted(known, key=json.dumps) for memo, known in memories.items()}
    return bundle.write(path, about, entries), sum(entry.size for entry in entries)


def take_in(path: Path, most: int | None = None, expected: str | None = None) -> tuple[list[Warm], bundle.Imported]:
    """Puts the content of a file into the cache. most, expected: see `bundle.read`. Returns the hook sets in it, too. Raises OtelobjError."""
    found: dict[str, list[Known]] = {}
    done = bundle.read(path, lambda manifest: found.update(_memories(path, manifest)), most, expected)
    for memo, sets in found.items():
        file = cache.ready() / "closure" / f"{memo}.json"
        with cache.lock(f"closure-{memo[:16]}"):
            there = [known.portable() for entry in memory.entries(file, KEYS) if (known := _known(entry))]
            for known in sets:
                if known not in there:
                    memory.add(file, known.json())
    return [Warm(memo, known, 0) for memo, sets in found.items() for known in sets], done


def _identity() -> dict[str, str]:
    """Of this otelobj, as far as it decides what is compiled."""
    return {"otelobj": VERSION, "digest": own_digest(), "hooks": hooks_digest()}


def _memories(path: Path, manifest: Mapping[str, Any]) -> dict[str, list[Known]]:
    """Raises OtelobjError for a manifest of another otelobj, and for one that no export has."""
    ours = _identity()
    if any(manifest.get(name) != ours[name] for name in ("digest", "hooks")):
        made = str(manifest.get("otelobj"))[:40]
        other = f"otelobj {made}" if made != VERSION else f"another build of otelobj {made}"
        raise OtelobjError(f"{path} was made by {other}: links of this one ({VERSION}) would not use it", "export it with the otelobj that is to import it")
    try:
        found = {_memo(memo): [Known.of(entry) for entry in _sets(entries)] for memo, entries in manifest["memories"].items()}
        listed = {(entry["kind"], entry["digest"]) for entry in manifest["entries"]}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise OtelobjError(f"{path}: its list of hook sets makes no sense: {error}", bundle.DAMAGED) from error
    for memo, sets in found.items():
        for known in sets:
            if not (known.header + str(Warm(memo, known, 0))).isprintable():
                raise OtelobjError(f"{path}: a hook set in it is for what no terminal shows: {known.header[:100]!r}", bundle.DAMAGED)
            if not known.is_portable or known != known.portable() or zone.key(known) != memo:
                raise OtelobjError(f"{path}: a hook set in it is not for every machine", bundle.DAMAGED)
            if not listed.issuperset(entries_of(known)):
                raise OtelobjError(f"{path}: a hook set in it needs entries that it has not", bundle.DAMAGED)
    if any(kind not in KINDS for kind, _ in listed):
        raise OtelobjError(f"{path}: has entries of other kinds than {', '.join(sorted(KINDS))}", bundle.DAMAGED)
    return found


def _memo(name: str) -> str:
    """A key of hook sets; it becomes the name of a file. Raises ValueError."""
    if not DIGEST.fullmatch(name):
        raise ValueError(f"{name[:100]!r} is no key")
    return name


def _sets(entries: object) -> list[Any]:
    """Raises ValueError."""
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"no hook sets: {str(entries)[:100]}")
    return entries
