"""docs/contributing/action.md, followed to the letter: an action that nothing else knows is read from a rule, planned, written into an object, linked
and run."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from places import ROOT

from objinst.actions import ACTIONS
from toolchains import go_env, goroot

GUIDE = (ROOT / "docs/contributing/action.md").read_text()
MAIN = """package main

//go:noinline
func place(order string, times int) { println("placed", order, times) }

//go:noinline
func rest() { println("rest") }

func main() {
	place("tea", 2)
	place("milk", 1)
	rest()
}
"""
def block(name: str) -> str:
    """A file of the guide: a block of code that begins with a comment of its name."""
    found = re.search(rf"^```\w+\n(?:#|//) {re.escape(name)}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found, f"the guide has no {name}"
    return found[1]


def write_program(folder: Path) -> Path:
    """The program of the guide, and its Go side."""
    (folder / "mark").mkdir(parents=True)
    (folder / "mark/mark.go").write_text(block("mark/mark.go"))
    (folder / "rules.yaml").write_text(block("rules.yaml"))
    (folder / "go.mod").write_text("module example.com/app\n\ngo 1.24\n")
    (folder / "main.go").write_text(MAIN)
    return folder


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this checkout in which the file of the guide lies beside the other actions. It has been used before: what otelobj remembers of it must
    not hide the new file."""
    root = tmp_path_factory.mktemp("checkout")
    for name in ("bin", "hooks", "objinst", "trampolines"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / ".venv").symlink_to(ROOT / ".venv")
    early = build(root, write_program(root / "early"))
    assert early.returncode != 0 and "mark" in early.stderr and "inject_hooks" in early.stderr, early.stderr
    (root / "objinst/actions/mark.py").write_text(block("objinst/actions/mark.py"))
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_program(tmp_path / "app")


def run(folder: Path, *argv: str, goarch: str = "amd64", **env: str) -> subprocess.CompletedProcess[str]:
    around = go_env("1.26", goarch, GOPROXY="off", PWD=str(folder), OTELOBJ_RULES=str(folder / "rules.yaml"), **env)
    return subprocess.run(argv, cwd=folder, env=around, capture_output=True, text=True, check=False)


def build(checkout: Path, folder: Path, goarch: str = "amd64", **env: str) -> subprocess.CompletedProcess[str]:
    return run(folder, str(goroot("1.26") / "bin/go"), "build", f"-toolexec={checkout / 'bin/otelobj'}", "-o", "app", ".", goarch=goarch, **env)


@pytest.mark.parametrize(("goarch", "emulator"), [("amd64", []), ("arm64", ["qemu-aarch64-static"])])
def test_the_guide_makes_an_action(checkout: Path, folder: Path, goarch: str, emulator: list[str]) -> None:
    if emulator and not shutil.which(emulator[0]):
        pytest.skip("qemu-user-static is not installed")
    done = build(checkout, folder, goarch, OTELOBJ_REPORT=str(folder / "report.json"))
    assert done.returncode == 0, done.stderr
    line = MAIN.splitlines().index('func place(order string, times int) { println("placed", order, times) }') + 1
    mark = f"mark: main.place: an order at line {line}\n"
    said = run(folder, *emulator, str(folder / "app"), goarch=goarch)
    assert said.stderr == f"{mark}placed tea 2\n{mark}placed milk 1\nrest\n"
    (target,) = [target for target in json.loads((folder / "report.json").read_text())["targets"] if target["rule"] == "orders"]
    assert (target["status"], target["entry"], target["exit"]) == ("hooked", True, False)


def test_its_refusal_reaches_the_user(checkout: Path, folder: Path) -> None:
    (folder / "rules.yaml").write_text(block("rules.yaml").replace("func: place", "func: rest"))
    done = build(checkout, folder)
    assert done.returncode != 0
    assert "rule orders: main.rest cannot be hooked: mark: main.rest takes nothing" in done.stderr


def test_its_parser_is_asked(checkout: Path, folder: Path) -> None:
    (folder / "rules.yaml").write_text(block("rules.yaml").replace("text: an order", "txt: an order"))
    done = build(checkout, folder)
    assert done.returncode != 0
    assert f"{folder / 'rules.yaml'}:5: unknown key 'txt' in mark" in done.stderr and "did you mean 'text'?" in done.stderr


def test_another_text_is_another_link(checkout: Path, folder: Path) -> None:
    """The digest of the rules, and what is kept of rewritten archives, depend on the action's value."""
    for text in ("an order", "a purchase"):
        (folder / "rules.yaml").write_text(block("rules.yaml").replace("an order", text))
        assert build(checkout, folder).returncode == 0
        assert f"main.place: {text} at line" in run(folder, str(folder / "app")).stderr


def test_the_action_is_made_up() -> None:
    assert "mark" not in ACTIONS
