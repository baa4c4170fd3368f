"""The one gate: whether a function of a link can be hooked, or have a counter. `link`, `plan`, `explain` and `survey` all ask here.

What decides is the function itself (objinst.plan.judge), and what only the link knows: packages that are never hooked, functions that somebody
relies on (objinst.plan.facts), code that runs between fork and exec.
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
from objinst.plan.pinned import Reliance
from objinst.plan.scope import fork_set
from objinst.rules import Rule, parse_func_name
from trampolines import Arch

FORK = Refusal("fork", "it can run between fork and exec")


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
        """A function that some hook may be possible for, or why none ever is. Raises ObjectError if the object's tables do not make sense."""
        function = self.closed(obj, index, package) or read_function(obj, index)
        return ASSEMBLY if isinstance(function, Function) and is_assembly(obj, function.info) else function

    def judge(
        self, function: Function, package: str, hooks: Sequence[tuple[Rule, Plannable]] = (), *, at_exit: bool = False
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each of the actions, or of a hook that asks for nothing; at_exit: but for the exit."""
        obj, index = function.object, function.index
        refusal = self.closed(obj, index, package)
        if refusal is None and package == "syscall" and index in fork_set(obj):
            refusal = FORK
        if refusal:
            return [refusal] * max(len(hooks), 1)
        reliance = Reliance.on(own_keys(obj, package, index), self.facts.pinned.get(package, {}), self.facts.frames.get(package, {}))
        return judge_each(function, hooks, self.arch, self.finder, reliance, at_exit=at_exit)

    def count(self, obj: Object, index: int, package: str) -> CountPlan | Refusal:
        """Raises ObjectError if the object's tables do not make sense."""
        return self.closed(obj, index, package) or judge_count(obj, index)
