"""What a link says while it compiles the private zone."""

from __future__ import annotations

import io
import os
import pty
import re

import pytest
from objinst.hookpkgs import progress, zone
from objinst.rules import PRIVATE

LINE = "otelobj: compiling OpenTelemetry once for this toolchain (20 packages)"


def read(terminal: int, end: bytes) -> str:
    said = b""
    while not said.endswith(end):
        said += os.read(terminal, 10_000)
    return said.decode()


def on_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with open(theirs, "w") as stream:  # noqa: PTH123 - a descriptor
        done = progress.begin("compiling", 4, stream)
        for _ in range(4):
            done()
        said = read(ours, b"\n")
    os.close(ours)
    return said


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = on_terminal(40, monkeypatch)
    steps = [step for step in re.split(r"\x1b\[K[\r\n]*|\r", said) if step]
    assert [step.rpartition(" ")[2] for step in steps[:4]] == ["0/4", "1/4", "2/4", "3/4"]
    assert [step.count("#") for step in steps[:4]] == sorted({step.count("#") for step in steps[:4]}), "it grows"
    assert steps[-1] == "compiling (4 packages)" and all(len(step) < 40 for step in steps)


def test_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [step for step in re.split(r"\x1b\[K[\r\n]*|\r", on_terminal(8, monkeypatch)) if step]
    assert steps[:-1] and all(len(step) < 8 for step in steps[:-1])


def test_one_line_elsewhere(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    zone.say([f"p{number}" for number in range(zone.MANY)])()
    assert capsys.readouterr().err == f"{LINE}\n"
    zone.say([PRIVATE + zone.API, "a", "b"])()
    assert capsys.readouterr().err == "", "a few packages compiled anew are not worth a line"
    stream = io.StringIO()
    done = progress.begin("compiling", 2, stream)
    done()
    assert stream.getvalue() == "compiling (2 packages)\n"


def test_one_line_on_a_terminal_that_cannot_do_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    ours, theirs = pty.openpty()
    with open(theirs, "w") as stream:  # noqa: PTH123 - a descriptor
        progress.begin("compiling", 4, stream)()
        assert read(ours, b"\n") == "compiling (4 packages)\r\n"
    os.close(ours)
