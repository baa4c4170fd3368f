"""`otelobj verify`: checks that a linked program matches its report."""

from __future__ import annotations

from pathlib import Path

import click

from objinst.cli.terminal import clean, count
from objinst.errors import OtelobjError, UsageError
from objinst.link.report import Report
from objinst.linked.check import Verdict, verify
from objinst.linked.program import Program


@click.command
@click.option(
    "--report", "report_file", type=click.Path(path_type=Path), envvar="OTELOBJ_REPORT", metavar="FILE", help="The link's report; $OTELOBJ_REPORT if not given."
)
@click.argument("binary", type=click.Path(path_type=Path))
def command(binary: Path, report_file: Path | None) -> int:
    """Check BINARY, a linked program, against the report of its link: exit status 1 if they do not match.

    Looks in the program itself, stripped or not, for stubs in front of the hooked functions, their bodies and descriptors, patched returns,
    and the goroutine slot.
    """
    if report_file is None:
        raise UsageError("verify: no report", "link with OTELOBJ_REPORT=FILE, then name it with --report FILE")
    try:
        text = report_file.read_text("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"report {report_file}: {error.strerror}", "link with OTELOBJ_REPORT=FILE") from error
    report = Report.from_json(text, str(report_file))
    verdict = verify(Program(binary), report)
    _show(verdict)
    if verdict.problems:
        plain = not verdict.hooked and all(problem.endswith(("without a stub", "hooks/rt is not in it")) for problem in verdict.problems)
        what = "it was linked without otelobj, or is not the program of this report" if plain else f"{count(len(verdict.problems), 'problem')}"
        raise OtelobjError(f"{binary} is not what {report_file} says: {what}", "build it again, with OTELOBJ_REPORT set")
    return 0


def _show(verdict: Verdict) -> None:
    for problem in verdict.problems:
        click.echo(f"problem: {clean(problem)}")
    for symbol in verdict.dropped:
        click.echo(f"dropped: {clean(symbol)}: nothing reaches it, so the linker left it out")
    click.echo(f"{count(len(verdict.hooked), 'function')} hooked, {len(verdict.dropped)} dropped by the linker" + (f"; {verdict.slot}" if verdict.slot else ""))
