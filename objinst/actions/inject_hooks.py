"""The `inject_hooks` action: the user's Go functions run before and after the function, with its arguments and results.

    inject_hooks: { before: BeforePlace, after: AfterPlace, path: example.com/acme/hooks }
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import yaml

from objinst.plan.action import Plannable
from objinst.plan.model import HookFunction, Refusal, Use
from objinst.rules import Rule
from objinst.rules.names import import_path_error
from objinst.rules.nodes import Nodes

if TYPE_CHECKING:  # see objinst.plan.action
    from objinst.plan.subject import Subject
    from objinst.rewrite.site import Site
    from objinst.rewrite.static import Field

KEYS = ("before", "after", "path", "signature")
HOOK = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class InjectHooks(Plannable):
    """Typed hooks: function names (empty: none) in the Go package `path`. declares: if no source names a function's types, the
    types of its hooks are used, as far as its code agrees."""

    before: str
    after: str
    path: str
    declares: bool = False

    @classmethod
    def parse(cls, nodes: Nodes, key: yaml.ScalarNode, value: yaml.Node, rule: str) -> Self:
        keys = nodes.keys(value, KEYS, "inject_hooks")
        if "path" not in keys or not ("before" in keys or "after" in keys):
            raise nodes.error(key, f"rule {rule}: inject_hooks needs `path`, and `before` or `after`")
        before, after = (_function(nodes, keys[name], name) if name in keys else "" for name in ("before", "after"))
        path = nodes.text(keys["path"], "path")
        wrong = import_path_error(path)
        if wrong:
            raise nodes.error(
                keys["path"], f"path {path!r} is not an import path: {wrong}", "such as example.com/acme/sqlhooks; local packages are named by their module's path"
            )
        declares = "signature" in keys
        if declares and nodes.text(keys["signature"], "signature") != "declared":
            raise nodes.error(keys["signature"], f"rule {rule}: signature can only be `declared`", "leave it out to hook only what other sources describe")
        return cls(before, after, path, declares)

    @property
    def package(self) -> str:
        return self.path

    @property
    def needs_exit(self) -> bool:
        return bool(self.after)

    @property
    def claims(self) -> tuple[str, str, str] | None:
        return (self.path, self.before, self.after) if self.declares else None

    def plan(self, rule: Rule, function: Subject) -> HookUse | Refusal:
        before = function.before(self.path, self.before) if self.before else None
        after = function.after(self.path, self.after) if self.after else None
        if isinstance(before, Refusal):
            return before
        if isinstance(after, Refusal):
            return after
        return HookUse(rule.name, rule.instrumentation, before, after)


ACTION = InjectHooks


@dataclass(frozen=True, slots=True)
class HookUse(Use):
    """One rule's hooks on one target."""

    before: HookFunction | None
    after: HookFunction | None

    def emit(self, site: Site) -> dict[str, Field]:
        fields: dict[str, Field] = {"Flags": site.flags(self.instrumentation)}
        for label, hook, thunk in (("Before", self.before, site.typed_before), ("After", self.after, site.typed_after)):
            if hook is not None:
                fields[label] = thunk(hook)
                fields[f"{label}Tab"] = site.hook_context(hook)
                fields[f"{label}Boxes"] = site.data.int32s(hook.boxed)
        return fields


def _function(nodes: Nodes, node: yaml.Node, what: str) -> str:
    name = nodes.text(node, what)
    if not HOOK.fullmatch(name) or not name[0].isupper():
        raise nodes.error(node, f"{what}: {name!r} is not an exported Go function", "write its name only; `path` names its package")
    return name
