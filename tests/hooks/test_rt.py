"""hooks/rt: its own Go tests, and what the link step relies on in its archive.

The package is compiled by whatever toolchain the user has, so everything runs with the oldest and the newest Go version.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from needs import QEMU, need
from places import HOOKS
import toolchains
from toolchains import goroot, versions

RT = HOOKS / "rt"
PACKAGE = "github.com/otelobj/otelobj/hooks/rt"
ENDS = (min(versions(), key=lambda v: [int(n) for n in v.split(".")]), max(versions(), key=lambda v: [int(n) for n in v.split(".")]))
CHANNELS = ("onSend", "onReceive", "onRange", "onTry", "onSelect", "onTrySend", "onReceived", "onReceivedOK", "onSelected")
each_version = pytest.mark.parametrize("version", ENDS)
each_arch = pytest.mark.parametrize("goarch", ["amd64", "arm64"])


def go(version: str, *args: str, goarch: str = "amd64") -> str:
    return toolchains.go(version, RT, *args, goarch=goarch, GOWORK="off", GOPROXY="off")


def test_gofmt() -> None:
    done = subprocess.run([goroot(ENDS[-1]) / "bin" / "gofmt", "-l", "."], cwd=RT, capture_output=True, text=True, check=True)
    assert not done.stdout, f"not formatted: {done.stdout}"


@each_version
def test_vet_and_tests(version: str) -> None:
    go(version, "vet", "./...")
    go(version, "test", "./...")


def test_checkptr() -> None:
    """-race builds turn on checks of pointer arithmetic; pointers into the stack must pass them."""
    go(ENDS[-1], "test", "-gcflags=all=-d=checkptr", ".")


def test_without_optimisation() -> None:
    """With -N -l nothing is inlined: the chain of functions without a stack check must still fit."""
    go(ENDS[-1], "test", "-gcflags=-N -l", ".")


def test_arm64() -> None:
    go(ENDS[-1], "test", f"-exec={need(QEMU)}", ".", goarch="arm64")


@each_version
def test_imports_nothing_that_could_be_hooked(version: str) -> None:
    assert go(version, "list", "-f", "{{.Imports}}", ".").strip() == "[sync/atomic unsafe]"


@each_version
@each_arch
def test_archive_has_what_the_link_step_needs(version: str, goarch: str, tmp_path: Path) -> None:
    archive = tmp_path / "rt.a"
    go(version, "build", "-o", str(archive), ".", goarch=goarch)
    kinds = {name: kind for kind, name in re.findall(r"^\s*[0-9a-f]* ([A-Z]) (\S+)", go(version, "tool", "nm", str(archive)), re.MULTILINE)}
    entered = ("enter", "exit", "enterHeld", "exitHeld", "enterTimed", "exitTimed")
    for name in (*entered, "onPanic", "onFatalPanic", "onDeferReturn", "onGoexit", "onGoroutineEnd", "onSystemGoroutine", *CHANNELS, "getg"):
        assert kinds.get(f"{PACKAGE}.{name}") == "T", name
    for name in ("linkInfo", "Desc", "Value", "Hook", "Call", "node"):
        assert kinds.get(f"type:{PACKAGE}.{name}") == "R", name
    assert kinds.get(f"{PACKAGE}.link") in {"B", "D"}


@each_version
def test_what_is_filled_in_later_is_read(version: str, tmp_path: Path) -> None:
    """rt.link is zero and getg returns nil until the link step: a compiler that believed that would break everything silently."""
    archive = tmp_path / "rt.a"
    go(version, "build", "-o", str(archive), ".")
    enter = go(version, "tool", "objdump", "-s", r"rt\.(enter|enterAny|guardAgain)$", str(archive))
    for offset in ("8", "16", "24", "32", "40", "48", "56"):
        assert f"R_PCREL:{PACKAGE}.link+{offset}" in enter
    live = go(version, "tool", "objdump", "-s", r"rt\.\(\*Call\)\.live$", str(archive))
    assert re.search(rf"R_PCREL:{re.escape(PACKAGE)}\.current|R_CALL:{re.escape(PACKAGE)}\.getg", live)
