"""What a rule can do to a function: one file per action, named as in rule files. docs/contributing/action.md says how to add one.

An action is a value. `parse` reads it from a rule. `plan` says what it does to one function, as a `Use`, and `emit` writes that use into the
function's object. All other code goes through these methods, or asks every registered action, and does not know which
actions exist.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from objinst.plan.action import Plannable
from objinst.rules.action import Action

if TYPE_CHECKING:  # see objinst.plan.action
    from objinst.goobj import Load
    from objinst.rewrite.tables import LinkTables

ACTIONS: dict[str, type[Plannable]] = {}
"""By their names in rule files: each file of this folder has its action as ACTION."""


def register(name: str, action: type[Action]) -> None:
    """Raises TypeError for what could be read from a rule, but not be carried out."""
    missing = sorted(getattr(action, "__abstractmethods__", ()))
    if not issubclass(action, Plannable) or missing:
        raise TypeError(f"action {name}: {action.__name__} has no {', '.join(missing) or 'plan'}; see docs/contributing/action.md")
    ACTIONS[name] = action


def link_tables(load: Load) -> dict[str, LinkTables]:
    """Hook package -> the tables that its actions keep, of those packages that are in the link. Raises ObjectError if one is of another version."""
    found: list[LinkTables | None] = [action.tables(load) for action in ACTIONS.values()]
    return {tables.package: tables for tables in found if tables is not None}


def passive_packages() -> frozenset[str]:
    """Hook packages of actions that import hooks/rt and open no scope."""
    return frozenset(action.passive for action in ACTIONS.values()) - {""}


for file in iter_modules(__path__):
    register(file.name, import_module(f"{__name__}.{file.name}").ACTION)
