"""Which rules apply to a link, and the hook packages that they need."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import hooktree
from objinst.actions import ACTIONS
from objinst.errors import OtelobjError
from objinst.gobuild import LinkCommand
from objinst.goobj import Load
from objinst.link.build import Build, check_supported
from objinst.plan.missing import Missing, RuleMatcher, left_out_rule, rule_matcher
from objinst.rules import Rule, RuleSet, hook_packages, load, supports


@dataclass(frozen=True, slots=True)
class Choice:
    """rules: in force. applying: those that name a package of the link; none if only supporting rules do. absent: the user's own
    rules that name no package."""

    rules: RuleSet
    applying: tuple[Rule, ...]
    absent: tuple[Missing, ...]
    matcher: RuleMatcher

    @property
    def hooks(self) -> tuple[str, ...]:
        """Import paths of the hook packages that are needed."""
        return hook_packages(self.applying)

    def nameless(self, rules: RuleSet, named: Collection[str], load_object: Load) -> list[Missing]:
        """Applying rules that name no function, and those that this program does without. rules: those in force with the hook set of the link; named: names of
        those that do; load_object: the object of a package."""
        kept = {rule.name for rule in rules.rules}
        left_out = [left_out_rule(rule) for rule in self.applying if rule.name not in kept]
        return [*self.matcher.nameless([rule for rule in self.applying if rule.name in kept], named, load_object), *left_out]


def read_rules(rule_files: Sequence[Path], build: Build, command: LinkCommand) -> RuleSet:
    """Reads the rules given for the program. Raises OtelobjError."""
    try:
        return load(rule_files, os.environ, ACTIONS).of_program(build.info.path)
    except OtelobjError:
        check_supported(command, build.header)  # the go command links shared libraries in the folder of their output: a relative rule file is not there
        raise


def choose(build: Build, rules: RuleSet) -> Choice:
    """rules: those that were given for the program."""
    matcher = rule_matcher(rules, build.tool, list(build.packages), build.info)
    valid, applying = in_force(rules, matcher)
    return Choice(valid, tuple(applying), tuple(matcher.unmatched()), matcher)


def in_force(rules: RuleSet, matcher: RuleMatcher) -> tuple[RuleSet, list[Rule]]:
    """The rules, and those that name a package of the link: none if only supporting rules do.

    Probes need no SDK, so it is left out if only probes apply.
    """
    found = [rule for rule in rules.rules if matcher.has(rule)]
    own = [rule for rule in found if not supports(rule)]
    if all(rule.probes for rule in own):
        rules = RuleSet(tuple(rule for rule in rules.rules if not (rule.instrumentation == hooktree.SUPPORT and supports(rule))))
    return rules, [rule for rule in found if rule in rules.rules] if own else []
