"""An action as rules know it: what a rule file says of it, before any function is known.

The actions are in objinst.actions, one file each. Each derives from Action, so no other code needs to know which action it has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

import yaml

from objinst.rules.nodes import Nodes
from objinst.rules.paths import ValuePath


class Action(ABC):
    """What a rule does to a function. Derived classes are frozen dataclasses: the digest of the rules has their `repr`."""

    __slots__ = ()
    support: ClassVar[str] = ""
    """The module in hooks/ whose rules are in force wherever the action is."""
    measures: ClassVar[bool] = False
    """It needs no SDK."""
    passive: ClassVar[str] = ""
    """Import path of a hook package that imports hooks/rt and opens no scope."""
    spans: ClassVar[bool] = False
    """It makes a span of each call. Where a pattern names a function, that is left out of functions that make telemetry, and of those that last
    as long as the program."""

    @classmethod
    @abstractmethod
    def parse(cls, nodes: Nodes, key: yaml.ScalarNode, value: yaml.Node, rule: str) -> Self:
        """Reads `key: value`. rule: its name, for messages. Raises UsageError."""

    @property
    @abstractmethod
    def package(self) -> str:
        """Import path of the hook package that it needs in the link."""

    @property
    def paths(self) -> tuple[ValuePath, ...]:
        """The values of a call that it reads, each once."""
        return ()

    @property
    def calls(self) -> bool:
        """It has Go code run at the entry or the exit of the function."""
        return True

    @property
    def fronts(self) -> bool:
        """It puts a stub in front of the function that needs nothing of it: no stack, no types, no hook."""
        return False

    @property
    def needs_exit(self) -> bool:
        """It is of no use without the function's exit."""
        return False

    @property
    def claims(self) -> tuple[str, str, str] | None:
        """Where no source names a function's types: package, before and after of hooks whose types are taken for them."""
        return None


Actions = Mapping[str, type[Action]]
"""By their names in rule files."""
