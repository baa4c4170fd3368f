"""docs/torture.md: what was run, when, with which versions, and the cause of every difference."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

from torture.model import Difference, Result, Verdict

HEAD = """# Torture

What nobody here wrote, run plain and with a probe on every function that can have one (`target: "**"`, `func: "*"`), and compared result by
result. `make torture` does it again, and writes this page; `make test` runs a slice.

- **go**: the programs of Go's test directory (kinds run, rundir, buildrun, buildrundir, runindir, runoutput): exit status and output.
- **std**: the standard library's own tests, `-short`: the result of every test.
- **modules**: the tests of well-known modules, in the same way.

The modes are the probes `count`, `stress` and `hot` ([docs/rules.md](rules.md)). All programs run with `GODEBUG=clobberfree=1`, so that the collector
overwrites what it frees.

*same*: as the plain one does. *known*: another result, with a cause below. *flaky*: the plain test does not give one result either. *once*:
failed among the other tests, and never when it was run again. *slow*: not done at the time limit. *skipped*: does not build with this Go, or its
build constraint does not hold. *different*: without an explanation.

"""
COLUMNS = ("same", "different", "known", "flaky", "once", "slow", "skipped")


def counts(results: list[Result]) -> Counter[str]:
    """Programs or tests by what came of them."""
    found: Counter[str] = Counter()
    for result in results:
        each = Counter(difference.verdict.value for difference in result.differences)
        found += each
        if result.verdict in {Verdict.SKIPPED, Verdict.SLOW}:
            found[result.verdict.value] += 1
        if result.verdict is not Verdict.SKIPPED:
            compared = result.compared if result.suite != "go" or result.verdict is not Verdict.SLOW else 0
            found["same"] += max(0, compared - each.total() - (result.verdict is Verdict.FLAKY and not each))
        if result.verdict is Verdict.FLAKY and not each:
            found["flaky"] += 1
    return found


def render(results: list[Result], versions: dict[str, str]) -> str:
    groups: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for result in results:
        groups[(result.config, result.suite, result.mode)].append(result)
    lines = [HEAD, "## What was run\n", *(f"- {what}: {version}" for what, version in versions.items()), ""]
    lines += [f"| Go, architecture, form | suite | mode | programs or packages | {' | '.join(COLUMNS)} | date |", "|" + "---|" * (len(COLUMNS) + 5)]
    for (config, suite, mode), found in sorted(groups.items(), key=_order):
        tally = counts(found)
        numbers = " | ".join(f"{tally[column]:,}" for column in COLUMNS)
        lines.append(f"| {config} | {suite} | {mode} | {len(found):,} | {numbers} | {max(result.date for result in found)} |")
    lines += ["", "## Differences and their causes", ""]
    told = _told(results)
    lines += ["| what | where | ends | cause |", "|---|---|---|---|", *told] if told else ["None."]
    slow = sorted({f"{result.name} ({result.config}, {result.mode}): {result.why}" for result in results if result.verdict is Verdict.SLOW})
    if slow:
        lines += ["", "## Not done at the time limit", "", *(f"- {line}" for line in slow)]
    return "\n".join(lines) + "\n"


def _order(item: tuple[tuple[str, str, str], list[Result]]) -> tuple[bool, str, str, str]:
    config, suite, mode = item[0]
    return "default" not in config or "arm64" in config, config, suite, mode


def _told(results: list[Result]) -> list[str]:
    """Lines of the table of differences: one for each program or test, and cause."""
    places: dict[tuple[str, str, str, str], set[str]] = defaultdict(set)
    for result in results:
        for difference in result.differences:
            if difference.verdict in {Verdict.DIFFERENT, Verdict.KNOWN, Verdict.ONCE}:
                where = f"{result.name} {difference.test}".strip()
                places[(where, _ends(difference), _cause(difference), result.suite)].add(f"{result.config} {result.mode}")
    return [f"| {what} | {', '.join(sorted(where))} | {ends} | {cause} |" for (what, ends, cause, _), where in sorted(places.items())]


def _ends(difference: Difference) -> str:
    return f"{difference.hooked}, plainly {difference.plain}"


def _cause(difference: Difference) -> str:
    if difference.verdict is Verdict.ONCE:
        return difference.cause or "not seen again when the test was run by itself"
    return difference.cause or "**not explained**"


def write(path: Path, results: list[Result], versions: dict[str, str]) -> None:
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(render(results, versions))
    fresh.replace(path)
