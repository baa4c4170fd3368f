"""Archives as cmd/pack writes and cmd/link reads them: `!<arch>`, members with 60-byte headers, padded to even offsets.

Members that are not Go objects (`__.PKGDEF`, cgo's ELF objects, `preferlinkext`) are kept to the letter. A file that begins
with `go object` is an object without an archive around it, as `go tool asm` writes.
Source: cmd/internal/archive/archive.go, cmd/link/internal/ld/ar.go, Go 1.22-1.27.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import ObjectError
from objinst.goobj import header as headers
from objinst.goobj.object import Object
from objinst.goobj.records import HEADER, MAGIC

ARMAG = b"!<arch>\n"
HEADER_SIZE = 60
HEADER_LIMIT = 65536
"""Bytes within which the text before an object ends."""
END = b"`\n"
REMEDY = "the file is damaged or not a Go archive; rebuild it (go clean -cache, if it came from the build cache)"


@dataclass(frozen=True, slots=True)
class Member:
    """name: without padding; header: its 60 bytes; data: without the padding byte; pad: the padding byte or nothing."""

    name: str
    header: bytes
    data: bytes
    pad: bytes

    @property
    def is_object(self) -> bool:
        """A Go object: the text header and then the goobj magic (`__.PKGDEF` has export data after its header)."""
        if not self.data.startswith(b"go object ") or self.name == "__.PKGDEF":
            return False
        end = self.data.find(b"\n!\n", 0, HEADER_LIMIT)
        return end >= 0 and self.data.startswith(MAGIC, end + 3)


@dataclass(frozen=True, slots=True)
class Archive:
    """origin: the file, for messages. bare: no archive around the one member."""

    origin: str
    members: tuple[Member, ...]
    bare: bool = False

    @classmethod
    def parse(cls, data: bytes, origin: str) -> Archive:
        """Raises ObjectError if the bytes are not an archive to their end."""
        if data.startswith(b"go object "):
            return cls(origin, (Member("", b"", data, b""),), bare=True)
        if not data.startswith(ARMAG):
            raise ObjectError(f"{origin}: offset 0: neither an archive nor a Go object", REMEDY)
        members = []
        at = len(ARMAG)
        while at < len(data):
            head = data[at : at + HEADER_SIZE]
            name, size = _name_and_size(head, at, origin)
            start, end = at + HEADER_SIZE, at + HEADER_SIZE + size
            if end > len(data):
                raise ObjectError(f"{origin}: offset {at}: member of {size} bytes is truncated", REMEDY)
            at = end + (end & 1)
            members.append(Member(name, head, data[start:end], data[end:at]))
        return cls(origin, tuple(members))

    @classmethod
    def read(cls, path: Path) -> Archive:
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise ObjectError(f"{path}: {error.strerror}", "rebuild the package") from error

    def to_bytes(self, replaced: Mapping[int, bytes] | None = None) -> bytes:
        """The file, with the data of some members replaced (by index)."""
        parts = [] if self.bare else [ARMAG]
        for index, member in enumerate(self.members):
            if replaced is None or index not in replaced:
                parts += [member.header, member.data, member.pad]
            else:
                data = replaced[index]
                header = b"" if self.bare else member.header[:48] + b"%-10d" % len(data) + END
                parts += [header, data, b"" if self.bare else b"\0" * (len(data) & 1)]
        return b"".join(parts)

    def objects(self) -> dict[int, Object]:
        """The Go objects among the members, by member index."""
        return {i: Object.parse(m.data, f"{self.origin}({m.name or 'object'})") for i, m in enumerate(self.members) if m.is_object}

    def go_object(self) -> tuple[int, Object]:
        """The object that the compiler wrote: member index and object. Raises ObjectError if there is none."""
        for index, member in enumerate(self.members):
            if member.is_object:
                return index, Object.parse(member.data, f"{self.origin}({member.name or 'object'})")
        raise ObjectError(f"{self.origin}: no Go object in it", REMEDY)


def _name_and_size(head: bytes, at: int, origin: str) -> tuple[str, int]:
    """Of a member, from its header at an offset."""
    if len(head) < HEADER_SIZE or head[58:] != END:
        raise ObjectError(f"{origin}: offset {at}: damaged member header", REMEDY)
    size = head[48:58].strip()
    if not size.isdigit():
        raise ObjectError(f"{origin}: offset {at}: member size {size!r}", REMEDY)
    return head[:16].decode("ascii", "replace").rstrip(), int(size)


@dataclass(frozen=True, slots=True)
class Identity:
    """What tells archives apart without reading them whole. line: the header line; build_id: may be empty (other build systems)."""

    line: str
    build_id: str


def peek(path: Path) -> Identity:
    """Reads the first bytes of an archive only. Raises ObjectError."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ObjectError(f"{path}: {error.strerror}", "rebuild the package") from error
    start = len(ARMAG) + HEADER_SIZE if head.startswith(ARMAG) else 0
    if not head[start:].startswith(b"go object "):
        raise ObjectError(f"{path}: offset {start}: no `go object` line", REMEDY)
    text = head[start:].split(b"\n\n", 1)[0].split(b"\n")
    build_id = next((line[10:-1].decode("utf-8", "replace") for line in text[1:] if line.startswith(b'build id "')), "")
    return Identity(text[0].decode("utf-8", "replace"), build_id)


def fingerprint(path: Path) -> bytes:
    """The fingerprint of the package in an archive: 8 bytes after the magic of its first Go object. Little more is read than these. Raises ObjectError.

    It is a hash of the package's export data (internal/pkgbits/encoder.go, DumpTo), which
    is all that the compiler reads of a package that another one imports (cmd/compile/internal/noder/import.go, readImportFile): declarations, bodies and
    costs of what can be inlined, what parameters of functions escape, and indices of symbols. The linker compares it with the one that importers have seen.
    """
    try:
        with path.open("rb") as file:
            at = len(ARMAG)
            if file.read(at) != ARMAG:
                return bytes(Archive.read(path).go_object()[1].fingerprint)
            while head := file.read(HEADER_SIZE):
                name, size = _name_and_size(head, at, str(path))
                member = Member(name, head, file.read(min(size, HEADER_LIMIT + HEADER.size)), b"")
                if member.is_object:
                    _, base = headers.parse(member.data, f"{path}({name})")
                    if len(member.data) < base + HEADER.size:
                        raise ObjectError(f"{path}({name}): offset {base}: truncated", REMEDY)
                    return bytes(HEADER.unpack_from(member.data, base)[1])
                at += HEADER_SIZE + size + (size & 1)
                file.seek(at)
    except OSError as error:
        raise ObjectError(f"{path}: {error.strerror}", "rebuild the package") from error
    raise ObjectError(f"{path}: no Go object in it", REMEDY)
