"""The one gate: whether a function of a link can be hooked, or have a stub in front of it. `link`, `plan`, `explain` and `survey` all ask here.

What decides is the function itself (objinst.plan.judge), and what only the link knows: packages that are never hooked, functions that somebody
relies on (objinst.plan.facts), code that runs between fork and exec.
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
from objinst.plan.pinned import Reliance
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
class Gate:
    """Of one link. package: everywhere that of the object."""

    arch: Arch
    finder: HookFinder
    facts: Facts

    def closed(self, obj: Object, index: int, package: str) -> Refusal | None:
        """The refusal of functions that nothing is ever done to, not even a counter. A copy of a closed package's function, wherever it lies,
        may be the one that the linker keeps for the runtime."""
        name = None if package in self.facts.closed else parse_func_name(obj.name(index))
        home = package if name is None or name.pkg not in self.facts.closed else name.pkg
        return Refusal("runtime", f"{home} belongs to the runtime or to what hooks stand on") if home in self.facts.closed else None

    def read(self, obj: Object, index: int, package: str) -> Function | Refusal:
        """A function as everybody asks for it, or why there is nothing to hook. Raises ObjectError if the object's tables do not make sense."""
        refusal, function = self.closed(obj, index, package), read_function(obj, index)
        if isinstance(function, Refusal):
            return refusal or function
        return replace(function, refusal=refusal or (ASSEMBLY if is_assembly(obj, function.info) else None))

    def look(self, function: Function, hooks: Sequence[tuple[Rule, Plannable]] = ()) -> Seen:
        """What a function's judgement rests on, for people. hooks: of the actions, some may say what its types are."""
        return Seen(*look(function, hooks, self.arch, self.finder), scan_returns(function, self.arch))

    def judge(
        self, function: Function, package: str, hooks: Sequence[tuple[Rule, Plannable]] = (), *, at_exit: bool = False
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each of the actions, or of a hook that asks for nothing; at_exit: but for the exit. function: as `read` gives it."""
        obj, index = function.object, function.index
        refusal = function.refusal
        if refusal is None and package == "syscall" and index in fork_set(obj):
            refusal = FORK
        if refusal:
            return [refusal] * max(len(hooks), 1)
        reliance = Reliance.on(own_keys(obj, package, index), self.facts.pinned.get(package, {}), self.facts.frames.get(package, {}))
        return judge_each(function, hooks, self.arch, self.finder, reliance, at_exit=at_exit)

    def ways(self, function: Function, package: str) -> tuple[FunctionPlan | Refusal, FunctionPlan | Refusal]:
        """The outcomes of a hook that asks for nothing, at the entry and, if that can be, at the exit; and at both."""
        both = self.judge(function, package, at_exit=True)[0]
        return both if isinstance(both, FunctionPlan) else self.judge(function, package)[0], both

    def front(self, obj: Object, index: int, package: str) -> FrontPlan | Refusal:
        """Raises ObjectError if the object's tables do not make sense."""
        return self.closed(obj, index, package) or judge_front(obj, index)
