"""Requests under a forced collection and a deep stack in every hook, with freed memory overwritten: no crash, no wrong answer."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from needs import emulator
from places import TESTBINS
import toolchains

SOURCE = TESTBINS / "soak"


def build(version: str, goarch: str, out: Path) -> None:
    toolexec = f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"
    toolchains.go(version, SOURCE, "build", toolexec, "-o", out, ".", goarch=goarch, OTELOBJ_DISABLE="all")


def soak(program: Path, goarch: str, requests: int) -> None:
    env = os.environ | {"GODEBUG": "gccheckmark=0,clobberfree=1"}
    done = subprocess.run([*emulator(goarch), str(program), str(requests), "hooked"], env=env, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    assert done.stdout == f"done {requests}\n"
    assert not done.stderr


CASES = [(toolchains.telemetry(), "amd64"), ("1.26", "amd64"), (toolchains.newest(), "amd64"), ("1.26", "arm64")]


@pytest.mark.parametrize(("version", "goarch"), CASES)
def test_soak(version: str, goarch: str, tmp_path: Path) -> None:
    build(version, goarch, tmp_path / "soak")
    soak(tmp_path / "soak", goarch, 1000 if goarch == "amd64" else 100)


@pytest.mark.long
@pytest.mark.parametrize("version", [toolchains.telemetry(), "1.26", toolchains.newest()])
def test_hundred_thousand_requests(version: str, tmp_path: Path) -> None:
    build(version, "amd64", tmp_path / "soak")
    soak(tmp_path / "soak", "amd64", 100_000)
