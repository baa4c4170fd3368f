"""net/http's own tests pass with the hooks in: what the program does is what it did.

Spans are made but not exported, and no headers are propagated, since the suite compares requests to the byte.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import toolchains
from hookmodules import usable

VERSIONS = usable("instrumentation/nethttp")


def run_suite(version: str, folder: Path, *flags: str) -> str:
    env = toolchains.go_env(version, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none", OTEL_PROPAGATORS="none")
    done = subprocess.run(
        ["go", "test", "-v", "-count=1", "-timeout=900s", *flags, "net/http"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "FAIL" in line or "panic:" in line) + done.stderr[-2000:]
    return done.stdout


def passed(output: str) -> set[str]:
    return {line.split()[2] for line in output.splitlines() if line.startswith("--- PASS")}


def compare(version: str, folder: Path, *flags: str) -> None:
    """The tests that pass with the hooks are those that pass without."""
    ours, plain = passed(run_suite(version, folder, *flags, "-toolexec=otelobj")), passed(run_suite(version, folder, *flags))
    assert len(plain) > 400
    assert ours == plain


@pytest.mark.parametrize("version", [pytest.param(version, marks=[] if version == "1.26" else [pytest.mark.long]) for version in VERSIONS])
def test_net_http_suite(version: str, tmp_path: Path) -> None:
    compare(version, tmp_path, "-short")


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_net_http_suite_whole(version: str, tmp_path: Path) -> None:
    """Not -short: with the tests that wait for timeouts."""
    compare(version, tmp_path)
