"""What many goroutines cost, and calls on many processors. `python -m benchmarks.many_cost`.

testbins/manycost is built plainly and with probes, and both are run in turn.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks import pairs
from benchmarks.report import Table

SOURCE = Path(__file__).parent.parent / "testbins" / "manycost"
ROUNDS = 5
NAMES = {"goroutine": "bytes of a goroutine that waits in a call, `probe: latency`", "call": "ns of a call, `probe: count`", "timed": "ns of a call, `probe: latency`"}


def tables() -> list[Table]:
    """Measures."""
    runs = pairs.runs(SOURCE, ROUNDS)
    rows = []
    for name in runs[0][0]:
        kind, _, processors = name.partition("/")
        before, after = (statistics.median(run[side][name] for run in runs) for side in (0, 1))
        digits = 0 if kind == "goroutine" else 2
        rows.append([NAMES[kind] + (f", {processors} processors" if processors else ""), f"{before:.{digits}f}", f"{after:.{digits}f}", f"{after - before:.{digits}f}"])
    columns = ("what", "plain", "hooked", "more")
    return [Table("Many goroutines, many processors", columns, rows, "python -m benchmarks.many_cost", f"Medians of {ROUNDS} runs, of the fastest rounds.")]


def main() -> None:
    for table in tables():
        table.print()


if __name__ == "__main__":
    main()
