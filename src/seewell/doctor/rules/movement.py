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
_LONG_ENOUGH = 50
_HARDLY = 0.7
"""Last / first cost above which little was learned."""


def judge_movement(
    changes: Sequence[WeightChange], curve: CurveFacts | None, *, suffers: bool = False
) -> list[Finding]:
    """Learning rate too high where weights leapt and the cost is poor, too low where they hardly moved.

    Args:
        changes: By kernel.
        curve: The cost; a leap alone is no fault.
        suffers: Whether units died or the network answers differently in use: then leaps in most layers are a fault
            although the cost falls.
    """
    if curve is None or not changes:
        return []
    broken = curve.first_not_finite is not None
    poor = broken or curve.last > _HARDLY * min(curve.start, curve.chance or curve.start)
    leaps = sorted(change.largest if math.isfinite(change.largest) else math.inf for change in changes)
    harmed = suffers and median(leaps) > _LEAP
    leap = max(changes, key=lambda change: change.largest if math.isfinite(change.largest) else math.inf)
    grown = max(changes, key=lambda change: change.growth if math.isfinite(change.growth) else math.inf)
    typical = median(change.first for change in changes)
    leapt = leap.largest > _LEAP or not math.isfinite(leap.largest) or grown.growth > _GROWN
    if harmed or (poor and leapt and (broken or typical > _LEAP / 10 or grown.growth > _GROWN)):
        worst = leap if leap.largest > _LEAP or not math.isfinite(leap.largest) else grown
        harm = "the cost does not fall" if poor else "the network suffers for it"
        message = (
            f"One update changed the weights of {worst.layer} by {_times(worst.largest)} of their size, and {harm}: "
            "the learning rate is too high."
        )
        return [
            Finding(
                "learning-rate-too-high",
                "critical" if broken else "warning",
                worst.layer,
                message,
                float(f"{worst.largest:.3g}") if math.isfinite(worst.largest) else "not finite",
                f"below {_LEAP:g}; about 0.001 is usual",
                "Karpathy's recipe (1e-3), TheDeepChecker (0.1); calibrated on healthy trainings",
            )
        ]
    moved = max(change.total for change in changes)
    if curve.updates >= _LONG_ENOUGH and 0 < moved < _STIRRED and not broken and curve.last > _HARDLY * curve.start:
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
                f"above {_STIRRED:g}",
                "weights that stay where they began have learned nothing; calibrated on healthy trainings",
            )
        ]
    return []


def _times(ratio: float) -> str:
    return f"{100 * ratio:,.0f} %" if math.isfinite(ratio) else "more than 100 %"
