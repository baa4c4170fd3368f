"""Tables and plots of the benchmarks: for a terminal, and for docs/benchmarks.md."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rich.table
from rich.console import Console

MARK = re.compile(r"\[/?red\]")
"""The only markup in cells: of a number that misses what was promised."""
WIDE = 280


@dataclass(frozen=True, slots=True)
class Table:
    """command: what makes the table; notes: what a reader must know to read it. Cells may have the markup of `missed`."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    command: str
    notes: str = ""

    def print(self) -> None:
        shown = rich.table.Table(*self.columns, title=self.title)
        for row in self.rows:
            shown.add_row(*row)
        Console(width=None if sys.stdout.isatty() else WIDE).print(shown)

    def markdown(self) -> str:
        """A section."""
        lines = [f"## {self.title[0].upper()}{self.title[1:]}", "", f"`{self.command}`", ""]
        lines += [self.notes, ""] if self.notes else []
        lines += [_line(self.columns), "|" + "---|" * len(self.columns), *(_line([MARK.sub("", cell) for cell in row]) for row in self.rows)]
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over a logarithmic axis. name: of the file; series: title -> its points."""

    name: str
    title: str
    x: str
    y: str
    series: Mapping[str, Sequence[tuple[float, float]]]

    def write(self, folder: Path) -> Path:
        """An SVG, whose colours can be read on light and on dark pages."""
        from matplotlib import rc_context  # noqa: PLC0415 - slow, and the parts that are run alone have no plots
        from matplotlib.figure import Figure  # noqa: PLC0415

        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.svg"
        with rc_context({"svg.hashsalt": self.name, "svg.fonttype": "none", "font.size": 11}):
            figure = Figure(figsize=(7, 3.6), layout="constrained")
            axes = figure.subplots()
            for title, points in self.series.items():
                axes.plot(*zip(*sorted(points), strict=True), marker="o", label=title)
            axes.set(title=self.title, xlabel=self.x, ylabel=self.y, xscale="log", ylim=(0, None))
            axes.grid(alpha=0.3)
            axes.legend()
            figure.savefig(path, metadata={"Date": None})
        return path


def missed(text: str, kept: bool) -> str:
    """A cell, marked where it is not what was promised."""
    return text if kept else f"[red]{text} ![/red]"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
