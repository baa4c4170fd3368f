"""Runs steps of all variants in turn. A plan of steps is made first, so that it is known how many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from objinst.bench.model import Results
from objinst.bench.variants import Variant
from objinst.errors import OtelobjError


@dataclass(frozen=True, slots=True)
class Step:
    """text: what a person reads while it runs. work: measures; raises OtelobjError."""

    text: str
    variant: Variant
    work: Callable[[], None]


Teller = Callable[[int, int, str], None]
"""Called before each step with how many are done, how many there are, what comes now."""


def rounds(variants: Sequence[Variant], count: int, text: str, work: Callable[[Variant], None]) -> Iterator[Step]:
    """Each variant so many times, in turn. Each round begins with another one, so that none always runs after the same."""
    for number in range(count):
        shift = number % len(variants) if variants else 0
        for variant in [*variants[shift:], *variants[:shift]]:
            turn = f" {number + 1}/{count}" if count > 1 else ""
            yield Step(f"{variant.name}: {text}{turn}", variant, lambda variant=variant: work(variant))  # type: ignore[misc]


def run(steps: Sequence[Step], results: Results, tell: Teller) -> None:
    """Raises OtelobjError if a step fails, unless it is of a peer: that one is left out from then on, with the reason."""
    for done, step in enumerate(steps):
        if step.variant.name not in results.variants:
            continue
        tell(done, len(steps), step.text)
        try:
            step.work()
        except OtelobjError as error:
            if step.variant.peer is None:
                raise
            results.drop(step.variant.name, error.brief(), "")
    tell(len(steps), len(steps), "done")


def unmeasured(results: Results, work: Callable[[Variant], None], variant: Variant) -> None:
    """Does what a measurement does, and forgets the samples."""
    kept, results.samples = results.samples, {}
    try:
        work(variant)
    finally:
        results.samples = kept
