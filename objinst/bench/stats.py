"""Medians with their spread, and whether two sets of samples differ.

The test is that of Mann and Whitney (Wilcoxon's rank sum) in its exact form: of all ways to deal the ranks that were seen to two sets of these sizes, the
share whose rank sum is as far from the middle as the one that was seen. Ties get the mean of their ranks, and the share is exact with them too. It assumes
nothing about how times are distributed, and needs no library. From LARGE samples on the normal distribution stands in for the count.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

CERTAIN = 0.05
"""A p below this one counts as a difference."""
LARGE = 100
"""Samples of both sides together."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles, in the unit of the samples."""

    median: float
    q1: float
    q3: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """ratio: of the medians, None if the first is 0. p: None where there is one sample on each side, or samples have no spread at all: then nothing is left to
    chance, such as the size of a program."""

    ratio: float | None
    p: float | None

    @property
    def is_certain(self) -> bool:
        """Whether the two differ, as far as this many samples can tell."""
        return self.p is not None and self.p < CERTAIN


def spread(samples: Sequence[float]) -> Spread:
    """Raises statistics.StatisticsError for no samples."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    q1, median, q3 = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(median, q1, q3)


def compare(before: Sequence[float], after: Sequence[float]) -> Comparison:
    """How `after` relates to `before`; neither is empty."""
    one, other = statistics.median(before), statistics.median(after)
    by_chance = len(before) > 1 and len(after) > 1 and len({*before}) + len({*after}) > 2
    return Comparison(other / one if one else None, mann_whitney(before, after) if by_chance else None)


def mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """The two-sided p: how likely a difference like this is if there is none. Neither side is empty."""
    ranks = _doubled_ranks([*one, *other])
    seen, mean = sum(ranks[: len(one)]), len(one) * (len(ranks) + 1)
    if len(ranks) > LARGE:
        return _approximate(ranks, len(one), abs(seen - mean))
    ways = _ways(ranks, len(one))
    return sum(count for total, count in ways.items() if abs(total - mean) >= abs(seen - mean)) / math.comb(len(ranks), len(one))


def fewest_runs() -> int:
    """Samples a side without which no difference, however large, is certain."""
    return next(count for count in range(1, LARGE) if 2 / math.comb(2 * count, count) < CERTAIN)


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Twice the rank of each value, from 1; equal values share the mean of theirs, which doubled is whole."""
    counts = Counter(values)
    below, found = 0, {}
    for value in sorted(counts):
        found[value] = 2 * below + counts[value] + 1
        below += counts[value]
    return [found[value] for value in values]


def _ways(ranks: Sequence[int], size: int) -> Counter[int]:
    """Sum -> in how many ways so many of the ranks add up to it."""
    by_size: list[Counter[int]] = [Counter({0: 1}), *(Counter() for _ in range(size))]
    for rank in ranks:
        for taken in range(size, 0, -1):
            for total, count in by_size[taken - 1].items():
                by_size[taken][total + rank] += count
    return by_size[size]


def _approximate(ranks: Sequence[int], size: int, distance: float) -> float:
    """By the normal distribution, with the correction for ties. distance: of the doubled rank sum from its mean."""
    total = len(ranks)
    ties = sum(count**3 - count for count in Counter(ranks).values())
    variance = size * (total - size) / 12 * (total + 1 - ties / (total * (total - 1)))
    return math.erfc(max(distance - 1, 0) / 2 / math.sqrt(2 * variance)) if variance else 1.0
