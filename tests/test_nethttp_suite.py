"""net/http's own tests pass with the hooks in: what the program does is what it did.

Spans are made but not exported, and no headers are propagated, since the suite compares requests to the byte.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import toolchains

ROOT = Path(__file__).parent.parent


def run_suite(version: str, folder: Path, *flags: str) -> str:
    env = toolchains.go_env(version, OTEL_TRACES_EXPORTER="none", OTEL_METRICS_EXPORTER="none", OTEL_PROPAGATORS="none")
    env["PATH"] = f"{ROOT / 'bin'}:{env['PATH']}"
    done = subprocess.run(
        ["go", "test", "-v", "-count=1", "-timeout=300s", *flags, "net/http"], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, "\n".join(line for line in done.stdout.splitlines() if "FAIL" in line or "panic:" in line) + done.stderr[-2000:]
    return done.stdout


def passed(output: str) -> set[str]:
    return {line.split()[2] for line in output.splitlines() if line.startswith("--- PASS")}


@pytest.mark.parametrize("version", ["1.26", pytest.param("1.24", marks=pytest.mark.long), pytest.param("1.27", marks=pytest.mark.long)])
def test_net_http_suite(version: str, tmp_path: Path) -> None:
    ours = passed(run_suite(version, tmp_path, "-short", "-toolexec=otelobj"))
    plain = passed(run_suite(version, tmp_path, "-short"))
    assert len(plain) > 400
    assert ours == plain


@pytest.mark.long
def test_net_http_suite_whole(tmp_path: Path) -> None:
    run_suite("1.26", tmp_path, "-toolexec=otelobj")


