"""`otelobj plan`: what would be hooked, refused or missing, without linking anything."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from objinst import driver
from objinst.collector.render import clean, console, count
from objinst.plan.model import Status, Target

STYLE = {Status.HOOKED: "green", Status.REFUSED: "yellow", Status.MISSING: "red"}


@click.command
@click.option("--rules", "rule_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="Rule file; may be given more than once.")
@click.option("--json", "as_json", is_flag=True, help="Targets as in the report, one JSON object a line.")
@click.argument("packages", nargs=-1)
def command(rule_files: tuple[Path, ...], packages: tuple[str, ...], *, as_json: bool) -> int:
    """Show what would be hooked in PACKAGES (default: the one in this folder), what not and why.

    Calls that the compiler has inlined never reach a hook; each target shows how many there are.
    """
    plan = driver.plan_packages(list(packages or (".",)), list(rule_files))
    if as_json:
        for target in plan.targets:
            print(json.dumps(asdict(target) | {"status": target.status.value}))
    else:
        print_targets(console(sys.stdout), plan.targets)
    return 0


def print_targets(screen: Console, targets: Sequence[Target]) -> None:
    """By rule, in the order given; the counts at the end."""
    rules: dict[str, list[Target]] = {}
    for target in targets:
        rules.setdefault(target.rule, []).append(target)
    for rule, members in rules.items():
        tree = Tree(Text(clean(rule), style="bold"), guide_style="dim")
        for target in members:
            branch = tree.add(target_line(target))
            if target.reason:
                branch.add(Text(target.reason, style="dim"))
        screen.print(tree)
    by_status = Counter(target.status for target in targets)
    counts = ", ".join(f"{by_status[status]} {status.value}" for status in Status)
    unseen = sum(target.inlined_calls for target in targets if target.status is Status.HOOKED)
    screen.print(f"{count(len(targets), 'target')}: {counts}" + (f"; {count(unseen, 'inlined call')} that no hook sees" if unseen else ""), markup=False)


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
