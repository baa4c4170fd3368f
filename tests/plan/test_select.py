"""Which functions of an object rules name: those of the program's packages, and instances of its generic functions wherever they lie."""

from __future__ import annotations

from pathlib import Path

import toolchains
from objinst.goobj.archive import Archive
from objinst.plan.select import candidates
from objinst.rules import RuleSet
from rule_files import read_file

RULES = """\
printing:
  target: fmt
  where: { func: "Sprint*" }
  do: { probe: count }
atomic:
  target: sync/atomic
  do: { probe: count }
"""


def test_a_package_of_the_hooks_alone_is_named_by_no_rule(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULES)
    rules = RuleSet(tuple(read_file(tmp_path / "rules.yaml")))
    exports = toolchains.exports("1.26", "amd64", "fmt", "net/http")

    def named(package: str, *, own: bool) -> set[str]:
        obj = Archive.read(exports[package]).go_object()[1]
        return {obj.name(index) for index, _ in candidates(obj, package, rules, lambda _: None, own=own)}

    both, instances = named("fmt", own=True), named("fmt", own=False)
    assert both - instances == {"fmt.Sprint", "fmt.Sprintf", "fmt.Sprintln"}
    assert instances
    assert all(name.startswith("sync/atomic.(*Pointer[") for name in instances)
    assert named("net/http", own=True) == named("net/http", own=False) != set()
