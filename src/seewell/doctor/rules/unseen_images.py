"""What the cost alone says of images that a callback is not shown."""

import math
from collections.abc import Sequence

from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.findings import Finding

__all__ = ["FROM_FIRST_COST", "judge_first_cost", "judge_lost_weights", "judge_sudden_end"]

_FIRST = 5.0
"""Cost of the first batch / ln K. Inputs of size 1 and weights that keep values alike give 1 to 2.5."""
FROM_FIRST_COST = "He et al. 2015 (values keep their size from layer to layer); LTFN 11"
"""Where the threshold comes from; it also tells this guess from what was measured of the images."""
_GROWTH = 10.0
"""How much weights alone may enlarge values; more is the weights' fault (`init-too-large`)."""


def judge_first_cost(curve: CurveFacts, *, images_seen: bool, growth: float | None) -> list[Finding]:
    """A first cost far above guessing, from weights that enlarge nothing: then the images are large.

    Args:
        curve: The cost.
        images_seen: Whether the images were examined; then nothing need be guessed.
        growth: Deviation of the largest layer for inputs of size 1; None where the weights do not tell.
    """
    if images_seen or growth is None or growth > _GROWTH or curve.first is None or curve.chance is None:
        return []
    if not math.isfinite(curve.first) or curve.first < _FIRST * curve.chance:
        return []
    message = (
        f"The first batch cost {curve.first:.3g}, before any update, where knowing nothing costs ln K = "
        f"{curve.chance:.2f}. The weights enlarge values at most {growth:.2g} times, so the images hold large numbers: "
        "divide them by 255 or subtract their mean."
    )
    expected = f"below {_FIRST:g} times ln K"
    return [
        Finding("input-range-too-large", "warning", None, message, round(curve.first, 4), expected, FROM_FIRST_COST)
    ]


def judge_sudden_end(curve: CurveFacts, *, images_seen: bool) -> list[Finding]:
    """A cost that stopped being finite without a long step before it.

    Args:
        curve: The cost; only asked where no step was too long.
        images_seen: Whether the images were examined; what is wrong with them is known then.
    """
    if images_seen or curve.first_not_finite is None:
        return []
    when = "from the first batch on" if not math.isfinite(curve.start) else f"at update {curve.first_not_finite:,}"
    message = (
        f"The cost stopped being finite {when}, and no step before it was long: a batch holds an image or a label "
        "that is not finite, or the loss takes the logarithm of 0 or divides by it. doctor.examine looks at the images."
    )
    return [_bad_images(message)]


def judge_lost_weights(
    changes: Sequence[WeightChange], curve: CurveFacts, *, images_seen: bool, too_high: bool
) -> list[Finding]:
    """Weights that are not finite under a cost that is: max(0, NaN) is 0 in some kernels, which hides it.

    Args:
        changes: By kernel.
        curve: The cost.
        images_seen: Whether the images were examined; what is wrong with them is known then.
        too_high: Whether steps were seen to be too long, which explains it.
    """
    lost = next((one.layer for one in changes if not one.finite), None)
    if lost is None or curve.first_not_finite is not None:
        return []
    message = f"Weights of {lost} are not finite. The cost still is: a ReLU can make 0 of NaN, and hides it."
    found = [Finding("non-finite-loss", "critical", lost, message, "not finite", "only finite weights", "definition")]
    if images_seen or too_high:
        return found
    return [
        *found,
        _bad_images(
            f"Weights of {lost} stopped being finite, and no step before it was long: a batch holds an image that is "
            "not finite. doctor.examine looks at the images."
        ),
    ]


def _bad_images(message: str) -> Finding:
    source = "steps that are too long show in the weights or in the cost before"
    return Finding("non-finite-input", "warning", None, message, "not finite", "only finite numbers", source)
