"""The text before a Go object: `go object GOOS GOARCH VERSION [GOAMD64=…] X:…`, build id, and the marker line `!`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from objinst.errors import ObjectError

REMEDY = "the file is damaged or not a Go object; rebuild it (go clean -cache, if it came from the build cache)"


@dataclass(frozen=True, slots=True)
class Header:
    """line: compared to the letter by the linker (cmd/link/internal/ld/lib.go). text: everything before the magic."""

    line: str
    goos: str
    goarch: str
    go_version: str
    build_id: str
    text: bytes


def parse(data: bytes | memoryview, origin: str) -> tuple[Header, int]:
    """The header of an object and the offset of the goobj magic. Raises ObjectError."""
    head = bytes(data[:65536])
    match = re.match(rb"go object (\S+) (\S+) (\S+)([^\n]*)\n", head)
    if match is None:
        raise ObjectError(f"{origin}: offset 0: no `go object` line", REMEDY)
    end = head.find(b"\n!\n")
    if end < 0:
        raise ObjectError(f"{origin}: no `!` line after the header", REMEDY)
    text = head[: end + 3]
    build_id = re.search(rb'^build id "([^"\n]*)"', text, re.MULTILINE)
    goos, goarch, version = (match[i].decode("ascii", "replace") for i in (1, 2, 3))
    line = match[0].decode("utf-8", "replace").rstrip("\n")
    return Header(line, goos, goarch, version, build_id[1].decode("utf-8", "replace") if build_id else "", text), len(text)
