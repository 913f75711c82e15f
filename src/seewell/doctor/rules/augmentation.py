"""Does augmentation leave the images what they are?"""

import math

from seewell.doctor.image_statistics import AugmentationFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_augmentation", "judge_flat_batches"]

_FLAT, _ALL_FLAT = 0.3, 0.9
"""Share of images that become nearly one colour. Flips, shifts, turns, zooms, contrast, brightness 0.2 and cutout
gave 0 on digits, MNIST and CIFAR-10; brightness with the range 0 to 255 on images in [0, 1] half."""
_SHIFT, _SCALE = 1.0, 3.0
"""Difference of the means in plain deviations, ratio of the deviations; the same gave at most 0.2 and 0.76 to 1.3."""
_LOST = 0.1
"""Share of plain values that are cut off; the same gave 0, images in [-1, 1] cut at 0 gave 0.4 and more."""
_RECOGNIZED = 0.45
"""(recognized - guessing) / (1 - guessing). Usual augmentation gave 0.73 and more, five strong ones at once 0.47 to
0.6, any rotation 0.37 to 0.4, shifts by half the image 0.1 to 0.3."""
_FEWEST = 64
_SOURCE = "calibrated on usual and harmful augmentation of digits, MNIST and CIFAR-10"


def judge_augmentation(facts: AugmentationFacts) -> list[Finding]:
    """Images that turn into one colour, leave their range, or cannot be recognized any more; the first that holds."""
    if facts.count == 0:
        return []
    reason = _reason(facts)
    if reason is None:
        return []
    text, measured, expected = reason
    severity: Severity = "critical" if max(facts.flat, facts.not_finite) > _ALL_FLAT else "warning"
    message = f"Augmentation spoils the training images: {text}."
    return [Finding("augmentation-harmful", severity, None, message, round(measured, 4), expected, _SOURCE)]


def judge_flat_batches(train: float, validation: float, count: int) -> list[Finding]:
    """Without plain images to compare with: training images of one colour where validation has none.

    Args:
        train: Share of training images that are nearly one colour.
        validation: The same of validation images.
        count: Training images looked at.
    """
    if count < _FEWEST or train - validation < _FLAT:
        return []
    message = (
        f"{100 * train:.0f} % of the training images are nearly one colour, of the validation images "
        f"{100 * validation:.0f} %: what the data set does to training images spoils them."
    )
    severity: Severity = "critical" if train > _ALL_FLAT else "warning"
    expected = f"at most {_FLAT:g} more than in validation"
    return [Finding("augmentation-harmful", severity, None, message, round(train, 4), expected, _SOURCE)]


def _reason(facts: AugmentationFacts) -> tuple[str, float, str] | None:
    if facts.not_finite > 0:
        return f"{100 * facts.not_finite:.0f} % hold NaN or infinity afterwards", facts.not_finite, "finite numbers"
    if facts.flat > _FLAT:
        return (
            f"{100 * facts.flat:.0f} % become nearly one colour (is value_range that of the images?)",
            facts.flat,
            f"below {_FLAT:g}",
        )
    if facts.scale_ratio > _SCALE or facts.scale_ratio < 1 / _SCALE:
        return (
            f"their values spread {facts.scale_ratio:.3g} times as much as before (is value_range that of the images?)",
            facts.scale_ratio,
            f"within a factor of {_SCALE:g}",
        )
    if abs(facts.mean_shift) > _SHIFT:
        return (
            f"their mean moves by {abs(facts.mean_shift):.2g} deviations (is value_range that of the images?)",
            facts.mean_shift,
            f"within {_SHIFT:g} deviation",
        )
    if facts.lost > _LOST:
        return (
            f"{100 * facts.lost:.0f} % of the values are cut off (is value_range that of the images?)",
            facts.lost,
            f"below {_LOST:g}",
        )
    share = (facts.recognized - facts.chance) / max(1e-9, 1 - facts.chance)
    error = math.sqrt(0.25 / facts.count) / max(1e-9, 1 - facts.chance)
    if facts.count >= _FEWEST and facts.chance < 0.9 and share + error < _RECOGNIZED:
        return (
            f"only {100 * facts.recognized:.0f} % still resemble a plain image of their class "
            f"(guessing: {100 * facts.chance:.0f} %)",
            facts.recognized,
            f"above {facts.chance + _RECOGNIZED * (1 - facts.chance):.2f}",
        )
    return None
