"""The report of one link: JSON, described by docs/report.schema.json.

It is written to a temporary file and renamed, so a reader sees either the complete report or the previous one.
"""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from objinst import VERSION
from objinst.ending import write_whole
from objinst.errors import OtelobjError
from objinst.gobuild import LinkCommand
from objinst.goobj import Header
from objinst.plan.model import Target
from objinst.platform.host import host

VARIABLE = "OTELOBJ_REPORT"


@dataclass(slots=True)
class Clock:
    """Seconds of each step. They add up to the time since this process began, its launcher included, where the system tells when that was."""

    last: float = field(default_factory=lambda: time.monotonic() - host().age())
    steps: dict[str, float] = field(default_factory=dict)

    def lap(self, step: str) -> None:
        now = time.monotonic()
        self.steps[step] = self.steps.get(step, 0) + round(now - self.last, 4)
        self.last = now

    def table(self) -> str:
        """The steps and their sum, a line each."""
        total = sum(self.steps.values())
        rows = [*self.steps.items(), ("total", total)]
        return "\n".join(["otelobj: seconds of this link", *(f"  {step:<14}{seconds:8.3f}{seconds / (total or 1):6.0%}" for step, seconds in rows)])


@dataclass(frozen=True, slots=True)
class Report:
    """targets: read once, if they are an iterator. seconds: step -> seconds of this link. packages_linked_in: import paths that only hooks need. notes: what was left out, a line each."""

    binary: str
    go_version: str
    goos: str
    goarch: str
    otelobj_version: str
    targets: Iterable[Target]
    packages_linked_in: tuple[str, ...]
    seconds: Mapping[str, float]
    notes: tuple[str, ...] = ()

    @classmethod
    def make(
        cls, binary: str, header: Header, targets: Iterable[Target], packages: Sequence[str], seconds: Mapping[str, float], notes: Sequence[str] = ()
    ) -> Report:
        place = str(Path(binary).resolve())
        return cls(place, header.go_version, header.goos, header.goarch, VERSION, targets, tuple(packages), dict(seconds), tuple(notes))

    def to_json(self) -> str:
        return "".join(self.pieces())

    def pieces(self) -> Iterator[str]:
        """The JSON, a target at a time and in a line: with everything hooked, all together are hundreds of megabytes."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "targets"}
        yield "{\n" + "".join(f'  "{name}": {json.dumps(value)},\n' for name, value in fields.items()) + '  "targets": ['
        for number, target in enumerate(self.targets):
            yield f"{',' if number else ''}\n    {json.dumps(target.to_json())}"
        yield "\n  ]\n}\n"

    @classmethod
    def from_json(cls, text: str, origin: str) -> Report:
        """Raises OtelobjError, which names `origin`, if the text is not a report of this version."""
        try:
            raw = json.loads(text)
            targets = tuple(Target.from_json(target) for target in raw.pop("targets"))
            return cls(targets=targets, packages_linked_in=tuple(raw.pop("packages_linked_in")), notes=tuple(raw.pop("notes")), **raw)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise OtelobjError(f"{origin}: not a report of otelobj {VERSION}: {error}", "build the program again with OTELOBJ_REPORT set") from error


def is_wanted() -> bool:
    return bool(os.environ.get(VARIABLE))


def report_link(command: LinkCommand, header: Header, targets: Iterable[Target], linked_in: Iterable[str], clock: Clock, notes: Sequence[str] = ()) -> None:
    """Reports a program that has been linked. With OTELOBJ_ON_ERROR=plain, a report that cannot be written does not disable the hooks."""
    try:
        write_report(Report.make(command.get("o") or "", header, targets, sorted(linked_in), clock.steps, notes), os.environ[VARIABLE])
    except OtelobjError as error:
        if os.environ.get("OTELOBJ_ON_ERROR") != "plain":
            raise
        print(f"otelobj: warning: {error.brief()}", file=sys.stderr)


def write_report(report: Report, place: str) -> None:
    """Writes the report to `place` (nothing if it is empty), completely or not at all. Raises OtelobjError if it cannot be written."""
    if not place:
        return
    target = Path(place)
    try:
        data = _encoded(report)
        if target.exists() and not (target.is_file() or target.is_symlink()):  # a pipe or a device is written to, not replaced
            with open(os.open(target, os.O_WRONLY | host().OPEN_EXACTLY), "wb") as file:  # noqa: PTH123 - without making or emptying a file
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise OtelobjError(f"report {target}: somebody has put a file there meanwhile", "build once more")
                file.writelines(data)
        else:
            write_whole(target, data)
    except OSError as error:
        raise OtelobjError(f"report {target}: {error.strerror}", "OTELOBJ_REPORT names a file in a folder that can be written") from error


def _encoded(report: Report) -> Iterator[bytes]:
    """Targets are made meanwhile, of what is read from archives and the cache. Raises OtelobjError if that cannot be read."""
    try:
        for piece in report.pieces():
            yield piece.encode("utf-8")
    except OSError as error:
        raise OtelobjError(f"{error.filename}: {error.strerror}, while the report is made", "build once more; `otelobj cache clean` if that does not help") from error
