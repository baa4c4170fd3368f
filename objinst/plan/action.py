"""An action as the plan sees it: it says what it does to one function."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

from objinst.plan.model import Refusal, Use
from objinst.plan.subject import Subject
from objinst.rules import Action, Rule


class Plannable(Action):
    """What every action of a rule must provide. The reader of rules does not need it."""

    __slots__ = ()

    @abstractmethod
    def plan(self, rule: Rule, function: Subject) -> Use | Refusal:
        """rule: whose action it is. Raises OtelobjError for a rule that is wrong for every function."""


def plannable(rule: Rule) -> Iterable[Plannable]:
    """The actions of a rule."""
    for action in rule.do:
        if not isinstance(action, Plannable):
            raise TypeError(f"{type(action).__name__} cannot be planned; see docs/contributing/action.md")
        yield action
