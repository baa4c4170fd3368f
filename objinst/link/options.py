"""otelobj's own options, which precede the tool."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from objinst.errors import UsageError

TIMINGS = "--timings"
"""Shows what the steps of the link took, as OTELOBJ_TIMINGS does."""


def options(argv: Sequence[str]) -> tuple[list[Path], list[str]]:
    """Rule files of --rules, and the command line after our options."""
    rules: list[Path] = []
    rest = list(argv)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--rules" and rest:
            rules.append(Path(rest.pop(0)))
        elif option.startswith("--rules="):
            rules.append(Path(option.partition("=")[2]))
        elif option != TIMINGS:
            raise UsageError(f"unknown option {option} before the tool", f"options of toolexec mode: --rules FILE, {TIMINGS}")
    return rules, rest


def wants_timings(argv: Sequence[str], command_line: Sequence[str]) -> bool:
    """Whether the link is to show what its steps took. command_line: what follows our options in argv."""
    return TIMINGS in argv[: len(argv) - len(command_line)] or bool(os.environ.get("OTELOBJ_TIMINGS"))
