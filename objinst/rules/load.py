"""Reads rule files. Every complaint names file, line and key, and the nearest name that would be right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from objinst.errors import UsageError
from objinst.rules.model import InjectHooks, Rule, RuleSet, Where

BUILT_IN = Path(__file__).parent
RULE_KEYS = ("target", "version", "where", "do", "optional", "instrumentation", "name")
WHERE_KEYS = ("func", "recv", "all-of", "one-of", "not")
HOOK_KEYS = ("before", "after", "path")
ACTIONS = ("inject_hooks",)
LATER = ("probe", "span", "raw", "inject_code")
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load(paths: Sequence[Path], environ: Mapping[str, str]) -> RuleSet:
    """The built-in rules, then $OTELOBJ_RULES, then `paths`; a rule replaces an earlier one of the same name.

    $OTELOBJ_DISABLE leaves instrumentations out, `all` every built-in one. Raises UsageError.
    """
    disabled = {name.strip() for name in environ.get("OTELOBJ_DISABLE", "").replace(";", ",").split(",") if name.strip()}
    built_in = [] if "all" in disabled else sorted(BUILT_IN.glob("*.yaml"))
    listed = [Path(name) for name in environ.get("OTELOBJ_RULES", "").split(":") if name]
    rules: dict[str, Rule] = {}
    for path in (*built_in, *listed, *paths):
        for rule in read_file(path):
            rules[rule.name] = rule
    return RuleSet(tuple(rule for rule in rules.values() if rule.instrumentation not in disabled))


def read_file(path: Path) -> list[Rule]:
    """Raises UsageError if the file cannot be read or is no rule file."""
    try:
        text = path.read_text()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", "check --rules and OTELOBJ_RULES") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}", "a rule file is YAML text") from error
    try:
        root = yaml.compose(text, Loader=Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise UsageError(f"{path}{line}: {getattr(error, 'problem', None) or 'not YAML'}", "a rule file is a YAML mapping of rules") from error
    if root is None:
        return []
    return [_Reader(path).rule(key, value) for key, value in _Reader(path).pairs(root, "a mapping of rule names to rules")]


class _Reader:
    """Nodes of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def error(self, node: yaml.Node, what: str, remedy: str = "") -> UsageError:
        return UsageError(f"{self.path}:{node.start_mark.line + 1}: {what}", remedy or "docs/rules.md describes the format")

    def pairs(self, node: yaml.Node, what: str) -> list[tuple[str, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"expected {what}")
        found: list[tuple[str, yaml.Node]] = []
        for key, value in node.value:
            name = str(key.value)
            if any(name == other for other, _ in found):
                raise self.error(key, f"{name} stands here twice")
            found.append((name, value))
        return found

    def keys(self, node: yaml.Node, allowed: Sequence[str], what: str) -> dict[str, yaml.Node]:
        found = self.pairs(node, what)
        for name, value in found:
            if name not in allowed:
                near = difflib.get_close_matches(name, allowed, 1)
                raise self.error(value, f"unknown key {name!r} in {what}", f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(allowed)}")
        return dict(found)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not str(node.value):
            raise self.error(node, f"{what} must be text")
        return str(node.value)

    def rule(self, name: str, node: yaml.Node) -> Rule:
        keys = self.keys(node, RULE_KEYS, f"rule {name}")
        for needed in ("target", "do"):
            if needed not in keys:
                raise self.error(node, f"rule {name} has no `{needed}`")
        optional = self.text(keys["optional"], "optional") if "optional" in keys else "false"
        if optional not in ("true", "false"):
            raise self.error(keys["optional"], f"optional must be true or false, not {optional}")
        instrumentation = self.text(keys["instrumentation"], "instrumentation") if "instrumentation" in keys else self.path.stem
        return Rule(
            name,
            instrumentation,
            self.text(keys["target"], "target"),
            self.where(keys["where"]) if "where" in keys else Where(),
            self.actions(keys["do"], name),
            f"{self.path}:{node.start_mark.line + 1}",
            self.version(keys["version"]) if "version" in keys else ("", ""),
            optional == "true",
        )

    def where(self, node: yaml.Node) -> Where:
        keys = self.keys(node, WHERE_KEYS, "where")
        return Where(
            self.text(keys["func"], "func") if "func" in keys else None,
            self.text(keys["recv"], "recv") if "recv" in keys else None,
            self.wheres(keys.get("all-of")),
            self.wheres(keys.get("one-of")),
            self.wheres(keys.get("not")),
        )

    def wheres(self, node: yaml.Node | None) -> tuple[Where, ...]:
        if node is None:
            return ()
        return tuple(self.where(item) for item in node.value) if isinstance(node, yaml.SequenceNode) else (self.where(node),)

    def version(self, node: yaml.Node) -> tuple[str, str]:
        start, _, end = self.text(node, "version").partition(",")
        for part in (start.strip(), end.strip()):
            if part and not (part[0] == "v" and part[1:2].isdigit()):
                raise self.error(node, f"version {part!r} is not like v1.2.3", "write `version: v1.2.0,v2.0.0`: start inclusive, end exclusive")
        return start.strip(), end.strip()

    def actions(self, node: yaml.Node, rule: str) -> tuple[InjectHooks, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self.error(node, f"`do` of rule {rule} must be a list of actions")
        return tuple(self.action(item, rule) for item in node.value)

    def action(self, node: yaml.Node, rule: str) -> InjectHooks:
        pairs = self.pairs(node, f"an action of rule {rule}")
        name, value = pairs[0] if len(pairs) == 1 else ("", node)
        if name in LATER:
            raise self.error(node, f"rule {rule}: `{name}` is not supported in this version", "use inject_hooks with a hook package")
        if name not in ACTIONS:
            near = difflib.get_close_matches(name, ACTIONS, 1)
            raise self.error(node, f"rule {rule}: unknown action {name!r}", f"did you mean {(near or ACTIONS)[0]!r}?")
        keys = self.keys(value, HOOK_KEYS, "inject_hooks")
        if "path" not in keys or not ("before" in keys or "after" in keys):
            raise self.error(value, f"rule {rule}: inject_hooks needs `path`, and `before` or `after`")
        before, after = (self.text(keys[key], key) if key in keys else "" for key in ("before", "after"))
        return InjectHooks(before, after, self.text(keys["path"], "path"))
