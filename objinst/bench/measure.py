"""Runs steps of all variants in turn. A plan of steps is made first, so that it is known how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from objinst.bench.model import Results
from objinst.bench.variants import Variant
from objinst.errors import OtelobjError, reason


@dataclass(frozen=True, slots=True)
class Step:
    """text: what a person reads while it runs. part: what cannot be measured if it fails, "" for anything at all. work: measures; raises OtelobjError."""

    text: str
    part: str
    variant: Variant
    work: Callable[[], None]


T = TypeVar("T")


def in_order(things: Sequence[T], number: int) -> list[T]:
    """The order of a round: a row of Williams' square, and for an odd number of things then its reverse. So each is equally often at each place, and behind
    each other one, which leaves heat to it and pages to write. number: of the round, from 0."""
    count = len(things)
    row, reverse = divmod(number, 2) if count % 2 else (number, 0)
    steps = [0, *(at for pair in zip(range(1, count), range(count - 1, 0, -1), strict=True) for at in pair)][:count]
    places = [(at + row) % count for at in steps]
    return [things[at] for at in (reversed(places) if reverse else places)]


Teller = Callable[[int, int, str], None]
"""Called before each step with how many are done, how many there are, what comes now."""


def rounds(variants: Sequence[Variant], count: int, text: str, work: Callable[[Variant], None], part: str | None = None) -> Iterator[Step]:
    """Each variant so many times, in turn: see `in_order`. part: of steps, the text unless given."""
    for number in range(count):
        turn = f" {number + 1}/{count}" if count > 1 else ""
        for variant in in_order(variants, number):
            yield Step(f"{variant.name}: {text}{turn}", text if part is None else part, variant, lambda variant=variant: work(variant))  # type: ignore[misc]


def run(steps: Sequence[Step], results: Results, tell: Teller) -> None:
    """What fails is left out, with the reason: a part for this variant, or the variant where nothing can be measured without that step.

    Raises OtelobjError if that variant is no peer.
    """
    failed: set[tuple[str, str]] = set()
    for done, step in enumerate(steps):
        name = step.variant.name
        if name not in results.variants or (name, step.part) in failed:
            continue
        tell(done, len(steps), step.text)
        try:
            step.work()
        except (OtelobjError, OSError) as failure:
            error = failure if isinstance(failure, OtelobjError) else OtelobjError(f"{name}: {failure.filename or ''}: {reason(failure)}")
            if step.part:
                failed.add((name, step.part))
                results.leave_out(name, step.part, error.brief())
            elif step.variant.peer is None:
                raise error from failure
            else:
                results.drop(name, error.brief(), "")
    tell(len(steps), len(steps), "done")


def unmeasured(results: Results, work: Callable[[Variant], None], variant: Variant) -> None:
    """Does what a measurement does, and forgets the samples."""
    kept, results.samples = results.samples, {}
    try:
        work(variant)
    finally:
        results.samples = kept
