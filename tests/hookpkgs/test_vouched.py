"""Modules whose hash is in no go.sum are named where the checksum database is not asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from toolchains import go_env, goroot, newest

from objinst.gobuild.gocmd import Go
from objinst.hookpkgs import vouched

KNOWN = "ex.com/known v1.0.0 h1:a=\nex.com/known v1.0.0/go.mod h1:b=\n"
NEW = KNOWN + "ex.com/new v1.1.0 h1:c=\nex.com/new v1.1.0/go.mod h1:d=\nother.org/mod v0.1.0/go.mod h1:e=\nother.org/lib/v2 v2.0.0 h1:f=\n"


@pytest.mark.parametrize(("database", "left_out", "named"), [
    ("sum.golang.org", "", []),
    ("off", "", ["ex.com/new@v1.1.0", "other.org/lib/v2@v2.0.0"]),
    ("sum.golang.org", "ex.com,corp.example/*", ["ex.com/new@v1.1.0"]),
    ("sum.golang.org", "*.org/lib", ["other.org/lib/v2@v2.0.0"]),
    ("sum.golang.org", "*", ["ex.com/new@v1.1.0", "other.org/lib/v2@v2.0.0"]),
])  # fmt: skip
def test_what_is_named(database: str, left_out: str, named: list[str]) -> None:
    assert vouched.unvouched(KNOWN, NEW, lambda: (database, left_out)) == named


def test_the_settings_are_not_asked_for_nothing() -> None:
    def never() -> tuple[str, str]:
        raise AssertionError

    assert vouched.unvouched(NEW, NEW, never) == []


@pytest.mark.parametrize(("pattern", "path", "holds"), [
    ("a.com", "a.com/b/c", True), ("a.com/", "a.com/b", True), ("a.com/b/c", "a.com/b", False), ("*.com", "a.com/b", True),
    ("a.com/*", "a.com", False), ("a.com/*/c", "a.com/b/c/d", True), ("", "a.com", False), ("a", "a.com", False), ("*/b", "a.com/x/b", False),
])  # fmt: skip
def test_patterns(pattern: str, path: str, holds: bool) -> None:
    assert vouched.matches(["none.example", pattern], path) is holds


def test_settings_are_those_of_the_go_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in go_env(newest()).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GOENV", "off")
    monkeypatch.setenv("GOPRIVATE", "other.org")
    (tmp_path / "go.mod").write_text("module ex.com/m\n")
    (tmp_path / "go.sum").write_text(NEW)
    go = Go(goroot(newest()), {})
    (said,) = vouched.notes(go, tmp_path, KNOWN)
    assert "hash of 1 modules that hook packages of yours need" in said and "other.org/lib/v2@v2.0.0" in said and "ex.com/new" not in said
    assert vouched.notes(go, tmp_path, NEW) == []
