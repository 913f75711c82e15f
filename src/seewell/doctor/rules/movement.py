"""Do the weights move too far or hardly at all? Judged during training from the weights and the cost."""

import math
from collections.abc import Sequence
from statistics import median

from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.findings import Finding

__all__ = ["judge_movement"]

_LEAP = 0.3
"""Root mean square of one update / of the weights (about 1e-3 is usual: Karpathy's recipe; TheDeepChecker: 0.1)."""
_GROWN = 10.0
"""Root mean square of the weights now / at the start."""
_STIRRED = 0.02
"""Root mean square of the whole change / of the weights at the start, in the layer that moved most."""
_ROSE = 2.0
"""Last finite cost / first, where it then stopped being finite."""
_RESTLESS = 0.1
"""Root mean square of one update / of the weights after the first ten, in the median layer (TheDeepChecker: 0.1)."""
_GOOD = 0.9
"""Training accuracy that excuses long steps."""
_CREEP = 8e-4
"""The longest measured update, in the layer that moves most; healthy trainings gave 1.0e-3 (Lion) and more."""
_WARMED = 200
"""Updates after which a schedule has left its warm-up behind."""
_RATE_LEFT = 0.05
"""Mean / largest rate of a schedule."""
_LEARNED = 0.75
"""Of the way from chance to 1: a network that came so far was not stopped too soon."""
_LONG_ENOUGH = 50
_HARDLY = 0.7
"""Last / first cost above which little was learned."""


def judge_movement(
    changes: Sequence[WeightChange],
    curve: CurveFacts | None,
    *,
    suffers: bool = False,
    scheduled: bool = False,
    mean_rate: float | None = None,
) -> list[Finding]:
    """Learning rate too high where weights leapt and the network is poor, too low where they hardly moved.

    Args:
        changes: By kernel.
        curve: The cost; a leap alone is no fault.
        suffers: Whether units died or the network answers differently in use: then leaps in most layers are a fault
            although the cost falls.
        scheduled: Whether the rate changes by a schedule.
        mean_rate: Mean of the schedule's rates / the largest of them, at the end of a training.
    """
    if curve is None or not changes:
        return []
    return _too_high(changes, curve, suffers) or _too_low(changes, curve, scheduled) or _died(curve, mean_rate)


def _too_high(changes: Sequence[WeightChange], curve: CurveFacts, suffers: bool) -> list[Finding]:
    broken = curve.first_not_finite is not None
    poor = broken or curve.last > _HARDLY * min(curve.start, curve.chance or curve.start)
    leap = max(changes, key=lambda change: change.largest)
    grown = max(changes, key=lambda change: change.growth if math.isfinite(change.growth) else 0.0)
    typical = median(change.first for change in changes)
    leapt = leap.largest > _LEAP or grown.growth > _GROWN
    rose = broken and math.isfinite(curve.last) and curve.last > _ROSE * curve.start
    clear = typical > _LEAP / 10 or grown.growth > _GROWN or (broken and leapt)
    harmed = suffers and median(change.largest for change in changes) > _LEAP
    late = median(change.late for change in changes)
    restless = late > _RESTLESS and not broken and curve.accuracy is not None and curve.accuracy < _GOOD
    if not (harmed or restless or rose or (poor and leapt and clear)):
        return []
    measured = late if restless and not harmed and not leapt else leap.largest
    worst = leap if leap.largest > _LEAP or not grown.growth > _GROWN else grown
    harm = "the cost does not fall" if poor else "the network suffers for it"
    message = (
        f"One update changed the weights of {worst.layer} by {_times(measured)} of their size, and {harm}: "
        "the learning rate is too high."
    )
    return [
        Finding(
            "learning-rate-too-high",
            "critical" if broken else "warning",
            worst.layer,
            message,
            float(f"{measured:.3g}") if math.isfinite(measured) else "not finite",
            f"below {_RESTLESS:g} once training runs; about 0.001 is usual",
            "Karpathy's recipe (1e-3), TheDeepChecker (0.1); calibrated on healthy trainings",
        )
    ]


def _too_low(changes: Sequence[WeightChange], curve: CurveFacts, scheduled: bool) -> list[Finding]:
    unlearned = curve.last > _HARDLY * (curve.chance or curve.start) and curve.last > _HARDLY * curve.start
    halfway = 0.5 * (1 + 1 / curve.classes)
    if curve.updates < _LONG_ENOUGH or not unlearned or curve.first_not_finite is not None:
        return []
    if curve.accuracy is not None and curve.accuracy >= halfway:
        return []
    moved, step = max(change.total for change in changes), max(change.largest for change in changes)
    crept = 0 < step < _CREEP and not (scheduled and curve.updates < _WARMED)
    if not (0 < moved < _STIRRED or crept):
        return []
    message = (
        f"In {curve.updates:,} updates no layer's weights changed by more than {100 * moved:.2g} %, and the cost "
        f"went from {curve.start:.3g} to {curve.last:.3g} only: the learning rate is too low."
    )
    return [
        Finding(
            "learning-rate-too-low",
            "warning",
            None,
            message,
            float(f"{moved:.3g}"),
            f"above {_STIRRED:g} in all, and above {_CREEP:g} in one update",
            "weights that stay where they began have learned nothing; calibrated on healthy trainings",
        )
    ]


def _died(curve: CurveFacts, mean_rate: float | None) -> list[Finding]:
    """A schedule whose rates were next to nothing for nearly the whole training."""
    wanted = 1 / curve.classes + _LEARNED * (1 - 1 / curve.classes)
    if mean_rate is None or mean_rate >= _RATE_LEFT or curve.accuracy is None or curve.accuracy >= wanted:
        return []
    message = (
        f"Averaged over the training, the schedule's learning rate was {100 * mean_rate:.2g} % of its peak: "
        "it fell so soon that the network stopped learning."
    )
    return [
        Finding(
            "learning-rate-too-low",
            "warning",
            None,
            message,
            float(f"{mean_rate:.3g}"),
            f"above {_RATE_LEFT:g} of the peak",
            "cosine gives 0.5, exponential decay to a tenth 0.4, two tenfold steps 0.55",
        )
    ]


def _times(ratio: float) -> str:
    return f"{100 * ratio:,.0f} %" if math.isfinite(ratio) else "more than 100 %"
