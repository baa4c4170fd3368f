"""Quick mode: the tests that need no Go toolchain. No list says which: a test that asks for one is skipped at that moment.

There are two ways to ask: toolchains.goroot, and `go` on PATH, where quick mode puts a program that leaves a note. A process that a test starts finds
that one, too, so the note decides: whatever such a test makes of it, it counts as skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

import toolchains

REASON = "needs a Go toolchain"


def refuse(version: str) -> Path:
    """Takes the place of toolchains.goroot. At a module's top level this is an error: all of the module would be skipped."""
    del version
    pytest.skip(REASON)


class Quick:
    """The pytest plugin. Until the session ends, its folder comes first on PATH.

    _failures: what tests failed with that had asked. A fixture of a module or session raises the same exception for each of its tests.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="otelobj-quick-"))
        self._note = self._folder / "asked"
        go = self._folder / "go"
        go.write_text(f"#!/bin/sh\n: > '{self._note}'\necho 'go: not in quick mode' >&2\nexit 97\n")
        go.chmod(0o755)
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv("PATH", str(self._folder), prepend=os.pathsep)
        self._patch.setattr(toolchains, "goroot", refuse)
        self._failures: list[BaseException] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        failure = call.excinfo.value if call.excinfo else None
        again = any(failure is known for known in self._failures)
        if (report.when == "call" or report.failed) and not report.skipped and (again or self._note.exists()):
            if failure is not None:
                self._failures.append(failure)
            report.outcome = "skipped"
            report.longrepr = (str(item.path), 0, f"Skipped: {REASON}")
        if report.when == "teardown":
            self._note.unlink(missing_ok=True)
        return report

    def pytest_unconfigure(self) -> None:
        self._patch.undo()
        shutil.rmtree(self._folder, ignore_errors=True)
