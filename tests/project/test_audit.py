"""`make audit` finds what is vulnerable, and says in one line what it could not look at; the lock has every Python package that otelobj needs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import audit
import pytest
from packaging.requirements import Requirement
from places import ROOT
from toolchains import goroot, newest
from vulnerabilities import database

from objinst.hookpkgs.pins import pins


@pytest.fixture(autouse=True)
def go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{goroot(newest())}/bin:/usr/bin:/bin")


def test_a_vulnerable_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    entry = {"id": "GO-2026-1", "module": "google.golang.org/grpc", "package": "google.golang.org/grpc", "symbol": "Dial"}
    folders = [ROOT / "hooks/private", ROOT / "hooks/sdk", ROOT / "hooks/rt"]
    assert {*folders, ROOT / "objinst/signatures/gotypes/helper", ROOT / "tests/lib/govulncheck"} <= set(audit.go_folders())
    monkeypatch.setattr(audit, "go_folders", lambda: [*folders, ROOT / "hooks/active"])
    for name in ("check_python", "check_retracted"):
        monkeypatch.setattr(audit, name, list)
    assert audit.main(["--db", database(tmp_path / "vulnerable", [entry | {"fixed": "99.0.0"}])]) == 1
    version = pins().modules["google.golang.org/grpc"].version
    found = [f"  hooks/{name}: GO-2026-1: google.golang.org/grpc of google.golang.org/grpc {version}" for name in ("private", "sdk")]
    assert capsys.readouterr().out.splitlines() == [
        "audit: vulnerable Go modules: 2 found", *found, "audit: retracted releases: none found", "audit: vulnerable Python packages: none found",
    ]  # fmt: skip
    assert audit.main(["--db", database(tmp_path / "fixed", [entry | {"fixed": "1.2.0"}])]) == 0
    assert "audit: vulnerable Go modules: none found" in capsys.readouterr().out


@pytest.mark.parametrize(("proxy", "said"), [("off", "GOPROXY=off"), ("http://127.0.0.1:9", "connection refused")])
def test_what_is_not_reached_is_one_line(proxy: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def unreachable() -> list[str]:
        raise audit.NotRun("nobody is there")

    monkeypatch.setattr(audit, "check_python", unreachable)
    monkeypatch.setenv("GOPROXY", proxy)
    assert audit.main(["--db", "http://127.0.0.1:9"]) == 0  # the port "discard"
    go, retracted, python = capsys.readouterr().out.splitlines()
    assert go.startswith("audit: vulnerable Go modules were not looked for: http://127.0.0.1:9 cannot be reached")
    assert retracted.startswith("audit: retracted releases were not looked for: ") and said in retracted
    assert python == "audit: vulnerable Python packages were not looked for: nobody is there"


@pytest.mark.parametrize(("said", "outcome"), [
    ('{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}, {"name": "b", "skip_reason": "x"}]}', ["requirements.txt: PYSEC-1: a 1"]),
    ('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', []),
    ('{"dependencies": [{"name": "a", "skip_reason": "not found"}]}', "1 of 1 packages: not found"),
    ("", "the last line"),
])  # fmt: skip
def test_what_pip_audit_says(said: str, outcome: list[str] | str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 1, said, "Traceback\nthe last line\n")
    monkeypatch.setattr(audit, "_run", lambda *command, **env: done)
    if isinstance(outcome, list):
        assert audit.check_python() == outcome
    else:
        with pytest.raises(audit.NotRun, match=outcome):
            audit.check_python()


def test_pip_audit_reads_the_lock() -> None:
    command = [sys.executable, "-m", "pip_audit", "-r", str(audit.REQUIREMENTS), "--require-hashes", "--disable-pip", "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and f"would have audited {len(locked())} packages" in done.stderr, done.stderr


def locked() -> dict[str, str]:
    """Name -> version; every one with a hash."""
    blocks = re.findall(r"^([\w.-]+)==(\S+)(?: ;[^\n\\]*)? \\\n(    --hash=sha256:[0-9a-f]{64})", audit.REQUIREMENTS.read_text(), re.MULTILINE)
    found = {name.lower().replace("_", "-"): version for name, version, _ in blocks}
    assert len(found) == len(re.findall("^[a-z]", audit.REQUIREMENTS.read_text(), re.MULTILINE))
    return found


def test_the_lock_has_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["explain"], *project["optional-dependencies"]["sbom"]):
        needed = Requirement(text)
        assert needed.specifier.contains(locked()[needed.name.lower()]), f"{text}: make lock"


def test_a_retracted_release_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    done = subprocess.CompletedProcess([], 0, "\n\nex.com/a v1.0.0: [published by mistake]\n\n", "")
    monkeypatch.setattr(audit, "_run", lambda *command, **env: done)
    assert audit.check_retracted() == ["hooks/private: retracted: ex.com/a v1.0.0: [published by mistake]"]
