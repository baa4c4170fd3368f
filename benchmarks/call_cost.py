"""Nanoseconds and allocations of a call: empty, with a pair of no-op typed hooks, with the hooks off. `python -m benchmarks.call_cost`."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.report import Table

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "testbins" / "callcost"
ROUNDS = 5


def tables() -> list[Table]:
    """Builds testbins/callcost with hooks, and measures."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "callcost"
        env = os.environ | {"OTELOBJ_DISABLE": "all", "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
        toolexec = f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"
        subprocess.run(["go", "build", toolexec, "-o", str(program), "."], cwd=SOURCE, env=env, check=True)
        runs = [measure(program) for _ in range(ROUNDS)]
    rows = []
    for name in runs[0]:
        nanoseconds, ratio = (statistics.median(values) for values in zip(*((run[name][0], run[name][0] / run["empty"][0]) for run in runs), strict=True))
        rows.append([name, f"{nanoseconds:.2f}", f"{ratio:.2f}", f"{max(run[name][1] for run in runs):.6f}"])
    columns = ("call", "ns", "ratio to the empty call of the same run", "allocations")
    notes = f"Medians of {ROUNDS} runs. `-hooked`: with a pair of typed hooks that do nothing; `-off`: with the same, switched off."
    return [Table("A call: entry and exit", columns, rows, "python -m benchmarks.call_cost", notes)]


def measure(program: Path) -> dict[str, tuple[float, float]]:
    """Case -> (nanoseconds, allocations) a call."""
    out = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {name: (float(ns), float(allocs)) for name, ns, allocs in (line.split() for line in out.splitlines())}


def main() -> None:
    for table in tables():
        table.print()


if __name__ == "__main__":
    main()
