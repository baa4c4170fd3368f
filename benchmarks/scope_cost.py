"""What the scope of goroutines costs: reading it, starting goroutines and using channels with and without one. `python -m benchmarks.scope_cost`.

The program is built twice, plainly and with the slot, and both are run in turn: what is compared was measured at the same time.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from benchmarks import pairs
from benchmarks.report import Table, missed

SOURCE = Path(__file__).parent.parent / "testbins" / "scopecost"
ROUNDS = 9
LIMITS = {"read": 3.0, "go": 1.05, "go-none": 1.02}
"""What the project promises: a read by the empty call of the same run, `go` by that of the plain program."""


def tables() -> list[Table]:
    """Builds testbins/scopecost twice, and measures both."""
    runs = pairs.runs(SOURCE, ROUNDS)
    rows = []
    for name in runs[0][0]:
        reading = name.startswith("read")
        ratio = statistics.median(ours[name] / (ours["empty"] if reading else theirs[name]) for theirs, ours in runs)
        columns = [statistics.median(run[side][name] for run in runs) for side in (0, 1)]
        limit = LIMITS.get(name)
        rows.append([name, *(f"{value:.2f}" for value in columns), missed(f"{ratio:.3f}", limit is None or ratio <= limit), "" if limit is None else f"≤ {limit}"])
    notes = f"Medians of {ROUNDS} runs. Reading is compared with the empty call, everything else with the plain program. `-none`: nothing is current."
    return [Table("What is current on goroutines", ("case", "plain ns", "hooked ns", "ratio", "promised"), rows, "python -m benchmarks.scope_cost", notes)]


def main() -> None:
    for table in tables():
        table.print()


if __name__ == "__main__":
    main()
