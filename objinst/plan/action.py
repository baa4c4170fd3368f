"""An action as the plan sees it: it says what it does to one function.

Rules are read by every `link -V=full`, which plans nothing; so this module, objinst.plan.model and the files of objinst.actions import types of
functions, objects and rewrites for annotations only.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from objinst.plan.model import Refusal, Use
from objinst.rules import Action, Rule

if TYPE_CHECKING:
    from objinst.goobj import Load
    from objinst.plan.subject import Subject


class Plannable(Action):
    """What every action of a rule must provide: objinst.actions registers no other. The reader of rules does not need it."""

    __slots__ = ()

    @abstractmethod
    def plan(self, rule: Rule, function: Subject) -> Use | Refusal:
        """rule: whose action it is. Raises OtelobjError for a rule that is wrong for every function."""

    @classmethod
    def tables(cls, _load: Load) -> Any:
        """The objinst.rewrite.tables.LinkTables of its hook package, None if it needs none or that package is not in the link."""
        return None


def plannable(rule: Rule) -> Sequence[Plannable]:
    """The actions of a rule."""
    return cast("tuple[Plannable, ...]", rule.do)
