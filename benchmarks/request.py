"""What a request costs in which state of its telemetry. `python -m benchmarks.request [--rounds N] [--count N]`.

A request is answered by a server that asks another one: two spans of servers and one of a client. Everything is in one process of testbins/libcost, with one
processor, and its costs are those of the whole process, exporters included, beyond the plain program's in the same round.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import libraries
from benchmarks.libraries import HAND, OURS, PLAIN, Row, Run, Spread
from benchmarks.report import Table, missed
from objinst.bench.measure import in_order

ROUNDS = 7
COUNT = 5_000
OPERATION = Row("http-both", "nethttp", "otelhttp", "", libraries.LESS, COUNT)


@dataclass(frozen=True, slots=True)
class State:
    """env: variables; ratio: of the processor time by hand, and allocations: in all, as the project promises; None where it promises nothing. hangs: the
    collector takes connections and never answers. by_hand: whether a program that is instrumented by hand has this state."""

    title: str
    env: Mapping[str, str]
    ratio: float | None = None
    allocations: int | None = None
    hangs: bool = False
    by_hand: bool = True


NO_METRICS = {"OTEL_METRICS_EXPORTER": "none"}
QUEUE = {"OTEL_BSP_MAX_QUEUE_SIZE": "2048", "OTEL_EXPORTER_OTLP_TIMEOUT": "600000"}
"""The queue is full before anything is measured: libcost does a quarter of its operations first."""
STATES = (
    State("OTLP, with metrics", {}, 0.6),
    State("OTLP, traces alone", NO_METRICS, 0.5, 150),
    State("spans recorded, and dropped: the queue is full", NO_METRICS | QUEUE, 0.45, 125, hangs=True),
    State("not sampled", NO_METRICS | {"OTEL_TRACES_SAMPLER": "always_off"}),
    State("exporters `none`", NO_METRICS | {"OTEL_TRACES_EXPORTER": "none"}, allocations=95),
    State("OTEL_SDK_DISABLED, which Go's SDK does not know", {"OTEL_SDK_DISABLED": "true"}, by_hand=False),
)


def tables(rounds: int = ROUNDS, count: int = COUNT) -> list[Table]:
    """Measures."""
    rows = []
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as deaf:
        programs = libraries.build(Path(name))
        nobody = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{deaf.getsockname()[1]}"}
        with libraries.collector(programs[PLAIN]) as sink:
            for state in STATES:
                variants, env = [PLAIN, *([HAND] if state.by_hand else []), OURS], {**state.env, **(nobody if state.hangs else {})}
                found = [
                    {one: libraries.run(OPERATION, one, programs[one], sink, count, env, ends=not state.hangs) for one in in_order(variants, number)}
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

    ratios = [ours / hand for ours, hand in zip(beyond(OURS), beyond(HAND), strict=True) if hand > 0] if state.by_hand else []
    ratio = Spread.of(ratios) if ratios else None
    cells = [state.title, Spread.of([runs[PLAIN].ns / 1000 for runs in rounds]).text(1), f"{allocations(PLAIN):.0f}"]
    cells += [Spread.of(beyond(HAND)).text(1), f"{allocations(HAND):.0f}"] if state.by_hand else ["", ""]
    cells.append(Spread.of(beyond(OURS)).text(1))
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
