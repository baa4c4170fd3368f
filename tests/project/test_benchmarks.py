"""Benchmarks measure what they say. How long anything takes is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import toolchains
from places import ROOT

from benchmarks import __main__ as everything
from benchmarks import libraries
from benchmarks.report import Plot, Table, missed
from objinst.bench.model import Machine, Quantity, Results

GO = "1.26"
SPANS = {"grpc": 2, "http-both": 3}
"""Of an operation, where that is not one span or log record. A few more are made before: connections, and what is prepared."""


def test_a_table_is_a_section_of_the_document() -> None:
    table = Table("numbers of a | b", ("what", "ns"), [["a | b", missed("1.20", kept=False)], ["c", missed("0.90", kept=True)]], "python -m x", "Medians.")
    assert table.markdown() == "## Numbers of a | b\n\n`python -m x`\n\nMedians.\n\n| what | ns |\n|---|---|\n| a \\| b | 1.20 ! |\n| c | 0.90 |\n"


def test_a_plot_is_the_same_each_time(tmp_path: Path) -> None:
    plot = Plot("grows", "It grows", "functions", "s", {"cold": [(10, 2), (1, 1)], "warm": [(1, 0.1), (10, 0.1)]})
    one, other = (plot.write(tmp_path / name).read_text() for name in ("one", "other"))
    assert one == other and "It grows" in one and "functions" in one


def test_what_the_command_measures_is_a_table_for_each_section() -> None:
    results = Results("example.com/app", Machine("a cpu", 2, 1 << 30, "a system", "go1.26", "0.1.0", 0.0), 5, {"plain": "plain", "otelobj": "otelobj"})
    for variant, seconds in (("plain", (1.0, 1.1, 1.2, 1.0)), ("otelobj", (2.0, 2.1, 2.2, 2.0))):
        for value in seconds:
            results.add(variant, Quantity("build", "edited", "time", "s"), value)
        results.add(variant, Quantity("size", "", "program", "B"), 5e6)
        results.add(variant, Quantity("build", "edited", "hidden", "s", detail=True), 1)
    results.add("plain", Quantity("start", "", "time", "s"), 0.01)
    tables = list(everything._sections(json.loads(results.to_json()), "otelobj bench", "notes"))
    assert [table.title for table in tables] == ["A small server: builds", "A small server: size", "A small server: start and end"]
    assert tables[0].rows == [["edited", "time", "1.05 s", "2.05 s (×1.95)"]]
    assert tables[1].rows == [["", "program", "5 MB", "5 MB (same)"]] and tables[2].rows == [["", "time", "10 ms", ""]]


def test_what_is_no_part_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        everything.main(["--only", "call,walls"])
    assert "no part walls" in capsys.readouterr().err


@pytest.mark.long
def test_a_request_in_each_state() -> None:
    """All programs do what they should: the benchmark fails otherwise. Numbers of one round say nothing."""
    command = [sys.executable, "-m", "benchmarks.request", "--rounds=1", "--count=40"]
    done = subprocess.run(command, cwd=ROOT, env=toolchains.go_env(GO) | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True)
    assert "OTLP, with metrics" in done.stdout and "OTEL_SDK_DISABLED" in done.stdout


@pytest.mark.long
def test_many_goroutines() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks.many_cost"], cwd=ROOT, env=toolchains.go_env(GO) | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True, text=True)
    assert "bytes of a goroutine" in done.stdout


@pytest.mark.long
def test_each_library_exports_the_same_by_hand_and_with_otelobj(tmp_path: Path) -> None:
    """The benchmark itself fails where something is exported by the plain program, or with the library switched off."""
    report, env = tmp_path / "report.json", toolchains.go_env(GO) | {"PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-m", "benchmarks.libraries", "--rounds=1", "--count=40", f"--json={report}"], cwd=ROOT, env=env, check=True)
    results = json.loads(report.read_text())
    found = {result["row"]["operation"]: {variant: round(made) for variant, made in result["exported"].items()} for result in results}
    assert found == {row.operation: expected(row) for row in libraries.ROWS}


def expected(row: libraries.Row) -> dict[str, int]:
    made = SPANS.get(row.operation, 1)
    return {libraries.PLAIN: 0, **({libraries.HAND: made} if row.hand else {}), libraries.OURS: made, libraries.OFF: 0}
