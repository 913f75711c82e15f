"""Which network, number format and batch get most out of a given time: a short search over what is measured."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from seewell.training.quick import Candidate

__all__ = ["Tried", "choose"]

_SURELY = 1.1
"""By how much something must be better, or seem to fit, so that chance does not decide."""
_LARGER_BATCH = 1.15
"""A larger batch makes fewer updates: it must be so much faster an image, and leave so many updates."""
_FEWEST_UPDATES = 1000


@dataclass(frozen=True)
class Tried:
    """A candidate and what was measured of it.

    Attributes:
        candidate: What was tried.
        update: Seconds of an update; infinite where there is not enough memory for one.
        epochs: Passes over the training images that fit into the time.
        updates: The same as updates.
    """

    candidate: Candidate
    update: float
    epochs: float
    updates: float

    @property
    def images_per_second(self) -> float:
        """In training."""
        return self.candidate.batch_size / self.update


def choose(
    first: Candidate,
    *,
    widths: Sequence[tuple[int, ...]],
    precisions: Sequence[str],
    batch_sizes: Sequence[int],
    enough: float,
    work: Callable[[Candidate], float],
    measure: Callable[[Candidate], Tried],
    may_go_on: Callable[[], bool],
) -> Tried:
    """Find the widest network that is seen often enough within the time, then the fastest way to train it.

    Width counts most, as long as there are epochs enough to train it; then
    number format and batch are taken that make clearly more images a second.

    Args:
        first: Where to begin; it is measured in any case.
        widths: Those that may be chosen, the widest first; with one, the width is given.
        precisions: Those that may be chosen.
        batch_sizes: Those that may be chosen, the smallest first.
        enough: Epochs that a network should have.
        work: Of a candidate, on one image, in any unit: to guess before measuring.
        measure: Builds and measures a candidate.
        may_go_on: Whether there is time to measure another.

    Returns:
        The choice; its update takes infinitely long where none fits in memory.
    """
    best = _width(measure(first), widths, enough, work, measure, may_go_on)
    if math.isinf(best.update):
        return best
    for precision in precisions:
        if precision != best.candidate.precision and may_go_on():
            other = measure(replace(best.candidate, precision=precision))
            best = other if other.images_per_second > _SURELY * best.images_per_second else best
    for batch_size in batch_sizes:
        if batch_size > best.candidate.batch_size and may_go_on():
            other = measure(replace(best.candidate, batch_size=batch_size))
            faster = other.images_per_second > _LARGER_BATCH * best.images_per_second
            if not faster or other.updates < _FEWEST_UPDATES:
                break
            best = other
    return best


def _width(
    best: Tried,
    widths: Sequence[tuple[int, ...]],
    enough: float,
    work: Callable[[Candidate], float],
    measure: Callable[[Candidate], Tried],
    may_go_on: Callable[[], bool],
) -> Tried:
    def guess(other: tuple[int, ...]) -> float:
        """Epochs that would fit, were the time of an update in proportion to the work."""
        return best.epochs * work(best.candidate) / work(replace(best.candidate, widths=other))

    place = list(widths).index(best.candidate.widths)
    narrower, wider = widths[place + 1 :], widths[:place]
    if best.epochs < enough:
        # Even where the time for measuring is used up: far too few epochs would cost more.
        while narrower and best.epochs < enough:
            fitting = next((other for other in narrower if guess(other) >= enough), narrower[-1])
            best = measure(replace(best.candidate, widths=fitting))
            narrower = narrower[list(narrower).index(fitting) + 1 :]
        return best
    for other in reversed(wider):
        if guess(other) < _SURELY * enough or not may_go_on():
            break
        tried = measure(replace(best.candidate, widths=other))
        if tried.epochs < enough:
            break
        best = tried
    return best
