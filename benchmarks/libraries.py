"""What an operation of a library costs with otelobj, and instrumented by hand. `python -m benchmarks.libraries [--json F] [ROW ...]`.

testbins/libcost is measured in four variants, by turns: plain; by hand, with each library's official instrumentation; relinked by otelobj; and that program
with the library's instrumentation switched off. The costs are those of its whole process beyond the plain one: processor time, user and system, and
allocations. The export to a collector that only counts is included, so a column says how many spans or log records it got for an operation, and how many
attributes these had: by hand each takes the exporter about three allocations. One processor (GOMAXPROCS=1), since threads that look for work would be measured as
well. Metrics are exported once, at the end, which is not measured.

Peers are a part of the process and cancel out where they are not instrumented: the client of a server and the server of a client are bare connections, the
databases are fakes. Only `grpc` has both sides instrumented, by hand and by otelobj.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.report import Table, missed
from objinst.bench.measure import in_order

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "testbins" / "libcost"
ROUNDS = 7
PLAIN, HAND, OURS, OFF = VARIANTS = ("plain", "by hand", "otelobj", "off")
BUILDS: dict[str, list[str]] = {PLAIN: [], HAND: ["-tags=hand"], OURS: ["-toolexec=otelobj"]}
SAME, LESS = 1.0, 0.8
"""What the project promises, by the cost by hand: where the official library is used inside, and where the hooks do the work themselves."""
OFF_LIMIT = 1.02
"""Of the plain program's processor time; and no allocations."""
NONE = 0.1
"""Fewer allocations than this are no operation's: the SDK's timers make some, as long as the program runs."""
EXPORT = {
    "GOMAXPROCS": "1",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_BSP_MAX_QUEUE_SIZE": "65536",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "65536",
}
"""Nothing is dropped, and the program need not wait long until everything is exported."""


@dataclass(frozen=True, slots=True)
class Row:
    """operation: libcost's; libraries: their names in OTEL_GO_DISABLED_INSTRUMENTATIONS; hand: what instruments by hand, "" if there is nothing; sides: what
    the cost is of; limit: SAME or LESS; count: operations of a run."""

    operation: str
    libraries: str
    hand: str
    sides: str
    limit: float
    count: int


ROWS = (
    Row("http-server", "nethttp", "otelhttp", "server", LESS, 10_000),
    Row("http-client", "nethttp", "otelhttp", "client", LESS, 10_000),
    Row("http-both", "nethttp", "otelhttp", "2 servers, a client", LESS, 5_000),
    Row("gin", "nethttp,gin", "otelgin", "server", LESS, 10_000),
    Row("chi", "nethttp,chi", "otelchi", "server", LESS, 10_000),
    Row("gorillamux", "nethttp,gorillamux", "otelmux", "server", LESS, 10_000),
    Row("echov4", "nethttp,echov4", "otelecho", "server", LESS, 10_000),
    Row("grpc", "grpc", "otelgrpc", "both sides", SAME, 5_000),
    Row("sql-query", "databasesql", "otelsql", "client", LESS, 20_000),
    Row("sql-exec", "databasesql", "otelsql", "client", LESS, 20_000),
    Row("pgx", "pgx", "otelpgx", "client", LESS, 10_000),
    Row("redis", "redis", "redisotel", "client", LESS, 10_000),
    Row("slog", "slog", "otelslog", "record", SAME, 40_000),
    Row("zap", "zap", "otelzap", "record", SAME, 40_000),
    Row("logrus", "logrus", "otellogrus", "record", SAME, 40_000),
    Row("zerolog", "zerolog", "", "record", LESS, 40_000),
    Row("log", "log", "", "record", LESS, 40_000),
)


@dataclass(frozen=True, slots=True)
class Run:
    """Of an operation: nanoseconds of processor time, allocations, spans and log records that were exported, and their attributes."""

    ns: float
    allocations: float
    exported: float
    attributes: float


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and half the distance between the quartiles."""

    median: float
    half: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        low, median, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
        return cls(median, (high - low) / 2)

    def text(self, digits: int) -> str:
        return f"{self.median:,.{digits}f} ± {self.half:,.{digits}f}"


@dataclass(frozen=True, slots=True)
class Result:
    """What is printed of a row. Of the variants but PLAIN, ns and allocations are those beyond it in the same round; cost: otelobj's of those by hand, None
    where there is nothing by hand; off: switched off, of the plain program."""

    row: Row
    ns: dict[str, Spread]
    allocations: dict[str, Spread]
    exported: dict[str, float]
    attributes: dict[str, float]
    cost_ns: Spread | None
    cost_allocations: Spread | None
    off: Spread

    @classmethod
    def of(cls, row: Row, rounds: Sequence[dict[str, Run]]) -> Result:
        """rounds: variant -> its run."""

        def beyond(name: str, variant: str) -> list[float]:
            return [getattr(runs[variant], name) - (getattr(runs[PLAIN], name) if variant != PLAIN else 0) for runs in rounds]

        def cost(name: str) -> Spread | None:
            ratios = [ours / hand for ours, hand in zip(beyond(name, OURS), beyond(name, HAND), strict=True) if hand > 0] if row.hand else []
            return Spread.of(ratios) if ratios else None

        return cls(
            row,
            *({variant: Spread.of(beyond(name, variant)) for variant in rounds[0]} for name in ("ns", "allocations")),
            *({variant: statistics.median(getattr(runs[variant], name) for runs in rounds) for variant in rounds[0]} for name in ("exported", "attributes")),
            cost("ns"),
            cost("allocations"),
            Spread.of([runs[OFF].ns / runs[PLAIN].ns for runs in rounds]),
        )

    def cells(self) -> list[str]:
        cells = [f"{self.row.operation} ({self.row.sides})", self.ns[PLAIN].text(0), f"{self.allocations[PLAIN].median:.1f}"]
        for variant in (HAND, OURS):
            if variant not in self.ns:
                cells += ["", "", ""]
            else:
                cells += [self.ns[variant].text(0), f"{self.allocations[variant].median:.1f}", f"{self.exported[variant]:.2f} ({self.attributes[variant]:.1f})"]
        for cost in (self.cost_ns, self.cost_allocations):
            cells.append("" if cost is None else missed(cost.text(2), cost.median <= self.row.limit))
        cells.append("" if self.cost_ns is None else f"≤ {self.row.limit}")
        cells.append(missed(self.off.text(3), self.off.median <= OFF_LIMIT))
        return [*cells, missed(f"{self.allocations[OFF].median:.2f}", self.allocations[OFF].median < NONE)]


COLUMNS = (
    "operation", "plain ns", "allocs", "by hand + ns", "+ allocs", "exported (attributes)", "otelobj + ns", "+ allocs", "exported (attributes)",
    "ns / by hand", "allocs / by hand", "promised", f"off / plain, ≤ {OFF_LIMIT}", "off, + allocs",
)  # fmt: skip


def main() -> None:
    """Prints one table."""
    asked = arguments()
    results = measure_all(asked.row, asked.rounds, asked.count)
    table(results, asked.rounds).print()
    if asked.json:
        asked.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")


def tables() -> list[Table]:
    """Measures."""
    return [table(measure_all(), ROUNDS)]


def table(results: Sequence[Result], rounds: int) -> Table:
    notes = f"Medians of {rounds} rounds ± half the distance of their quartiles. The plain program's costs, and those beyond it."
    return Table("An operation of each library", COLUMNS, [result.cells() for result in results], "python -m benchmarks.libraries", notes)


def measure_all(operations: Sequence[str] = (), rounds: int = ROUNDS, count: int | None = None) -> list[Result]:
    """operations: all of them if none is named; count: operations of a run, that of the row if None."""
    with tempfile.TemporaryDirectory() as name:
        programs = build(Path(name))
        with collector(programs[PLAIN]) as sink:
            return [measure(row, programs, sink, rounds, count or row.count) for row in ROWS if row.operation in operations or not operations]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.libraries", description="What an operation of each library costs.")
    parser.add_argument("row", nargs="*", choices=[[], *(row.operation for row in ROWS)], help="only these operations")
    parser.add_argument("--json", type=Path, metavar="F", help="also write what is printed, and more, to a file")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--count", type=int, help="operations of a run, the same for all rows")
    return parser.parse_args()


def build(folder: Path) -> dict[str, Path]:
    """Variant -> program."""
    env = os.environ | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"}
    programs = {variant: folder / variant.replace(" ", "-") for variant in BUILDS}
    for variant, flags in BUILDS.items():
        subprocess.run(["go", "build", "-buildvcs=false", *flags, "-o", str(programs[variant]), "."], cwd=SOURCE, env=env, check=True)
    return programs | {OFF: programs[OURS]}


@contextmanager
def collector(program: Path) -> Iterator[str]:
    """Runs libcost's sink; its address."""
    with subprocess.Popen([str(program), "sink"], stdout=subprocess.PIPE, text=True) as running:
        try:
            yield running.stdout.readline().strip()
        finally:
            running.kill()


def measure(row: Row, programs: dict[str, Path], sink: str, rounds: int, count: int) -> Result:
    variants = [variant for variant in VARIANTS if variant != HAND or row.hand]
    return Result.of(row, [{variant: run(row, variant, programs[variant], sink, count) for variant in in_order(variants, number)} for number in range(rounds)])


def run(row: Row, variant: str, program: Path, sink: str, count: int, more: Mapping[str, str] | None = None, *, ends: bool = True) -> Run:
    """more: variables. ends: the program exports what is left, and ends by itself; otherwise it is killed, and nothing is known of exports. Raises SystemExit if a program exports something that should export nothing."""
    key = uuid.uuid4().hex
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL", "GO"))} | EXPORT
    env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{sink}/{key}"} | (more or {})
    if variant == OFF:
        env["OTEL_GO_DISABLED_INSTRUMENTATIONS"] = row.libraries
    with subprocess.Popen([str(program), row.operation, str(count)], env=env, stdout=subprocess.PIPE, text=True) as running:
        ns, allocations, operations = map(float, running.stdout.readline().split())
        if not ends:
            running.kill()
    if ends and running.returncode:
        raise SystemExit(f"{row.operation}, {variant}: status {running.returncode}")
    with urllib.request.urlopen(sink) as answer:
        exported, attributes = json.load(answer).get(key, (0, 0))
    if exported and variant in (PLAIN, OFF):
        raise SystemExit(f"{row.operation}, {variant}: {exported} spans or log records, and there should be none")
    return Run(ns, allocations, exported / operations, attributes / operations)


if __name__ == "__main__":
    main()
