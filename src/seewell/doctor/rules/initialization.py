"""Do the weights start at a scale that keeps values alike from layer to layer, as LTFN 6 asks?"""

import math
from collections.abc import Sequence

from seewell.doctor.statistics import InputFacts, LayerValues, LossFacts
from seewell.findings import Finding

__all__ = ["judge_constant", "judge_scale"]

_GROWTH = 10.0
"""Largest pre-activation deviation / input size. 32 healthy starts (with and without BatchNorm, VGG, ResNet) gave 0.2
to 5.4; LTFN 6's normal start gives 2,000,000 at the logits."""
_GROWTH_UNSEEN = 100.0
"""The same, where it is predicted from the weights alone and no cost confirms it."""
_LOST = 2.0
"""Cross-entropy / ln K at the start: near 1 where a network knows nothing and its logits are small."""
_SHRINK, _SHRINK_SURE = 1e-2, 2e-3
"""Smallest hidden deviation / input size, or / 1 for larger inputs. 32 healthy starts gave 0.037 and more; LTFN 6's
small start gives 0.0004."""
_DEAD = 0.98
"""Share of silent units of a layer that lets nothing through: that is another fault (`dead-units`)."""
_SOURCE = "LTFN 6; He et al. 2015; Glorot and Bengio 2010; calibrated on healthy networks"


def judge_constant(layers: Sequence[str]) -> list[Finding]:
    """Hidden layers that start with one single value, so that all their units learn the same.

    Args:
        layers: Their names.
    """
    if not layers:
        return []
    message = (
        f"All weights of {', '.join(layers[:4])} start equal: its units give the same value and get the same "
        "update, so they stay one unit for ever."
    )
    return [
        Finding("init-constant", "critical", layers[0], message, 0.0, "weights drawn at random", "definition: symmetry")
    ]


def judge_scale(
    values: Sequence[LayerValues], images: InputFacts, loss: LossFacts | None, *, falls: bool | None
) -> list[Finding]:
    """Values that grow or shrink from layer to layer before the first update.

    Frozen layers do not start: their values are what the others are given. What
    is added to other values may begin as zero (Goyal et al. 2017, Fixup, ReZero,
    LayerScale), so nothing is too small there.

    Args:
        values: Pre-activations at the start, in training mode, so that BatchNorm counts.
        images: What goes in: growth is measured against it.
        loss: The cost at the start; None where there are no images to see.
        falls: Whether a few updates lower the cost; None where that was not tried.
    """
    given = [value.deviation for value in values if not value.trainable and math.isfinite(value.deviation)]
    size = max([math.hypot(images.mean, images.deviation), *given])
    values = [value for value in values if value.trainable]
    if not values or size == 0.0 or not math.isfinite(size):
        return []
    if any(value.silent is not None and value.silent >= _DEAD and not value.last for value in values):
        return []
    if not all(value.finite for value in values):
        return _too_large(next(value for value in values if not value.finite), math.inf, values)
    worst = max(values, key=lambda value: value.deviation)
    growth = worst.deviation / size
    lost = loss is not None and loss.cross_entropy > _LOST * loss.chance
    limit = _GROWTH if loss is not None else _GROWTH_UNSEEN
    if growth > limit and (lost or loss is None) and worst.gain > 1.0:
        return _too_large(worst, growth, values)
    hidden = [value for value in values if not value.last and not value.residual]
    if len(hidden) < 2:
        return []
    least = min(hidden, key=lambda value: value.deviation)
    shrink = least.deviation / min(size, 1.0)
    if shrink < _SHRINK and least.gain > 0:
        return _too_small(least, shrink, values, sure=shrink < _SHRINK_SURE or falls is False)
    return []


def _story(values: Sequence[LayerValues]) -> str:
    return f"±{2 * values[0].deviation:.2g} at {values[0].name}, ±{2 * values[-1].deviation:.2g} at {values[-1].name}"


def _too_large(worst: LayerValues, growth: float, values: Sequence[LayerValues]) -> list[Finding]:
    message = (
        f"The weights start too large: values grow from layer to layer ({_story(values)}), so the network is "
        "certain of its answers before it has learned anything, and each mistake costs enormously."
    )
    measured = round(growth, 3) if math.isfinite(growth) else "not finite"
    expected = f"values at most {_GROWTH:g} times the input"
    return [Finding("init-too-large", "critical", worst.name, message, measured, expected, _SOURCE)]


def _too_small(least: LayerValues, shrink: float, values: Sequence[LayerValues], *, sure: bool) -> list[Finding]:
    message = (
        f"The weights start too small: values shrink from layer to layer ({_story(values)}), so all images look "
        "alike to the last layer and hardly any gradient comes back."
    )
    return [
        Finding(
            "init-too-small",
            "critical" if shrink < _SHRINK_SURE else "warning" if sure else "info",
            least.name,
            message,
            float(f"{shrink:.3g}"),
            f"values at least {_SHRINK:g} times the input",
            _SOURCE,
        )
    ]
