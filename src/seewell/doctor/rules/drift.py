"""Do validation images look like training images, and not too much so?"""

from seewell.doctor.image_statistics import DriftFacts
from seewell.doctor.rules.augmentation import judge_flat_batches
from seewell.findings import Finding, Severity

__all__ = ["judge_drift"]

_COPIES_WARNING = 0.02
"""Share of near copies, as for exact ones: one in fifty. 1,000 and 8,000 different images of MNIST and of CIFAR-10
had none."""
_FEWEST_COPIES = 2
_SHARPNESS = 1.67
"""Ratio either way. Splits of one set gave 0.95 to 1.05, images blurred by 0.7 pixels 0.45 to 0.52."""
_OUTSIDE = 0.1
"""Share of values outside the other split's range: splits of one set gave 0, a mean image subtracted from one alone
0.23 to 0.39."""
_FEWEST = 50


def judge_drift(facts: DriftFacts) -> list[Finding]:
    """Near copies; swapped channels, inverted, blurred, scaled or centred differently; spoiled training images."""
    found = []
    many = facts.near_copies * facts.near_count
    if many >= _FEWEST_COPIES:
        severity: Severity = "warning" if facts.near_copies > _COPIES_WARNING else "info"
        message = (
            f"{100 * facts.near_copies:.1f} % of the validation images are training images, brightened, flipped, "
            "shifted or saved again: the validation accuracy is better than the network."
        )
        source = "correlation of the fine structure above 0.965; the share is a judgement call"
        found.append(
            Finding(
                "train-test-leak",
                severity,
                None,
                message,
                round(facts.near_copies, 4),
                f"at most {_COPIES_WARNING:g}",
                source,
            )
        )
    reasons = _reasons(facts) if facts.count >= _FEWEST else []
    if reasons:
        words = "; ".join(reason for reason, _, _ in reasons)
        _, measured, expected = reasons[0]
        message = f"Validation images differ from training images: {words}."
        source = "effect sizes; splits of digits, MNIST and CIFAR-10 stay far from them"
        found.append(Finding("train-test-shift", "warning", None, message, measured, expected, source))
    if not facts.plain:
        found += judge_flat_batches(facts.flat_train, facts.flat_validation, facts.count)
    return found


def _reasons(facts: DriftFacts) -> list[tuple[str, float | str, str]]:
    found: list[tuple[str, float | str, str]] = []
    if facts.inverted:
        found.append(("light and dark are exchanged", "inverted", "the same images in both splits"))
    elif facts.swapped:
        found.append(("red and blue are exchanged (RGB against BGR)", "swapped", "one order of the channels"))
    if facts.plain and facts.outside > _OUTSIDE:
        text = f"{100 * facts.outside:.0f} % of the values of one split lie outside the range of the other"
        found.append((text, round(facts.outside, 4), f"at most {_OUTSIDE:g}"))
    if facts.plain and facts.sharpness is not None and not 1 / _SHARPNESS < facts.sharpness < _SHARPNESS:
        text = f"neighbouring pixels differ {facts.sharpness:.2g} times as much (blurred, or of another resolution)"
        found.append((text, round(facts.sharpness, 4), f"within a factor of {_SHARPNESS:g}"))
    return found
