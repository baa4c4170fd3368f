"""What a link says while it compiles the private zone: a bar on a terminal, one line elsewhere.

`go build` gives its tools a pipe, prints what they write when the tool has ended, and only that line is of use there. A link that another build system or a
person starts (`otelobj link`) may write to a terminal. Nothing outside the standard library is imported here, since this runs in the linker's place.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import TextIO

LONGEST_BAR = 40
"""Columns."""


def begin(what: str, total: int, stream: TextIO | None = None) -> Callable[[], object]:
    """Says what is done, and returns what is called after each of so many parts of it."""
    out = sys.stderr if stream is None else stream
    if not out.isatty() or os.environ.get("TERM") == "dumb":
        print(f"{what} ({total} packages)", file=out, flush=True)
        return lambda: None
    finished = 0

    def draw() -> None:
        numbers = f"{finished}/{total}"
        columns = shutil.get_terminal_size().columns
        room = max(min(columns - len(what) - len(numbers) - 5, LONGEST_BAR), 0)
        filled = room * finished // total
        text = f"{what} [{'#' * filled}{' ' * (room - filled)}] {numbers}" if room else f"{what} {numbers}"
        # The cursor is left at the line's begin, where an error message may follow at any time.
        out.write(f"\r{text[: columns - 1]}\x1b[K\r" if finished < total else f"\r{what} ({total} packages)\x1b[K\n")
        out.flush()

    def done() -> None:
        nonlocal finished
        finished += 1
        draw()

    draw()
    return done
