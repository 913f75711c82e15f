"""Do the batches come sorted by class? Judged during training from the cost of each batch."""

import math

from seewell.doctor.course_statistics import OrderFacts
from seewell.findings import Finding

__all__ = ["judge_order"]

_RHYTHM, _STRONG = 0.4, 0.7
"""Correlation of neighbouring batches, where the cost leaps as well and where it does not. 54 shuffled trainings of
digits with leaping costs gave at most 0.22, with a rate that goes up and down at most 0.46; sorted ones 0.2 to 0.97."""
_SURE = 4.0
"""The same in standard errors of shuffled batches, which are 1 / root(batches)."""
_REPEATS = 0.4
"""Correlation of one pass with the next: what an unsteady course does not do again at the same batch."""
_CHANGES = 3
"""Leaps of the cost above guessing in all, or its swings in each pass: one alone is an accident."""


def judge_order(facts: OrderFacts, *, scheduled: bool = False) -> list[Finding]:
    """Batches whose cost resembles that of their neighbours: they hold the same class, which the next ones forget.

    Args:
        facts: The rhythm.
        scheduled: Whether the learning rate changes from batch to batch, which may make a rhythm of its own.
    """
    if facts.rhythm < _RHYTHM or facts.rhythm * math.sqrt(facts.batches) < _SURE:
        return []
    leaps = facts.jumps >= _CHANGES
    swings = facts.rhythm >= _STRONG and facts.peaks >= _CHANGES and not scheduled
    again = facts.repeats is not None and facts.repeats >= _REPEATS
    if not (leaps or (swings and again)):
        return []
    message = (
        "The cost of a batch is like that of the batch before, and leaps up when the next kind comes: the batches are "
        "sorted by class, and each update forgets the others. Shuffle the images (fit does it with arrays unless "
        "shuffle=False is given; a data set must be shuffled before batching)."
    )
    return [
        Finding(
            "ordered-batches",
            "warning",
            None,
            message,
            round(facts.rhythm, 3),
            f"a correlation of neighbouring batches below {_RHYTHM:g} (0: shuffled)",
            "definition: shuffled batches are independent of each other; calibrated on healthy trainings",
        )
    ]
