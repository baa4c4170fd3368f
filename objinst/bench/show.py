"""Numbers in words, for terminals and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from objinst.bench import stats
from objinst.bench.model import BY_HAND, PLAIN, Machine, Quantity, Results

SECTIONS = {"build": "Builds", "size": "Size", "start": "Start and end", "benchmark": "Benchmarks", "load": "Under load"}
"""In the order in which they are shown."""
SCALES = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns")),
    "B": ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")),
    "1/s": ((1.0, "/s"),),
}
"""Unit -> sizes and names, the largest first."""
COUNTED = ("packages", "allocations")
"""Units that a row's name says already."""
SAME = 1e-9


def value(number: float, unit: str) -> str:
    """About three digits, in a suitable size."""
    for size, name in SCALES.get(unit, ()):
        if abs(number) >= size or name == SCALES[unit][-1][1]:
            return f"{digits(number / size)}{'' if name.startswith('/') else ' '}{name}"
    return digits(number) + ("" if unit in COUNTED else f" {unit}")


def digits(number: float) -> str:
    """Three digits, or all of a larger number."""
    if number == int(number) and abs(number) < 1000:
        return f"{int(number)}"
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"


def spread(samples: Sequence[float], unit: str) -> str:
    """The quartiles, such as 1.20–1.26 s; "" where there is no spread."""
    found = stats.spread(samples)
    if found.q1 == found.q3:
        return ""
    low, high = value(found.q1, unit), value(found.q3, unit)
    number, _, name = low.partition(" ")
    return f"{number if high.endswith(f' {name}') else low}–{high}"


def change(samples: Mapping[str, Sequence[float]], variant: str, base: str = PLAIN) -> str:
    """How a variant's median relates to that of another: ×1.20; ≈ where chance explains the difference; "" where one of them is not there."""
    if variant == base or not samples.get(base) or not samples.get(variant):
        return ""
    found = stats.compare(samples[base], samples[variant])
    if found.ratio is None:
        more = stats.spread(samples[variant]).median
        return "same" if more == 0 else f"+{digits(more)}"
    if abs(found.ratio - 1) < SAME:
        return "same"
    return f"×{found.ratio:.2f}" + ("" if found.p is None or found.is_certain else " ≈")


def compared_by_hand(variants: Iterable[str]) -> list[str]:
    """Those to compare with the program that is instrumented by hand."""
    names = [*variants]
    return [name for name in names if name not in (PLAIN, BY_HAND)] if BY_HAND in names else []


def certainty(samples: Mapping[str, Sequence[float]], variant: str) -> str:
    """The p of a comparison with the plain program; "" where nothing is left to chance."""
    if variant == PLAIN or not samples.get(PLAIN) or not samples.get(variant):
        return ""
    found = stats.compare(samples[PLAIN], samples[variant]).p
    return "" if found is None else "p < 0.001" if found < 0.001 else f"p = {found:.3f}"


def machine(found: Machine) -> list[str]:
    """The machine, a fact each."""
    lines = [found.cpu, f"{found.cores} core{'' if found.cores == 1 else 's'}"]
    lines += [f"{found.memory / (1 << 30):.0f} GiB"] if found.memory else []
    return [*lines, found.system, found.go_version, f"otelobj {found.otelobj_version}"]


def remarks(results: Results) -> list[str]:
    """What a reader must know to read the numbers."""
    found = [f"Medians of {results.runs} run{'' if results.runs == 1 else 's'}, quartiles beside them."]
    if results.runs < stats.fewest_runs():
        found.append(f"{results.runs} runs cannot tell a difference from chance: --runs {stats.fewest_runs()} or more can.")
    else:
        found.append(f"≈: chance explains the difference (Mann-Whitney U, p ≥ {stats.CERTAIN}).")
    if results.machine.load > results.machine.cores / 2:
        found.append(f"The machine was busy when this began: load {results.machine.load:.1f} on {results.machine.cores} cores.")
    return [*found, *results.notes]


def shown(quantities: Mapping[Quantity, Mapping[str, Sequence[float]]]) -> dict[str, list[tuple[Quantity, Mapping[str, Sequence[float]]]]]:
    """Scene -> its quantities that are not details."""
    found: dict[str, list[tuple[Quantity, Mapping[str, Sequence[float]]]]] = {}
    for quantity, samples in quantities.items():
        if not quantity.detail:
            found.setdefault(quantity.scene, []).append((quantity, samples))
    return found
