"""Benchmarks of the user's program (`go test -bench`), plain against instrumented.

Each variant's test binaries are built once and then run in turn, each run giving one sample of each benchmark. What Go prints is described in
golang.org/x/perf/benchfmt: name, iterations, then values with their units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from objinst.bench import watch
from objinst.bench.measure import Step, rounds
from objinst.bench.model import Quantity, Results
from objinst.bench.program import ask
from objinst.bench.starts import Program
from objinst.bench.variants import Variant
from objinst.errors import OtelobjError
from objinst.gobuild.gocmd import documents

DECLARES = re.compile(rb"(?m)^func Benchmark\w*\s*\(")
LINE = re.compile(r"^(Benchmark\S*)\s+(\d+)\s+(\S.*)$")
PROCESSORS = re.compile(r"-\d+$")
"""GOMAXPROCS, behind all names of a run unless it is 1 (testing.benchmarkName, Go 1.22 to 1.27)."""
NAMES = {"ns/op": ("time", "ns"), "B/op": ("allocated", "B"), "allocs/op": ("allocations", "allocations"), "MB/s": ("throughput", "MB/s")}
"""Units that Go prints itself, as names and units of ours; a benchmark may report others."""
RATES = re.compile(r"/s(ec)?$")


def parse(text: str) -> dict[str, dict[str, float]]:
    """Benchmark -> unit -> value, from the output of a test binary. Lines that are not results are passed over, and values that are no numbers."""
    found: dict[str, dict[str, float]] = {}
    for match in filter(None, map(LINE.match, text.splitlines())):
        words = match[3].split()
        try:
            values = {unit: float(value) for value, unit in zip(words[::2], words[1::2], strict=True)}
        except ValueError:
            continue
        found[match[1]] = {unit: value for unit, value in values.items() if math.isfinite(value)}
    suffixes = {"".join(PROCESSORS.findall(name)) for name in found}
    suffix = suffixes.pop() if len(suffixes) == 1 else ""
    return {name.removesuffix(suffix): values for name, values in found.items()}


@dataclass(slots=True)
class Benchmarks:
    """pattern, seconds: of -bench and -benchtime. binaries: variant -> (package's path below the module, its folder, its test binary)."""

    results: Results
    variants: Sequence[Variant]
    go: Path
    pattern: str
    benchtime: str
    program: Program
    binaries: dict[str, list[tuple[str, Path, Path]]] = field(default_factory=dict)

    def steps(self, runs: int) -> Iterator[Step]:
        yield from rounds(self.variants, 1, "build benchmarks", self._build, part="benchmarks")
        yield from rounds(self.variants, runs, "benchmarks", self._run)

    def _build(self, variant: Variant) -> None:
        """Raises OtelobjError if no package has benchmarks, or one does not build."""
        folder = variant.home / "tests"
        folder.mkdir(exist_ok=True)
        made = self.binaries[variant.name] = []
        for number, (name, place) in enumerate(packages(self.go, variant)):
            binary = folder / f"{number}.test"
            variant.go_run(["test", *variant.flags, "-c", "-o", str(binary), name])  # what follows `--` would be the binary's
            if binary.is_file():
                made.append((place.relative_to(variant.program.module.resolve()).as_posix(), place, binary))
        if not made:
            raise OtelobjError(f"no benchmarks in {variant.program.folder}", "leave --bench out, or name the folder of a module that has some")

    def _run(self, variant: Variant) -> None:
        """Raises OtelobjError if a benchmark fails, or none matches."""
        seen = False
        for package, place, binary in self.binaries[variant.name]:
            args = ["-test.run=^$", f"-test.bench={self.pattern}", "-test.benchmem", "-test.count=1", f"-test.benchtime={self.benchtime}"]
            done = watch.run([str(binary), *args], place, self.program.environment(variant))
            if done.status:
                raise OtelobjError(f"{variant.name}: benchmarks of {package} failed:\n{(done.out + done.err).strip()}", "run `go test -bench` there: do they pass?")
            found = parse(done.out)
            for name, values in found.items():
                self._note(variant, name if package == "." else f"{package}: {name}", values)
            if found:
                seen = True
                self.results.add(variant.name, Quantity("benchmark", f"all of {package}", "CPU time", "s", detail=True), done.cpu)
                if done.memory:
                    self.results.add(variant.name, Quantity("benchmark", f"all of {package}", "peak memory", "B", detail=True), done.largest)
        if not seen:
            raise OtelobjError(f"no benchmark matches {self.pattern}", "--bench takes the same pattern as `go test -bench`; . means all")

    def _note(self, variant: Variant, scene: str, values: dict[str, float]) -> None:
        for given, value in values.items():
            name, unit = NAMES.get(given, (given, given))
            self.results.add(variant.name, Quantity("benchmark", scene, name, unit, more_is_better=bool(RATES.search(unit))), value)


def packages(go: Path, variant: Variant) -> list[tuple[str, Path]]:
    """Import paths and folders of a module's packages whose tests declare benchmarks. Raises OtelobjError."""
    text = ask(go, ["list", "-toolexec=", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles", "./..."], variant.program.module, variant.env)
    return [(item["ImportPath"], Path(item["Dir"]).resolve()) for item in documents(text) if _declares(item["Dir"], [*(item.get("TestGoFiles") or ()), *(item.get("XTestGoFiles") or ())])]


def _declares(folder: str, files: Sequence[str]) -> bool:
    for name in files:
        try:
            if DECLARES.search(Path(folder, name).read_bytes()):
                return True
        except OSError:
            continue
    return False
