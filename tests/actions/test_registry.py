"""Actions are found by the names of their files, and nobody but their files tells one from another."""

from __future__ import annotations

import ast
import dataclasses
import inspect

import pytest
from places import ROOT

from objinst.actions import ACTIONS, register
from objinst.plan.action import Plannable
from objinst.plan.model import Use
from objinst.rules import Action

OBJINST = ROOT / "objinst"
FOLDER = OBJINST / "actions"
TYPES = {
    node.name
    for path in FOLDER.glob("*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.ClassDef) and {base.id for base in node.bases if isinstance(base, ast.Name)} & {"Plannable", "Use"}
}
"""Actions, and what they make of functions."""


def told_apart(source: str) -> list[str]:
    """Where a source asks which action it has: isinstance, a match by class, or the type itself."""
    found = []
    for node in ast.walk(ast.parse(source)):
        asked: list[ast.AST] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance", "issubclass"):
            asked = [node.args[1]]
        elif isinstance(node, ast.MatchClass):
            asked = [node.cls]
        elif isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        names = {part.attr if isinstance(part, ast.Attribute) else part.id for one in asked for part in ast.walk(one) if isinstance(part, ast.Attribute | ast.Name)}
        found += [f"{node.lineno}: {name}" for name in sorted(names & TYPES)]  # type: ignore[attr-defined]
    return found


def test_no_other_code_asks_which_action_it_has() -> None:
    assert {"InjectHooks", "Span", "Probe", "HookUse", "SpanUse", "ProbeUse"} <= TYPES
    paths = [path for path in OBJINST.rglob("*.py") if FOLDER not in path.parents and "collector" not in path.parts]  # the collector has spans of its own
    assert len(paths) > 100
    assert {str(path.relative_to(OBJINST)): found for path in paths if (found := told_apart(path.read_text()))} == {}


@pytest.mark.parametrize("code", ["isinstance(a, Span)", "isinstance(a, (int, span.Span))", "type(a) is Probe", "match a:\n    case SpanUse(): pass"])
def test_the_check_can_fail(code: str) -> None:
    assert told_apart(code)


def test_every_file_is_an_action() -> None:
    assert set(ACTIONS) == {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} >= {"inject_hooks", "span", "probe"}
    for name, action in ACTIONS.items():
        assert issubclass(action, Plannable) and not inspect.isabstract(action), name
        assert dataclasses.is_dataclass(action) and action.__dataclass_params__.frozen, f"{name}: the digest of the rules is made from its repr"  # type: ignore[attr-defined]
        assert f"`{name}` action" in (inspect.getmodule(action).__doc__ or ""), name  # type: ignore[union-attr]


def test_an_action_without_a_plan_is_not_registered() -> None:
    """Type checkers say so before; an action of a stranger's must not end in an AttributeError."""

    class Half(Action):
        parse = package = None  # type: ignore[assignment]

    class Unread(Plannable):
        package = plan = None  # type: ignore[assignment]

    for action, lacks in ((Half, "plan"), (Unread, "parse")):
        with pytest.raises(TypeError, match=f"action half: {action.__name__} has no {lacks}; see docs/contributing/action.md"):
            register("half", action)
    assert "half" not in ACTIONS


def test_a_use_that_writes_nothing_cannot_be_made() -> None:
    class Silent(Use):
        __slots__ = ()

    with pytest.raises(TypeError, match="emit"):
        Silent("r", "r")


def test_link_and_plan_name_no_action() -> None:
    """They ask the registry; what an action has of its own is in its file, and in what that imports."""
    named = {f"objinst.actions.{name}" for name in ACTIONS} | {"objinst.rewrite.probes"}
    for path in (path for folder in ("link", "plan", "cli", "hookpkgs") for path in (ROOT / folder).rglob("*.py")):
        imports = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        taken = {name for node in imports for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))}
        assert not taken & named, path
