"""A service with echo: instrumented by hand with otelecho, and relinked by otelobj. Requests look the same.

What a handler returns is an event `exception`, as everywhere else in ours; otelecho has an attribute of its own for the text.
"""

from __future__ import annotations

from pathlib import Path

import differential

PROGRAM = Path(__file__).parent / "testdata" / "program"
ERROR = "echo.error"

runs = differential.fixture(PROGRAM)


def test_the_program_does_the_same(runs: differential.Runs) -> None:
    runs.same_output()


def test_same_spans(runs: differential.Runs) -> None:
    hand, ours = differential.served(runs.hand[1], ERROR), differential.served(runs.ours[1])
    assert len(hand) >= 4
    assert ours == hand


def test_same_metrics(runs: differential.Runs) -> None:
    assert differential.timed(runs.ours[1]) == differential.timed(runs.hand[1]) != {}


def test_a_program_that_traces_itself(runs: differential.Runs) -> None:
    """Nothing is added, and nothing doubled."""
    assert differential.served(runs.both[1]) == differential.served(runs.hand[1])
