"""What many goroutines cost, and calls on many processors. `python -m benchmarks.many_cost`.

testbins/manycost is built plainly and with probes, and both are run in turn.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.report import Table

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "testbins" / "manycost"
ROUNDS = 5
NAMES = {"goroutine": "bytes of a goroutine that waits in a call, `probe: latency`", "call": "ns of a call, `probe: count`", "timed": "ns of a call, `probe: latency`"}


def tables() -> list[Table]:
    """Measures."""
    with tempfile.TemporaryDirectory() as folder:
        plain, hooked = Path(folder) / "plain", Path(folder) / "hooked"
        env = os.environ | {"OTELOBJ_DISABLE": "all", "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
        toolexec = f"-toolexec=otelobj --rules {SOURCE / 'rules.yaml'}"
        subprocess.run(["go", "build", "-o", str(plain), "."], cwd=SOURCE, env=env, check=True)
        subprocess.run(["go", "build", toolexec, "-o", str(hooked), "."], cwd=SOURCE, env=env, check=True)
        runs = [(measure(plain), measure(hooked)) for _ in range(ROUNDS)]
    rows = []
    for name in runs[0][0]:
        kind, _, processors = name.partition("/")
        before, after = (statistics.median(run[side][name] for run in runs) for side in (0, 1))
        digits = 0 if kind == "goroutine" else 2
        rows.append([NAMES[kind] + (f", {processors} processors" if processors else ""), f"{before:.{digits}f}", f"{after:.{digits}f}", f"{after - before:.{digits}f}"])
    columns = ("what", "plain", "hooked", "more")
    return [Table("Many goroutines, many processors", columns, rows, "python -m benchmarks.many_cost", f"Medians of {ROUNDS} runs, of the fastest rounds.")]


def measure(program: Path) -> dict[str, float]:
    """Case -> bytes or nanoseconds."""
    out = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {name: float(number) for name, number in (line.split() for line in out.splitlines())}


def main() -> None:
    for table in tables():
        table.print()


if __name__ == "__main__":
    main()
