"""Seconds and memory of links that hook every function, cold and warm. `python -m benchmarks.scale [PROBE] [cmd/go | FUNCTIONS[/PACKAGE] ...]`.

FUNCTIONS/PACKAGE is a generated program with so many functions in packages of so many (500 unless given); cmd/go is what is linked
without arguments. PROBE is `count`, unless `latency` is asked for. otelobj's own seconds end where the real linker starts:
cold, without any rewritten archive in the cache; warm, the same link again; changed, the program's own package compiled anew. The build's are
those of the whole `go build` when only the link is left to do.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import watch
from benchmarks.report import Plot, Table

ROOT = Path(__file__).parent.parent
RULES = 'all:\n  target: "**"\n  where: {{ func: "*" }}\n  do: [ {{ probe: {probe} }} ]\n'
PER_PACKAGE = 500
COLUMNS = (
    "program", "packages", "functions hooked", "cold, s", "ms a function", "memory, MB", "warm, s", "changed, s", "plain build, s", "warm build / plain",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Program:
    """name: as given; folder: of its main package; main: its file if it may be changed."""

    name: str
    folder: Path
    main: Path | None


def generate(folder: Path, functions: int, per_package: int) -> None:
    """A program of packages of so many functions, each called once; `main` reaches all of them."""
    (folder / "go.mod").write_text("module example.com/scale\n\ngo 1.22\n")
    packages = [f"p{number}" for number in range((functions + per_package - 1) // per_package)]
    for package in packages:
        (folder / package).mkdir()
        body = "".join(f"//go:noinline\nfunc F{i}(n int) int {{ return n*{i} + len(Names) }}\n\n" for i in range(per_package))
        calls = "".join(f"\tn += F{i}(n)\n" for i in range(per_package))
        (folder / package / "p.go").write_text(f'package {package}\n\nvar Names = []string{{"a"}}\n\n{body}func All(n int) int {{\n{calls}\treturn n\n}}\n')
    imports = "".join(f'\t"example.com/scale/{package}"\n' for package in packages)
    calls = "".join(f"\tn += {package}.All(n)\n" for package in packages)
    (folder / "main.go").write_text(f"package main\n\nimport (\n{imports})\n\nfunc main() {{\n\tn := 1\n{calls}\tprintln(n)\n}}\n")


def program(given: str, scratch: Path) -> Program:
    if given == "cmd/go":
        root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
        return Program(given, Path(root) / "src/cmd/go", None)
    functions, _, per_package = given.partition("/")
    generate(scratch, int(functions), int(per_package or PER_PACKAGE))
    return Program(f"{functions} in packages of {per_package or PER_PACKAGE}", scratch, scratch / "main.go")


@dataclass(slots=True)
class Builder:
    """Builds a program in which everything is compiled: each time another -X value, so that it is linked again."""

    program: Program
    scratch: Path
    env: dict[str, str]
    count: int = 0

    def build(self, *flags: str) -> tuple[float, watch.Watched]:
        """Seconds of the whole build, and what otelobj took."""
        self.count += 1
        began = time.monotonic()
        command = ["go", "build", *flags, f"-ldflags=-X main.run={self.count}", "-o", str(self.scratch / "out"), "."]
        watched = watch.run(command, self.program.folder, self.env)
        return time.monotonic() - began, watched


@dataclass(frozen=True, slots=True)
class Measured:
    """Of one program: seconds, and memory in bytes. changed: None if its main package cannot be changed."""

    name: str
    packages: int
    functions: int
    cold: float
    memory: int
    warm: float
    changed: float | None
    plain: float
    build: float

    def cells(self) -> list[str]:
        return [
            self.name, str(self.packages), str(self.functions), f"{self.cold:.2f}", f"{1000 * self.cold / self.functions:.3f}", str(self.memory >> 20),
            f"{self.warm:.2f}", "-" if self.changed is None else f"{self.changed:.2f}", f"{self.plain:.2f}", f"{self.build / self.plain:.2f}",
        ]  # fmt: skip


def measure(given: str, probe: str, scratch: Path) -> Measured:
    (scratch / "all.yaml").write_text(RULES.format(probe=probe))
    cache = scratch / "cache"
    env = os.environ | {"OTELOBJ_DISABLE": "all", "OTELOBJ_CACHE_DIR": str(cache), "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "GOFLAGS": "-buildvcs=false"}
    made = program(given, scratch)
    builder, hooked = Builder(made, scratch, env), f"-toolexec=otelobj --rules {scratch / 'all.yaml'}"
    builder.build()  # compiles
    plain, _ = builder.build()
    (scratch / "all.yaml").write_text("")
    builder.build(hooked)  # otelobj's own bytecode
    (scratch / "all.yaml").write_text(RULES.format(probe=probe).replace('"**"', "main"))
    builder.build(hooked)  # hook packages
    (scratch / "all.yaml").write_text(RULES.format(probe=probe))
    for kind in ("archive", "facts"):
        shutil.rmtree(cache / kind)
    _, cold = builder.build(hooked)
    listings = [json.loads(path.read_text()) for path in cache.glob("archive/*/*/targets.json")]
    functions = sum(target["status"] == "hooked" for listing in listings for target in listing)
    seconds, warm = builder.build(hooked)
    changed = None
    if made.main is not None:
        made.main.write_text(made.main.read_text().replace("n := 1", "n := 2"))
        changed = builder.build(hooked)[1].seconds
    return Measured(made.name, len(listings), functions, cold.seconds, cold.memory, warm.seconds, changed, plain, seconds)


def measure_all(programs: Sequence[str], probe: str) -> list[Measured]:
    """programs: as on the command line."""
    found = []
    for given in programs:
        with tempfile.TemporaryDirectory() as scratch:
            found.append(measure(given, probe, Path(scratch)))
    return found


def table(found: Sequence[Measured], probe: str, programs: Sequence[str]) -> Table:
    notes = "otelobj's own seconds, up to the start of the linker, and the most resident memory of all its processes at a time."
    return Table(f"`probe: {probe}` on every function", COLUMNS, [one.cells() for one in found], f"python -m benchmarks.scale {probe} {' '.join(programs)}", notes)


def plots(found: Sequence[Measured]) -> list[Plot]:
    """Of generated programs: how costs grow with the number of functions."""
    points = [one for one in found if one.changed is not None]
    seconds = {"cold": [(one.functions, one.cold) for one in points], "warm": [(one.functions, one.warm) for one in points]}
    return [
        Plot("scale-seconds", "Time that otelobj adds to a link", "functions hooked", "s", seconds),
        Plot("scale-memory", "Memory of otelobj's processes", "functions hooked", "MB", {"cold": [(one.functions, one.memory / 1e6) for one in points]}),
    ]


def main() -> None:
    """Prints one row a program."""
    words = sys.argv[1:]
    probe = words.pop(0) if words[:1] in (["count"], ["latency"]) else "count"
    programs = words or ["cmd/go"]
    table(measure_all(programs, probe), probe, programs).print()


if __name__ == "__main__":
    main()
