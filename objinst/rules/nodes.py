"""YAML nodes with their places: every complaint names file, line and key, and the nearest name that would be right.

The composer is used rather than the loader: it keeps the marks, and no tag can make Python objects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from objinst.errors import UsageError

FORMAT = "docs/rules.md describes the format"
MAX_BYTES = 1 << 20
MAX_NODES = 100_000
"""Limit of nodes in one file. Nodes that aliases repeat count every time: a few lines of nested aliases expand to billions."""
Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def closest(name: str, allowed: Sequence[str]) -> str:
    """The remedy for a name that is not among those allowed."""
    import difflib  # noqa: PLC0415 - only mistakes pay for it

    near = difflib.get_close_matches(name, allowed, 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(allowed)}"


class Nodes:
    """Reads the nodes of one file; everything raises UsageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.nodes = 0

    def compose(self, text: str) -> yaml.Node | None:
        """None for a file without content."""
        try:
            loader = Loader(text)
        except yaml.YAMLError as error:
            raise UsageError(f"rule file {self.path}: {error}", "a rule file is a YAML mapping of rules") from error
        try:
            node = loader.get_single_node()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"{self.path}:{mark.line + 1}" if mark else str(self.path)
            problem = getattr(error, "problem", None) or str(error)
            alias = "alias" in problem
            raise UsageError(
                f"{place}: {problem}", 'quote a receiver that starts with a star: recv: "*DB"' if alias else "a rule file is a YAML mapping of rules"
            ) from error
        except RecursionError as error:
            raise UsageError(f"{self.path}: too deeply nested", FORMAT) from error
        finally:
            loader.dispose()
        return None if isinstance(node, yaml.ScalarNode) and not node.value else node

    def _count(self, node: yaml.Node, number: int) -> None:
        self.nodes += number
        if self.nodes > MAX_NODES:
            raise self.error(node, f"more than {MAX_NODES} entries", "do YAML aliases multiply? spread the rules over several files")

    def error(self, node: yaml.Node, what: str, remedy: str = FORMAT) -> UsageError:
        return UsageError(f"{self.path}:{node.start_mark.line + 1}: {what}", remedy)

    def pairs(self, node: yaml.Node, what: str) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        """Keys are scalars and unique."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"expected {what}")
        self._count(node, 1 + len(node.value))
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self.error(key, f"a key must be text in {what}")
            if key.value in seen:
                raise self.error(key, f"{key.value} stands here twice")
            seen.add(key.value)
        return list(node.value)

    def keys(self, node: yaml.Node, allowed: Sequence[str], what: str, refused: Mapping[str, tuple[str, str]] | None = None) -> dict[str, yaml.Node]:
        """The values of a mapping. refused: keys of the wider schema -> (reason, remedy)."""
        found = {}
        for key, value in self.pairs(node, f"{what} to be a mapping"):
            name = str(key.value)
            if refused and name in refused:
                reason, remedy = refused[name]
                raise self.error(key, f"`{name}` in {what} is not supported: {reason}", remedy)
            if name not in allowed:
                raise self.error(key, f"unknown key {name!r} in {what}", closest(name, allowed))
            found[name] = value
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """A list that is not empty."""
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(node, what)
        self._count(node, 1 + len(node.value))
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
            raise self.error(node, f"{what} must be text")
        return str(node.value).strip()

    def boolean(self, node: yaml.Node, what: str) -> bool:
        text = self.text(node, what).lower()
        if text not in ("true", "false"):
            raise self.error(node, f"{what} must be true or false, not {text}")
        return text == "true"
