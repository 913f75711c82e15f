"""Did a penalty shrink the weights to nothing during training?"""

from collections.abc import Sequence
from statistics import median

from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.findings import Finding

__all__ = ["judge_shrinkage"]

_SHRUNK = 0.1
"""Root mean square of the weights now / at the start, in the median kernel. Sound penalties left 0.5 and more of it;
behind BatchNorm weights may shrink without harm, but then the network learns."""
_LONG_ENOUGH = 50


def judge_shrinkage(changes: Sequence[WeightChange], curve: CurveFacts | None) -> list[Finding]:
    """Weights that shrank to less than a tenth while the network learned little.

    Args:
        changes: By kernel.
        curve: The cost and accuracy; weights may shrink where the network learns.
    """
    if curve is None or not changes or curve.first_not_finite is not None or curve.updates < _LONG_ENOUGH:
        return []
    shrunk = median(change.growth for change in changes)
    halfway = 0.5 * (1 / curve.classes + 1)
    poor = curve.accuracy < halfway if curve.accuracy is not None else curve.last > 0.7 * (curve.chance or curve.start)
    if not poor or not 0 <= shrunk < _SHRUNK:
        return []
    least = min(changes, key=lambda change: change.growth)
    message = (
        f"The weights shrank to {100 * shrunk:.2g} % of their size at the start, and little was learned: "
        "the penalty on the weights, or their decay, pulls harder than the images do."
    )
    return [
        Finding(
            "regularization-too-strong",
            "warning",
            least.layer,
            message,
            float(f"{shrunk:.3g}"),
            f"above {_SHRUNK:g}, or a training accuracy of {halfway:.2f} and more",
            "weights near zero answer the same for every image; calibrated on healthy trainings",
        )
    ]
