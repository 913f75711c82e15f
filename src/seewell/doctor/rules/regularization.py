"""Do penalties, decay or dropout outweigh what the images say?"""

from collections.abc import Sequence

from seewell.doctor.statistics import LayerValues, OptimizerFacts, Structure
from seewell.findings import Finding

__all__ = ["drops_too_much", "judge_regularization"]

_DROPPED = 0.8
"""Dropout rate. 0.5 for hidden layers, 0.2 for inputs (Srivastava et al. 2014)."""
_PULL = 1.0
"""Gradient of the penalty / of the cost at the start, in the median layer. L2 of 5e-4 gave at most 0.035."""
_DECAY = 1.0
"""Decoupled weight decay; 1e-4 to 0.3 are in use."""


def drops_too_much(structure: Structure) -> bool:
    """Whether a dropout is so high that what it leaves, scaled up by 1 / (1 - rate), looks like weights too large."""
    return any(rate >= _DROPPED for _, rate in structure.dropouts)


def judge_regularization(
    structure: Structure, values: Sequence[LayerValues], optimizer: OptimizerFacts
) -> list[Finding]:
    """Dropout rates, the slope of weight penalties, weight decay."""
    high = [(name, rate) for name, rate in structure.dropouts if rate >= _DROPPED]
    if high:
        name, rate = max(high, key=lambda one: one[1])
        message = f"{name} drops {100 * rate:.0f} % of the values in each update: too little is left to learn from."
        return [_finding(name, message, rate, f"below {_DROPPED:g}", "Srivastava et al. 2014 (0.5 for hidden layers)")]
    pulls = sorted((v.penalty / v.gradient, v.name) for v in values if v.gradient and v.penalty > 0)
    if pulls:
        pull, name = pulls[len(pulls) // 2]
        if pull > _PULL:
            message = (
                f"The penalty on the weights pulls {pull:.2g} times as hard as the images do: "
                "the weights shrink to zero before anything is learned."
            )
            source = "gradients of the two terms at the start; 5e-4 gives less than 0.05"
            return [_finding(name, message, float(f"{pull:.3g}"), f"below {_PULL:g}", source)]
    if optimizer.weight_decay > _DECAY:
        message = f"A weight decay of {optimizer.weight_decay:g} shrinks the weights faster than images can shape them."
        return [_finding(None, message, optimizer.weight_decay, f"below {_DECAY:g}", "values in use: 1e-4 to 0.3")]
    return []


def _finding(layer: str | None, message: str, measured: float, expected: str, source: str) -> Finding:
    return Finding("regularization-too-strong", "warning", layer, message, measured, expected, source)
