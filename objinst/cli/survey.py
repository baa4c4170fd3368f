"""`otelobj survey`: which functions of a set of packages can be hooked, by form, judged as in a link.

The go command compiles the packages for the requested architecture. Functions that are never hooked, whatever their form, are not counted: the
runtime and its imports, copies of their generic functions, assembly, FIPS text, functions without code.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

import trampolines
from objinst.cli import gotool
from objinst.cli.terminal import clean, console
from objinst.errors import OtelobjError
from objinst.link.build import read_header
from objinst.link.session import Session, loader
from objinst.plan.judge import Function
from objinst.plan.model import FunctionPlan, Refusal
from objinst.platform.target import targets
from objinst.rules import RuleSet, parse_func_name
from objinst.store import cache
from objinst.store.digest import own_digest

FRAMES = ("frame, stack check", "frame, no stack check", "no frame")
"""Every function has one of these forms; the others overlap."""
MARKS = ("runtime.deferreturn", "runtime.gorecover")


@dataclass(frozen=True, slots=True)
class Judged:
    """One function. entry, exit: None if it can be hooked there."""

    symbol: str
    forms: tuple[str, ...]
    entry: Refusal | None
    exit: Refusal | None

    @property
    def framed(self) -> bool:
        return FRAMES[2] not in self.forms


@dataclass(frozen=True, slots=True)
class Survey:
    """judged: functions that count; left_out: reason -> number of other functions."""

    judged: tuple[Judged, ...]
    left_out: Mapping[str, int]


@click.command
@click.option("--goarch", type=click.Choice(trampolines.ARCHITECTURES), help="Architecture to compile for; that of `go env` unless given.")
@click.option("--json", "as_json", is_flag=True, help="The counts as one JSON object.")
@click.argument("packages", nargs=-1)
def command(packages: tuple[str, ...], goarch: str | None, *, as_json: bool) -> int:
    """Show how many functions of PACKAGES (default: std) and of all they import can be hooked, by their form, and why others cannot."""
    go = gotool.find()
    if go is None:
        raise OtelobjError("no go command", "install Go, or put its bin folder on PATH")
    arch = goarch or go.env["GOARCH"]
    if arch not in trampolines.ARCHITECTURES:
        raise OtelobjError(f"architecture {arch} is not supported", f"give one of {', '.join(trampolines.ARCHITECTURES)} with --goarch")
    with cache.in_use():
        survey = take(archives(go, packages or ("std",), arch))
    if as_json:
        print(json.dumps(summary(survey), indent=1))
    else:
        print_survey(console(sys.stdout), survey, f"{go.env['GOVERSION']} {arch}")
    return 0


def archives(go: gotool.GoCommand, packages: Sequence[str], goarch: str) -> dict[str, Path]:
    """Import path -> archive of the packages and all they import, from the go command's cache. Raises OtelobjError."""
    format_ = "{{if .Export}}{{.ImportPath}}\t{{.Export}}{{end}}"
    done = go.run(["list", "-toolexec=", "-export", "-deps", "-f", format_, "--", *packages], Path.cwd(), {"GOOS": _system(go.env["GOOS"], goarch), "GOARCH": goarch})
    if done.returncode:
        raise OtelobjError(f"go list failed: {done.stderr.strip()}", "the packages must build plainly first")
    return {path: Path(export) for path, _, export in (line.partition("\t") for line in done.stdout.splitlines()) if export}


def _system(goos: str, goarch: str) -> str:
    """The GOOS to compile for: the user's, or one that can be hooked."""
    able = [one.goos for one in targets() if goarch in one.architectures]
    return goos if goos in able else able[0]


def take(packages: Mapping[str, Path]) -> Survey:
    """Judges every function, as a link of these packages would. Raises OtelobjError for an archive that cannot be read."""
    header = read_header(next(iter(packages.values())))
    session = Session(header, packages, {}, RuleSet(()), own_digest(), loader(packages), Path())
    judged: list[Judged] = []
    left_out: Counter[str] = Counter()
    admission = session.eligibility.admission
    for package, obj in ((package, obj) for package in packages if (obj := session.load(package))):
        for index in obj.text_symbols():
            function = admission.read(obj, index, package)
            never = function if isinstance(function, Refusal) else function.refusal
            if never:
                left_out[never.code] += 1
            elif isinstance(function, Function):
                judged.append(Judged(function.symbol, tuple(forms(function)), *(_refusal(outcome) for outcome in admission.ways(function, package))))
    return Survey(tuple(judged), dict(left_out))


def _refusal(outcome: FunctionPlan | Refusal) -> Refusal | None:
    return outcome if isinstance(outcome, Refusal) else None


def forms(function: Function) -> Iterator[str]:
    """The forms of a function: one of FRAMES, and any others that apply."""
    framed = any(value for value, _ in function.pcsp)
    yield FRAMES[2] if not framed else FRAMES[0] if function.morestack else FRAMES[1]
    name = parse_func_name(function.symbol)
    if function.info.func_id == function.object.tables.func_ids["FuncIDWrapper"]:
        yield "wrapper of the compiler"
    elif name is None:
        yield "equality, hash and other generated functions"
    elif name.is_closure:
        yield "closure"
    elif name.recv:
        yield "method"
    else:
        yield "function"
    if name is not None and name.type_args:
        yield "instance of a generic"
    called = set(function.calls.values())
    if MARKS[0] in called:
        yield "with defer"
    if any(callee.startswith(MARKS[1]) for callee in called):
        yield "calls recover"


ROWS: tuple[tuple[str, Callable[[Judged], bool]], ...] = (
    *((form, lambda one, form=form: form in one.forms) for form in FRAMES[:2]),
    ("all with a frame", lambda one: one.framed),
    (FRAMES[2], lambda one: not one.framed),
    ("all", lambda _: True),
    *(
        (form, lambda one, form=form: form in one.forms)
        for form in (
            "function", "method", "closure", "wrapper of the compiler", "equality, hash and other generated functions", "instance of a generic",
            "with defer", "calls recover",
        )
    ),
)  # fmt: skip


def summary(survey: Survey) -> dict[str, object]:
    """forms: form -> count, hooked at entry, hooked at exit. refused: place -> reason -> count. left_out: reason -> count."""
    counted = {}
    for form, holds in ROWS:
        ones = [one for one in survey.judged if holds(one)]
        counted[form] = {"count": len(ones), "entry": sum(one.entry is None for one in ones), "exit": sum(one.exit is None for one in ones)}
    refused = {
        "entry": Counter(one.entry.code for one in survey.judged if one.entry),
        "exit": Counter(one.exit.code for one in survey.judged if one.exit and not one.entry),
    }
    return {"forms": counted, "refused": {place: dict(counts.most_common()) for place, counts in refused.items()}, "left_out": dict(survey.left_out)}


def print_survey(screen: Console, survey: Survey, title: str) -> None:
    """Two tables: forms, and reasons with an example each."""
    table = Table("form", title=f"{title}: functions by form", title_justify="left")
    for column in ("functions", "hooked at entry", "", "hooked at exit", ""):
        table.add_column(column, justify="right")
    counts = summary(survey)
    rows: dict[str, dict[str, int]] = counts["forms"]  # type: ignore[assignment]
    for form, row in rows.items():
        share = [f"{row[place] / row['count']:.1%}" if row["count"] else "" for place in ("entry", "exit")]
        table.add_row(form, f"{row['count']:,}", f"{row['entry']:,}", share[0], f"{row['exit']:,}", share[1], end_section=form in (FRAMES[1], "all"))
    screen.print(table)
    reasons = Table("not hooked at", "reason", "functions", "such as", title="Why not", title_justify="left")
    for place, which in (("entry", [(one, one.entry) for one in survey.judged]), ("exit only", [(one, one.exit) for one in survey.judged if not one.entry])):
        found: dict[str, list[tuple[str, str]]] = {}
        for one, refusal in which:
            if refusal:
                found.setdefault(refusal.code, []).append((one.symbol, refusal.why))
        for code, examples in sorted(found.items(), key=lambda item: -len(item[1])):
            symbol, why = min(examples, key=lambda example: len(example[0]))
            reasons.add_row(place, code, f"{len(examples):,}", Text(clean(f"{symbol}: {why}")))
    screen.print(reasons)
    screen.print("Not counted: " + ", ".join(f"{count:,} {reason}" for reason, count in survey.left_out.items()) + ".", markup=False)
