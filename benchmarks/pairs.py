"""A program of testbins, built plainly and with its rules: what is compared was measured at the same time."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def runs(source: Path, rounds: int) -> list[tuple[dict[str, float], dict[str, float]]]:
    """Runs of both in turn: case -> number, of the plain program and of the one with hooks. The programs print a line a case, name and number."""
    with tempfile.TemporaryDirectory() as folder:
        plain, hooked = Path(folder) / "plain", Path(folder) / "hooked"
        env = os.environ | {"OTELOBJ_DISABLE": "all", "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
        toolexec = f"-toolexec=otelobj --rules {source / 'rules.yaml'}"
        subprocess.run(["go", "build", "-o", str(plain), "."], cwd=source, env=env, check=True)
        subprocess.run(["go", "build", toolexec, "-o", str(hooked), "."], cwd=source, env=env, check=True)
        return [(_run(plain), _run(hooked)) for _ in range(rounds)]


def _run(program: Path) -> dict[str, float]:
    out = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {name: float(number) for name, number in (line.split() for line in out.splitlines())}
