"""Are the steps too long or too short? Judged before training by a few updates on copies."""

import math
from collections.abc import Sequence
from statistics import fmean

from seewell.doctor.statistics import LookaheadFacts, OptimizerFacts
from seewell.findings import Finding

__all__ = ["ends", "falls", "is_short", "judge_steps"]

_FALL = 0.05
"""A few updates that lower the cost by this share settle that the rate is not far off."""
_RISE = 1.5
"""Cost after a few updates / before."""
_STILL = 0.01
"""Share by which the cost falls at most where steps are far too short."""
_WOULD_FALL = 0.3
"""Share by which a hundred or a thousand times the rate lowers the cost in the same updates."""
_LONG, _TINY = 0.3, 5e-4
"""Root mean square of the first update / of the weights, in the layer where it is largest. 32 healthy trainings gave
5.4e-4 to 0.12 (about 1e-3: Karpathy's recipe)."""
_SHORT = 0.03
"""The same, where a step is surely short."""
_SOURCE = "Smith 2017 (learning-rate range test) with a few updates on copies; calibrated on healthy trainings"


def ends(facts: LookaheadFacts) -> tuple[float, float]:
    """Mean cost of the first and of the last quarter of the updates; infinite where it stopped being finite."""
    quarter = max(1, len(facts.losses) // 4)
    last = facts.losses[-quarter:]
    return fmean(facts.losses[:quarter]), fmean(last) if all(map(math.isfinite, last)) else math.inf


def falls(facts: LookaheadFacts) -> bool:
    """Whether the cost falls clearly."""
    first, last = ends(facts)
    return last < (1 - _FALL) * facts.losses[0] or last < (1 - _FALL) * first


def is_short(facts: LookaheadFacts) -> bool:
    """Whether the first update is far from replacing the weights of any layer."""
    return max((ratio for _, ratio in facts.ratios), default=0.0) < _SHORT


def judge_steps(own: LookaheadFacts, others: Sequence[LookaheadFacts], optimizer: OptimizerFacts) -> list[Finding]:
    """Too high, too low, or neither.

    Args:
        own: Updates with the user's learning rate.
        others: The same updates with other rates; only needed where the cost does not fall.
        optimizer: A schedule's first steps may be short on purpose.
    """
    if falls(own) or not others:
        return []
    start = own.losses[0]
    own_fall = _fall(own, start)
    best = max(others, key=lambda facts: _fall(facts, start))
    suggested = f"{optimizer.learning_rate * best.scale:.1g}"
    rate = f"{optimizer.learning_rate:g}"
    if best.scale < 1 and _fall(best, start) > max(_FALL, own_fall + _FALL) and _is_long(own, start):
        critical = not math.isfinite(ends(own)[1]) or ends(own)[1] > 10 * start
        message = (
            f"With the learning rate {rate} the cost does not fall in the first updates, with {suggested} it does: "
            "the steps are so long that they overshoot."
        )
        return [
            Finding(
                "learning-rate-too-high",
                "critical" if critical else "warning",
                None,
                message,
                optimizer.learning_rate,
                f"about {suggested}",
                _SOURCE,
            )
        ]
    tiny = max((ratio for _, ratio in own.ratios), default=0.0) < _TINY
    if (
        best.scale >= 100
        and tiny
        and not optimizer.scheduled
        and own_fall < _STILL
        and _fall(best, start) > _WOULD_FALL
    ):
        message = (
            f"With the learning rate {rate} the cost hardly moves in the first updates; "
            f"with {suggested} it falls by {100 * _fall(best, start):.0f} %."
        )
        return [
            Finding(
                "learning-rate-too-low",
                "warning",
                None,
                message,
                optimizer.learning_rate,
                f"about {suggested}",
                _SOURCE,
            )
        ]
    return []


def _fall(facts: LookaheadFacts, start: float) -> float:
    return 1 - ends(facts)[1] / start if start > 0 and math.isfinite(ends(facts)[1]) else -math.inf


def _is_long(own: LookaheadFacts, start: float) -> bool:
    largest = max((ratio for _, ratio in own.ratios), default=0.0)
    return ends(own)[1] > _RISE * start or largest > _LONG
