"""Benchmarks measure what they say. How long anything takes is no test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import toolchains
from places import ROOT

from benchmarks import libraries

GO = "1.26"
SPANS = {"grpc": 2}
"""Of an operation, where that is not one span or log record. A few more are made before: connections, and what is prepared."""


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
