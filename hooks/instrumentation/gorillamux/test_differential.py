"""A service with gorilla/mux: instrumented by hand with otelmux, and relinked by otelobj. Requests look the same.

otelmux is a middleware, which gorilla/mux calls for requests that match a route. All others have the span of net/http: ours, also where the program uses otelmux.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import differential

PROGRAM = Path(__file__).parent / "testdata" / "program"
UNMATCHED = Counter({("GET", None, "GET", "/nowhere", 404, "UNSET", "", ()): 1, ("POST", None, "POST", "/users/7", 405, "UNSET", "", ()): 1})
"""Requests without a route."""

runs = differential.fixture(PROGRAM)


def test_the_program_does_the_same(runs: differential.Runs) -> None:
    runs.same_output()


def test_same_spans(runs: differential.Runs) -> None:
    hand, ours = differential.served(runs.hand[1]), differential.served(runs.ours[1])
    assert len(hand) >= 4
    assert ours == hand + UNMATCHED


def test_same_metrics(runs: differential.Runs) -> None:
    assert differential.timed(runs.ours[1]) == differential.timed(runs.hand[1]) + Counter({("GET", None, 404): 1, ("POST", None, 405): 1}) != {}


def test_a_program_that_traces_itself(runs: differential.Runs) -> None:
    """Nothing is added to what it traces, and nothing doubled."""
    assert differential.served(runs.both[1]) == differential.served(runs.hand[1]) + UNMATCHED
