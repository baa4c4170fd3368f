"""All benchmarks, in a document with plots: `python -m benchmarks [--only PART,…] [--out docs/benchmarks.md]`. Nothing else should run on the machine.

What is installed decides which peers and which load generators are measured; the others' columns are missing, and the document says what brings them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import call_cost, libraries, link_cost, many_cost, request, scale, scope_cost
from benchmarks.report import Plot, Table
from objinst.bench import machine, show
from objinst.bench.model import PLAIN
from objinst.ending import write_whole

ROOT = Path(__file__).parent.parent
OUT = ROOT / "docs/benchmarks.md"
TRIED = Path(__file__).parent / "tried.md"
HELLO = ROOT / "testbins/hello"
SCALES = ("1/1", "10/10", "100/100", "1000", "10000", "50000", "100000/5000")
"""Programs of benchmarks.scale: functions, and those of a package."""
LOAD = "wrk --latency -t 1 -c 16 -d 5s http://{at}/"
INTRODUCTION = """# Benchmarks

Made by `make bench`, {date}, on {machine}. Numbers of one table were measured in one run, in turn. What the columns mean is in [performance](performance.md) and
[bench](bench.md). A number that misses what the project promises has a `!`.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """make: measures, and returns what the document says."""

    name: str
    make: Callable[[], tuple[list[Table], list[Plot]]]


def only_tables(make: Callable[[], list[Table]]) -> Callable[[], tuple[list[Table], list[Plot]]]:
    return lambda: (make(), [])


def scales() -> tuple[list[Table], list[Plot]]:
    programs = (*SCALES, "cmd/go")
    found = scale.measure_all(programs, "count")
    return [scale.table(found, "count", programs)], scale.plots(found)


def program() -> tuple[list[Table], list[Plot]]:
    """What `otelobj bench` says of a small server."""
    with tempfile.TemporaryDirectory() as name, free_address() as at:
        results = Path(name) / "results.json"
        load = ["--load", LOAD.format(at=at)] if shutil.which("wrk") else []
        options = ["--manual", str(HELLO / "hand"), "--listen", at, "--run", at, *load]
        command = [sys.executable, "-m", "objinst", "bench", *options, "--json", str(results), str(HELLO / "plain")]
        subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}"})
        told = json.loads(results.read_text())
    shown = f"otelobj bench {shlex.join(options)} testbins/hello/plain".replace(f"{ROOT}/", "").replace(at, "127.0.0.1:8080")
    notes = "".join(_missing(one) for one in told["missing"])
    return list(_sections(told, shown, notes + ("" if load else "wrk is missing: `apt-get install wrk` brings it."))), []


def _sections(told: dict, command: str, notes: str) -> Iterator[Table]:
    """A table for each section of the JSON of `otelobj bench`."""
    variants = told["variants"]
    for section, title in show.SECTIONS.items():
        measures = [one for one in told["measures"] if one["section"] == section and not one["detail"]]
        rows = [[one["scene"], one["name"], *(_cell(one, variant) for variant in variants)] for one in measures]
        if rows:
            yield Table(f"A small server: {title.lower()}", ("", "", *variants.values()), rows, command, notes)


def _cell(measure: dict, variant: str) -> str:
    """A median and its ratio to the plain program's."""
    samples = measure["samples"]
    if not samples.get(variant):
        return ""
    text, change = show.value(measure["summary"][variant]["median"], measure["unit"]), show.change(samples, variant)
    return text if variant == PLAIN or not change else f"{text} ({change})"


def _missing(one: dict[str, str]) -> str:
    what, remedy = ": ".join(filter(None, (one["variant"], one["part"]))), f" ({one['remedy']})" if one["remedy"] else ""
    return f"{what} is missing: {one['why']}{remedy}. "


@contextlib.contextmanager
def free_address() -> Iterator[str]:
    """An address at which nobody listens now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
    yield f"{host}:{port}"


PARTS = (
    Part("call", only_tables(call_cost.tables)),
    Part("scope", only_tables(scope_cost.tables)),
    Part("many", only_tables(many_cost.tables)),
    Part("request", only_tables(request.tables)),
    Part("libraries", only_tables(libraries.tables)),
    Part("link", only_tables(link_cost.tables)),
    Part("program", program),
    Part("scale", scales),
)


def main(argv: Sequence[str]) -> int:
    """Prints each table when it is measured, and writes the document after each part, so that a failure of one keeps those before it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures everything, and writes a document.")
    parser.add_argument("--only", metavar="PART,…", help=f"of {', '.join(part.name for part in PARTS)}; prints, and writes nothing unless --out is given")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"the document, {OUT.relative_to(ROOT)} unless given; plots are in a folder of that name")
    asked = parser.parse_args(argv)
    names = asked.only.split(",") if asked.only else [part.name for part in PARTS]
    if unknown := {*names} - {part.name for part in PARTS}:
        parser.error(f"no part {', '.join(sorted(unknown))}")
    out = asked.out or (None if asked.only else OUT)
    go_version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout.strip()
    described = ", ".join(show.machine(machine.describe(go_version)))
    sections: list[str] = []
    for part in PARTS:
        if part.name not in names:
            continue
        Console(stderr=True).print(f"{part.name} …")
        tables, plots = part.make()
        for table in tables:
            table.print()
            sections.append(table.markdown())
        if out is not None:
            places = [(plot, plot.write(out.with_suffix(""))) for plot in plots]
            sections += [f"![{plot.title}]({place.relative_to(out.parent)})\n" for plot, place in places]
            introduction = INTRODUCTION.format(date=time.strftime("%Y-%m-%d"), machine=described)
            write_whole(out, "\n".join([introduction, *sections, TRIED.read_text()]).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
