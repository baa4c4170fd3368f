"""A part of the cache as one file, for images, CI caches and machines without network: `otelobj cache export` and `import`.

A tar archive (POSIX ustar, regular files only), compressed with xz. Its first member is the manifest: JSON with what the maker says of the file, and
every entry with its files, their sizes and SHA-256. The files follow in the manifest's order, as KIND/DIGEST/NAME. The same entries give the same
bytes: names are sorted; there are no times, owners and modes; and the compressed stream is cut every CHUNK bytes, whatever the number of processors.

A file is not trusted when it is read. Headers are parsed one by one (tarfile.TarInfo.frombuf): a link, a folder, an extended header, a name that the
manifest does not have next, a size or hash other than the manifest's ends the import. What is unpacked is bounded before it is written. An entry is
put into the cache when it is complete. One that is there already is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from objinst import ending
from objinst.errors import OtelobjError, reason
from objinst.platform.host import host
from objinst.store import cache
from objinst.store.root import ENTRY_KINDS

FORMAT = 1
MANIFEST = "manifest.json"
DIGEST = re.compile(r"[0-9a-f]{64}")
CHUNK = 16 << 20
"""Bytes of each xz stream before compression: enough for what archives have in common, few enough to keep processors busy."""
PRESET = 0
"""Half the time of 1, for 6 % more bytes."""
BLOCK = 1 << 20
MOST_MANIFEST = 16 << 20
MOST_ENTRIES = 200_000
MOST_FILES = 1_000_000
DEFAULT_MOST = 8 << 30
"""Bytes that a file may be unpacked to. One toolchain and variant are some 200 MB."""
MEMORY = 64 << 20
"""Bytes that the decompressor may use; PRESET takes a tenth."""
DAMAGED = "the file is damaged or was not made by `otelobj cache export`: make or copy it again"

MAKE_AGAIN = "`otelobj cache warm` makes it again; then export again"


@dataclass(frozen=True, slots=True)
class Entry:
    """Of the cache. files: (name below the entry's folder, size in bytes, SHA-256), sorted."""

    kind: str
    digest: str
    files: tuple[tuple[str, int, str], ...]

    @property
    def size(self) -> int:
        return sum(size for _, size, _ in self.files)

    @classmethod
    def read(cls, kind: str, digest: str) -> Entry:
        """Raises OtelobjError for an entry that is not there."""
        place = cache.find(kind, digest)
        if place is None:
            raise OtelobjError(f"the cache has no {kind} {digest[:16]}", MAKE_AGAIN)
        return cls(kind, digest, tuple((name, size, sha256) for name, (size, sha256) in sorted(cache.contents(place).items())))


# writing


def write(path: Path, about: Mapping[str, Any], entries: Iterable[Entry]) -> str:
    """Writes a file, completely or not at all. about: goes into the manifest as it is. Returns the SHA-256 of the file. Raises OtelobjError."""
    chosen = sorted(entries, key=lambda entry: (entry.kind, entry.digest))
    listed = [{"kind": entry.kind, "digest": entry.digest, "files": [list(file) for file in entry.files]} for entry in chosen]
    manifest = json.dumps({**about, "format": FORMAT, "entries": listed}, sort_keys=True, separators=(",", ":")).encode()
    try:
        with ending.temporary(path.with_name(f".{path.name}.{os.urandom(8).hex()}")) as fresh:
            with fresh.open("xb") as out:
                digest = _write_compressed(out, _tar(manifest, chosen))
            fresh.replace(path)
    except OSError as error:
        raise OtelobjError(f"{error.filename or path}: {reason(error)}", "name a file in a folder that can be written, with enough space") from error
    return digest


def _write_compressed(out: BinaryIO, blocks: Iterator[bytes]) -> str:
    """Returns the SHA-256 of what was written."""
    state = hashlib.sha256()
    processors = host().processors()
    with ThreadPoolExecutor(processors) as pool:  # lzma works without the interpreter's lock
        for group in _grouped(_chunks(blocks), processors):
            for stream in pool.map(lambda chunk: lzma.compress(chunk, preset=PRESET), group):
                state.update(stream)
                out.write(stream)
    return state.hexdigest()


def _chunks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for block in blocks:
        waiting += block
        while len(waiting) >= CHUNK:
            yield bytes(waiting[:CHUNK])
            del waiting[:CHUNK]
    yield bytes(waiting)


def _grouped(chunks: Iterator[bytes], count: int) -> Iterator[list[bytes]]:
    group: list[bytes] = []
    for chunk in chunks:
        group.append(chunk)
        if len(group) == count:
            yield group
            group = []
    yield group


def _tar(manifest: bytes, entries: Sequence[Entry]) -> Iterator[bytes]:
    yield from (_header(MANIFEST, len(manifest)), manifest, _padding(len(manifest)))
    for entry in entries:
        folder = cache.find(entry.kind, entry.digest)
        if folder is None:
            raise OtelobjError(f"{entry.kind} {entry.digest[:16]} of the cache is damaged", MAKE_AGAIN)
        for name, size, sha256 in entry.files:
            yield _header(f"{entry.kind}/{entry.digest}/{name}", size)
            state = hashlib.sha256()
            path = folder / name
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    state.update(block)
                    yield block
                if file.tell() != size or state.hexdigest() != sha256:
                    raise OtelobjError(f"{path} is damaged", MAKE_AGAIN)
            yield _padding(size)
    yield tarfile.NUL * (2 * tarfile.BLOCKSIZE)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    try:
        return info.tobuf(tarfile.USTAR_FORMAT)
    except ValueError as error:
        raise OtelobjError(f"{name} cannot be in a tar archive: {error}", "please report it") from error


def _padding(size: int) -> bytes:
    return tarfile.NUL * (-size % tarfile.BLOCKSIZE)


# reading


@dataclass(frozen=True, slots=True)
class Imported:
    """manifest: of the file. new: entries that were added; kept: those that were there before."""

    manifest: Mapping[str, Any]
    new: tuple[Entry, ...]
    kept: tuple[Entry, ...]


def read(path: Path, check: Callable[[Mapping[str, Any]], object], most: int | None = None, expected: str | None = None) -> Imported:
    """Puts the entries of a file into the cache. check: looks at the manifest before anything is written, and raises OtelobjError. most: bytes that may
    be unpacked. expected: the SHA-256 of the file, in hex. Raises OtelobjError; entries that were complete before stay."""
    most = DEFAULT_MOST if most is None else most
    try:
        with path.open("rb") as raw:
            if expected is not None:
                _compare(path, raw, expected)
            stream = _Stream(path, raw, most)
            manifest = _manifest(stream)
            entries = _entries(path, manifest)
            total = sum(entry.size for entry in entries)
            if total > most:
                raise OtelobjError(f"{path} would be unpacked to {total} bytes; the limit is {most}", "give a higher one with --limit, if the file can be trusted")
            check(manifest)
            new: list[Entry] = []
            kept: list[Entry] = []
            for entry in entries:
                (new if _take(stream, entry) else kept).append(entry)
            stream.end()
    except OSError as error:
        raise OtelobjError(f"{error.filename or path}: {reason(error)}", "is it there, and can it be read?") from error
    return Imported(manifest, tuple(new), tuple(kept))


def _compare(path: Path, raw: io.BufferedReader, expected: str) -> None:
    """Raises OtelobjError for another file than the expected one. Leaves it at its beginning: opened again by its name, it might be yet another one."""
    found = hashlib.file_digest(raw, "sha256").hexdigest()
    if found != expected.lower():
        raise OtelobjError(f"{path} has the SHA-256 {found}, not {expected}", "nothing was imported; copy it again")
    raw.seek(0)


class _Stream:
    """The bytes of a file after decompression. most: how many may be asked for."""

    def __init__(self, path: Path, raw: BinaryIO, most: int) -> None:
        self.path = path
        self._raw = raw
        self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)
        self._ready = b""
        self._left = most + MOST_MANIFEST + MOST_FILES * tarfile.BLOCKSIZE

    def damaged(self, why: str) -> OtelobjError:
        return OtelobjError(f"{self.path}: {why}", DAMAGED)

    def read(self, size: int) -> bytes:
        """Exactly so many bytes, no more than BLOCK."""
        self._left -= size
        if self._left < 0:
            raise self.damaged("more is in it than the manifest says")
        while len(self._ready) < size:
            block = self._more()
            if not block:
                raise self.damaged("ends too early")
            self._ready += block
        found, self._ready = self._ready[:size], self._ready[size:]
        return found

    def _more(self) -> bytes:
        """The next bytes of the xz streams that follow each other; nothing at the end of the last."""
        try:
            while True:
                given = b""
                if self._decoder.eof:
                    given = self._decoder.unused_data or self._raw.read(BLOCK)
                    if not given:
                        return b""
                    self._decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, MEMORY)
                elif self._decoder.needs_input:
                    given = self._raw.read(BLOCK)
                    if not given:
                        raise self.damaged("ends too early")
                found = self._decoder.decompress(given, BLOCK)
                if found:
                    return found
        except (lzma.LZMAError, EOFError) as error:
            raise self.damaged(f"no xz file, or a damaged one: {error}") from error

    def header(self) -> tarfile.TarInfo:
        try:
            found = tarfile.TarInfo.frombuf(self.read(tarfile.BLOCKSIZE), "utf-8", "strict")
        except (tarfile.HeaderError, ValueError) as error:
            raise self.damaged(f"no tar archive in it: {error}") from error
        if found.type != tarfile.REGTYPE:
            raise self.damaged(f"{found.name[:100]!r} is no regular file")
        return found

    def blocks(self, size: int) -> Iterator[bytes]:
        """The content of a member, to the end of its padding."""
        for at in range(0, size, BLOCK):
            yield self.read(min(BLOCK, size - at))
        if self.read(-size % tarfile.BLOCKSIZE).strip(b"\0"):
            raise self.damaged("padding that is none")

    def end(self) -> None:
        if self.read(2 * tarfile.BLOCKSIZE).strip(b"\0") or self._ready or self._more():
            raise self.damaged("more is in it than the manifest says")


def _manifest(stream: _Stream) -> dict[str, Any]:
    head = stream.header()
    if head.name != MANIFEST or not 0 <= head.size <= MOST_MANIFEST:
        raise stream.damaged(f"begins with {head.name[:100]!r}, not with a manifest")
    text = io.BytesIO()
    for block in stream.blocks(head.size):
        text.write(block)
    try:
        found = json.loads(text.getvalue())
    except (ValueError, RecursionError) as error:
        raise stream.damaged(f"its manifest makes no sense: {error}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        made = found.get("format") if isinstance(found, dict) else None
        raise OtelobjError(f"{stream.path} has format {made!r}, this otelobj reads {FORMAT}", "export it with the same version of otelobj")
    return found


def _entries(path: Path, manifest: Mapping[str, Any]) -> list[Entry]:
    """Raises OtelobjError for names, sizes, hashes and kinds that no export has."""

    def nonsense(why: str) -> OtelobjError:
        return OtelobjError(f"{path}: its manifest has {why}", DAMAGED)

    listed = manifest.get("entries")
    if not isinstance(listed, list) or len(listed) > MOST_ENTRIES:
        raise nonsense("no list of entries, or one that is too long")
    found: list[Entry] = []
    files = 0
    for item in listed:
        if not isinstance(item, dict) or item.keys() != {"kind", "digest", "files"} or not isinstance(item["files"], list):
            raise nonsense(f"an entry that is none: {str(item)[:100]}")
        kind, digest = item["kind"], item["digest"]
        if not isinstance(kind, str) or kind not in ENTRY_KINDS:
            raise nonsense(f"an entry of an unknown kind: {str(kind)[:100]!r}")
        if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
            raise nonsense(f"an entry whose digest is {str(digest)[:100]!r}")
        files += len(item["files"])
        if files > MOST_FILES:
            raise nonsense("too many files")
        entry = Entry(kind, digest, tuple(_file(file, nonsense) for file in item["files"]))
        names = [name for name, _, _ in entry.files]
        if len(set(names)) != len(names) or not names:
            raise nonsense(f"an entry without files, or with two of one name: {kind} {digest[:16]}")
        found.append(entry)
    if len({(entry.kind, entry.digest) for entry in found}) != len(found):
        raise nonsense("the same entry twice")
    return found


def _file(item: object, nonsense: Callable[[str], OtelobjError]) -> tuple[str, int, str]:
    if not isinstance(item, list) or len(item) != 3:
        raise nonsense(f"a file that is none: {str(item)[:100]}")
    name, size, sha256 = item
    if not isinstance(name, str) or not is_inside(name):
        raise nonsense(f"a file name that leads elsewhere: {str(name)[:100]!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise nonsense(f"{name[:100]!r} with size {str(size)[:20]}")
    if not isinstance(sha256, str) or not DIGEST.fullmatch(sha256):
        raise nonsense(f"{name[:100]!r} with a hash that is none")
    return name, size, sha256


def is_inside(name: str) -> bool:
    """Whether a name is that of a file below an entry's folder, in its plainest form, other than the cache's own record."""
    parts = PurePosixPath(name).parts
    is_plain = bool(parts) and str(PurePosixPath(name)) == name and not name.startswith("/") and ".." not in parts
    return is_plain and name.isprintable() and "\\" not in name and len(name) <= 1000 and name != cache.RECORD and not parts[0].startswith(cache.NEW)


def _take(stream: _Stream, entry: Entry) -> bool:
    """Whether the next entry was added, not one that was there: another process may add it at any time, so only what `cache.folder` does tells."""
    added = False

    def make(folder: Path) -> None:
        nonlocal added
        added = True
        _unpack(stream, entry, folder)

    cache.folder(entry.kind, entry.digest, make)
    if not added:
        _skip(stream, entry)
    return added


def _unpack(stream: _Stream, entry: Entry, folder: Path) -> None:
    for name, size, sha256 in entry.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            _copy(stream, entry, (name, size, sha256), out)


def _skip(stream: _Stream, entry: Entry) -> None:
    for file in entry.files:
        _copy(stream, entry, file, None)


def _copy(stream: _Stream, entry: Entry, file: tuple[str, int, str], out: BinaryIO | None) -> None:
    name, size, sha256 = file
    head = stream.header()
    where = f"{entry.kind}/{entry.digest}/{name}"
    if head.name != where or head.size != size:
        raise stream.damaged(f"{head.name[:300]!r} of {head.size} bytes stands where {where} of {size} should")
    state = hashlib.sha256()
    for block in stream.blocks(size):
        state.update(block)
        if out is not None:
            out.write(block)
    if state.hexdigest() != sha256:
        raise stream.damaged(f"{where} has not the hash that the manifest says")
