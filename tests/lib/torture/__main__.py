"""`python -m torture`: see the package."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from places import ROOT
import toolchains
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from torture import godir, modules, table
from torture.known import Known, load
from torture.model import Config, Form, Mode, Result, Verdict
from torture.session import SLICE, Choice, State, Unit, execute, found, of_modules, programs, std
from torture.toolchain import check

SUITES = ("go", "std", "modules")
MAIN = "1.26"
SAMPLES = {"go": 60, "std": 12, "modules": 2}
"""Of every configuration but the main one, in the matrix; of modules: packages of each."""


def matrix() -> list[Config]:
    """The main configuration, and those of which a sample is run."""
    forms = [Config(MAIN, form=form) for form in Form]
    return [*forms, Config(MAIN, "arm64"), *(Config(version) for version in toolchains.versions() if version != MAIN)]


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "otelobj" / "torture"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 140})
@click.option("--suite", "suites", multiple=True, type=click.Choice(SUITES), help="Only these; all by default.")
@click.option("--mode", "modes", multiple=True, type=click.Choice([mode.value for mode in Mode]), help="Only these; those that fit the suite by default.")
@click.option("--config", "configs", multiple=True, metavar="GO[-ARCH[-FORM]]", help=f"Such as 1.26, 1.26-arm64, 1.26-amd64-race; {MAIN} by default.")
@click.option("--matrix", "whole", is_flag=True, help=f"Everything with Go {MAIN}, and samples of every other version, architecture and form.")
@click.option("--only", multiple=True, metavar="PATTERN", help="Programs or packages whose name holds or matches this.")
@click.option("--slice", "part", is_flag=True, help="The programs of Go's test directory that make test runs.")
@click.option("--sample", type=int, default=0, metavar="N", help="That many of each suite, chosen by the seed.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--jobs", type=int, default=os.cpu_count() or 1, show_default=True, help="Programs or packages at a time.")
@click.option("--limit", type=float, default=120.0, show_default=True, metavar="SECONDS", help="For a program; a package's tests get five times that.")
@click.option("--state", "folder", type=click.Path(path_type=Path), help="Folder that keeps the results; a run goes on where it was.")
@click.option("--fresh", is_flag=True, help="Forget the results of earlier runs in that folder.")
@click.option("--again", is_flag=True, help="Run again what was different, slow, or failed once.")
@click.option("--show", is_flag=True, help="Run nothing: show what earlier runs have found.")
@click.option("--go-tests", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Go's test directory, instead of Debian's.")
@click.option("--json", "report", type=click.Path(path_type=Path), help="Write all results there.")
@click.option("--table", "page", type=click.Path(path_type=Path), help="Write the table there, such as docs/torture.md.")
def main(
    suites: tuple[str, ...], modes: tuple[str, ...], configs: tuple[str, ...], whole: bool, only: tuple[str, ...], part: bool, sample: int, seed: int, jobs: int, limit: float,
    folder: Path | None, fresh: bool, again: bool, show: bool, go_tests: Path | None, report: Path | None, page: Path | None,
) -> None:  # fmt: skip
    """Run programs and tests that nobody here wrote, plain and with everything hooked, and compare. Ends with 1 if a difference has no explanation."""
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    suites = ("go",) if part else suites or SUITES
    names = frozenset(SLICE.read_text().split()) if part else frozenset[str]()
    folder = folder or default_cache() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.jsonl"
    if fresh:
        path.unlink(missing_ok=True)
    state = State(path)
    if again:
        state.results = {key: result for key, result in state.results.items() if result.verdict in {Verdict.SAME, Verdict.SKIPPED, Verdict.FLAKY}}
    try:
        chosen = matrix() if whole else [Config.parse(text) for text in configs or (MAIN,)]
        for config in chosen:
            check(config)
        known = load()
        versions = {"otelobj": _revision(), "Go": ", ".join(toolchains.RELEASES[version] for version in sorted({config.go for config in chosen}))}
        source = None
        if "go" in suites:
            source, package = (go_tests, "given by --go-tests") if go_tests else godir.fetch(default_cache() / "go-1.19")
            versions["Go's test directory"] = f"{godir.PACKAGE} {package}"
        with tempfile.TemporaryDirectory(prefix="torture-") as work:
            units: list[Unit] = []
            for config in chosen:
                sampled = whole and config != Config(MAIN)
                for suite in suites:
                    choice = Choice(names, only, tuple(Mode(mode) for mode in modes), SAMPLES[suite] if sampled else sample, seed, limit)
                    units += _units(suite, config, choice, source, Path(work))
            results = found(units, state, known) if show else _run(units, state, known, jobs, console)
    except (godir.UnavailableError, ValueError, RuntimeError) as error:
        console.print(f"torture: {error}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    if "modules" in suites:
        versions["Modules"] = ", ".join(modules.versions())
    if (expected := sum(len(unit.modes) for unit in units)) > len(results):
        versions["Part"] = f"{len(results):,} of {expected:,} results are there yet"
    if report:
        report.write_text(json.dumps({"versions": versions, "results": [result.to_json() for result in results]}, indent=1) + "\n")
    if page:
        table.write(page, results, versions)
    tally = table.counts(results)
    print(", ".join(f"{tally[column]:,} {column}" for column in table.COLUMNS if tally[column]) or "nothing to run")
    sys.exit(1 if tally["different"] else 0)


def _units(suite: str, config: Config, choice: Choice, source: Path | None, work: Path) -> Iterator[Unit]:
    if suite == "std":
        return std(config, choice, work)
    if suite == "modules":
        return of_modules(config, choice, work)
    assert source is not None
    return programs(godir.read(source), source, config, choice, work)


def _run(units: list[Unit], state: State, known: list[Known], jobs: int, console: Console) -> list[Result]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tally = dict.fromkeys(table.COLUMNS, 0)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("torture", total=len(units))

        def done(unit: Unit, results: list[Result]) -> None:
            for result in results:
                for difference in result.differences:
                    if difference.verdict in {Verdict.DIFFERENT, Verdict.ONCE}:
                        what = " ".join(filter(None, (result.suite, result.name, difference.test)))
                        line = f"{difference.verdict.value}: {what} ({result.config}, {result.mode}): {difference.hooked}, plainly {difference.plain}"
                        progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
            for column, number in table.counts(results).items():
                tally[column] += number
            words = ", ".join(f"{number} {column}" for column, number in tally.items() if number and column != "same")
            progress.update(task, advance=1, description=f"{unit.suite} {unit.name}"[:50] + (f" [{words}]" if words else ""))

        return execute(units, state, known, jobs, done)


def _revision() -> str:
    done = subprocess.run(["git", "log", "-1", "--format=%h of %cs"], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
