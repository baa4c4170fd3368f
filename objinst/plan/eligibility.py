"""Which functions of an object get what from the rules that name them: a plan or a refusal for each.

What decides is the function itself, what it may stand above (objinst.plan.facts), and what the rules mean.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.declared import Declared
from objinst.plan.facts import Facts
from objinst.plan.hooks import HookFinder
from objinst.plan.judge import Function, judge_each, read_function
from objinst.plan.keys import own_keys
from objinst.plan.lasting import Lasting
from objinst.plan.model import FunctionPlan, Refusal, Status, Target
from objinst.plan.pinned import Reliance
from objinst.plan.probes import CountPlan, judge_count
from objinst.plan.scope import fork_set
from objinst.plan.select import candidates, only_leads_on
from objinst.plan.spans import makes_spans
from objinst.rules import Action, Probe, ProbeKind, Rule, RuleSet, Span, parse_func_name
from trampolines import Arch


@dataclass(frozen=True, slots=True)
class Planned:
    """What is done to one function. hooks: by hooks/rt, None if nothing is; count: None if it gets no counter."""

    hooks: FunctionPlan | None
    count: CountPlan | None
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Eligibility:
    """Of one link. packages: import paths of the link, the root package under its symbol prefix; hooks: of hook packages and what only they need.

    versions: import path -> version of its module, None if it is not known; load: the object of a package of either.
    """

    arch: Arch
    finder: HookFinder
    facts: Facts
    rules: RuleSet
    versions: Callable[[str], str | None]
    load: Callable[[str], Object | None]
    packages: frozenset[str]
    hooks: frozenset[str]

    def plan_object(self, obj: Object, package: str) -> Iterator[Planned]:
        """The plan of every function of an object that some rule names."""
        forbidden = fork_set(obj) if package == "syscall" else frozenset()
        source = Declared(obj, self.load)
        found = candidates(obj, package, self.rules, self.versions, own=package in self.packages, load=self.load, foreign=self._is_foreign)
        for index, matching in found:
            counting = [(rule, action) for rule, action in matching if counts(action)]
            hooks = [(rule, action) for rule, action in matching if calls(action)]
            function = read_function(obj, index) if hooks else None
            hooks = self._meant(hooks, function, source) if function else hooks
            outcomes: list[FunctionPlan | Refusal] = []
            counted: CountPlan | Refusal | None = None
            home = self._home(obj, index, package)
            if home in self.facts.closed:
                counted = Refusal("runtime", f"{home} belongs to the runtime or to what hooks stand on")
                outcomes = [counted] * len(hooks)
            else:
                if hooks and function:
                    outcomes = self.judge_meant(function, hooks, forbidden, package, source)
                if counting:
                    counted = judge_count(obj, index)
            outcome_of = dict(zip(hooks, outcomes, strict=True))
            yield Planned(
                next((outcome for outcome in outcomes if isinstance(outcome, FunctionPlan)), None),
                counted if isinstance(counted, CountPlan) else None,
                (
                    *(
                        _target(rule, obj, index, package, function, outcome)
                        for (rule, action), outcome in zip(hooks, outcomes, strict=True)
                        if not counts(action)
                    ),
                    *(
                        _count_target(rule, obj, index, package, counted, stress=outcome_of.get((rule, action)))
                        for rule, action in counting
                        if counted
                    ),
                ),
            )

    def _home(self, obj: Object, index: int, package: str) -> str:
        """The package whose rules hold for a function. A copy of a closed package's function, wherever it lies, may be the one that the linker
        keeps for the runtime."""
        name = None if package in self.facts.closed else parse_func_name(obj.name(index))
        return package if name is None or name.pkg not in self.facts.closed else name.pkg

    def judge(
        self, function: Function | Refusal, hooks: Sequence[tuple[Rule, Action]], forbidden: frozenset[int], package: str, *, at_exit: bool = False
    ) -> list[FunctionPlan | Refusal]:
        """The outcome for each of the actions, or of none. at_exit: the exit is to be seen, whether or not an action asks for it."""
        if isinstance(function, Refusal):
            return [function] * max(len(hooks), 1)
        if function.index in forbidden:
            return [Refusal("fork", "it can run between fork and exec")] * max(len(hooks), 1)
        return judge_each(function, hooks, self.arch, self.finder, self._pinned_by(function.object, package, function.index), at_exit=at_exit)

    def _is_foreign(self, package: str) -> bool:
        return package in self.hooks and package not in self.packages

    def judge_meant(
        self, function: Function | Refusal, hooks: Sequence[tuple[Rule, Action]], forbidden: frozenset[int], package: str, source: Declared
    ) -> list[FunctionPlan | Refusal]:
        """As `judge`; a span that a rule does not mean keeps none of the other actions from the function."""
        left_out = [self._lasts(function, rule, package, source) if isinstance(action, Span) else None for rule, action in hooks]
        meant = [hook for hook, refusal in zip(hooks, left_out, strict=True) if refusal is None]
        judged = iter(self.judge(function, meant, forbidden, package) if meant else ())
        return [refusal or next(judged) for refusal in left_out]

    def _lasts(self, function: Function | Refusal, rule: Rule, package: str, source: Declared) -> Refusal | None:
        name = None if isinstance(function, Refusal) else source.name(function.index)
        return None if isinstance(function, Refusal) or name is None else self.lasting.refusal(rule, name, function.object, function.index, package)

    @functools.cached_property
    def lasting(self) -> Lasting:
        """Which functions last as long as the program."""
        return Lasting(self.arch, self.load, self.is_spanned)

    def is_spanned(self, package: str) -> bool:
        """Whether a rule makes spans of a package's functions by a pattern."""
        return any(rule.matches_package(package) for rule in self._span_patterns)

    @functools.cached_property
    def _span_patterns(self) -> list[Rule]:
        return [rule for rule in self.rules.rules if rule.is_glob and any(isinstance(action, Span) for action in rule.do)]

    @staticmethod
    def _meant(matching: list[tuple[Rule, Action]], function: Function | Refusal, source: Declared) -> list[tuple[Rule, Action]]:
        """The actions without those that would come twice, and without spans of what makes telemetry itself."""
        if isinstance(function, Refusal):
            return matching
        own = [(rule, action) for rule, action in matching if not only_leads_on(rule, function.symbol, function.object, function.info)]
        return [(rule, action) for rule, action in own if not isinstance(action, Span) or makes_spans(rule, source.name(function.index))]

    def _pinned_by(self, obj: Object, package: str, index: int) -> Reliance:
        return Reliance.on(own_keys(obj, package, index), self.facts.pinned.get(package, {}), self.facts.frames.get(package, {}))


def _target(rule: Rule, obj: Object, index: int, package: str, function: Function | Refusal | None, outcome: FunctionPlan | Refusal) -> Target:
    known = isinstance(function, Function)
    plan = outcome if isinstance(outcome, FunctionPlan) else None
    return Target(
        rule=rule.name,
        symbol=obj.sym(index).name,
        package=package,
        file=function.file if known else "",  # type: ignore[union-attr]
        line=function.line if known else 0,  # type: ignore[union-attr]
        status=Status.HOOKED if plan else Status.REFUSED,
        reason="" if plan else f"{outcome.code}: {outcome.why}",  # type: ignore[union-attr]
        entry=plan is not None,
        exit=plan is not None and plan.has_exit,
        inlined_calls=0,
        left_out=plan.left_out(rule.name) if plan else (),
    )


def counts(action: Action) -> bool:
    """Wants a counter in front of the function."""
    return isinstance(action, Probe) and action.kind is not ProbeKind.LATENCY


def calls(action: Action) -> bool:
    """Wants Go code to run at the entry or the exit of the function; stress and hot do where they can have it."""
    return not (isinstance(action, Probe) and action.kind is ProbeKind.COUNT)


def _count_target(
    rule: Rule, obj: Object, index: int, package: str, outcome: CountPlan | Refusal, *, stress: FunctionPlan | Refusal | None
) -> Target:
    """stress: what becomes of the Go code of a stress probe, which may come to see the exit, too."""
    plan = None if isinstance(outcome, Refusal) else outcome
    return Target(
        rule=rule.name,
        symbol=obj.name(index),
        package=package,
        file=obj.files[plan.file].removeprefix("gofile..") if plan else "",
        line=plan.info.start_line if plan else 0,
        status=Status.HOOKED if plan else Status.REFUSED,
        reason=f"{outcome.code}: {outcome.why}" if isinstance(outcome, Refusal) else "",
        entry=plan is not None,
        exit=plan is not None and isinstance(stress, FunctionPlan) and stress.has_exit,
        inlined_calls=0,
    )
