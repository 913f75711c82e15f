"""Do the weights move too far or hardly at all? Judged during training from the weights and the cost."""

import math
from collections.abc import Sequence
from statistics import median
from typing import Literal

from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.findings import Finding, Severity

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
_SOURCE = "Karpathy's recipe (updates of 1e-3), TheDeepChecker (0.1); calibrated on healthy trainings"
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
    orthogonal: bool = False,
) -> list[Finding]:
    """Learning rate too high where weights leapt and the network is poor, too low where they hardly moved.

    Args:
        changes: By kernel.
        curve: The cost; a leap alone is no fault.
        suffers: Whether units died or the network answers differently in use: then leaps in most layers are a fault
            although the cost falls.
        scheduled: Whether the rate changes by a schedule.
        mean_rate: Mean of the schedule's rates / the largest of them, at the end of a training.
        orthogonal: Whether steps are orthogonalized (Muon): a quarter of the weights a step is in use there (Jordan
            2024, airbench), so that long steps are no sign.
    """
    if curve is None or not changes:
        return []
    return (
        _too_high(changes, curve, suffers, orthogonal) or _too_low(changes, curve, scheduled) or _died(curve, mean_rate)
    )


def _too_high(changes: Sequence[WeightChange], curve: CurveFacts, suffers: bool, orthogonal: bool) -> list[Finding]:
    broken = curve.first_not_finite is not None
    poor = broken or curve.last > _HARDLY * min(curve.start, curve.chance or curve.start)
    leap = max(changes, key=lambda change: change.largest)
    grown = max(changes, key=lambda change: change.growth if math.isfinite(change.growth) else 0.0)
    late = median(change.late for change in changes)
    learned = curve.accuracy is None or curve.accuracy >= _GOOD
    large, doubled = leap.largest > _LEAP, broken and curve.last > _ROSE * curve.start
    everywhere = broken or median(change.first for change in changes) > _LEAP / 10
    severity: Severity = "critical" if broken else "warning"
    if poor and grown.growth > _GROWN:
        said = f"The weights of {grown.layer} grew to {grown.growth:.3g} times their size"
        return [_rate("too-high", severity, grown.layer, said, grown.growth, f"below {_GROWN:g} times")]
    if orthogonal and not broken:
        return []
    if (poor and large and everywhere) or (suffers and median(change.largest for change in changes) > _LEAP):
        said = f"One update changed the weights of {leap.layer} by {_times(leap.largest)} of their size"
        return [_rate("too-high", severity, leap.layer, said, leap.largest, f"below {_LEAP:g}; about 0.001 is usual")]
    if late > _RESTLESS and not broken and not learned:
        said = f"Each update still changes the weights by {_times(late)} of their size when the first ten are long over"
        return [_rate("too-high", severity, None, said, late, f"below {_RESTLESS:g}; about 0.001 is usual")]
    if doubled:
        said = f"The cost rose from {curve.start:.3g} to {curve.last:.3g} and then stopped being finite"
        return [_rate("too-high", severity, None, said, curve.last, f"at most {_ROSE:g} times the first")]
    return []


def _too_low(changes: Sequence[WeightChange], curve: CurveFacts, scheduled: bool) -> list[Finding]:
    unlearned = curve.last > _HARDLY * (curve.chance or curve.start) and curve.last > _HARDLY * curve.start
    halfway = 0.5 * (1 + 1 / curve.classes)
    if curve.updates < _LONG_ENOUGH or not unlearned or curve.first_not_finite is not None:
        return []
    if curve.accuracy is not None and curve.accuracy >= halfway:
        return []
    moved, step = max(change.total for change in changes), max(change.largest for change in changes)
    cost = f"and the cost went from {curve.start:.3g} to {curve.last:.3g} only"
    if 0 < moved < _STIRRED:
        said = f"In {curve.updates:,} updates no layer's weights changed by more than {100 * moved:.2g} %, {cost}"
        return [_rate("too-low", "warning", None, said, moved, f"above {_STIRRED:g} in all")]
    if 0 < step < _CREEP and not (scheduled and curve.updates < _WARMED):
        said = f"No update that was measured changed any layer's weights by more than {100 * step:.2g} %, {cost}"
        return [_rate("too-low", "warning", None, said, step, f"above {_CREEP:g} in one update")]
    return []


def _died(curve: CurveFacts, mean_rate: float | None) -> list[Finding]:
    """A schedule whose rates were next to nothing for nearly the whole training."""
    wanted = 1 / curve.classes + _LEARNED * (1 - 1 / curve.classes)
    if mean_rate is None or mean_rate >= _RATE_LEFT or curve.accuracy is None or curve.accuracy >= wanted:
        return []
    said = (
        f"Averaged over the training, the schedule's rate was {100 * mean_rate:.2g} % of its peak, and the network "
        "stopped learning when it fell"
    )
    expected = f"above {_RATE_LEFT:g} of the peak (cosine gives 0.5, two tenfold steps 0.55)"
    return [_rate("too-low", "warning", None, said, mean_rate, expected)]


def _rate(
    which: Literal["too-high", "too-low"],
    severity: Severity,
    layer: str | None,
    said: str,
    measured: float,
    expected: str,
) -> Finding:
    message = f"{said}: the learning rate is {which.replace('-', ' ')}."
    value = float(f"{measured:.3g}") if math.isfinite(measured) else "not finite"
    return Finding(f"learning-rate-{which}", severity, layer, message, value, expected, _SOURCE)


def _times(ratio: float) -> str:
    return f"{100 * ratio:,.0f} %" if math.isfinite(ratio) else "more than 100 %"
