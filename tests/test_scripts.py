"""Every script of scriptrunner.SCRIPTS, for each Go version and architecture that it names."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import scriptrunner
from needs import missing

CASES = [
    pytest.param(script, version, goarch, id=f"{script.path.stem}-{version}-{goarch}", marks=[pytest.mark.long] if scriptrunner.is_long(script, version, goarch) else [])
    for script, version, goarch in scriptrunner.cases()
]


@pytest.mark.parametrize("script", [script for script in map(scriptrunner.parse, scriptrunner.paths()) if script.left_to_long], ids=lambda script: script.path.stem)
def test_what_is_left_to_long_mode_has_a_reason(script: scriptrunner.Script) -> None:
    """It names cases that there are, each word some that the others leave, and not all of them."""
    assert re.search(r"^# long: [^(]+ \(\w.{20,}\)$", script.path.read_text(), re.MULTILINE), "a reason in parentheses"
    cases = [(version, goarch) for found, version, goarch in scriptrunner.cases() if found.path == script.path]
    default = [case for case in cases if not scriptrunner.is_long(script, *case)]
    assert default
    for word in script.left_to_long:
        others = replace(script, lines=tuple((number, line.replace(f" {word} ", " ", 1) if line.startswith("# long:") else line) for number, line in script.lines))
        assert len([case for case in cases if not scriptrunner.is_long(others, *case)]) > len(default), f"{word} leaves nothing to long mode"


@pytest.mark.parametrize(("script", "version", "goarch"), CASES)
def test_script(script: scriptrunner.Script, version: str, goarch: str, tmp_path: Path) -> None:
    if absent := script.missing(goarch):
        missing(", ".join(absent))
    scriptrunner.play(script, version, goarch, tmp_path)
