"""Layouts of hooks/rt's structs, read from their Go source: what a program that otelobj of this version linked holds.

The link step reads them from type descriptors (objinst.types.descriptors). This is another reader on purpose: `otelobj verify` checks what that
step wrote, and must not repeat its mistakes. It knows no more of Go than these structs need. A test compares the two for each struct in READ.
"""

from __future__ import annotations

import re

from objinst import paths
from objinst.errors import OtelobjError

SIZES = {"uint32": 4, "string": 16}
WORD = 8
SLICE = 24
READ = ("Desc", "linkInfo")
"""The structs that are read here."""


def offsets(struct: str) -> dict[str, int]:
    """Field -> offset in bytes. struct: one of READ. Raises OtelobjError if hooks/rt has no such struct."""
    if struct not in READ:
        raise ValueError(f"no test compares {struct} with its descriptor")
    for path in sorted((paths.hooks_dir() / "rt").glob("*.go")):
        match = re.search(rf"^type {struct} struct {{\n(.*?)^}}", path.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        if match:
            return _offsets(match[1])
    raise OtelobjError(f"hooks/rt has no struct {struct}", "reinstall otelobj")


def _offsets(body: str) -> dict[str, int]:
    found: dict[str, int] = {}
    at = 0
    for line in body.splitlines():
        words = line.partition("//")[0].split(maxsplit=1)
        if len(words) == 2:
            kind = words[1].strip()
            size = SIZES.get(kind, SLICE if kind.startswith("[]") else WORD)
            at += -at % min(size, WORD)
            found[words[0]] = at
            at += size
    return found
