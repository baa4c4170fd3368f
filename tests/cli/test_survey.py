"""`otelobj survey`: every function is counted once, and the shares of the standard library that can be hooked."""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pytest
from rich.console import Console

import toolchains
import trampolines
from objinst.goobj.archive import Archive
from objinst.cli import survey
from objinst.cli.survey import FRAMES, print_survey, summary, take
from objinst.plan.model import Refusal


def counts(version: str, goarch: str, *packages: str) -> tuple[survey.Survey, dict[str, Any]]:
    found = take(toolchains.exports(version, goarch, *packages))
    return found, json.loads(json.dumps(summary(found)))


def share(row: dict[str, int], place: str) -> float:
    return row[place] / row["count"]


@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_every_function_is_counted_once(goarch: str) -> None:
    found, told = counts("1.26", goarch, "text/tabwriter")
    objects = [Archive.read(path).go_object()[1] for path in toolchains.exports("1.26", goarch, "text/tabwriter").values()]
    texts = sum(len(list(obj.text_symbols())) for obj in objects)
    assert len(found.judged) + sum(found.left_out.values()) == texts
    forms = told["forms"]
    assert sum(forms[form]["count"] for form in FRAMES) == forms["all"]["count"] == len(found.judged)
    for place in ("entry", "exit"):
        refused = sum(told["refused"]["entry"].values()) + (sum(told["refused"]["exit"].values()) if place == "exit" else 0)
        assert forms["all"][place] + refused == forms["all"]["count"]
    by_name = {one.symbol: one for one in found.judged}
    flush = by_name["text/tabwriter.(*Writer).Flush"]
    assert flush.entry is None and flush.exit is None and "method" in flush.forms
    assert by_name["syscall.forkAndExecInChild"].entry.code == "fork"  # type: ignore[union-attr]


def test_names_of_instances_are_printed_whole() -> None:
    """Brackets are part of a function's name, not of the terminal's markup."""
    refused = Refusal("no-types", "why")
    screen = Console(width=200, file=io.StringIO(), force_terminal=False)
    print_survey(screen, survey.Survey((survey.Judged("p.F[go.shape.int]", ("all",), refused, refused),), Counter()), "x")
    assert "p.F[go.shape.int]: why" in screen.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.long
@pytest.mark.parametrize("version", [toolchains.telemetry(), "1.26", toolchains.newest()])
@pytest.mark.parametrize("goarch", trampolines.ARCHITECTURES)
def test_std(version: str, goarch: str) -> None:
    _, told = counts(version, goarch, "std")
    forms = told["forms"]
    assert share(forms["all with a frame"], "entry") >= 0.97 and share(forms["all"], "entry") >= 0.90
    assert share(forms["all with a frame"], "exit") >= 0.95 and forms["all"]["count"] > 20_000
