"""Seconds and tool calls of builds: plain, by hand with otelhttp, and with otelobj; first and later. `python -m benchmarks.link_cost`."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
DIFFTEST = ROOT / "hooks" / "instrumentation" / "nethttp" / "testdata" / "program"
ROUNDS = 5


def main() -> None:
    """Relinks each program several times in turn, so that the machine's drift meets all of them."""
    env = os.environ | {"PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "GOFLAGS": "-buildvcs=false"}
    cases = {"plain": ("plain", []), "by hand": ("hand", []), "otelobj": ("plain", ["-toolexec=otelobj"])}
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    sizes: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS + 1):
            for name, (package, flags) in cases.items():
                out = Path(folder) / name.replace(" ", "-")
                began = time.monotonic()
                # Another -X value each time: everything is cached but the link.
                subprocess.run(["go", "build", *flags, f"-ldflags=-X main.run={number}", "-o", str(out), f"./{package}"], cwd=DIFFTEST, env=env, check=True)
                if number:
                    seconds[name].append(time.monotonic() - began)
                sizes[name] = out.stat().st_size
    hand = statistics.median(seconds["by hand"])
    table = Table("build", "relink, median s", "less by hand, s", "bytes", title="second and later links")
    for name, values in seconds.items():
        median = statistics.median(values)
        table.add_row(name, f"{median:.2f}", f"{median - hand:+.2f}", str(sizes[name]))
    Console().print(table)
    tools(env)


def tools(env: dict[str, str]) -> None:
    """What the launcher adds to a tool call that is no link."""
    tool = subprocess.run(["go", "env", "GOTOOLDIR"], env=env, capture_output=True, text=True, check=True).stdout.strip() + "/compile"
    table = Table("200 calls of `compile -V=full`", "ms a call", title="tools that are not link")
    for name, prefix in (("direct", []), ("through otelobj", [str(ROOT / "bin" / "otelobj")])):
        began = time.monotonic()
        for _ in range(200):
            subprocess.run([*prefix, tool, "-V=full"], env=env, capture_output=True, check=True)
        table.add_row(name, f"{(time.monotonic() - began) * 5:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
