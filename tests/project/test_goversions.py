"""The lowest and newest Go versions have one home; what people read says the same."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from pathlib import Path

import pytest

from places import LAUNCHER, ROOT
import toolchains
from objinst.cli import doctor, gotool
from objinst import goversions, hooktree
from objinst.errors import OtelobjError
from objinst.hookpkgs import minimum


def test_they_are_those_of_the_tables_and_the_hooks() -> None:
    assert (goversions.lowest(), goversions.newest()) == (toolchains.versions()[0], toolchains.versions()[-1])
    own = {f"github.com/otelobj/otelobj/hooks/{name}" for name in ("rt", "probe")}
    for module, folder in hooktree.modules().items():
        needed = minimum.needed_by(module)
        if folder.startswith(hooktree.INSTRUMENTATION):
            assert goversions.number(needed) >= goversions.number(goversions.TELEMETRY), module
        else:
            assert needed == (goversions.lowest() if module in own else goversions.TELEMETRY), module
    assert own < hooktree.modules().keys()


@pytest.mark.parametrize("name", ["README.md", "docs/limits.md", "docs/hooks.md", "docs/rules.md"])
def test_documentation_says_both_where_it_says_one(name: str) -> None:
    text = (ROOT / name).read_text()
    for match in re.finditer(r"Go (1\.\d+) (?:or newer|to 1\.\d+|on\b)|from Go (1\.\d+) on", text):
        assert (match[1] or match[2]) in (goversions.lowest(), goversions.TELEMETRY), match[0]
    if name == "README.md":
        assert f"Go {goversions.TELEMETRY} to {goversions.newest()}" in text and f"work from Go {goversions.lowest()} on" in text


@pytest.mark.parametrize("version", ["go1.23.9", "go1.22.10"])
def test_doctor_says_what_an_old_go_is_good_for(version: str) -> None:
    finding = doctor.check_go(gotool.GoCommand(Path("go"), {"GOVERSION": version}))
    assert finding.level == doctor.NOTE and goversions.requirement() in finding.remedy
    assert doctor.check_go(gotool.GoCommand(Path("go"), {"GOVERSION": "go1.24.1"})).finding.endswith(goversions.requirement())


def test_no_message_has_numbers_of_its_own() -> None:
    for path in (ROOT / "objinst").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            texts = [child.value for child in ast.iter_child_nodes(node) if isinstance(child, ast.Constant) and not isinstance(node, ast.Expr)]
            assert not [text for text in texts if isinstance(text, str) and re.search(r"Go 1\.\d", text)], path


def test_hook_packages_are_held_against_the_toolchain() -> None:
    minimum.check(["example.com/own", "github.com/otelobj/otelobj/hooks/rt", "github.com/otelobj/otelobj/hooks/probe"], "go1.22.10")
    minimum.check(["github.com/otelobj/otelobj/hooks/sdk"], "go1.24rc1")
    with pytest.raises(OtelobjError, match=r"hooks/sdk needs Go 1\.24, this is go1\.23\.9"):
        minimum.check(["github.com/otelobj/otelobj/hooks/sdk"], "go1.23.9")


def test_a_build_with_an_old_go_says_so_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/old\n\ngo 1.22\n")
    (tmp_path / "main.go").write_text('package main\n\nimport "net/http"\n\nfunc main() { _, _ = http.Get("") }\n')
    env = toolchains.go_env("1.23", OTELOBJ_CACHE_DIR=str(tmp_path / "cache"))
    command = [str(toolchains.goroot("1.23") / "bin/go"), "build", f"-toolexec={LAUNCHER}", "-o", os.devnull, "."]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode and "needs Go 1.24, this is go1.23.9" in done.stderr and "work from Go 1.22 on" in done.stderr
    assert not (tmp_path / "cache/closure").exists()
