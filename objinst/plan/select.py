"""Which functions of which packages the rules name: candidates of one archive, and rules that named nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from objinst.goobj import FuncInfo, Load, Object
from objinst.plan.action import Plannable, plannable
from objinst.plan.declared import Declared
from objinst.rules import Rule, RuleSet, parse_func_name


def candidates(
    obj: Object,
    package: str,
    rules: RuleSet,
    versions: Callable[[str], str | None],
    *,
    own: bool = True,
    load: Load = lambda _: None,
    foreign: Callable[[str], bool] = lambda _: False,
) -> Iterator[tuple[int, list[tuple[Rule, Plannable]]]]:
    """(index, matching actions in order) of every text symbol of `obj` that some rule names.

    A dup-ok function (an instance of a generic) belongs to the package that declares it, wherever a copy is, and so does a closure. own: the
    package is the program's. Rules do not name packages that are linked only for the hooks, but these may contain such copies. load: see Declared.
    foreign: whether another package is linked only for the hooks. Not all copies of an instance of its functions could be hooked, so none is.
    """
    source = Declared(obj, load)
    applying = {package: _actions(rules, package, versions(package)) if own else ()}
    for index in obj.text_symbols():
        name = source.name(index)
        if name is None:
            continue
        if name.pkg not in applying:
            applying[name.pkg] = () if foreign(name.pkg) else _actions(rules, name.pkg, versions(name.pkg))
        matching = [(rule, action) for rule, action in applying[name.pkg] if rule.matches_function(name)]
        if matching:
            yield index, matching


def _actions(rules: RuleSet, package: str, version: str | None) -> Sequence[tuple[Rule, Plannable]]:
    return [(rule, action) for rule in rules.match(package, version) for action in plannable(rule)]


def only_leads_on(rule: Rule, symbol: str, obj: Object, info: FuncInfo) -> bool:
    """Whether a function is a wrapper of the compiler's (a method for the pointer to its receiver's type, promoted, or of an instance)
    that only calls the function it stands for. Hooks on both would run twice per call.

    If that function was inlined into the wrapper, only the wrapper is left. A rule may also name a wrapper by its receiver.
    """
    name = parse_func_name(symbol)
    if name is None or info.func_id != obj.tables.func_ids["FuncIDWrapper"] or (rule.where.is_literal and rule.where.recv and not name.type_args):
        return False
    inlined = (parse_func_name(obj.resolve(node.func).name or "") for node in info.inl_tree)
    return not any(inner is not None and inner.name == name.name for inner in inlined)
