"""How many results a function has in its source, read as text.

Debug information leaves out unnamed results of a function that returns out of a range-over-func loop (objinst.signatures.dwarf). If the
compiler then removed that loop, as in `if runtime.GOOS == "windows"`, nothing in the object tells of it. Counting the results where the
source is available does. The count can only reduce trust: a source that has changed since never allows a hook that would otherwise be refused.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

_SKIPPED = re.compile(r"//[^\n]*|/\*.*?\*/|`[^`]*`|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
_FUNC = re.compile(r"\bfunc\b")
REACH = 4000
"""Characters after `func` that end a signature."""


def result_count(path: Path, line: int) -> int | None:
    """Of the function whose `func` is in this line, counted from 1. None: unknown."""
    lines = _lines(path)
    if not 0 < line <= len(lines):
        return None
    found = list(_FUNC.finditer(lines[line - 1]))
    if not found or (len(found) > 1 and found[0].start() != 0):
        return None  # several literals in one line
    rest = "\n".join(lines[line - 1 : line + 60])[found[0].end() :][:REACH]
    try:
        return _count(_SKIPPED.sub(" ", rest), declaration=found[0].start() == 0)
    except IndexError:
        return None


def is_at_hand(path: Path) -> bool:
    """Whether there is such a source file, and something in it."""
    return bool(_lines(path))


@functools.lru_cache(maxsize=64)
def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("utf-8", "replace").split("\n"))
    except OSError:
        return ()


def _count(text: str, *, declaration: bool) -> int | None:
    """text: what follows `func`. Raises IndexError if it ends before the results."""
    at = _space(text, 0)
    if declaration:
        if text[at] == "(":
            at = _space(text, _behind(text, at))
        name = re.match(r"\w+", text[at:])
        if name is None:
            return None
        at = _space(text, at + len(name[0]))
        if text[at] == "[":
            at = _space(text, _behind(text, at))
    if text[at] != "(":
        return None
    at = _behind(text, at)
    while text[at] in " \t":
        at += 1
    if text[at] in "{\n\r":
        return 0
    return _items(text[at + 1 : _behind(text, at) - 1]) if text[at] == "(" else 1


def _items(inside: str) -> int:
    depth = count = 0
    for char in inside:
        depth += (char in "([{") - (char in ")]}")
        count += char == "," and depth == 0
    return count + bool(inside.strip(" \t\n")) - bool(re.search(r",\s*$", inside))


def _space(text: str, at: int) -> int:
    while text[at] in " \t\n\r":
        at += 1
    return at


def _behind(text: str, at: int) -> int:
    """The offset after the bracket that closes the one at `at`."""
    depth = 0
    while True:
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
        if not depth:
            return at
