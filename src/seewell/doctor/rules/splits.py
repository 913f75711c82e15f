"""Are validation images of the same kind as training images, and not the same images?"""

from seewell.doctor.statistics import SplitFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_splits"]

_COPIES_WARNING, _COPIES_INFO = 0.02, 0.0
"""Share of validation images that are also training images. A judgement call: one in fifty."""
_SHIFT = 1.0
"""Difference of the means, in training deviations."""
_SCALE = 3.0
"""Ratio of the deviations, either way."""
_CLASSES = 0.15
"""Half the summed difference of class shares, beyond what chance gives (deepchecks: label drift 0.15)."""
_FEWEST = 30
_EXPECTED = 10.0
"""Images of a class that a part of the training labels would hold on average: none of them is then no chance."""


def judge_splits(facts: SplitFacts, *, complete: bool = True, ordered: bool = False) -> list[Finding]:
    """Copies, another scale, other classes.

    Args:
        facts: Both splits.
        complete: Whether all training labels were read.
        ordered: Whether those that were read are sorted: then a part says nothing of the classes of the rest.
    """
    if facts.count == 0:
        return []
    found = []
    if facts.copies > _COPIES_INFO:
        severity: Severity = "warning" if facts.copies > _COPIES_WARNING else "info"
        message = (
            f"{100 * facts.copies:.1f} % of the validation images are also training images: "
            "the validation accuracy is better than the network."
        )
        found.append(
            Finding(
                "train-test-leak",
                severity,
                None,
                message,
                round(facts.copies, 4),
                f"at most {_COPIES_WARNING:g}",
                "exact copies; the threshold is a judgement call",
            )
        )
    reasons = _shifts(facts, complete, complete or not ordered)
    if reasons:
        found.append(
            Finding(
                "train-test-shift",
                "warning",
                None,
                f"Validation images differ from training images: {'; '.join(reasons)}.",
                round(max(abs(facts.mean_shift), facts.label_distance), 4),
                f"means within {_SHIFT:g} deviation, scale within a factor of {_SCALE:g}, the same classes",
                "effect sizes; deepchecks (label drift 0.15)",
            )
        )
    return found


def _shifts(facts: SplitFacts, complete: bool, classes: bool) -> list[str]:
    reasons = []
    if facts.scale_ratio > _SCALE or facts.scale_ratio < 1 / _SCALE:
        reasons.append(f"their values spread {facts.scale_ratio:.3g} times as much")
    elif abs(facts.mean_shift) > _SHIFT:
        reasons.append(f"their mean lies {abs(facts.mean_shift):.2g} deviations away")
    if classes and facts.count >= _FEWEST and facts.label_distance > _CLASSES + 3 * facts.label_noise:
        reasons.append("their classes have other shares")
    if facts.unknown and classes and (complete or facts.unknown_expected >= _EXPECTED):
        first = ", ".join(str(number) for number in facts.unknown[:5])
        reasons.append(f"class {first} does not occur in training")
    return reasons
