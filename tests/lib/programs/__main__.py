"""Looks for differences by hand: `PYTHONPATH=tests/lib python -m programs --seeds 1:100 --goarch arm64 --keep /tmp/found`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[3])]

from programs import generate, oracle
from programs.reduce import reduce
from programs.tree import Program


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m programs", description=__doc__)
    parser.add_argument("--seeds", default="0:10", help="from:to")
    parser.add_argument("--version", default="1.26")
    parser.add_argument("--goarch", default="amd64")
    parser.add_argument("--probe", default="hot")
    parser.add_argument("--flags", default="", help="of go build, separated by spaces; %% stands for a space within one")
    parser.add_argument("--keep", type=Path, default=Path("/tmp/programs"), help="where programs that differ are written to")
    parser.add_argument("--reduce", action="store_true")
    parser.add_argument("--patience", type=int, default=600, help="seconds for one run")
    options = parser.parse_args()
    flags = tuple(flag.replace("%", " ") for flag in options.flags.split())
    how = oracle.How(options.version, options.goarch, options.probe, flags, options.patience)
    first, _, end = options.seeds.partition(":")
    bad = 0
    for seed in range(int(first), int(end or int(first) + 1)):
        started = time.monotonic()
        verdict = look(how, seed, options.keep, options.reduce)
        bad += verdict != "same"
        print(f"{seed} {verdict} {time.monotonic() - started:.1f}s", flush=True)
    return bool(bad)


def look(how: oracle.How, seed: int, keep: Path, cut: bool) -> str:
    program = generate.make(seed, int(how.version.partition(".")[2]))
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = compared(how, program, Path(folder))
        except oracle.DoesNotBuild as error:
            save(program, keep / f"{seed}-unbuilt", str(error))
            return f"does not build: {str(error)[:300]}"
        if found is None:
            return "same"
        save(program, keep / f"{seed}-{how.goarch}", found)
        if cut:
            tries = reduce(program, lambda each: differs(how, each, Path(folder)))
            save(program, keep / f"{seed}-{how.goarch}-reduced", compared(how, program, Path(folder)) or "the difference comes and goes")
            return f"DIFFERS, reduced in {tries} tries"
    return "DIFFERS"


def compared(how: oracle.How, program: Program, folder: Path) -> str | None:
    """What a program says plain and hooked, where it is not the same."""
    program.write(folder)
    try:
        ends = oracle.difference(how, folder)
    except AssertionError as error:
        return str(error)
    if ends is not None and ends[1].status is None:
        print(f"the hooked program does not end within {how.patience} seconds; it has printed {ends[1].stdout.count(chr(10))} lines")
    return None if ends is None else f"=== plain\n{ends[0]}\n=== hooked\n{ends[1]}\n"


def differs(how: oracle.How, program: Program, folder: Path) -> bool:
    try:
        return compared(how, program, folder) is not None
    except oracle.DoesNotBuild:
        return False


def save(program: Program, folder: Path, ends: str) -> None:
    program.write(folder)
    (folder / "ends.txt").write_text(ends)


sys.exit(main())
