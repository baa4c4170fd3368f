"""What a build costs: plain, by hand with otelhttp and autoexport, and with otelobj. `python -m benchmarks.link_cost`.

First builds on a machine where the plain program is built already, links after it, sizes of the programs, and how long they take until they listen.
All in one run, in turn and each round in another order, so that the machine's drift meets all of them. What must be downloaded is there before anything counts.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.report import Table
from objinst.bench.measure import in_order

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "testbins" / "hello"
FIRST = 3
ROUNDS = 5
STARTS = 25
CASES = {"plain": ("plain", []), "by hand": ("hand", []), "otelobj": ("plain", ["-toolexec=otelobj"])}


def tables() -> list[Table]:
    """Measures."""
    env = os.environ | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "GOFLAGS": "-buildvcs=false"}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first: dict[str, list[float]] = {case: [] for case in CASES}
        for number, case in in_turn(FIRST):
            took = first_build(folder, env, case)
            first[case] += [took] if number else []
        relinks: dict[str, list[float]] = {case: [] for case in CASES}
        for number, case in in_turn(ROUNDS):
            # Another -X value each time: everything is cached but the link.
            took = build(env, case, program(folder, case), f"-X main.run={number}")
            relinks[case] += [took] if number else []
        sizes = {case: program(folder, case).stat().st_size for case in CASES}
        for case in CASES:
            build(env, case, program(folder, case, "-stripped"), "-s -w")
        stripped = {case: program(folder, case, "-stripped").stat().st_size for case in CASES}
        starts: dict[str, list[float]] = {case: [] for case in CASES}
        for number, case in in_turn(STARTS):
            took = start(program(folder, case))
            starts[case] += [took] if number else []
    measured = [(medians(first), 1, 1), (medians(relinks), 1, 2), (sizes, 1e6, 1), (stripped, 1e6, 1), (medians(starts), 1e-3, 1)]
    rows = [[case, *(f"{values[case] / unit:.{digits}f} ({values[case] / values['by hand']:.2f} × by hand)" for values, unit, digits in measured)] for case in CASES]
    columns = ("build", "first, s", "relink, s", "MB", "stripped, MB", "until it listens, ms")
    notes = f"`net/http` hello (testbins/hello). Medians of {FIRST} first builds, {ROUNDS} links and {STARTS} starts; first: after a plain build, with no cache of otelobj."
    return [Table("A build: plain, by hand, with otelobj", columns, rows, "python -m benchmarks.link_cost", notes), tools(env)]


def in_turn(rounds: int) -> Iterator[tuple[int, str]]:
    """The cases of each round, in another order each, and of one before them, whose number is 0: it does not count."""
    for number in range(rounds + 1):
        yield from ((number, case) for case in in_order([*CASES], number))


def medians(samples: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {case: statistics.median(found) for case, found in samples.items()}


def program(folder: Path, case: str, suffix: str = "") -> Path:
    return folder / (case.replace(" ", "-") + suffix)


def build(env: dict[str, str], case: str, out: Path, ldflags: str = "") -> float:
    """Seconds."""
    package, flags = CASES[case]
    began = time.monotonic()
    subprocess.run(["go", "build", *flags, f"-ldflags={ldflags}", "-o", str(out), f"./{package}"], cwd=SOURCE, env=env, check=True)
    return time.monotonic() - began


def first_build(folder: Path, env: dict[str, str], case: str) -> float:
    """Seconds of a build on a machine that has built the plain program, and has nothing else."""
    fresh = env | {"GOCACHE": str(folder / "gocache"), "OTELOBJ_CACHE_DIR": str(folder / "cache")}
    (folder / "cache").mkdir(mode=0o700)
    build(fresh, "plain", folder / "first")
    took = build(fresh, case, folder / "first", "-X main.run=first")
    for name in ("gocache", "cache"):
        shutil.rmtree(folder / name)
    return took


def start(program: Path) -> float:
    """Seconds until a program that has just been started listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host, port = taken.getsockname()
    began = time.monotonic()
    running = subprocess.Popen([str(program), f"{host}:{port}"], env=os.environ | {"OTEL_TRACES_EXPORTER": "otlp"}, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection((host, port), timeout=1).close()
                return time.monotonic() - began
            except ConnectionRefusedError:
                time.sleep(0.0002)
    finally:
        running.kill()
        running.wait()


def tools(env: dict[str, str]) -> Table:
    """What the launcher adds to a tool call that is no link."""
    tool = subprocess.run(["go", "env", "GOTOOLDIR"], env=env, capture_output=True, text=True, check=True).stdout.strip() + "/compile"
    rows = []
    for name, prefix in (("direct", []), ("through otelobj", [str(ROOT / "bin" / "otelobj")])):
        began = time.monotonic()
        for _ in range(200):
            subprocess.run([*prefix, tool, "-V=full"], env=env, capture_output=True, check=True)
        rows.append([name, f"{(time.monotonic() - began) * 5:.2f}"])
    return Table("A tool that is not link", ("200 calls of `compile -V=full`", "ms a call"), rows, "python -m benchmarks.link_cost")


def main() -> None:
    for table in tables():
        table.print()


if __name__ == "__main__":
    main()
