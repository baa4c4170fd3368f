"""A program as a tree of nodes that can be left out one by one, so that a program that shows a difference can be made small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

LABEL = re.compile(r"^\s*(L\d+):$")


@dataclass(eq=False)
class Node:
    """Text, and lists of nodes between it: a statement and its blocks. kept: it cannot be left out."""

    pieces: list[str | list[Node]]
    kept: bool = False
    gone: bool = False

    def lines(self) -> Iterator[str]:
        if self.gone:
            return
        for piece in self.pieces:
            if isinstance(piece, str):
                yield from piece.split("\n")
            else:
                for node in piece:
                    yield from node.lines()

    def children(self) -> Iterator[Node]:
        """All nodes below this one, in the order of the text."""
        for piece in self.pieces:
            if not isinstance(piece, str):
                for node in piece:
                    yield node
                    yield from node.children()


def leaf(text: str) -> Node:
    return Node([text])


@dataclass
class Program:
    """files: by their place in the module; the sources that are never cut; fixed: as they are, Go or not. features: what the program was made with."""

    seed: int
    files: dict[str, list[Node]] = field(default_factory=dict)
    fixed: dict[str, str] = field(default_factory=dict)

    def nodes(self) -> list[Node]:
        return [found for nodes in self.files.values() for node in nodes for found in (node, *node.children())]

    def text(self, name: str) -> str:
        lines = [line for node in self.files[name] for line in node.lines()]
        used = set(re.findall(r"\b(?:break|continue|goto) (L\d+)\b", "\n".join(lines)))
        return "\n".join(line for line in lines if not (found := LABEL.match(line)) or found[1] in used) + "\n"

    def sources(self) -> dict[str, str]:
        return self.fixed | {name: self.text(name) for name in self.files}

    def write(self, folder: Path) -> None:
        for name, text in self.sources().items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists() or place.read_text() != text:
                place.write_text(text)
