"""Decides what the rules do to each function of an object: a plan or a refusal.

objinst.plan.admission decides whether a function can be hooked at all; this module decides which rules apply to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from objinst.goobj import Object
from objinst.plan.action import Plannable
from objinst.plan.admission import Admission
from objinst.plan.declared import Declared
from objinst.plan.facts import Facts
from objinst.plan.hooks import HookFinder
from objinst.plan.judge import Function
from objinst.plan.lasting import Lasting
from objinst.plan.model import FrontPlan, FunctionPlan, Refusal, Status, Target
from objinst.plan.select import candidates, only_leads_on
from objinst.rules import OBSERVERS, PRIVATE, FuncName, Rule, RuleSet
from trampolines import Arch

TELEMETRY = ("go.opentelemetry.io/otel", "go.opentelemetry.io/contrib", "github.com/otelobj/otelobj/hooks", PRIVATE, OBSERVERS)


@dataclass(frozen=True, slots=True)
class Planned:
    """What is done to one function. hooks: the plan of its hooks, None if it gets none; front: that of a stub in front of it, None if it gets none;
    fronted_by: hook packages of the actions that put one there."""

    hooks: FunctionPlan | None
    front: FrontPlan | None
    fronted_by: tuple[str, ...]
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Eligibility:
    """The eligibility of one link. packages: import paths of the link, the root package under its symbol prefix; hooks: those of hook packages and what only they import.

    versions: import path -> version of its module, None if it is not known; load: the object of a package or hook package.
    """

    arch: Arch
    finder: HookFinder
    facts: Facts
    rules: RuleSet
    versions: Callable[[str], str | None]
    load: Callable[[str], Object | None]
    packages: frozenset[str]
    hooks: frozenset[str]

    @functools.cached_property
    def admission(self) -> Admission:
        return Admission(self.arch, self.finder, self.facts)

    def plan_object(self, obj: Object, package: str) -> Iterator[Planned]:
        """The plan of every function of an object that some rule names."""
        source = Declared(obj, self.load)
        found = candidates(obj, package, self.rules, self.versions, own=package in self.packages, load=self.load, foreign=self._is_foreign)
        for index, matching in found:
            fronting = [(rule, action) for rule, action in matching if action.fronts]
            hooks = [(rule, action) for rule, action in matching if action.calls]
            function = self.admission.read(obj, index, package) if hooks else None
            outcomes: list[FunctionPlan | Refusal] = []
            if isinstance(function, Function):
                hooks = self._meant(hooks, function, source)
                outcomes = self.judge(function, package, hooks, source)
            elif function:
                outcomes = [function] * len(hooks)
            front = self.admission.front(obj, index, package) if fronting else None
            hooked = dict(zip(hooks, outcomes, strict=True))
            targets = [_target(rule, obj, index, package, function, outcome) for (rule, action), outcome in hooked.items() if not action.fronts]
            targets += [_front_target(rule, obj, index, package, front, hooked.get((rule, action))) for rule, action in fronting if front]
            yield Planned(
                next((outcome for outcome in outcomes if isinstance(outcome, FunctionPlan)), None),
                front if isinstance(front, FrontPlan) else None,
                tuple(dict.fromkeys(action.package for _, action in fronting)),
                tuple(targets),
            )

    def _is_foreign(self, package: str) -> bool:
        return package in self.hooks and package not in self.packages

    def judge(self, function: Function, package: str, hooks: Sequence[tuple[Rule, Plannable]], source: Declared) -> list[FunctionPlan | Refusal]:
        """The outcome for each action. If the spans of a rule do not apply, the other actions still do."""
        left_out = [function.refusal or (self._lasts(function, rule, package, source) if action.spans else None) for rule, action in hooks]
        meant = [hook for hook, refusal in zip(hooks, left_out, strict=True) if refusal is None]
        judged = iter(self.admission.judge(function, package, meant) if meant else ())
        return [refusal or next(judged) for refusal in left_out]

    def _lasts(self, function: Function, rule: Rule, package: str, source: Declared) -> Refusal | None:
        name = source.name(function.index)
        return None if name is None else self.lasting.refusal(rule, name, function.object, function.index, package)

    @functools.cached_property
    def lasting(self) -> Lasting:
        """Which functions last as long as the program."""
        return Lasting(self.arch, self.load, self.is_spanned)

    def is_spanned(self, package: str) -> bool:
        """Whether a rule with a pattern creates spans for functions of a package."""
        return any(rule.matches_package(package) for rule in self._span_patterns)

    @functools.cached_property
    def _span_patterns(self) -> list[Rule]:
        return [rule for rule in self.rules.rules if rule.is_glob and any(action.spans for action in rule.do)]

    @staticmethod
    def _meant(matching: list[tuple[Rule, Plannable]], function: Function, source: Declared) -> list[tuple[Rule, Plannable]]:
        """The actions without duplicates, and without spans of code that itself creates telemetry."""
        own = [(rule, action) for rule, action in matching if not only_leads_on(rule, function.symbol, function.object, function.info)]
        return [(rule, action) for rule, action in own if not action.spans or _may_span(rule, source.name(function.index))]


def _may_span(rule: Rule, name: FuncName | None) -> bool:
    """Whether the spans of a rule apply to a function. Code that creates and exports telemetry is traced only if a rule names it exactly:
    otherwise the export of one span would create the next."""
    return name is not None and not (rule.is_glob and name.pkg.startswith(TELEMETRY))


def _target(rule: Rule, obj: Object, index: int, package: str, function: Function | Refusal | None, outcome: FunctionPlan | Refusal) -> Target:
    file, line = (function.file, function.line) if isinstance(function, Function) else ("", 0)
    refusal, plan = (outcome, None) if isinstance(outcome, Refusal) else (None, outcome)
    return Target(
        rule=rule.name,
        symbol=obj.sym(index).name,
        package=package,
        file=file,
        line=line,
        status=Status.HOOKED if plan else Status.REFUSED,
        reason=f"{refusal.code}: {refusal.why}" if refusal else "",
        entry=plan is not None,
        exit=plan is not None and plan.has_exit,
        inlined_calls=0,
        left_out=plan.left_out(rule.name) if plan else (),
    )


def _front_target(rule: Rule, obj: Object, index: int, package: str, outcome: FrontPlan | Refusal, hooked: FunctionPlan | Refusal | None) -> Target:
    """hooked: the outcome for the Go code of the same action, which may see the exit too; None if it has none."""
    plan = None if isinstance(outcome, Refusal) else outcome
    return Target(
        rule=rule.name,
        symbol=obj.name(index),
        package=package,
        file=(obj.source(plan.file) or "") if plan else "",
        line=plan.info.start_line if plan else 0,
        status=Status.HOOKED if plan else Status.REFUSED,
        reason=f"{outcome.code}: {outcome.why}" if isinstance(outcome, Refusal) else "",
        entry=plan is not None,
        exit=plan is not None and isinstance(hooked, FunctionPlan) and hooked.has_exit,
        inlined_calls=0,
    )
