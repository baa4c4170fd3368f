"""Messages are a few lines, however much a tool has said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from objinst import __main__ as entry
from objinst.link import preview
from objinst.cli import main as people
from objinst.errors import FIRST, LAST, OtelobjError, UsageError, bounded
from places import ROOT

LONG = "go list failed:\n" + "".join(f"line {number}\n" for number in range(1, 49)) + "the end"


def test_short_messages_are_left_alone() -> None:
    for count in range(1, FIRST + LAST + 2):
        text = "\n".join(f"line {number}" for number in range(count))
        assert bounded(text) == text
    assert bounded("") == ""


def test_a_long_message_says_what_is_left_out_and_where_it_is() -> None:
    lines = bounded(LONG).splitlines()
    assert lines[0] == "go list failed:" and lines[-1] == "the end" and len(lines) == FIRST + LAST + 1
    assert lines[FIRST] == f"… {50 - FIRST - LAST} more lines; OTELOBJ_TRACEBACK=1 shows all"
    assert len(bounded("x" * 100_000)) < 2000


@pytest.mark.parametrize("kind", [OtelobjError, UsageError])
def test_every_error_is_printed_so(kind: type[OtelobjError], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise kind(LONG, "the remedy")

    monkeypatch.delenv("OTELOBJ_TRACEBACK", raising=False)
    assert entry.attempt(fail) == kind.exit_status
    said = capsys.readouterr().err.splitlines()
    assert len(said) == FIRST + LAST + 2 and said[-1] == "  remedy: the remedy"
    monkeypatch.setenv("OTELOBJ_TRACEBACK", "1")
    assert entry.attempt(fail) == kind.exit_status
    assert "\nline 30\n" in capsys.readouterr().err
    monkeypatch.setattr(preview, "plan_packages", lambda *_: preview.PackagePlan((), (kind(LONG, "the remedy"),)))
    assert people(["plan"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == FIRST + LAST + 2


def test_so_is_the_warning_of_a_plain_link(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from objinst import __main__ as m\nfrom objinst.errors import OtelobjError\n"
    code += f"def fail(): raise OtelobjError({LONG!r}, 'x')\nm.attempt(fail, ['/bin/true'])"
    env = {"PATH": os.environ["PATH"], "OTELOBJ_ON_ERROR": "plain"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "linking without hooks: go list failed:" in done.stderr and len(done.stderr.splitlines()) == FIRST + LAST + 2
