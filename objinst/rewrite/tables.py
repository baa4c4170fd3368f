"""What an action keeps in an object beside the hooks of its functions: a table, which its hook package finds in a list of all tables of the link.

An action that has tables answers `Action.tables` with a LinkTables.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from objinst.goobj import Edit
from objinst.plan.model import FrontPlan
from trampolines import Arch


class ObjectTable(ABC):
    """The table of one object, while functions of the object are rewritten."""

    @abstractmethod
    def front(self, plan: FrontPlan) -> None:
        """Puts a stub in front of a function, whether or not it has an entry stub already."""

    @abstractmethod
    def finish(self) -> list[str]:
        """Writes the table; returns the names of its symbols for the list, none if nothing is in it."""


class LinkTables(ABC):
    """The tables of one hook package in one link."""

    @property
    @abstractmethod
    def package(self) -> str:
        """Import path of the hook package."""

    @property
    @abstractmethod
    def stub(self) -> str:
        """What people call the stub that goes in front of a function."""

    @abstractmethod
    def begin(self, edit: Edit, arch: Arch, place: str) -> ObjectTable:
        """The table of one object. place: of the object, unique in the link."""

    @abstractmethod
    def fill(self, edit: Edit, tables: Sequence[str]) -> None:
        """Lists all tables of the link in the hook package's own object. Raises ObjectError if that is of another version."""
