"""Many operations at a time in a program with hooks (testbins/shared/load): no span stays open, and none has a wrong parent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import toolchains
from scriptrunner import HANGS

GOROUTINES = 64

AMOUNTS = pytest.mark.parametrize(
    ("flags", "operations"),
    [
        pytest.param([], 100, id="short"),
        pytest.param([], 10_000, marks=pytest.mark.long, id="long"),
        pytest.param(["-race"], 1_000, marks=pytest.mark.long, id="race"),
    ],
)
"""Flags of the build, and how often each goroutine does what it does."""


def build(source: Path, folder: Path, *flags: str, **env: str) -> Path:
    """The program of a module, linked by otelobj."""
    toolchains.go("1.26", source, "build", "-toolexec=otelobj", *flags, "-o", folder / "load", ".", **env)
    return folder / "load"


def check(program: Path, *args: str, spans: int) -> None:
    """While garbage is collected all the time. spans: of each goroutine."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("OTEL")} | {"GOGC": "10", "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    done = subprocess.run([program, *args], env=env, capture_output=True, text=True, timeout=HANGS, check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout == f"failed 0 open 0 wrong 0 ended {GOROUTINES * spans}\n"
