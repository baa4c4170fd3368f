"""Actions are found by the names of their files, and nobody but their files tells one from another."""

from __future__ import annotations

import ast
import dataclasses
import inspect

import pytest
from places import ROOT

from objinst.actions import ACTIONS
from objinst.plan.action import Plannable, plannable
from objinst.plan.model import Use
from objinst.rewrite.site import Emittable, emittable
from objinst.rules import Action, Rule, Where

OBJINST = ROOT / "objinst"
FOLDER = OBJINST / "actions"
TYPES = {
    node.name
    for path in FOLDER.glob("*.py")
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.ClassDef) and {base.id for base in node.bases if isinstance(base, ast.Name)} & {"Plannable", "Emittable"}
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


def test_an_action_without_a_plan_is_named() -> None:
    """Type checkers say so before; an action of a stranger's must not end in an AttributeError."""

    class Half(Action):
        parse = package = None  # type: ignore[assignment]

    rule = Rule("r", "r", "main", Where(), (Half(),), "r.yaml:1")
    with pytest.raises(TypeError, match="Half cannot be planned"):
        list(plannable(rule))


def test_a_use_that_writes_nothing_is_named() -> None:
    with pytest.raises(TypeError, match="Use cannot be emitted"):
        emittable(Use("r", "r"))
    assert issubclass(Emittable, Use)
