"""A server under load: processor time, memory, latencies. The load comes from the user's own command; of wrk, hey and vegeta the output is understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.bench import loadtools, watch
from objinst.bench.measure import Step, rounds, unmeasured
from objinst.bench.model import Quantity, Results
from objinst.bench.sink import Sink
from objinst.bench.starts import Address, Program, serving
from objinst.bench.variants import Variant
from objinst.errors import OtelobjError

SHELL = ("/bin/sh", "-c")
"""Runs the command, which may be a pipe: `vegeta attack … | vegeta report`."""


@dataclass(slots=True)
class UnderLoad:
    """command: of the load, a line for the shell. folder: where it runs. sink: what receives telemetry, None if nobody here does."""

    results: Results
    variants: Sequence[Variant]
    program: Program
    at: Address
    command: str
    folder: Path
    sink: Sink | None = None

    def steps(self, runs: int) -> Iterator[Step]:
        yield from rounds(self.variants, 1, "load (warm-up)", lambda variant: unmeasured(self.results, self._once, variant), part="load")
        yield from rounds(self.variants, runs, "load", self._once)

    def _once(self, variant: Variant) -> None:
        """Raises OtelobjError if the command fails, or the server."""
        received = self.sink.received().size if self.sink else 0
        with serving(variant, self.program, self.at) as server:
            process = server.process.pid
            before = watch.process_cpu(process)
            done = watch.run([*SHELL, self.command], self.folder, variant.environment(self.program.env))
            after, memory = watch.process_cpu(process), watch.process_peak(process)
        if done.status:
            raise OtelobjError(f"the load ended with status {done.status}: {self.command}\n{(done.err or done.out).strip()}", "try the command by hand while the program runs")
        received = self.sink.received().size - received if self.sink else 0
        self._note(variant, done, after - before if before is not None and after is not None else None, memory, received)
        self.results.add(variant.name, Quantity("load", "server", "SIGTERM to end, after load", "s"), server.ended)

    def _note(self, variant: Variant, done: watch.Run, cpu: float | None, memory: int, received: int) -> None:
        """Adds the samples of one run. cpu: seconds of the server meanwhile. received: bytes of telemetry, until it was gone."""

        def add(name: str, unit: str, value: float, *, more_is_better: bool = False) -> None:
            self.results.add(variant.name, Quantity("load", "server", name, unit, more_is_better), value)

        load = loadtools.parse(done.out)
        if load is None:
            self.results.note("the load's output is none of wrk, hey and vegeta: no latencies")
            add("time of the load", "s", done.seconds)
        else:
            add("requests", "1/s", load.rate, more_is_better=True)
            for name, value in loadtools.ordered(load):
                add(f"latency {name}", "s", value)
            if load.failed:
                self.results.note(f"{variant.name}: {load.failed} of {load.requests} requests failed in a run")
        if cpu is not None:
            add("CPU time", "s", cpu)
            if load is not None and load.requests:
                add("CPU time a request", "s", cpu / load.requests)
        if load is not None and load.requests and received:
            add("telemetry a request", "B", received / load.requests)
        if memory:
            add("peak memory", "B", memory)
