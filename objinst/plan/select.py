"""Which functions of which packages the rules name: candidates of one archive, and rules that named nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from objinst.goobj import Object
from objinst.rules import Action, Rule, RuleSet, parse_func_name


def candidates(obj: Object, package: str, rules: RuleSet, versions: Callable[[str], str | None]) -> Iterator[tuple[int, list[tuple[Rule, Action]]]]:
    """(index, matching actions in order) of every text symbol of `obj` that some rule names.

    A dup-ok function (an instance of a generic) is named by the package that declares it, wherever a copy lies.
    """
    applying = {package: _actions(rules, package, versions(package))}
    for index in obj.text_symbols():
        name = parse_func_name(obj.name(index))
        if name is None:
            continue
        if name.pkg not in applying:
            applying[name.pkg] = _actions(rules, name.pkg, versions(name.pkg))
        matching = [(rule, action) for rule, action in applying[name.pkg] if rule.matches_function(name)]
        if matching:
            yield index, matching


def _actions(rules: RuleSet, package: str, version: str | None) -> Sequence[tuple[Rule, Action]]:
    return [(rule, action) for rule in rules.match(package, version) for action in rule.do]
