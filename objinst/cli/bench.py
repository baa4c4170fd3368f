"""`otelobj bench`: what instrumentation costs a program of the user's, measured on their machine."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from objinst.bench import show, stats
from objinst.bench.builds import SCENES
from objinst.bench.measure import Teller
from objinst.bench.model import BY_HAND, PLAIN, Quantity, Results
from objinst.bench.page import page
from objinst.bench.run import Request, run
from objinst.bench.variants import KNOWN
from objinst.cli import gotool
from objinst.cli.terminal import clean, console, printable
from objinst.ending import write_whole
from objinst.errors import OtelobjError, UsageError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def _names(_ctx: click.Context, option: click.Parameter, value: str) -> tuple[str, ...]:
    """A list with commas."""
    names = tuple(filter(None, (name.strip() for name in value.split(","))))
    if not names:
        raise click.BadParameter("nothing is named", param=option)
    return names


@click.command
@click.option("--peers", callback=_names, default=",".join(KNOWN), show_default=True, metavar="LIST", help="What to compare with the plain build.")
@click.option("--manual", type=FOLDER, metavar="DIR", help="The same program instrumented by hand: a further variant.")
@click.option("--runs", type=click.IntRange(1, 1000), default=5, show_default=True, help="Samples of each measurement; fewer than 4 cannot tell a difference from chance.")
@click.option("--scenes", callback=_names, default=",".join(SCENES), show_default=True, metavar="LIST", help="Builds to measure; `none`: no builds.")
@click.option("--edit", type=FILE, metavar="FILE", help="The file to edit for the scene `edited`. It is read, not written. Default: the first of the package.")
@click.option("--start-args", metavar="ARGS", help="Measure runs of the program with these arguments, with which it ends by itself.")
@click.option("--listen", default="", metavar="HOST:PORT", help="Measure how long the program takes until it listens here, and from SIGTERM to its end.")
@click.option("--run", "run_args", default="", metavar="ARGS", help="Arguments with which the program listens at --listen.")
@click.option("--load", default="", metavar="COMMAND", help="Measure the program under the load of a shell command; wrk, hey and vegeta are understood.")
@click.option("--bench", default="", metavar="REGEX", help="Measure the module's benchmarks, as `go test -bench REGEX`.")
@click.option("--benchtime", default="1s", show_default=True, metavar="TIME", help="As `go test -benchtime`.")
@click.option("--json", "json_file", type=FILE, metavar="FILE", help="Write all samples to this file.")
@click.option("--html", "html_file", type=FILE, metavar="FILE", help="Write a page with plots: one file that needs no network.")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("package", default=".")
def command(
    folder: Path, package: str, peers: tuple[str, ...], manual: Path | None, runs: int, scenes: tuple[str, ...], edit: Path | None, start_args: str | None, listen: str,
    run_args: str, load: str, bench: str, benchtime: str, json_file: Path | None, html_file: Path | None,
) -> int:  # fmt: skip
    """Measure what instrumentation costs the program PACKAGE (default: .) of the module in DIR.

    The program is built plainly and with otelobj, and with orchestrion and otelc if they are on PATH: with empty and with filled caches, unchanged and edited.
    Files of the module are not changed. With the defaults this builds the program some forty times.
    """
    for asked in filter(None, (json_file, html_file)):
        if not asked.absolute().parent.is_dir():
            raise UsageError(f"{asked}: no such folder", "name a file in a folder that exists")
    go = gotool.find()
    if go is None:
        raise OtelobjError("no go command", "install Go, or put its bin folder on PATH")
    request = Request(
        go.path.absolute(), folder, package, peers, manual, edit, runs, _scenes(scenes), start_args, run_args, listen, load, bench, benchtime
    )
    with telling() as tell:
        results = run(request, tell)
    failed: list[OtelobjError] = []
    for place, text in ((json_file, results.to_json), (html_file, lambda: page(results))):
        if place is not None:
            try:
                _write(place, text())
            except OtelobjError as error:
                failed.append(error)
    print_results(console(sys.stdout), results)
    if failed:
        raise failed[0]
    return int(any(one.variant == PLAIN for one in results.missing))


def _scenes(names: Sequence[str]) -> tuple[str, ...]:
    """Raises UsageError for one that is not known."""
    wrong = [name for name in names if name not in SCENES and name != "none"]
    if wrong:
        raise UsageError(f"--scenes: {', '.join(wrong)} is not known", f"give some of {','.join(SCENES)}, or none")
    return tuple(name for name in names if name != "none")


def _write(place: Path, text: str) -> None:
    try:
        write_whole(place, text.encode("utf-8"))
    except OSError as error:
        raise OtelobjError(f"{place}: {error.strerror}", "name a file in a folder that can be written") from error


@contextlib.contextmanager
def telling() -> Iterator[Teller]:
    """What tells of progress on standard error: a bar on a terminal, lines elsewhere. The bar moves between steps only, and takes no time from what is measured."""
    screen = Console(stderr=True)
    if not screen.is_terminal:
        yield lambda done, total, text: print(f"[{done}/{total}] {text}", file=sys.stderr, flush=True)
        return
    columns = (BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=screen, transient=True, auto_refresh=False) as progress:
        task = progress.add_task("", total=None)

        def tell(done: int, total: int, text: str) -> None:
            progress.update(task, completed=done, total=total, description=clean(text))
            progress.refresh()

        yield tell


def print_results(screen: Console, results: Results) -> None:
    """A table a section, then what was not measured."""
    screen.print(Text(f"{clean(results.program)}  ", style="bold").append(" · ".join(map(clean, show.machine(results.machine))), style="dim"))
    sections = results.sections()
    for name, title in show.SECTIONS.items():
        if name in sections:
            screen.print(table(title, results.variants, sections[name]))
    for line in show.remarks(results):
        screen.print(Text(line, style="dim"))
    for one in results.missing:
        why = "\n".join(map(printable, one.why.splitlines()))
        missing = Text(f"{clean(one.what)} was not measured{' in full' if one.part else ''}: {why}", style="yellow")
        screen.print(missing.append(f"; `{one.remedy}` brings it" if one.remedy else ""))


def table(title: str, variants: Mapping[str, str], quantities: Mapping[Quantity, Mapping[str, Sequence[float]]]) -> Table:
    """Rows: what was measured, by scene. Columns: a variant each, and how it relates to plain; then how others relate to the program by hand."""
    made = Table("", title=title, title_justify="left")
    for number, column in enumerate(variants.values()):
        made.add_column(column, justify="right")
        if number:
            made.add_column("", justify="right")
    for variant in show.compared_by_hand(variants):
        made.add_column(f"{variants[variant]} / {variants[BY_HAND]}", justify="right")
    for scene, members in show.shown(quantities).items():
        made.add_row(Text(clean(scene), style="bold"))
        for at, (quantity, samples) in enumerate(members):
            made.add_row(f"  {clean(quantity.name)}", *_cells(variants, quantity, samples), end_section=at == len(members) - 1)
    return made


def _cells(variants: Mapping[str, str], quantity: Quantity, samples: Mapping[str, Sequence[float]]) -> Iterator[Text]:
    for number, variant in enumerate(variants):
        found = samples.get(variant)
        cell = Text(show.value(stats.spread(found).median, quantity.unit) if found else "–")
        if found and (spread := show.spread(found, quantity.unit)):
            cell.append(f"  {spread}", style="dim")
        yield cell
        if number:
            yield Text(show.change(samples, variant))
    yield from (Text(show.change(samples, variant, BY_HAND)) for variant in show.compared_by_hand(variants))
