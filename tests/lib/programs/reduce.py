"""Leaves out of a program whatever a difference does not need: halves, quarters, single statements, until nothing more can go."""

from __future__ import annotations

from collections.abc import Callable

from programs.tree import Node, Program


def reduce(program: Program, differs: Callable[[Program], bool], most: int = 400) -> int:
    """Marks nodes as gone while the program still differs. differs: builds and runs; false if it does not build. The number of tries.

    Later nodes go first: they are what uses the earlier ones. What was left out takes its children with it.
    """
    tries = 0
    size = max(1, len(candidates(program)) // 2)
    while tries < most:
        nodes = candidates(program)[::-1]
        lost = False
        for at in range(0, len(nodes), size):
            chunk = [node for node in nodes[at : at + size] if not node.gone]
            if not chunk or tries >= most:
                continue
            tries += 1
            for node in chunk:
                node.gone = True
            if differs(program):
                lost = True
            else:
                for node in chunk:
                    node.gone = False
        if size == 1 and not lost:
            break
        size = max(1, size // 2)
    return tries


def candidates(program: Program) -> list[Node]:
    """Nodes that are still there and may go."""
    found: list[Node] = []

    def walk(node: Node) -> None:
        if node.gone:
            return
        if not node.kept:
            found.append(node)
        for piece in node.pieces:
            if not isinstance(piece, str):
                for each in piece:
                    walk(each)

    for nodes in program.files.values():
        for node in nodes:
            walk(node)
    return found
