"""Are the numbers that reach the first weights of a sensible size?"""

from seewell.doctor.statistics import InputFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_images"]

_LARGE = 20.0
"""Root mean square at the first weights. Inputs in [0, 1], [-1, 1] and z-scored ones stay below 3, digits of 0 to
16 near 8, raw 0 to 255 near 130."""
_CENTRED = 0.5
"""|mean| / deviation below which inputs count as centred: a mean image was subtracted (LTFN 11, ±128), which trains."""
_BELOW = 0.1
"""-lowest / highest value of centred inputs, at least; raw MNIST has a mean of 0.42 deviations, and none below 0."""
_HUGE = 300.0
"""Root mean square that is too large even when centred: 8-bit images less their mean stay below 128."""
_SMALL = 0.02
"""Standard deviation: 5 of 255 grey levels of an image in [0, 1]; divided by 255 twice gives 0.001."""
_FROZEN = "right if the frozen weights were trained with such numbers (preprocess_input of keras.applications)."
_SOURCE = "LTFN 11 (centring, one range for all inputs); LeCun et al. 1998, section 4.3; calibrated on common scalings"


def judge_images(facts: InputFacts, *, frozen: bool = False) -> list[Finding]:
    """NaN, too large, too small, all the same; what a normalization puts right is left alone.

    Args:
        facts: The numbers.
        frozen: Whether the first weights are frozen: they know the range that they were trained with.
    """
    found = []
    if facts.not_finite > 0:
        found.append(
            Finding(
                "non-finite-input",
                "critical",
                None,
                f"{100 * facts.not_finite:.2g} % of the images hold NaN or infinity; one is enough to ruin all.",
                round(facts.not_finite, 6),
                "only finite numbers",
                "definition",
            )
        )
    if facts.same:
        found.append(
            Finding(
                "input-range-too-small",
                "critical",
                None,
                "All images that were looked at are exactly the same, so there is nothing to tell apart.",
                0.0,
                "images that differ",
                "definition",
            )
        )
    elif facts.judged:
        found += _size(facts, frozen)
    if facts.flat_channels and not facts.same:
        found.append(_flat_channels(facts.flat_channels))
    return found


def _flat_channels(channels: tuple[int, ...]) -> Finding:
    names = ", ".join(str(number) for number in channels)
    return Finding(
        "input-range-too-small",
        "info",
        None,
        f"Channel {names} holds one value in all images: it says nothing (an alpha channel, or lost while decoding).",
        float(len(channels)),
        "channels that differ from image to image",
        "definition",
    )


def _size(facts: InputFacts, frozen: bool) -> list[Finding]:
    size = float((facts.mean**2 + facts.deviation**2) ** 0.5)
    centred = abs(facts.mean) < _CENTRED * facts.deviation and -facts.low > _BELOW * facts.high
    spread = f"from {facts.low:.3g} to {facts.high:.3g}"
    severity: Severity = "info" if facts.normalized or frozen else "warning"
    if size > _HUGE or (size > _LARGE and not centred):
        message = f"The numbers that reach the first weights run {spread} (mean {facts.mean:.3g}): " + (
            _FROZEN
            if frozen
            else "large, and weights start for numbers near 1. Divide the images by 255 or subtract their mean."
        )
        return [Finding("input-range-too-large", severity, None, message, round(size, 4), f"below {_LARGE:g}", _SOURCE)]
    if facts.deviation < _SMALL and not facts.normalized:
        message = f"The numbers that reach the first weights run only {spread}: the images hardly differ. " + (
            f"They are {_FROZEN}" if frozen else "They may have been divided by 255 twice."
        )
        expected = f"a standard deviation above {_SMALL:g}"
        return [Finding("input-range-too-small", severity, None, message, round(facts.deviation, 6), expected, _SOURCE)]
    return []
