"""The scripts of parents, unwinding and exits once more under the race detector, and with freed memory overwritten at every collection."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import scriptrunner
from places import TESTS
from needs import need

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = ("parents", "parents_own_sdk", "parents_context", "parents_http2", "unwinding", "exits", "exits_own_sdk", "workers", "pools")
BUILD = "exec go build "


def played(name: str, goarch: str, folder: Path, before: list[str], flags: str = "") -> None:
    """Play a script with the newest Go version that it names, some lines before it, and flags for its builds."""
    script = scriptrunner.parse(TESTS / "scripts" / f"{name}.txtar")
    lines = [(0, line) for line in before] + [(number, line.replace(BUILD, BUILD + flags)) for number, line in script.lines]
    assert any(line.startswith(BUILD + flags) for _, line in lines), "the script builds in another way"
    scriptrunner.play(replace(script, lines=tuple(lines)), script.directive("go", "1.26")[-1], goarch, folder)


@pytest.mark.long
@pytest.mark.parametrize("name", SCRIPTS)
def test_race_detector(name: str, tmp_path: Path) -> None:
    need("gcc")
    played(name, "amd64", tmp_path, ["env CGO_ENABLED=1", "env GORACE=exitcode=66"], "-race ")


@pytest.mark.long
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_freed_memory_is_overwritten(name: str, goarch: str, tmp_path: Path) -> None:
    played(name, goarch, tmp_path, ["env GODEBUG=clobberfree=1", "env GOGC=1"])
