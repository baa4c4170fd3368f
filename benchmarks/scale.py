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
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import watch

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


def row(given: str, probe: str, scratch: Path) -> list[str]:
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
    changed = "-"
    if made.main is not None:
        made.main.write_text(made.main.read_text().replace("n := 1", "n := 2"))
        changed = f"{builder.build(hooked)[1].seconds:.2f}"
    return [
        made.name, str(len(listings)), str(functions), f"{cold.seconds:.2f}", f"{1000 * cold.seconds / functions:.3f}", str(cold.memory >> 20),
        f"{warm.seconds:.2f}", changed, f"{plain:.2f}", f"{seconds / plain:.2f}",
    ]  # fmt: skip


def main() -> None:
    """Prints one row a program."""
    words = sys.argv[1:]
    probe = words.pop(0) if words[:1] in (["count"], ["latency"]) else "count"
    table = Table(*COLUMNS, title=f"probe: {probe} on every function")
    for given in words or ["cmd/go"]:
        with tempfile.TemporaryDirectory() as scratch:
            table.add_row(*row(given, probe, Path(scratch)))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


if __name__ == "__main__":
    main()
