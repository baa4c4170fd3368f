"""Medians, quartiles and the test for a difference, against what others have worked out and against counting all ways."""

from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from objinst.bench import stats

FEW = st.lists(st.integers(0, 6), min_size=1, max_size=5)


def counted(one: list[float], other: list[float]) -> float:
    """The share of all ways to choose the first side, by counting them, with the statistic U in place of rank sums."""

    def u(left: tuple[float, ...], right: list[float]) -> float:
        return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a in left for b in right)

    together, middle = [*one, *other], len(one) * len(other) / 2
    seen = abs(u(tuple(one), list(other)) - middle)
    ways = list(itertools.combinations(range(len(together)), len(one)))
    far = sum(abs(u(tuple(together[i] for i in way), [together[i] for i in range(len(together)) if i not in way]) - middle) >= seen - 1e-9 for way in ways)
    return far / len(ways)


@given(FEW, FEW)
def test_p_is_the_share_of_all_ways(one: list[int], other: list[int]) -> None:
    assert stats.mann_whitney(one, other) == pytest.approx(counted(list(one), list(other)))


def test_p_as_textbooks_have_it() -> None:
    assert stats.mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12]) == pytest.approx(1 / 9)
    assert stats.mann_whitney([1, 2, 3, 4], [5, 6, 7, 8]) == pytest.approx(2 / 70)
    assert stats.mann_whitney([1, 1, 1], [1, 1, 1]) == 1


@pytest.mark.parametrize("shift", [0, 3, 10, 20])
def test_many_samples_are_approximated_well(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With half as many as are approximated, which is harder, and counted sooner."""
    one, other = [(i * 37) % 101 for i in range(26)], [(i * 53) % 101 + shift for i in range(26)]
    monkeypatch.setattr(stats, "LARGE", 50)
    near = stats.mann_whitney(one, other)
    monkeypatch.setattr(stats, "LARGE", 1000)
    assert near == pytest.approx(stats.mann_whitney(one, other), rel=0.05, abs=1e-4)


def test_spread() -> None:
    assert stats.spread([3.0]) == stats.Spread(3, 3, 3)
    assert stats.spread([5, 1, 2, 4, 3]) == stats.Spread(3, 2, 4)
    assert stats.spread([1, 2]).median == 1.5


def test_what_has_no_spread_is_not_left_to_chance() -> None:
    assert stats.compare([1_000], [1_500]) == stats.Comparison(1.5, None)
    assert stats.compare([3, 3, 3], [4, 4, 4]) == stats.Comparison(4 / 3, None)
    assert stats.compare([0, 0, 0], [2, 2, 2]) == stats.Comparison(None, None)


def test_few_runs_are_never_certain() -> None:
    least = stats.fewest_runs()
    assert least == 4
    assert stats.compare([1, 2, 3, 4], [5, 6, 7, 8]).is_certain
    assert not stats.compare([1, 2, 3], [5, 6, 7]).is_certain
    assert stats.compare([1, 2, 3], [5, 6, 7]).ratio == statistics.median([5, 6, 7]) / 2
