"""Known differences and their causes, from known.yaml: the one place that may excuse a difference, and only one that looks as it describes."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from torture.model import Difference, Result, Verdict, worst

FILE = Path(__file__).parent / "known.yaml"
KEYS = {"suite", "name", "test", "modes", "configs", "hooked", "output", "cause"}
EXCUSED = {Verdict.DIFFERENT, Verdict.ONCE}


@dataclass(frozen=True, slots=True)
class Known:
    """name, test: globs. modes, configs: empty for all; configs are globs. hooked: how it must have ended. output: a regular expression that the
    hooked one's output must hold."""

    suite: str
    name: str
    cause: str
    test: str = ""
    modes: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()
    hooked: str = ""
    output: str = ""

    def explains(self, result: Result, difference: Difference) -> bool:
        return (
            result.suite == self.suite
            and fnmatch.fnmatchcase(result.name, self.name)
            and fnmatch.fnmatchcase(difference.test, self.test)
            and (not self.modes or result.mode in self.modes)
            and (not self.configs or any(fnmatch.fnmatchcase(result.config, glob) for glob in self.configs))
            and (not self.hooked or self.hooked == difference.hooked)
            and (not self.output or re.search(self.output, difference.output, re.MULTILINE) is not None)
        )


def load(path: Path = FILE) -> list[Known]:
    """Raises ValueError if the file says something that nobody reads, or excuses more than one program or test without saying what it looks like."""
    found = []
    for number, raw in enumerate(yaml.safe_load(path.read_text()) or [], 1):
        entry: dict[str, Any] = dict(raw)
        where = f"{path.name}: entry {number}"
        if unknown := entry.keys() - KEYS:
            raise ValueError(f"{where}: unknown keys {sorted(unknown)}")
        if missing := {"suite", "name", "cause"} - entry.keys():
            raise ValueError(f"{where}: no {sorted(missing)}")
        if not entry.get("output") and not entry.get("hooked"):
            raise ValueError(f"{where}: neither `hooked` nor `output` says what the difference looks like")
        re.compile(entry.get("output", ""))
        places: dict[str, tuple[str, ...]] = {key: tuple(entry.pop(key, ())) for key in ("modes", "configs")}
        found.append(Known(**entry, modes=places["modes"], configs=places["configs"]))
    return found


def explain(result: Result, known: list[Known]) -> Result:
    """The same with causes where there are any."""
    differences = []
    for difference in result.differences:
        cause = next((entry.cause for entry in known if entry.explains(result, difference)), "")
        excused = cause and difference.verdict in EXCUSED
        differences.append(replace(difference, verdict=Verdict.KNOWN, cause=cause) if excused else difference)
    verdict = worst(differences) if differences else result.verdict
    return replace(result, differences=differences, verdict=verdict)
