"""Samples, and what they are samples of. The form of `otelobj bench --json`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from objinst.bench import stats

FORMAT = 1
"""Of the JSON; a number of its own for each change that a reader must know of."""
PLAIN = "plain"
"""The variant with which all others are compared."""
BY_HAND = "by hand"
"""The variant with which those that do the same without touching the source are compared, too."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """section: `build`, `size`, `start`, `benchmark` or `load`. scene: what was done, such as `cold cache`. unit: `s`, `B`, `1/s`, or what is counted.

    detail: it is in the JSON and on the page, but in no table of a terminal.
    """

    section: str
    scene: str
    name: str
    unit: str
    more_is_better: bool = False
    detail: bool = False


@dataclass(frozen=True, slots=True)
class Missing:
    """A variant that was asked for and could not be measured. remedy: the command that brings it, or "". part: what of it could not, "" for all."""

    variant: str
    why: str
    remedy: str
    part: str = ""

    @property
    def what(self) -> str:
        return f"{self.variant}: {self.part}" if self.part else self.variant


@dataclass(frozen=True, slots=True)
class Machine:
    """cores: those that this process may use; memory: bytes, 0 if unknown; load: processes that waited when the run began, -1 if unknown."""

    cpu: str
    cores: int
    memory: int
    system: str
    go_version: str
    otelobj_version: str
    load: float


@dataclass(slots=True)
class Results:
    """program: import path. variants: name -> how it is titled, in the order of columns. samples: in the order in which they were first seen."""

    program: str
    machine: Machine
    runs: int
    variants: dict[str, str]
    missing: list[Missing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    samples: dict[Quantity, dict[str, list[float]]] = field(default_factory=dict)

    def add(self, variant: str, quantity: Quantity, value: float) -> None:
        self.samples.setdefault(quantity, {}).setdefault(variant, []).append(value)

    def drop(self, variant: str, why: str, remedy: str) -> None:
        """Forgets a variant that could not be measured."""
        self.variants.pop(variant, None)
        for found in self.samples.values():
            found.pop(variant, None)
        self.missing.append(Missing(variant, why, remedy))

    def leave_out(self, variant: str, part: str, why: str) -> None:
        """Notes that a part of what was asked for could not be measured, or not as often as asked for."""
        self.missing.append(Missing(variant, why, "", part))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def sections(self) -> dict[str, dict[Quantity, Mapping[str, Sequence[float]]]]:
        """Section -> its quantities that have samples."""
        found: dict[str, dict[Quantity, Mapping[str, Sequence[float]]]] = {}
        for quantity, samples in self.samples.items():
            if any(samples.values()):
                found.setdefault(quantity.section, {})[quantity] = samples
        return found

    def to_json(self) -> str:
        """All samples, with medians, quartiles and comparisons."""
        raw = {
            "format": FORMAT, "program": self.program, "runs": self.runs, "machine": asdict(self.machine), "variants": self.variants,
            "missing": [asdict(one) for one in self.missing], "notes": self.notes,
            "measures": [_measure(quantity, samples) for quantity, samples in self.samples.items() if any(samples.values())],
        }  # fmt: skip
        return json.dumps(raw, indent=1) + "\n"


def _measure(quantity: Quantity, samples: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    summary: dict[str, dict[str, Any]] = {}
    for variant, found in samples.items():
        spread = stats.spread(found)
        summary[variant] = {"median": spread.median, "q1": spread.q1, "q3": spread.q3, **_compared(samples, PLAIN, variant)}
        if variant != PLAIN and (by_hand := _compared(samples, BY_HAND, variant)):
            summary[variant]["to_by_hand"] = by_hand
    return {**asdict(quantity), "samples": {variant: list(found) for variant, found in samples.items()}, "summary": summary}


def _compared(samples: Mapping[str, Sequence[float]], base: str, variant: str) -> dict[str, float]:
    """ratio and p, those that there are."""
    if variant == base or not samples.get(base):
        return {}
    found = stats.compare(samples[base], samples[variant])
    return {name: value for name, value in (("ratio", found.ratio), ("p", found.p)) if value is not None}
