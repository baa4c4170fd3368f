"""What load generators print: wrk, hey and vegeta.

The forms are those of wrk 4.2 (src/wrk.c, print_stats; percentiles with --latency), hey 0.1.4 (requester/print.go) and vegeta 12 (lib/reporters.go; `report`
as text or with -type=json).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
PART = re.compile(r"([\d.]+)(ns|us|µs|μs|ms|s|m|h)")


@dataclass(frozen=True, slots=True)
class Load:
    """tool: that printed it. requests: sent, 0 if unknown; failed: without an answer, or with a status that is an error. rate: requests a second. latencies: `mean`,
    `max` or a percentile such as `p99` -> seconds."""

    tool: str
    requests: int
    failed: int
    rate: float
    latencies: dict[str, float] = field(default_factory=dict)


def parse(text: str) -> Load | None:
    """The result in what a load generator has printed; None if it is none of those known."""
    return next((found for read in READERS if (found := read(text)) is not None), None)


def duration(text: str) -> float | None:
    """Seconds of a duration as Go and wrk write it, such as 1.25ms or 1m3.5s; None for anything else."""
    parts = PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def wrk(text: str) -> Load | None:
    """Of wrk and wrk2."""
    total = re.search(r"(\d+) requests in ([\d.]+\w+),", text)
    rate = re.search(r"^Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    if not total or not rate:
        return None
    latencies = {f"p{_plain(percent)}": value for percent, raw in re.findall(r"^\s*([\d.]+)%\s+([\d.]+\w+)$", text, re.MULTILINE) if (value := duration(raw)) is not None}
    row = re.search(r"^\s+Latency\s+(\S+)\s+\S+\s+(\S+)", text, re.MULTILINE)
    for name, raw in zip(("mean", "max"), row.groups() if row else (), strict=False):
        if (value := duration(raw)) is not None:
            latencies[name] = value
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    other = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    failed = sum(map(int, errors.groups() if errors else ())) + (int(other[1]) if other else 0)
    return Load("wrk", int(total[1]), failed, float(rate[1]), latencies)


def hey(text: str) -> Load | None:
    """Of hey."""
    rate = re.search(r"^\s+Requests/sec:\s+([\d.]+)", text, re.MULTILINE)
    if not rate or "Status code distribution:" not in text:
        return None
    latencies = {f"p{_plain(percent)}": float(value) for percent, value in re.findall(r"^\s+([\d.]+)%+ in ([\d.]+) secs", text, re.MULTILINE)}
    for name, title in (("mean", "Average"), ("max", "Slowest")):
        if found := re.search(rf"^\s+{title}:\s+([\d.]+) secs", text, re.MULTILINE):
            latencies[name] = float(found[1])
    by_status = {int(status): int(count) for status, count in re.findall(r"^\s+\[(\d{3})\]\s+(\d+) responses", text, re.MULTILINE)}
    errors = sum(int(count) for count in re.findall(r"^\s+\[(\d+)\]\s+", text.partition("Error distribution:")[2], re.MULTILINE))
    failed = sum(count for status, count in by_status.items() if status >= 400) + errors
    return Load("hey", sum(by_status.values()) + errors, failed, float(rate[1]), latencies)


def vegeta_text(text: str) -> Load | None:
    """Of `vegeta report`."""
    rows = {match[1]: (match[2].split(", "), match[3].split(", ")) for match in re.finditer(r"^(\w[\w ]*?)\s+\[([^\]]+)\]\s+(.+?)\s*$", text, re.MULTILINE)}
    if not {"Requests", "Latencies", "Success"} <= rows.keys():
        return None
    requests, latencies = (dict(zip(*rows[name], strict=False)) for name in ("Requests", "Latencies"))
    success = float(rows["Success"][1][0].rstrip("%")) / 100
    total = int(requests["total"])
    rate = float(requests.get("throughput") or requests["rate"])
    found = {name if name in ("mean", "max") else f"p{name}": value for name, raw in latencies.items() if name != "min" and (value := duration(raw)) is not None}
    return Load("vegeta", total, round(total * (1 - success)), rate, found)


def vegeta_json(text: str) -> Load | None:
    """Of `vegeta report -type=json`: nanoseconds."""
    try:
        raw = json.loads(text[text.index("{") :])
        latencies = {name if name in ("mean", "max") else f"p{name.removesuffix('th')}": value / 1e9 for name, value in raw["latencies"].items() if name not in ("total", "min")}
        return Load("vegeta", raw["requests"], round(raw["requests"] * (1 - raw["success"])), raw["throughput"], latencies)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _plain(percent: str) -> str:
    """50.000 and 50 are the same percentile; so are 99.90 and 99.9."""
    return percent.rstrip("0").rstrip(".") if "." in percent else percent


def order(name: str) -> tuple[int, float]:
    """A sort key for the names of latencies: percentiles upward, then the mean and the maximum."""
    return (0, float(name[1:])) if name.startswith("p") else (1, 0.0 if name == "mean" else 1.0)


def ordered(load: Load) -> Iterator[tuple[str, float]]:
    """Latencies as they are shown."""
    yield from sorted(load.latencies.items(), key=lambda item: order(item[0]))


READERS: tuple[Callable[[str], Load | None], ...] = (wrk, hey, vegeta_text, vegeta_json)
