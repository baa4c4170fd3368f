"""Output to a terminal: text that is safe there, and lines that fit its width."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console

LONGEST = 100
"""Characters of a name or value."""
UNBROKEN = 10_000
"""Columns of a file or pipe."""


def printable(text: object) -> str:
    """Text from a program, made safe for a terminal: no control characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(text))


def clean(text: object) -> str:
    """The same, with a bounded length."""
    line = printable(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def console(stream: TextIO) -> Console:
    """A console that does not wrap lines unless the output is a terminal."""
    made = Console(file=stream, highlight=False)
    if not made.is_terminal:
        made.width = UNBROKEN
    return made


def count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
