"""importcfg.link: which archive holds which package (cmd/link/internal/ld/lib.go, readImportCfg, Go 1.22-1.27)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from objinst.errors import UsageError

MODINFO = "modinfo "
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[abfnrtv\\\"'])|(.)", re.DOTALL)
SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True)
class ImportCfg:
    """packages: import path -> archive. lines: everything else, verbatim, in order; modinfo: the text it quotes, with its markers."""

    packages: Mapping[str, Path]
    lines: tuple[str, ...]
    modinfo: str

    @classmethod
    def read(cls, path: Path) -> ImportCfg:
        """Raises UsageError if the file cannot be read or a line makes no sense."""
        try:
            text = path.read_text("utf-8", "surrogateescape")
        except OSError as error:
            raise UsageError(f"importcfg {path}: {error.strerror}", "otelobj works on links with -importcfg only") from error
        packages: dict[str, Path] = {}
        lines: list[str] = []
        modinfo = ""
        for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
            verb, _, rest = line.partition(" ")
            if verb == "packagefile":
                name, equals, file = rest.partition("=")
                if not (name and equals and file):
                    raise UsageError(f"{path}:{number}: packagefile without a file: {line}", "the build system wrote a damaged importcfg")
                packages[name] = Path(file)
            elif verb == "modinfo":
                modinfo = _unquote(rest, path, number)
            else:
                lines.append(line)
        return cls(packages, tuple(lines), modinfo)

    def text(self) -> str:
        """The file's contents: packages first."""
        out = [f"packagefile {name}={path}" for name, path in self.packages.items()]
        if self.modinfo:
            out.append(MODINFO + _quote(self.modinfo))
        return "\n".join([*out, *self.lines]) + "\n"


def _unquote(text: str, path: Path, number: int) -> str:
    """A Go string literal in double quotes, as %q writes it. The markers' bytes are escaped as \\xNN."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise UsageError(f"{path}:{number}: modinfo is not quoted", "the build system wrote a damaged importcfg")
    return b"".join(_unescape(match) for match in ESCAPE.finditer(text[1:-1])).decode("utf-8", "surrogateescape")


def _unescape(match: re.Match[str]) -> bytes:
    escape, plain = match.groups()
    if not escape:
        return plain.encode("utf-8", "surrogateescape")
    if escape[0] == "x":
        return bytes([int(escape[1:], 16)])
    if escape[0] in "uU":
        return chr(int(escape[1:], 16)).encode("utf-8", "surrogatepass")
    return SIMPLE[escape].encode()


def _quote(text: str) -> str:
    """As %q does for bytes that are no text; strconv.Unquote reads it."""
    out = []
    for char in text:
        if 0xDC80 <= ord(char) <= 0xDCFF:
            out.append(f"\\x{ord(char) - 0xDC00:02x}")
        elif char in '"\\' or char < " ":
            out.append(json.dumps(char)[1:-1])
        else:
            out.append(char)
    return '"' + "".join(out) + '"'
