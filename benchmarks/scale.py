"""Seconds and memory of a link that hooks every function, cold and warm, beside the plain link. `python -m benchmarks.scale [FUNCTIONS ...]`.

Without arguments cmd/go is linked; each number is a generated program with so many functions. The seconds are those of the link step
as a whole, the linker's own included, so the plain link of the same run is what they are to be held against.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
RULES = 'all:\n  target: "**"\n  where: { func: "*" }\n  do: [ { probe: count } ]\n'
PER_PACKAGE = 500


def generate(folder: Path, functions: int) -> None:
    """A program of packages of PER_PACKAGE functions, each called once; `main` reaches all of them."""
    (folder / "go.mod").write_text("module example.com/scale\n\ngo 1.22\n")
    packages = [f"p{number}" for number in range((functions + PER_PACKAGE - 1) // PER_PACKAGE)]
    for package in packages:
        (folder / package).mkdir()
        body = "".join(f"//go:noinline\nfunc F{i}(n int) int {{ return n*{i} + len(Names) }}\n\n" for i in range(PER_PACKAGE))
        calls = "".join(f"\tn += F{i}(n)\n" for i in range(PER_PACKAGE))
        (folder / package / "p.go").write_text(f'package {package}\n\nvar Names = []string{{"a"}}\n\n{body}func All(n int) int {{\n{calls}\treturn n\n}}\n')
    imports = "".join(f'\t"example.com/scale/{package}"\n' for package in packages)
    calls = "".join(f"\tn += {package}.All(n)\n" for package in packages)
    (folder / "main.go").write_text(f"package main\n\nimport (\n{imports})\n\nfunc main() {{\n\tn := 1\n{calls}\tprintln(n)\n}}\n")


def measure(folder: Path, scratch: Path, flags: list[str], env: dict[str, str]) -> tuple[float, int]:
    """Seconds of a build of which only the link is left to do, and the most memory that one process of it took (MB)."""
    out = scratch / "out"
    began = time.monotonic()
    process = subprocess.Popen(["go", "build", *flags, f"-ldflags=-X main.run={began}", "-o", str(out), "."], cwd=folder, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the program does not build")
    return time.monotonic() - began, usage.ru_maxrss // 1024


def main() -> None:
    """Prints one row a program."""
    table = Table("program", "functions in it", "plain link, s", "cold, s", "warm, s", "warm / plain", "peak memory cold, MB", title="every function counted")
    for size in [int(word) for word in sys.argv[1:]] or [0]:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            if size:
                generate(folder, size)
            else:
                root = subprocess.run(["go", "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
                folder = Path(root) / "src/cmd/go"
            table.add_row(*row(f"{size} generated" if size else "cmd/go", folder, Path(scratch)))
    Console().print(table)


def row(name: str, folder: Path, scratch: Path) -> list[str]:
    (scratch / "all.yaml").write_text(RULES)
    env = os.environ | {"OTELOBJ_DISABLE": "all", "OTELOBJ_CACHE_DIR": str(scratch / "cache"), "PATH": f"{ROOT / 'bin'}:{os.environ['PATH']}", "GOFLAGS": "-buildvcs=false"}
    hooked = [f"-toolexec=otelobj --rules {scratch / 'all.yaml'}"]
    measure(folder, scratch, [], env)  # compiles
    plain, _ = measure(folder, scratch, [], env)
    measure(folder, scratch, hooked, env)  # hook packages
    shutil.rmtree(scratch / "cache" / "archive")
    cold, memory = measure(folder, scratch, hooked, env)
    warm, _ = measure(folder, scratch, hooked, env)
    count = subprocess.run(["go", "tool", "nm", str(scratch / "out")], capture_output=True, text=True, check=True).stdout.count(" T ")
    return [name, str(count), f"{plain:.1f}", f"{cold:.1f}", f"{warm:.1f}", f"{warm / plain:.2f}", str(memory)]


if __name__ == "__main__":
    main()
