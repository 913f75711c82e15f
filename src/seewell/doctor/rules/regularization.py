"""Do penalties, decay or dropout outweigh what the images say?"""

from collections.abc import Sequence

from seewell.doctor.statistics import LayerValues, OptimizerFacts, Structure
from seewell.findings import Finding, Severity

__all__ = ["drops_too_much", "judge_regularization"]

_DROPPED = 0.8
"""Dropout rate. 0.5 for hidden layers, 0.2 for inputs (Srivastava et al. 2014)."""
_PULL, _PULL_FADING = 1.0, 10.0
"""Gradient of the penalty / of the cost at the start, in the median layer. L2 of 5e-4 gave at most 0.035. A penalty
that fades as weights shrink (L2) comes to rest where both are equal: a VGG net with 512 units, whose gradients are
small because it is wide, learned with 3.1 (L2 of 0.01) and not with 29 (0.1). L1 pulls on: with 2.2 the same net
learned nothing."""
_FADES = 0.75
"""Slope of a penalty at half the weights / at the weights: 0.5 for L2, 1 for L1."""
_DECAY = 1.0
"""Decoupled weight decay; 1e-4 to 0.3 are in use."""


def drops_too_much(structure: Structure) -> bool:
    """Whether a dropout is so high that what it leaves, scaled up by 1 / (1 - rate), looks like weights too large."""
    return any(rate >= _DROPPED for _, rate in structure.dropouts)


def judge_regularization(
    structure: Structure, values: Sequence[LayerValues], optimizer: OptimizerFacts, *, lowers: bool | None = None
) -> list[Finding]:
    """Dropout rates, the slope of weight penalties, weight decay.

    Args:
        structure: Its dropouts.
        values: Slopes of the penalties and of the cost.
        optimizer: Its decay.
        lowers: Whether a few updates, penalty and all, lower the cross-entropy; None where that was not tried.
    """
    high = [(name, rate) for name, rate in structure.dropouts if rate >= _DROPPED]
    if high:
        name, rate = max(high, key=lambda one: one[1])
        message = f"{name} drops {100 * rate:.0f} % of the values in each update: too little is left to learn from."
        return [_finding(name, message, rate, f"below {_DROPPED:g}", "Srivastava et al. 2014 (0.5 for hidden layers)")]
    pulls = sorted((v.penalty / v.gradient, v.name, v.fading) for v in values if v.gradient and v.penalty > 0)
    if pulls:
        pull, name, fading = pulls[len(pulls) // 2]
        if pull > _PULL:
            harmless = fading < _FADES and pull < _PULL_FADING and lowers is not False
            message = f"The penalty on the weights pulls {pull:.2g} times as hard as the images do: " + (
                "weights shrink until both are equal, and the network learns less than it could."
                if harmless
                else "the weights shrink to zero before anything is learned."
            )
            source = "gradients of the two terms at the start; 5e-4 gives less than 0.05"
            severity: Severity = "info" if harmless else "warning"
            return [
                _finding(
                    name,
                    message,
                    float(f"{pull:.3g}"),
                    f"below {_PULL:g}, or {_PULL_FADING:g} where it fades with the weights",
                    source,
                    severity,
                )
            ]
    if optimizer.weight_decay > _DECAY:
        message = f"A weight decay of {optimizer.weight_decay:g} shrinks the weights faster than images can shape them."
        return [_finding(None, message, optimizer.weight_decay, f"below {_DECAY:g}", "values in use: 1e-4 to 0.3")]
    return []


def _finding(
    layer: str | None, message: str, measured: float, expected: str, source: str, severity: Severity = "warning"
) -> Finding:
    return Finding("regularization-too-strong", severity, layer, message, measured, expected, source)
