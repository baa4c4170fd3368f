"""What a build reads besides the program: the user's go settings do not reach the builds of hook packages, operands never become flags."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest
from toolchains import goroot, oldest

from objinst.gobuild.gocmd import Go, programs
from objinst.errors import OtelobjError


@pytest.fixture
def settings_file(tmp_path, monkeypatch):
    """go env -w with a -toolexec that leaves a trace, and a proxy."""
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch {tmp_path}/sprung\nexec "$@"\n')
    trap.chmod(trap.stat().st_mode | stat.S_IXUSR)
    file = tmp_path / "go" / "env"
    file.parent.mkdir()
    file.write_text(f"GOFLAGS=-toolexec={trap}\nGOPROXY=https://proxy.example.invalid\n")
    monkeypatch.setenv("GOENV", str(file))
    monkeypatch.delenv("GOFLAGS", raising=False)
    monkeypatch.delenv("GOPROXY", raising=False)
    monkeypatch.setenv("GOCACHE", str(tmp_path / "gocache"))
    return file


@pytest.mark.parametrize("version", [oldest(), "1.26"])
def test_settings_of_go_env_do_not_reach_the_builds_of_hook_packages(version, settings_file, tmp_path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "go.mod").write_text("module example.com/m\n\ngo 1.22\n")
    (tmp_path / "m" / "m.go").write_text("package m\n")
    go = Go(goroot(version), {"CGO_ENABLED": "0"})
    go.run(["list", "-export", "-deps", "-f", "{{.Export}}", "--", "."], tmp_path / "m")
    assert not (tmp_path / "sprung").exists()
    assert json.loads(go.run(["env", "-json", "GOPROXY", "GOFLAGS"], tmp_path)) == {"GOPROXY": "https://proxy.example.invalid", "GOFLAGS": ""}
    plain = subprocess.run([goroot(version) / "bin/go", "build", "."], cwd=tmp_path / "m", env={**os.environ, "GOTOOLCHAIN": "local"}, check=True)
    assert plain.returncode == 0 and (tmp_path / "sprung").exists(), "the trap works"


def test_a_variable_counts_more_than_the_file(settings_file, monkeypatch):
    monkeypatch.setenv("GOPROXY", "off")
    assert Go(goroot("1.26"), {}).environment()["GOPROXY"] == "off"


def test_a_package_of_the_command_line_is_no_flag(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{goroot('1.26')}/bin:{os.environ['PATH']}")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    with pytest.raises(OtelobjError):
        programs([f"-toolexec={trap}", "cmd/addr2line"], tmp_path)
    assert not Path(tmp_path, "sprung").exists()
