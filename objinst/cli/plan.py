"""`otelobj plan`: what would be hooked, refused or missing, without linking anything."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from objinst.cli.terminal import clean, console, count, printable
from objinst.link import preview
from objinst.plan.inventory import Library
from objinst.plan.model import InlinedCall, Status, Target
from objinst.plan.unseen import advice

STYLE = {Status.HOOKED: "green", Status.REFUSED: "yellow", Status.MISSING: "red"}
CALLERS = 5
"""Inlined calls to show of one target; the JSON has all."""


@click.command
@click.option("--rules", "rule_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Rule file; may be given more than once.")
@click.option("--json", "as_json", is_flag=True, help="Targets as in the report, one JSON object a line, with every inlined call.")
@click.option("--all", "show_all", is_flag=True, help="Also what only supports other rules, such as the flush at the program's end.")
@click.argument("packages", nargs=-1)
def command(rule_files: tuple[Path, ...], packages: tuple[str, ...], *, as_json: bool, show_all: bool) -> int:
    """Show what would be hooked in PACKAGES (default: the one in this folder), what would not, and why.

    Calls that the compiler has inlined never reach a hook; they are listed with each target. Exit status 1 if a build with these rules would fail.
    """
    plan = preview.plan_packages(list(packages or (".",)), list(rule_files))
    if as_json:
        for target in plan.targets:
            print(json.dumps(target.to_json()))
    else:
        print_targets(console(sys.stdout), plan.targets, frozenset() if show_all else plan.supporting)
        print_libraries(console(sys.stdout), plan.libraries)
    for line in plan.lacking:
        print(f"otelobj: warning: {line}", file=sys.stderr)
    for note in plan.notes:
        print(f"otelobj: {note}", file=sys.stderr)
    for problem in plan.problems:
        print(f"otelobj: a build with these rules fails: {problem.brief()}", file=sys.stderr)
    return 1 if plan.problems else 0


def print_targets(screen: Console, targets: Sequence[Target], supporting: frozenset[str] = frozenset()) -> None:
    """By rule, in the order given; supporting rules in one line; the counts at the end."""
    rules: dict[str, list[Target]] = {}
    for target in targets:
        if target.rule not in supporting:
            rules.setdefault(target.rule, []).append(target)
    for rule, members in rules.items():
        tree = Tree(Text(clean(rule), style="bold"), guide_style="dim")
        for target in members:
            branch = tree.add(target_line(target))
            if target.reason:
                branch.add(Text(target.reason, style="dim"))
            if target.left_out:
                branch.add(Text("without " + ", ".join(clean(why.split(": ", 1)[0]) for why in target.left_out), style="dim"))
            for line in caller_lines(target):
                branch.add(Text(line, style="yellow"))
        screen.print(tree)
    others = [target for target in targets if target.rule in supporting]
    if others:
        what = f"{count(len(others), 'target')} of {count(len({target.rule for target in others}), 'rule')} that support these"
        screen.print(Text(f"and {what}: {_counts(others)}; --all shows them", style="dim"))
    unseen = sum(target.inlined_calls for target in targets if target.status is Status.HOOKED)
    if not targets:
        screen.print("no rule names a package of this program; --rules FILE and OTELOBJ_RULES name rules, OTELOBJ_DISABLE leaves some out")
        return
    screen.print(f"{count(len(targets), 'target')}: {_counts(targets)}" + (f"; {count(unseen, 'inlined call')} that no hook sees" if unseen else ""), markup=False)


def print_libraries(screen: Console, libraries: Sequence[Library]) -> None:
    """Those with an instrumentation, and why one is not hooked; well-known modules without one in one line."""
    known = [library for library in libraries if library.name]
    if known:
        tree = Tree(Text("libraries", style="bold"), guide_style="dim")
        for library in known:
            line = Text(f"{library.name}  {clean(library.title)} {clean(library.version)}".rstrip())
            line.append(f"  {count(library.hooked, 'function')} hooked" if library.hooked else "  not hooked", style="green" if library.hooked else "yellow")
            branch = tree.add(line)
            if library.why:
                branch.add(Text(clean(library.why), style="dim"))
        screen.print(tree)
    unknown = [f"{clean(library.title)} {clean(library.version)} ({library.why})" for library in libraries if not library.name]
    if unknown:
        screen.print(Text(f"no instrumentation for {', '.join(unknown)}; rules of your own reach them: docs/rules.md", style="yellow"))


def _counts(targets: Sequence[Target]) -> str:
    by_status = Counter(target.status for target in targets)
    return ", ".join(f"{by_status[status]} {status.value}" for status in Status)


def target_line(target: Target) -> Text:
    """Status, symbol, where hooks run, inlined calls, place."""
    line = Text(target.status.value, style=STYLE[target.status])
    line.append(f"  {clean(target.symbol or target.package)}", style="bold")
    where = " and ".join(word for word, on in (("entry", target.entry), ("exit", target.exit)) if on)
    if where:
        line.append(f"  {where}")
    if target.inlined_calls:
        line.append(f"  {count(target.inlined_calls, 'inlined call')} unseen", style="yellow")
    if target.file:
        line.append(f"  {clean(target.file)}:{target.line}", style="dim")
    return line


def caller_lines(target: Target) -> list[str]:
    """The calls that no hook sees, and a remedy."""
    if target.status is not Status.HOOKED or not (target.inlined_calls or target.unreferenced):
        return []
    lines = [_call(call) for call in target.inlined_callers[:CALLERS]]
    if target.inlined_calls > CALLERS:
        lines.append(f"and {target.inlined_calls - CALLERS} more; --json shows all")
    if target.unreferenced:
        lines.append("nothing else in this program refers to it: the linker drops it, and its hooks never run")
    if target.inlined_calls:
        lines.append(f"to see them: {printable(advice(target))}")
    return lines


def _call(call: InlinedCall) -> str:
    inside = f" (inlined into {clean(call.inside)})" if call.inside != call.function else ""
    return f"inlined in {clean(call.function)}  {clean(call.file)}:{call.line}{inside}"
