"""The report of one link: JSON, described by docs/report.schema.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from objinst.goobj import Header
from objinst.plan.model import Target

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Report:
    """seconds: step -> seconds of this link. packages_linked_in: import paths that only hooks need."""

    binary: str
    go_version: str
    goos: str
    goarch: str
    otelobj_version: str
    targets: tuple[Target, ...]
    packages_linked_in: tuple[str, ...]
    seconds: Mapping[str, float]

    @classmethod
    def make(cls, binary: str, header: Header, targets: Sequence[Target], packages: Sequence[str], seconds: Mapping[str, float]) -> Report:
        return cls(str(Path(binary).resolve()), header.go_version, header.goos, header.goarch, VERSION, tuple(targets), tuple(packages), dict(seconds))

    def to_json(self) -> str:
        raw = asdict(self)
        raw["targets"] = [target | {"status": target["status"].value} for target in raw["targets"]]
        return json.dumps(raw, indent=2) + "\n"


def write_report(report: Report, place: str) -> None:
    """Writes the report to `place` (nothing if it is empty), whole or not at all."""
    if not place:
        return
    target = Path(place)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.write_text(report.to_json())
    temporary.replace(target)
