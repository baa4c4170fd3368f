"""Admission: whether a function of a link can be hooked or counted. `link`, `plan`, `explain` and `survey` all ask here.

The answer depends on the function itself (objinst.plan.judge) and on what only the link knows: packages that are never hooked, functions
whose callers rely on the stack not moving (objinst.plan.facts), code that runs between fork and exec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.action import Plannable
from objinst.plan.facts import Facts
from objinst.plan.hooks import HookFinder
from objinst.plan.judge import ASSEMBLY, Function, is_assembly, judge_count, judge_each, read_function
from objinst.plan.keys import own_keys
from objinst.plan.model import CountPlan, FunctionPlan, Refusal
from objinst.plan.nosplit import Reliance
from objinst.plan.scope import fork_set
from objinst.rules import Rule, parse_func_name
from trampolines import Arch

FORK = Refusal("fork", "it can run between fork and exec")


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
        """A function that might be hooked, or why it never can be. Raises ObjectError if the object's tables are inconsistent."""
        function = self.excluded(obj, index, package) or read_function(obj, index)
        return ASSEMBLY if isinstance(function, Function) and is_assembly(obj, function.info) else function

    def judge(
        self, function: Function, package: str, hooks: Sequence[tuple[Rule, Plannable]] = (), *, at_exit: bool = False
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each action; without any, that of a hook that needs no values. at_exit: of such a hook at the exit."""
        obj, index = function.object, function.index
        refusal = self.excluded(obj, index, package)
        if refusal is None and package == "syscall" and index in fork_set(obj):
            refusal = FORK
        if refusal:
            return [refusal] * max(len(hooks), 1)
        reliance = Reliance.on(own_keys(obj, package, index), self.facts.nosplit.get(package, {}), self.facts.frames.get(package, {}))
        return judge_each(function, hooks, self.arch, self.finder, reliance, at_exit=at_exit)

    def count(self, obj: Object, index: int, package: str) -> CountPlan | Refusal:
        """Raises ObjectError if the object's tables are inconsistent."""
        return self.excluded(obj, index, package) or judge_count(obj, index)
