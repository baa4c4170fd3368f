"""What was done to one archive, stored in the cache with the copy.

A link that finds its archives in the cache reads only what it needs. The list of all targets, by far the largest part if everything is
hooked, is a separate file that only the report reads.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from objinst.plan.missing import telling
from objinst.plan.model import Target
from objinst.rules import RuleSet

COPY = "pkg.a"
RESULT = "result.json"
TARGETS = "targets.json"


@dataclass(frozen=True, slots=True)
class Result:
    """path: the archive to link. rules: names of those that name a function in it; telling: targets that may be a problem.

    descriptors: their names; tables: hook package -> names of the tables that its actions keep in it. listing: the file that lists the targets.
    """

    path: Path
    rules: tuple[str, ...]
    telling: tuple[Target, ...]
    descriptors: tuple[str, ...]
    tables: Mapping[str, Sequence[str]]
    listing: Path

    @property
    def changed(self) -> bool:
        return bool(self.descriptors or self.tables)

    def targets(self) -> list[Target]:
        """All of them."""
        return [Target.from_json(row) for row in json.loads(self.listing.read_text("utf-8", "surrogateescape"))]


def write_result(folder: Path, rules: RuleSet, targets: Sequence[Target], descriptors: Sequence[str], tables: Mapping[str, Sequence[str]]) -> None:
    """Beside the copy, if there is one. Raises OSError."""
    named = sorted({target.rule for target in targets})
    problems = [target.to_json() for target in telling(targets, rules)]
    _write(folder / RESULT, [named, problems, descriptors, tables])
    _write(folder / TARGETS, [target.to_json() for target in targets])


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), "utf-8", "surrogateescape")


def read_result(folder: Path, unchanged: Path) -> Result:
    """unchanged: the archive itself, for one that has no copy."""
    rules, problems, descriptors, tables = json.loads((folder / RESULT).read_text("utf-8", "surrogateescape"))
    path = folder / COPY if descriptors or tables else unchanged
    return Result(path, tuple(rules), tuple(map(Target.from_json, problems)), tuple(descriptors), tables, folder / TARGETS)
