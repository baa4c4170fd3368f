"""Which functions of which packages the rules name: candidates of one archive, and rules that named nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from objinst.goobj import Object
from objinst.rules import InjectHooks, Rule, RuleSet, parse_func_name


def candidates(obj: Object, package: str, rules: RuleSet, version: str | None) -> Iterator[tuple[int, list[tuple[Rule, InjectHooks]]]]:
    """(index, matching hooks in order) of every text symbol of `obj` that some rule names.

    A dup-ok function (an instance of a generic) is named by the package that declares it, wherever a copy lies.
    """
    applying = {package: _hooks(rules, package, version)}
    for index in obj.text_symbols():
        name = parse_func_name(obj.sym(index).name)
        if name is None:
            continue
        if name.pkg not in applying:
            applying[name.pkg] = _hooks(rules, name.pkg, None)
        matching = [(rule, hooks) for rule, hooks in applying[name.pkg] if rule.matches_function(name)]
        if matching:
            yield index, matching


def _hooks(rules: RuleSet, package: str, version: str | None) -> Sequence[tuple[Rule, InjectHooks]]:
    return [(rule, hooks) for rule in rules.match(package, version) for hooks in rule.do if isinstance(hooks, InjectHooks)]
