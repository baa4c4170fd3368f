"""Reads rule files: the schema of the OpenTelemetry SIG's compile-time instrumentation (its docs/rules.md), as far as it speaks of functions.

What that schema has beyond, all of it changes of source text, is refused by name: objects have none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from objinst import hooktree
from objinst.errors import UsageError
from objinst.rules.action import Action, Actions
from objinst.rules.model import Rule, RuleSet, Where, version_key
from objinst.rules.names import MAX_LENGTH, MAX_REGEX, is_glob, name_glob, path_glob
from objinst.rules.nodes import MAX_BYTES, Nodes, closest

ALL = "all"
"""In $OTELOBJ_DISABLE: every built-in rule. No library has that name."""
RULE_KEYS = ("target", "version", "where", "do", "name", "optional", "instrumentation")
WHERE_KEYS = ("func", "recv", "all-of", "one-of", "not")
SOURCE_ACTIONS = ("inject_code", "add_struct_fields", "add_file", "wrap_call", "expand_directive", "assign_value", "set_fields")
SOURCE_SELECTORS = ("file", "struct", "struct_literal", "function_call", "directive", "kind", "identifier")
MAX_DEPTH = 32
"""Of nested conditions: an anchor that holds itself ends here."""

FUNC = re.compile(r"[^\s()\[\]/]+")
RECV = re.compile(r"[^\s().\[\]/]+")
TARGET = re.compile(r"[^\s\"'`:;<>\\()]+")
NAME = re.compile(r"[^\W_](?:[^\W]|[-. /+:@()*])*")
"""For the name of a rule, which appears in reports, warnings, and comma-separated lists."""
MAX_NAME = 200
MAX_REGEXES = 20 * MAX_REGEX
"""Characters of the regular expressions of all globs of a file."""


def load(paths: Sequence[Path], environ: Mapping[str, str], actions: Actions) -> RuleSet:
    """The built-in rules, then $OTELOBJ_RULES, then `paths`; a rule replaces an earlier one of the same name. actions: those that rules may have.

    $OTELOBJ_DISABLE leaves instrumentations out, `all` every built-in one; $OTELOBJ_ENABLE takes in those that are off by default.
    Raises UsageError.
    """
    disabled, enabled = (_names(environ.get(variable, "")) for variable in ("OTELOBJ_DISABLE", "OTELOBJ_ENABLE"))
    listed = [Path(name) for name in environ.get("OTELOBJ_RULES", "").split(os.pathsep) if name]
    defaults = {rule.name: rule for rule in _built_in(hooktree.rule_files(), actions)}
    given = {rule.name: rule for path in (*listed, *paths) for rule in read_file(path, actions)}
    _check_names("OTELOBJ_DISABLE", disabled - {ALL}, {ALL, *(rule.instrumentation for rule in (*defaults.values(), *given.values()))})
    _check_names("OTELOBJ_ENABLE", enabled, set(hooktree.libraries()))
    off = {name for name, library in hooktree.libraries().items() if not library.default} - enabled
    wanted = {} if ALL in disabled else {name: rule for name, rule in defaults.items() if rule.instrumentation not in off}
    chosen = [rule for rule in (wanted | given).values() if rule.instrumentation not in disabled - {ALL}]
    for module in sorted({action.support for rule in chosen for action in rule.do} - {""}):
        chosen += _built_in(hooktree.module_rules(module), actions)
    return RuleSet(tuple(chosen))


def _built_in(files: Iterable[hooktree.RuleFile], actions: Actions) -> list[Rule]:
    return [rule for file in files for rule in read_file(file.path, actions, file.instrumentation)]


def is_built_in(rule: Rule) -> bool:
    """Whether a rule comes with otelobj: it serves every program, also those that have nothing for it."""
    return Path(rule.origin.rpartition(":")[0]) in hooktree.built_in_files()


def supports(rule: Rule) -> bool:
    """Whether a rule only supports others. Rules of users never count as supporting, whatever their files are called."""
    return rule.instrumentation in hooktree.supporting() and is_built_in(rule)


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _check_names(variable: str, names: Iterable[str], known: set[str]) -> None:
    """A misspelt name would leave in what the user wants out, or out what the user wants in."""
    for name in sorted(names):
        if name not in known:
            raise UsageError(f"{variable}: no instrumentation is called {name!r}", closest(name, sorted(known)))


def read_file(path: Path, actions: Actions, instrumentation: str = "") -> list[Rule]:
    """actions: those that rules may have; instrumentation: of the rules that name none, the file's name without its suffix if empty.

    Raises UsageError if the file cannot be read or is no rule file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except OSError as error:
        raise UsageError(f"rule file {path}: {error.strerror}", "check --rules and OTELOBJ_RULES") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"rule file {path}: not UTF-8 at byte {error.start}", "a rule file is YAML text") from error
    if len(content) > MAX_BYTES:
        raise UsageError(f"rule file {path}: larger than {MAX_BYTES} bytes", "is it a rule file? spread the rules over several files")
    reader = _Reader(path, actions, instrumentation)
    root = reader.compose(text)
    if root is None:
        return []
    rules: dict[str, Rule] = {}
    for key, value in reader.pairs(root, "a mapping of rule names to rules"):
        rule = reader.rule(key, value)
        if rule.name in rules:
            raise reader.error(key, f"rule {rule.name} stands here twice")
        rules[rule.name] = rule
    return list(rules.values())


class _Reader(Nodes):
    """Rules from the nodes of one file."""

    def __init__(self, path: Path, actions: Actions, instrumentation: str = "") -> None:
        super().__init__(path)
        self.known = actions
        self.instrumentation = instrumentation
        self.globs: set[tuple[object, str]] = set()
        self.regexes = 0
        """Characters of the globs' regular expressions."""

    def rule(self, key: yaml.ScalarNode, node: yaml.Node) -> Rule:
        name = str(key.value)
        refused = {"imports": ("a hook package has its own imports", "leave `imports` out")}
        keys = self.keys(node, RULE_KEYS, f"rule {name}", refused)
        for needed in ("target", "do"):
            if needed not in keys:
                raise self.error(key, f"rule {name} has no `{needed}`")
        return Rule(
            name=self.name(keys.get("name", key), "name"),
            instrumentation=self.name(keys["instrumentation"], "instrumentation") if "instrumentation" in keys else self.instrumentation or self.stem(key),
            target=self.target(keys["target"]),
            where=self.where(keys["where"]) if "where" in keys else Where(),
            do=self.actions(keys["do"], name),
            origin=f"{self.path}:{key.start_mark.line + 1}",
            version=self.version(keys["version"]) if "version" in keys else ("", ""),
            optional=self.boolean(keys["optional"], "optional") if "optional" in keys else False,
        )

    def name(self, node: yaml.Node, what: str) -> str:
        name = self.text(node, what)
        if len(name) > MAX_NAME or not NAME.fullmatch(name):
            raise self.error(node, f"{what} {name[:MAX_NAME]!r} is not a valid name", f"letters, digits, and `_-. /` after the first; at most {MAX_NAME} characters")
        return name

    def stem(self, node: yaml.Node) -> str:
        """The file's name without its suffix: the instrumentation of the rules that name none."""
        if len(self.path.stem) > MAX_NAME or not NAME.fullmatch(self.path.stem):
            raise self.error(node, "the file's name is not a valid name of an instrumentation", "rename the file, or give the rule an `instrumentation`")
        return self.path.stem

    def target(self, node: yaml.Node) -> str:
        target = self.glob(node, "target", path_glob)
        if target.startswith("$"):
            raise self.error(node, f"target {target!r} is not supported", "name the module's path: example.com/shop/**")
        if not TARGET.fullmatch(target) or target.startswith(("/", "-")) or target.endswith("/"):
            raise self.error(node, f"target {target!r} is not an import path", "such as net/http, example.com/shop/** or main")
        return target

    def glob(self, node: yaml.Node, what: str, compiled: Callable[[str], re.Pattern[str]] = name_glob) -> str:
        """The text of a glob that compiles."""
        pattern = self.text(node, what)
        if len(pattern) > MAX_LENGTH:
            raise self.error(node, f"{what} is longer than {MAX_LENGTH} characters", "name what it stands for in several rules")
        try:
            if is_glob(pattern) and (compiled, pattern) not in self.globs:
                self.regexes += len(compiled(pattern).pattern)
                self.globs.add((compiled, pattern))
        except (ValueError, re.error) as error:
            raise self.error(node, f"{what} {pattern!r} is not a glob: {error}", "brackets and braces must close, within one element of a path") from error
        if self.regexes > MAX_REGEXES:
            raise self.error(node, "the globs of this file are too large together", "spread the rules over several files")
        return pattern

    def where(self, node: yaml.Node, depth: int = 0) -> Where:
        if depth > MAX_DEPTH:
            raise self.error(node, f"more than {MAX_DEPTH} conditions inside each other", "does a YAML anchor hold itself?")
        refused = dict.fromkeys(SOURCE_SELECTORS, ("it selects source text, and objects have none", "select by target, func and recv"))
        keys = self.keys(node, WHERE_KEYS, "where", refused)
        return Where(
            self.func(keys["func"]) if "func" in keys else None,
            self.recv(keys["recv"]) if "recv" in keys else None,
            self.wheres(keys["all-of"], "all-of", depth) if "all-of" in keys else (),
            self.wheres(keys["one-of"], "one-of", depth) if "one-of" in keys else (),
            (self.where(keys["not"], depth + 1),) if "not" in keys else (),
        )

    def wheres(self, node: yaml.Node, what: str, depth: int) -> tuple[Where, ...]:
        items = self.items(node, f"{what} must be a list of conditions")
        return tuple(self.where(item, depth + 1) for item in items)

    def func(self, node: yaml.Node) -> str:
        func = self.glob(node, "func")
        if not FUNC.fullmatch(func):
            raise self.error(node, f"func {func!r} is not a function name", 'write func: queryDC and recv: "*DB", without type parameters')
        return func

    def recv(self, node: yaml.Node) -> str:
        recv = self.glob(node, "recv")
        if not RECV.fullmatch(recv):
            raise self.error(
                node, f"recv {recv!r} is not a receiver", 'write recv: "*DB" for a pointer, recv: DB for a value, without package and type parameters'
            )
        return recv

    def version(self, node: yaml.Node) -> tuple[str, str]:
        start, _, end = (part.strip() for part in self.text(node, "version").partition(","))
        remedy = "write `version: v1.2.0,v2.0.0`: start inclusive, end exclusive, of the module"
        keys = [version_key(part) for part in (start, end)]
        for part, key in zip((start, end), keys, strict=True):
            if part and key is None:
                raise self.error(node, f"version {part!r} is not like v1.2.3", remedy)
        if keys[0] is not None and keys[1] is not None and keys[0] >= keys[1]:
            raise self.error(node, f"version range {start},{end} is empty", remedy)
        return start, end

    def actions(self, node: yaml.Node, rule: str) -> tuple[Action, ...]:
        items = [node] if isinstance(node, yaml.MappingNode) else self.items(node, f"`do` of rule {rule} must be a list of actions")
        return tuple(self.action(item, rule) for item in items)

    def action(self, node: yaml.Node, rule: str) -> Action:
        pairs = self.pairs(node, f"an action of rule {rule}: a mapping with one key")
        if len(pairs) != 1:
            raise self.error(node, f"rule {rule}: an action has one key, this one has {len(pairs)}", "give each action a list entry (`- `) of its own")
        key, value = pairs[0]
        name = str(key.value)
        if name in SOURCE_ACTIONS:
            raise self.error(key, f"rule {rule}: `{name}` changes source text, and objects have none", "use inject_hooks with a hook package")
        if name not in self.known:
            raise self.error(key, f"rule {rule}: unknown action {name!r}", closest(name, list(self.known)))
        return self.known[name].parse(self, key, value, rule)
