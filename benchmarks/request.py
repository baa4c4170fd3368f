"""What a request costs in which state of its telemetry. `python -m benchmarks.request [--rounds N] [--count N]`.

A request is answered by a server that asks another one: two spans of servers and one of a client. Everything is in one process of testbins/libcost, with one
processor, and its costs are those of the whole process, exporters included, beyond the plain program's in the same round.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import libraries
from benchmarks.libraries import HAND, OURS, PLAIN, Row, Run, Spread
from benchmarks.report import Table, missed

ROUNDS = 7
COUNT = 5_000
OPERATION = Row("http-both", "nethttp", "otelhttp", "", libraries.LESS, COUNT)


@dataclass(frozen=True, slots=True)
class State:
    """env: variables; ratio: of the processor time by hand, and allocations: in all, as the project promises; None where it promises nothing."""

    title: str
    env: Mapping[str, str]
    ratio: float | None
    allocations: int | None


NO_METRICS = {"OTEL_METRICS_EXPORTER": "none"}
STATES = (
    State("OTLP, with metrics", {}, 0.6, None),
    State("OTLP, traces alone", NO_METRICS, 0.5, 150),
    State("spans recorded, and dropped", NO_METRICS | {"OTEL_BSP_MAX_QUEUE_SIZE": "1", "OTEL_BSP_SCHEDULE_DELAY": "3600000"}, 0.45, 125),
    State("not sampled", NO_METRICS | {"OTEL_TRACES_SAMPLER": "always_off"}, None, None),
    State("exporters `none`", NO_METRICS | {"OTEL_TRACES_EXPORTER": "none"}, None, 95),
    State("OTEL_SDK_DISABLED", {"OTEL_SDK_DISABLED": "true"}, None, None),
)


def tables(rounds: int = ROUNDS, count: int = COUNT) -> list[Table]:
    """Measures."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        programs = libraries.build(Path(name))
        with libraries.collector(programs[PLAIN]) as sink:
            for state in STATES:
                found = [
                    {variant: libraries.run(OPERATION, variant, programs[variant], sink, count, state.env) for variant in libraries.turned((PLAIN, HAND, OURS), number)}
                    for number in range(rounds)
                ]
                rows.append(_row(state, found))
    columns = ("telemetry", "plain µs", "allocs", "by hand + µs", "allocs", "otelobj + µs", "allocs", "µs / by hand", "promised")
    notes = "Processor time beyond the plain program's; allocations are all of a request. By hand: otelhttp and autoexport."
    return [Table("A request: two servers and a client", columns, rows, "python -m benchmarks.request", notes)]


def _row(state: State, rounds: list[dict[str, Run]]) -> list[str]:
    def beyond(variant: str) -> list[float]:
        return [(runs[variant].ns - runs[PLAIN].ns) / 1000 for runs in rounds]

    def allocations(variant: str) -> float:
        return Spread.of([runs[variant].allocations for runs in rounds]).median

    ratios = [ours / hand for ours, hand in zip(beyond(OURS), beyond(HAND), strict=True) if hand > 0]
    ratio = Spread.of(ratios) if ratios else None
    cells = [state.title, Spread.of([runs[PLAIN].ns / 1000 for runs in rounds]).text(1), f"{allocations(PLAIN):.0f}"]
    cells += [Spread.of(beyond(HAND)).text(1), f"{allocations(HAND):.0f}", Spread.of(beyond(OURS)).text(1)]
    cells.append(missed(f"{allocations(OURS):.0f}", state.allocations is None or allocations(OURS) <= state.allocations))
    cells.append("" if ratio is None else missed(ratio.text(2), state.ratio is None or ratio.median <= state.ratio))
    promised = [f"≤ {state.ratio} × by hand"] if state.ratio else []
    promised += [f"≤ {state.allocations} allocs"] if state.allocations else []
    return [*cells, ", ".join(promised)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.request", description="What a request costs in which state of its telemetry.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--count", type=int, default=COUNT, help="requests of a run")
    asked = parser.parse_args()
    for table in tables(asked.rounds, asked.count):
        table.print()


if __name__ == "__main__":
    main()
