"""The rewrite of one object: applies the plans of its functions, in order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from objinst.errors import OtelobjError
from objinst.goobj import Edit, Object, verify, verify_copies, verify_turned
from objinst.link.session import Session
from objinst.plan.eligibility import Planned
from objinst.plan.specs import Offsets
from objinst.rewrite.function import hook_function
from objinst.rewrite.runtimepkg import Slot
from objinst.rewrite.site import Runtime
from objinst.rewrite.tables import LinkTables
from objinst.rules import RT
from trampolines import Arch


@dataclass(frozen=True, slots=True)
class Rewriter:
    """What the rewrite of any object of a link needs beside its plans. tables: see Session."""

    arch: Arch
    rt: Runtime
    tables: Mapping[str, LinkTables]
    offsets: Offsets

    @classmethod
    def of(cls, session: Session, slot: Slot) -> Rewriter:
        """Raises ObjectError if the hook packages have another version."""
        for package in session.wanted:  # what actions write for them has their types
            session.load(package)
        return cls(session.arch, Runtime.of(rt_object(session), RT, session.load), session.tables, Offsets(slot.offset, slot.guard))

    def rewrite(self, edit: Edit, package: str, place: str, plans: Iterable[Planned]) -> tuple[list[str], dict[str, list[str]]]:
        """The names of the descriptors that an object gets, and hook package -> those of the tables. place: of the object, unique in the link."""
        tables = {owner: kept.begin(edit, self.arch, place) for owner, kept in self.tables.items()}
        descriptors: list[str] = []
        for planned in plans:
            if planned.hooks is not None:
                descriptors.append(hook_function(edit, self.arch, self.rt, planned.hooks, package, self.offsets, tables))
            if planned.front is not None:
                for owner in planned.fronted_by:
                    tables[owner].front(planned.front)
        return descriptors, {owner: names for owner, table in tables.items() if (names := table.finish())}


def rt_object(session: Session) -> Object:
    """The object of hooks/rt. Raises OtelobjError if the link has none."""
    obj = session.load(RT)
    if obj is None:
        raise OtelobjError(f"{RT} is not among the hook packages", "reinstall otelobj")
    return obj


def checked(edit: Edit) -> bytes:
    """The bytes of an edited object, verified. Raises ObjectError: the linker never gets an inconsistent object."""
    data = edit.to_bytes()
    made = Object.parse(data, edit.object.origin)
    verify(made, edit.touched())
    verify_copies(made, edit.object, edit.copies())
    verify_turned(made, edit.object, edit.turned())
    return data
