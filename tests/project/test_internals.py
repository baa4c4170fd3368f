"""docs/contributing/internals.md: its table of what the link step knows of hooks/rt by name is that of the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from places import HOOKS, ROOT

from objinst.rewrite.runtimepkg import CHANNELS, GOROUTINES

PAGE = (ROOT / "docs/contributing/internals.md").read_text()
PATHS = {"rt", "RT", "rt.path", "self.rt.path"}
"""Expressions that give the import path of hooks/rt where a symbol's name is put together."""
WATCHED = [*GOROUTINES, *CHANNELS]
KNOWN = {"watched.call": {watch.call for watch in WATCHED}, "watched.back": {watch.back for watch in WATCHED if watch.back}}
"""Names that come from records."""


def declared(kinds: str) -> set[str]:
    """What hooks/rt declares with these keywords at the top level: functions, methods, types, variables."""
    text = "\n".join(path.read_text() for path in (HOOKS / "rt").glob("*.go") if not path.name.endswith("_test.go"))
    blocks = re.findall(rf"^(?:{kinds}) \(\n(.*?)^\)", text, re.MULTILINE | re.DOTALL)
    return {*re.findall(rf"^(?:{kinds}) (?:\([^)]*\) )?(\w+)", text, re.MULTILINE), *re.findall(r"^\t(\w+)", "\n".join(blocks), re.MULTILINE)}


def values(expression: str, function: ast.AST) -> set[str]:
    """The texts that an expression may have in a function: of a record, of a loop over texts, or of an assignment."""
    if expression in KNOWN:
        return KNOWN[expression]
    found: list[ast.AST] = []
    for node in ast.walk(function):
        if isinstance(node, ast.For | ast.comprehension) and ast.unparse(node.target) == expression:
            found.append(node.iter)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == expression:
            found.append(node.value)
    texts = {child.value for node in found for child in ast.walk(node) if isinstance(child, ast.Constant) and isinstance(child.value, str)}
    assert texts, f"what is {expression}? KNOWN has to say"
    return texts


def names(function: ast.AST) -> Iterator[str]:
    """Symbols of hooks/rt that a function puts together, `f"{rt}.NAME"`, without the path."""
    for node in ast.walk(function):
        if not isinstance(node, ast.JoinedStr):
            continue
        for at, part in enumerate(node.values[:-1]):
            following = node.values[at + 1]
            if not (isinstance(part, ast.FormattedValue) and ast.unparse(part.value) in PATHS and isinstance(following, ast.Constant)):
                continue
            match = re.match(r"\.(\w*)", str(following.value))
            if match and match.end() == len(str(following.value)) and len(node.values) > at + 2:
                rest = node.values[at + 2]
                assert isinstance(rest, ast.FormattedValue)
                yield from (match[1] + text for text in values(ast.unparse(rest.value), function))
            elif match and match[1]:
                yield match[1]


def referred(folder: Path) -> set[str]:
    trees = [ast.parse(path.read_text()) for path in folder.rglob("*.py")]
    return {name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for name in names(node)}


def table() -> set[str]:
    rows = re.findall(r"^\| (`rt\.[^|]*) \|", PAGE, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`rt\.(\w+)`", row)}


def test_the_table_has_what_the_code_refers_to() -> None:
    found = referred(ROOT / "objinst") - declared("type")
    assert {"enterTimed", "exitHeld", "onReceivedOK", "death", "link", "catch"} <= found
    assert table() == found


def test_what_the_page_names_is_declared() -> None:
    named = set(re.findall(r"\brt\.\(?\*?(\w+)", PAGE))
    assert len(named) > 30
    assert named - declared("func|type|var|const") == set()


def test_a_name_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        'def f(rt, edit, held):\n    variant = "Held" if held else ""\n    edit(f"{rt}.enter{variant}", f"type:*{rt}.link", f"{rt}.(*Call).x")\n'
        'def g(RT):\n    return [f"{RT}.{name}·f" for name in ("death", "catch")]\n'
    )
    assert referred(tmp_path) == {"enter", "enterHeld", "link", "death", "catch"}
