"""Rules that name nothing in a link: why, which names are close, and whether that is a mistake.

A rule for a package that the program does not import is not a mistake if the package could be imported, because one set of rules serves
many programs. Anything else that a rule names in vain is reported; otherwise a span would be missing silently.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst import hooktree
from objinst.errors import OtelobjError
from objinst.gobuild import BuildInfo, usertree
from objinst.goobj import Load, Object
from objinst.plan.model import Status, Target
from objinst.rules import FuncName, Rule, RuleSet, Where, is_built_in, parse_func_name

NEAR = 3
"""Names to show."""
CUTOFF = 0.5


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a rule names nothing. code: stable word; near: names that exist; mistake: the build should fail."""

    rule: Rule
    code: str
    why: str
    near: tuple[str, ...] = ()
    hint: str = ""
    mistake: bool = True

    @property
    def reason(self) -> str:
        return f"{self.code}: {self.why}" + (f"; nearest: {', '.join(self.near)}" if self.near else "")

    def target(self) -> Target:
        """Its line in the plan and the report."""
        return Target(self.rule.name, "", self.rule.target, "", 0, Status.MISSING, self.reason, False, False, 0)


@dataclass(frozen=True, slots=True)
class RuleMatcher:
    """Matches rules with the packages of a link, before any archive is read. packages: import paths, the program's own as `main`; main_path:
    the import path of that one, "" if unknown; version: of a package's module; importable: whether the toolchain or a module of the user
    has such a package."""

    rules: RuleSet
    packages: Sequence[str]
    main_path: str
    version: Callable[[str], str | None]
    importable: Callable[[str], bool]

    def has(self, rule: Rule) -> bool:
        """Whether the rule names a package of the link, in its version."""
        return any(rule.matches_package(package) and rule.matches_version(self.version(package)) for package in self.packages)

    def unmatched(self) -> list[Missing]:
        """Rules of the user's own that name no package of the link."""
        return [self._explain(rule) for rule in self.rules.rules if not is_built_in(rule) and not self.has(rule)]

    def nameless(self, rules: Iterable[Rule], named: Collection[str], load: Load) -> list[Missing]:
        """The rules that name a package, but no function of it. named: names of rules that name a function; load: the object of a package."""
        return [self._nameless(rule, load) for rule in rules if rule.name not in named]

    def _explain(self, rule: Rule) -> Missing:
        packages = [package for package in self.packages if rule.matches_package(package)]
        return _no_version(rule, packages[0], self) if packages else _no_package(rule, self)

    def _nameless(self, rule: Rule, load: Load) -> Missing:
        packages = [package for package in self.packages if rule.matches_package(package) and rule.matches_version(self.version(package))]
        return _no_function(rule, packages, load)


def left_out_rule(rule: Rule) -> Missing:
    """A rule whose hooks this program does without; a line of the hook set says why. One of the user's own asks for them."""
    return Missing(rule, "left-out", "its hooks do not fit this program's release of the library", mistake=not is_built_in(rule))


def rule_matcher(rules: RuleSet, link_tool: str, packages: Sequence[str], info: BuildInfo) -> RuleMatcher:
    """link_tool: its path, which shows where the standard library's sources are."""
    here = usertree.build_folder()
    goroots = [path.parents[3] for path in (Path(link_tool).absolute(), Path(link_tool).resolve()) if len(path.parents) > 3]
    return RuleMatcher(rules, packages, info.path, info.version_of, lambda package: usertree.may_import(package, here, goroots))


def problems(missing: Sequence[Missing], targets: Sequence[Target], rules: RuleSet) -> tuple[OtelobjError, ...]:
    """All problems for which a build should fail: not those of built-in rules for a library, see `degraded`."""
    missing = [item for item in missing if not _degrades(item.rule)]
    targets = _of(targets, [rule for rule in rules.rules if not _degrades(rule)])
    return (*unmatched_problems(missing), *refused_problems(targets, rules), *unfound_problems(targets, rules))


def degraded(missing: Sequence[Missing], targets: Sequence[Target], rules: RuleSet, version_of: Callable[[str], str | None]) -> list[str]:
    """What built-in rules for libraries cannot do in this program, a line for each library. version_of: of a package's module."""
    lines = []
    for library in hooktree.libraries().values():
        ours = [rule for rule in rules.rules if rule.instrumentation == library.name and _degrades(rule)]
        found = [item for item in missing if item.rule in ours]
        errors = [*unmatched_problems(found), *refused_problems(_of(targets, ours), rules)]
        if errors:
            wrong = [*(item.rule.target for item in found if item.mistake), *(target.package for target in targets if target.status is Status.REFUSED)]
            version = next((version for package in wrong if (version := version_of(package))), None)
            more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
            lines.append(
                f"{' '.join(filter(None, (library.title, version)))} is not instrumented in full: {errors[0].what}{more}; its hooks are made for releases from "
                f"{library.lowest} to {library.newest}, and OTELOBJ_DISABLE={library.name} leaves them out without a word"
            )
    return lines


def _degrades(rule: Rule) -> bool:
    """Whether a program is built without what the rule is for, if it cannot be had: only what the user asks for fails a build."""
    return rule.instrumentation in hooktree.libraries() and is_built_in(rule)


def _of(targets: Iterable[Target], rules: Iterable[Rule]) -> list[Target]:
    names = {rule.name for rule in rules}
    return [target for target in targets if target.rule in names]


def unmatched_problems(missing: Sequence[Missing]) -> list[OtelobjError]:
    """A rule that names nothing is an error, if that is a mistake and the rule is not optional."""
    return [
        OtelobjError(f"{item.rule.origin}: rule {item.rule.name} names nothing: {item.reason}", f"{item.hint or 'correct the rule'}, or set `optional: true`")
        for item in missing
        if item.mistake and not item.rule.optional
    ]


def refused_problems(targets: Sequence[Target], rules: RuleSet) -> list[OtelobjError]:
    """If a rule names a function that cannot be hooked, that is an error, unless the rule is optional or has a glob."""
    by_name = {rule.name: rule for rule in rules.rules}
    return [
        OtelobjError(f"rule {target.rule}: {target.symbol} cannot be hooked: {target.reason}", "set `optional: true` in the rule to go on without it")
        for target in targets
        if target.status is Status.REFUSED and not by_name[target.rule].optional and not by_name[target.rule].is_glob
    ]


def telling(targets: Iterable[Target], rules: RuleSet) -> list[Target]:
    """The targets that `refused_problems` and `unfound_problems` can report."""
    refusing = {rule.name for rule in rules.rules if not rule.optional and not rule.is_glob}
    wanting = {rule.name for rule in rules.rules if not rule.optional and any(action.paths for action in rule.do)}
    return [target for target in targets if target.rule in (wanting if target.status is Status.HOOKED else refusing)]


def unfound_problems(targets: Sequence[Target], rules: RuleSet) -> list[OtelobjError]:
    """If a rule with a glob wants a value for its spans and none of its functions has it, that is an error, unless the rule is optional."""
    hooked: dict[str, list[Target]] = {}
    for target in targets:
        if target.status is Status.HOOKED:
            hooked.setdefault(target.rule, []).append(target)
    found = []
    for rule in (rule for rule in rules.rules if rule.name in hooked and not rule.optional):
        for path in (path for action in rule.do for path in action.paths):
            reasons = [next((why for why in target.left_out if why.startswith(f"{path}: ")), "") for target in hooked[rule.name]]
            if all(reasons):
                what = f"{path.origin}: rule {rule.name}: no function that it names has {path}; {reasons[0]}"
                found.append(OtelobjError(what, "correct the path, or set `optional: true`"))
    return found


def stop(problems: Sequence[OtelobjError]) -> None:
    """Raises the first problem, with the number of the others."""
    if len(problems) > 1:
        raise OtelobjError(problems[0].what, f"{problems[0].remedy}\n  and {len(problems) - 1} more; `otelobj plan` shows all")
    if problems:
        raise problems[0]


def _no_package(rule: Rule, matcher: RuleMatcher) -> Missing:
    if rule.target == matcher.main_path:
        return Missing(rule, "no-package", f"{rule.target} is the program itself", hint="a rule names the program's own package `main`: write `target: main`")
    what = f"no package of this program is called {rule.target}"
    if matcher.importable(rule.target):
        return Missing(rule, "not-linked", what, mistake=False)
    return Missing(rule, "no-package", f"{what}, and neither the toolchain nor a required module has one", close(rule.target, matcher.packages))


def _no_version(rule: Rule, package: str, matcher: RuleMatcher) -> Missing:
    """Not a mistake if another rule for the same package covers the other versions."""
    version = matcher.version(package)
    start, end = rule.version
    wanted = " ".join([f"from {start} on"] * bool(start) + [f"before {end}"] * bool(end))
    covered = any(other.matches_package(package) and other.matches_version(version) for other in matcher.rules.rules if other is not rule)
    why = f"the module of {package} has version {version}, the rule is for versions {wanted}"
    return Missing(rule, "no-version", why, hint="correct `version`, or leave it out", mistake=not covered)


def _no_function(rule: Rule, packages: Sequence[str], load: Load) -> Missing:
    where = rule.where
    names = [name for package in packages for name in _functions(load(package))]
    what = f"{rule.target} has no {_wanted(where)}" if names else f"{rule.target} has no functions"
    same = [name for name in names if where.func and where.recv is not None and Where(func=where.func).holds(name)]
    if same:
        receivers = list(dict.fromkeys(f'`recv: "{name.recv}"`' if name.recv else "no `recv` (it is no method)" for name in same))
        return Missing(rule, "no-function", what, tuple(_shown(name) for name in same[:NEAR]), f"{where.func} is there with {' or '.join(receivers[:NEAR])}")
    methods = [name for name in names if where.recv and Where(recv=where.recv).holds(name)]
    if where.recv and not methods:
        what = f"{rule.target} has no methods with receiver {where.recv}"
        other = where.recv.removeprefix("*") if where.recv.startswith("*") else f"*{where.recv}"
        if any(Where(recv=other).holds(name) for name in names):
            return Missing(rule, "no-function", what, hint=f'it has methods with `recv: "{other}"`')
    return Missing(rule, "no-function", what, close(_symbol(rule), [_shown(name) for name in methods or names]))


def _functions(obj: Object | None) -> list[FuncName]:
    parsed = (parse_func_name(obj.sym(index).name) for index in obj.text_symbols()) if obj else ()
    return [name for name in parsed if name is not None]


def _wanted(where: Where) -> str:
    """A description of a condition."""
    if where.func is None and where.recv is None:
        return "function that the conditions hold for"
    name = where.func or "method"
    return f"function {name}" if where.recv is None else f"method ({where.recv}).{name}"


def _symbol(rule: Rule) -> str:
    recv = rule.where.recv or ""
    return f"{rule.target}.{f'({recv}).' if recv.startswith('*') else f'{recv}.' if recv else ''}{rule.where.func or '*'}"


def _shown(name: FuncName) -> str:
    recv = f"({name.recv})." if name.recv.startswith("*") else f"{name.recv}." if name.recv else ""
    return f"{name.pkg}.{recv}{name.name}"


def close(wanted: str, names: Iterable[str]) -> tuple[str, ...]:
    """Similar names, the most similar first."""
    return tuple(difflib.get_close_matches(wanted, list(dict.fromkeys(names)), NEAR, CUTOFF))
