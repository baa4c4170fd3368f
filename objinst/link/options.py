"""otelobj's own options, which precede the tool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from objinst.errors import UsageError


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
        else:
            raise UsageError(f"unknown option {option} before the tool", "options of toolexec mode: --rules FILE")
    return rules, rest
