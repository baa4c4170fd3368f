"""Rules that name nothing: why, what comes near, and whether the build may go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from objinst.goobj.archive import Archive
from objinst.errors import OtelobjError
from objinst.plan.missing import RuleMatcher, stop, rule_matcher, unmatched_problems
from rule_files import load
from objinst.gobuild import BuildInfo
from toolchains import exports, goroot

INFO = BuildInfo.of(
    "example.com/shop/cmd/server",
    [{"Path": "example.com/shop", "Main": True}, {"Path": "example.com/db", "Version": "v1.5.0"}, {"Path": "example.com/db/v2", "Version": "v2.1.0"}],
)


def load_object(package):
    return Archive.read(exports("1.26", "amd64", "bufio")[package]).go_object()[1]


def matcher(folder: Path, monkeypatch, rules: str) -> RuleMatcher:
    (folder / "api").mkdir(exist_ok=True)
    (folder / "go.mod").write_text("module example.com/shop\n\nrequire example.com/db v1.5.0\n\nrequire example.com/queue v0.1.0\n")
    (folder / "rules.yaml").write_text(rules)
    monkeypatch.setenv("PWD", str(folder))
    loaded = load([folder / "rules.yaml"], {"OTELOBJ_DISABLE": "all"})
    return rule_matcher(loaded, str(goroot("1.26") / "pkg/tool/linux_amd64/link"), ["main", "bufio", "net/http", "example.com/db/sql", "example.com/db/v2/sql"], INFO)


def rule(target: str, more: str = "", where: str = "") -> str:
    return (
        f'r{abs(hash((target, more)))}:\n  target: "{target}"\n  where: {{ {where} }}\n  do: {{ inject_hooks: {{ before: B, path: example.com/h }} }}\n{more}'
    )


@pytest.mark.parametrize(
    ("target", "code", "mistake"),
    [
        ("net/htp", "no-package", True),
        ("database/sql", "not-linked", False),  # the standard library has it, this program not
        ("database/sqll", "no-package", True),
        ("example.com/shop/api", "not-linked", False),  # a folder of the user's module
        ("example.com/shop/apu", "no-package", True),
        ("example.com/queue/kafka", "not-linked", False),  # of a required module, whose sources are not looked for
        ("example.com/quue/kafka", "no-package", True),
        ("example.com/shop/cmd/server", "no-package", True),  # it is called main
        ("database/**", "not-linked", False),
        ("databse/**", "no-package", True),
        ("example.com/q*/kafka", "not-linked", False),
    ],
)
def test_a_package_that_is_not_in_the_link(tmp_path, monkeypatch, target, code, mistake):
    (missing,) = matcher(tmp_path, monkeypatch, rule(target)).unmatched()
    assert (missing.code, missing.mistake) == (code, mistake), missing.reason
    assert missing.target().reason.startswith(f"{code}: ")
    problems = unmatched_problems([missing])
    assert bool(problems) == mistake
    if target == "net/htp":
        assert problems[0].what.startswith(f"{tmp_path}/rules.yaml:1: rule ")
        assert problems[0].what.endswith("nearest: net/http")
    if target.endswith("server"):
        assert "`target: main`" in problems[0].remedy


def test_without_a_module_nothing_is_ruled_out(tmp_path, monkeypatch):
    link = matcher(tmp_path, monkeypatch, rule("example.com/unknown"))
    (tmp_path / "go.mod").unlink()
    assert [missing.code for missing in link.unmatched()] == ["not-linked"]


def test_optional_rules_and_those_that_match_are_no_problem(tmp_path, monkeypatch):
    link = matcher(tmp_path, monkeypatch, rule("net/htp", "  optional: true\n") + rule("net/http"))
    assert [missing.rule.target for missing in link.unmatched()] == ["net/htp"]
    assert unmatched_problems(link.unmatched()) == []


def test_a_version_outside_the_range(tmp_path, monkeypatch):
    link = matcher(tmp_path, monkeypatch, rule("example.com/db/sql", "  version: v1.0.0,v1.5.0\n"))
    (missing,) = link.unmatched()
    assert missing.reason == "no-version: the module of example.com/db/sql has version v1.5.0, the rule is for versions from v1.0.0 on before v1.5.0"
    assert missing.mistake
    covered = matcher(tmp_path, monkeypatch, rule("example.com/db/sql", "  version: v1.0.0,v1.5.0\n") + rule("example.com/db/sql", "  version: v1.5.0\n"))
    assert [missing.mistake for missing in covered.unmatched()] == [False], "ranges that complement each other"


@pytest.mark.parametrize(
    ("where", "what", "near", "hint"),
    [
        ("func: NewReeder", "bufio has no function NewReeder", "bufio.NewReader", ""),
        ('func: ReadByte, recv: "*Writer"', "bufio has no method (*Writer).ReadByte", "bufio.(*Reader).ReadByte", 'ReadByte is there with `recv: "*Reader"`'),
        ("func: ReadByte, recv: Reader", "bufio has no method (Reader).ReadByte", "bufio.(*Reader).ReadByte", 'with `recv: "*Reader"`'),
        ('func: NewReader, recv: "*Reader"', "bufio has no method (*Reader).NewReader", "bufio.NewReader", "no `recv` (it is no method)"),
        ('func: ReadBite, recv: "*Reader"', "bufio has no method (*Reader).ReadBite", "bufio.(*Reader).ReadByte", ""),
        ("func: ReadBite, recv: Reader", "bufio has no methods with receiver Reader", "", 'it has methods with `recv: "*Reader"`'),
        ('func: Frobnicate, recv: "*Gadget"', "bufio has no methods with receiver *Gadget", "", ""),
    ],
)
def test_a_function_that_is_not_there(tmp_path, monkeypatch, where, what, near, hint):
    link = matcher(tmp_path, monkeypatch, rule("bufio", where=where))
    assert link.unmatched() == []
    (missing,) = link.nameless(link.rules.rules, [], load_object)
    assert missing.why == what
    assert not near or near in missing.near
    assert hint in missing.hint if hint else not missing.hint
    with pytest.raises(OtelobjError, match="optional: true"):
        stop(unmatched_problems([missing]))
