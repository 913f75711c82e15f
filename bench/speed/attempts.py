"""Who gets to an accuracy, in which seeds and how soon, and who is ahead. Pure."""

import statistics
from dataclasses import dataclass

from speed.figures import seconds_to


@dataclass(frozen=True)
class Attempt:
    """One training on the way to an accuracy.

    Attributes:
        seconds: Until it was reached; None where it was not.
        spent: Of the whole training.
    """

    seconds: float | None
    spent: float


@dataclass(frozen=True)
class Comparison:
    """Theirs over ours, seed by seed.

    Attributes:
        ratios: One for each seed in which we got there and they trained; at least that much where they did not.
        bounds: How many of the ratios are such bounds.
        missed: Seeds in which they got there and we did not.
    """

    ratios: tuple[float, ...]
    bounds: int
    missed: int


def attempts(results, target, kind="accuracy"):
    """Of each seed's training, an attempt at an accuracy; None where there is no training."""
    return [None if one is None else Attempt(seconds_to(one["curve"], target, kind), one["seconds"]) for one in results]


def reached(tried):
    """The seconds of those that got there."""
    return [one.seconds for one in tried if one is not None and one.seconds is not None]


def best(found):
    """The contender that got there in most seeds, of those the one with the smallest median; None where none did.

    Args:
        found: Contender to attempts.

    >>> best({"a": [Attempt(1.0, 9.0), Attempt(None, 9.0)], "b": [Attempt(5.0, 9.0), Attempt(6.0, 9.0)]})
    'b'
    """
    there = {name: seconds for name, tried in found.items() if (seconds := reached(tried))}
    return min(there, key=lambda name: (-len(there[name]), statistics.median(there[name])), default=None)


def compare(theirs, ours):
    """Their seconds over ours.

    >>> compare([Attempt(4.0, 9.0), Attempt(None, 9.0)], [Attempt(2.0, 5.0), Attempt(3.0, 5.0)])
    Comparison(ratios=(2.0, 3.0), bounds=1, missed=0)
    """
    ratios, bounds, missed = [], 0, 0
    for other, own in zip(theirs, ours, strict=True):
        if other is None or own is None:
            continue
        if own.seconds is None:
            missed += other.seconds is not None
            continue
        ratios.append((other.spent if other.seconds is None else other.seconds) / own.seconds)
        bounds += other.seconds is None
    return Comparison(tuple(ratios), bounds, missed)
