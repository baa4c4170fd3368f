"""Nanoseconds and allocations of a call: empty, with a pair of no-op typed hooks, with the hooks off. `python -m benchmarks.call_cost`."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "testbins" / "callcost"
ROUNDS = 5


def main() -> None:
    """Builds testbins/callcost with hooks and prints the medians of several runs."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "callcost"
        env = os.environ | {"OTELOBJ_DISABLE": "all", "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
        toolexec = f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"
        subprocess.run(["go", "build", toolexec, "-o", str(program), "."], cwd=SOURCE, env=env, check=True)
        runs = [measure(program) for _ in range(ROUNDS)]
    table = Table("call", "ns", "ratio to the empty call of the same run", "allocations", title="entry and exit, medians of 5 runs")
    for name in runs[0]:
        nanoseconds, ratio = (statistics.median(values) for values in zip(*((run[name][0], run[name][0] / run["empty"][0]) for run in runs), strict=True))
        table.add_row(name, f"{nanoseconds:.2f}", f"{ratio:.2f}", f"{max(run[name][1] for run in runs):.6f}")
    Console().print(table)


def measure(program: Path) -> dict[str, tuple[float, float]]:
    """Case -> (nanoseconds, allocations) a call."""
    out = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {name: (float(ns), float(allocs)) for name, ns, allocs in (line.split() for line in out.splitlines())}


if __name__ == "__main__":
    main()
