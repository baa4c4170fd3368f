"""The rewrite of one object: applies the plans of its functions, in order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from objinst.actions.probe import PACKAGE as PROBE
from objinst.errors import OtelobjError
from objinst.goobj import Edit, Object, verify, verify_copies, verify_turned
from objinst.link.session import Session
from objinst.plan.eligibility import Planned
from objinst.plan.specs import Offsets
from objinst.rewrite.function import hook_function
from objinst.rewrite.probes import ProbeLayouts, Probes
from objinst.rewrite.runtimepkg import Slot
from objinst.rewrite.site import Runtime
from objinst.rules import RT
from trampolines import Arch


@dataclass(frozen=True, slots=True)
class Rewriter:
    """What the rewrite of any object of a link needs in addition to its plans. probes: None if no rule has a probe, and so the link has no hooks/probe."""

    arch: Arch
    rt: Runtime
    probes: ProbeLayouts | None
    offsets: Offsets

    @classmethod
    def of(cls, session: Session, slot: Slot) -> Rewriter:
        """Raises ObjectError if the hook packages have another version."""
        for package in session.wanted:  # what actions write for them has their types
            session.load(package)
        rt, probe = Runtime.of(rt_object(session), RT, session.load), session.load(PROBE)
        return cls(session.arch, rt, None if probe is None else ProbeLayouts.of(probe, PROBE), Offsets(slot.offset, slot.guard))

    def rewrite(self, edit: Edit, package: str, table: str, plans: Iterable[Planned]) -> tuple[list[str], list[str]]:
        """Rewrites an object. Returns the names of its descriptors, and of its table of counters if there is one. table: its name, unique in the link."""
        probes = None if self.probes is None else Probes(edit, self.arch, self.probes, table)
        descriptors: list[str] = []
        for planned in plans:
            if planned.hooks is not None:
                descriptors.append(hook_function(edit, self.arch, self.rt, planned.hooks, package, self.offsets, probes))
            if planned.count is not None and probes is not None:
                probes.count(planned.count)
        return descriptors, probes.finish() if probes else []


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
