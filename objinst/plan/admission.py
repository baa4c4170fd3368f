"""Admission: whether a function of a link can be hooked, or have a stub in front of it. `link`, `plan`, `explain` and `survey` all ask here.

The answer depends on the function itself (objinst.plan.judge) and on what only the link knows: packages that are never hooked, functions
whose callers rely on the stack not moving (objinst.plan.facts), code that runs between fork and exec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from objinst.goobj import Object
from objinst.plan.action import Plannable
from objinst.plan.facts import Facts
from objinst.plan.hooks import HookFinder
from objinst.plan.judge import ASSEMBLY, Function, is_assembly, judge_each, judge_front, look, read_function, scan_returns
from objinst.plan.keys import own_keys
from objinst.plan.layout import Layout
from objinst.plan.model import FrontPlan, FunctionPlan, Refusal
from objinst.plan.nosplit import Reliance
from objinst.plan.scope import fork_set
from objinst.rules import Rule, parse_func_name
from objinst.signatures.agree import Evidence
from trampolines import Arch
from trampolines.contract import EpilogueScan

FORK = Refusal("fork", "it can run between fork and exec")


@dataclass(frozen=True, slots=True)
class Seen:
    """evidence: what the object says of a function's arguments without types; layout: what the types say; epilogues: where it returns."""

    evidence: Evidence
    layout: Layout | Refusal
    epilogues: EpilogueScan


@dataclass(frozen=True, slots=True)
class Admission:
    """The admission of one link. The parameter package is always that of the object."""

    arch: Arch
    finder: HookFinder
    facts: Facts

    def excluded(self, obj: Object, index: int, package: str) -> Refusal | None:
        """The refusal of functions that are never changed, not even for a counter. A copy of an excluded package's function counts too, in any
        package: the linker may keep that copy for the runtime."""
        name = None if package in self.facts.excluded else parse_func_name(obj.name(index))
        home = package if name is None or name.pkg not in self.facts.excluded else name.pkg
        return Refusal("runtime", f"{home} belongs to the runtime or to what hooks stand on") if home in self.facts.excluded else None

    def read(self, obj: Object, index: int, package: str) -> Function | Refusal:
        """A function with the refusal that it has whatever rules say, or why there is nothing to hook. Raises ObjectError if the object's tables are
        inconsistent."""
        refusal, function = self.excluded(obj, index, package), read_function(obj, index)
        if isinstance(function, Refusal):
            return refusal or function
        return replace(function, refusal=refusal or (ASSEMBLY if is_assembly(obj, function.info) else None))

    def look(self, function: Function, hooks: Sequence[tuple[Rule, Plannable]] = ()) -> Seen:
        """What the judgement of a function rests on, for people. hooks: some actions can say what its types are."""
        return Seen(*look(function, hooks, self.arch, self.finder), scan_returns(function, self.arch))

    def judge(
        self, function: Function, package: str, hooks: Sequence[tuple[Rule, Plannable]] = (), *, at_exit: bool = False
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each action; without any, that of a hook that needs no values. at_exit: of such a hook at the exit. function: from `read`."""
        obj, index = function.object, function.index
        refusal = function.refusal
        if refusal is None and package == "syscall" and index in fork_set(obj):
            refusal = FORK
        if refusal:
            return [refusal] * max(len(hooks), 1)
        reliance = Reliance.on(own_keys(obj, package, index), self.facts.nosplit.get(package, {}), self.facts.frames.get(package, {}))
        return judge_each(function, hooks, self.arch, self.finder, reliance, at_exit=at_exit)

    def ways(self, function: Function, package: str) -> tuple[FunctionPlan | Refusal, FunctionPlan | Refusal]:
        """The outcomes of a hook that needs no values: at the entry, and at the exit too if possible; and at both."""
        both = self.judge(function, package, at_exit=True)[0]
        return both if isinstance(both, FunctionPlan) else self.judge(function, package)[0], both

    def front(self, obj: Object, index: int, package: str) -> FrontPlan | Refusal:
        """Raises ObjectError if the object's tables are inconsistent."""
        return self.excluded(obj, index, package) or judge_front(obj, index)
