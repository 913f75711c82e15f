"""Do the labels fit the network, the images and each other?"""

import math

from seewell.doctor.statistics import LabelFacts
from seewell.findings import Finding, Severity

__all__ = ["judge_labels"]

_SKEW_WARNING, _SKEW_INFO = 0.15, 0.5
"""(effective classes - 1) / (K - 1), the effective number being the exponential of the entropy. TheDeepChecker warns
of a related figure below 0.5, where imbalanced data still train well: 90 to 10 gives 0.38, a long tail of 100 to 1
over ten classes 0.4, nine of ten images in one of ten classes 0.08."""
_ENOUGH = 10
"""Images a class, on average, before a missing class is no accident of the sample."""
_SORTED = 0.5
"""Neighbours with equal labels beyond chance: 0 in shuffled data (standard error 0.03 at 1,000 images)."""
_DEVIATIONS = 3.0
"""Standard errors above guessing that like images must have like labels."""
_FEWEST_NEIGHBOURS = 300


def judge_labels(facts: LabelFacts, outputs: int) -> list[Finding]:
    """Class numbers, missing and rare classes, order, and whether labels belong to their images.

    Args:
        facts: The labels.
        outputs: Numbers the network gives an image; 1 is a classifier of two classes.
    """
    classes = max(2, outputs)
    found = _numbers(facts, outputs, classes)
    if not found:
        found += _classes(facts, classes)
    found += _order(facts)
    found += _meaning(facts)
    return found


def _numbers(facts: LabelFacts, outputs: int, classes: int) -> list[Finding]:
    source = "definition: one output a class"
    if facts.negative:
        message = f"{facts.negative:,} labels are negative or no number; classes are numbered from 0."
        return [Finding("labels-wrong", "critical", None, message, float(facts.negative), "0 and above", source)]
    highest = len(facts.counts) - 1
    if highest >= classes:
        message = f"The labels go up to {highest}, but the network has outputs for 0 to {classes - 1} only."
        return [
            Finding("output-size-mismatch", "critical", None, message, float(outputs), f"{highest + 1} outputs", source)
        ]
    present = sum(count > 0 for count in facts.counts)
    total = sum(facts.counts)
    sorted_part = facts.sorted_share > _SORTED and not facts.complete
    if outputs > 2 and present * 2 < outputs and not sorted_part and total >= _ENOUGH * outputs:
        message = f"The network has {outputs} outputs, but only {present} classes have images."
        return [Finding("output-size-mismatch", "warning", None, message, float(outputs), f"{present} outputs", source)]
    return []


def _classes(facts: LabelFacts, classes: int) -> list[Finding]:
    total = sum(facts.counts)
    counts = [*facts.counts, *[0] * (classes - len(facts.counts))]
    if total < _ENOUGH * classes:
        return []
    empty = [number for number, count in enumerate(counts) if count == 0]
    if empty:
        one_spare = empty in ([0], [classes - 1])  # labels from 1, or an output to spare: harmless
        first = ", ".join(str(number) for number in empty[:5])
        message = (
            f"No image has the label {first}{' …' if len(empty) > 5 else ''}: the network cannot learn that class."
        )
        severity: Severity = "info" if one_spare and classes > 2 else "warning"
        if not facts.complete and not facts.sorted_share > _SORTED:
            severity = "info"
        if facts.complete or facts.sorted_share <= _SORTED:
            return [
                Finding(
                    "class-missing", severity, None, message, float(len(empty)), "images of every class", "definition"
                )
            ]
        return []
    shares = [count / total for count in counts if count]
    entropy = -sum(share * math.log(share) for share in shares)
    even = (math.exp(entropy) - 1) / (classes - 1)
    if even >= _SKEW_INFO or (facts.sorted_share > _SORTED and not facts.complete):
        return []
    message = (
        f"The commonest class has {max(counts):,} images, the rarest {min(counts):,}: "
        "always answering the commonest gives a good accuracy and learns nothing."
    )
    return [
        Finding(
            "class-imbalance",
            "warning" if even < _SKEW_WARNING else "info",
            None,
            message,
            round(even, 4),
            f"above {_SKEW_WARNING:g} (1: all classes equally common)",
            "entropy of the labels; TheDeepChecker, with a threshold calibrated on imbalanced data that train well",
        )
    ]


def _order(facts: LabelFacts) -> list[Finding]:
    if facts.sorted_share <= _SORTED or sum(facts.counts) < 20:
        return []
    if facts.shuffled_by_fit:
        message = (
            "The images are sorted by class. fit shuffles arrays unless shuffle=False is given; "
            "validation_split would take its images from the last classes alone."
        )
    else:
        message = (
            "The batches come sorted by class: each update sees one or two classes and forgets the others. "
            "Shuffle before batching."
        )
    return [
        Finding(
            "ordered-batches",
            "info" if facts.shuffled_by_fit else "warning",
            None,
            message,
            round(facts.sorted_share, 4),
            f"below {_SORTED:g} (0: shuffled, 1: sorted)",
            "definition: neighbours with equal labels, beyond chance",
        )
    ]


def _meaning(facts: LabelFacts) -> list[Finding]:
    count = facts.neighbour_count
    if count < _FEWEST_NEIGHBOURS or facts.neighbour_chance > 0.9:
        return []
    error = math.sqrt(facts.neighbour_chance * (1 - facts.neighbour_chance) / count)
    needed = facts.neighbour_chance + _DEVIATIONS * error
    if facts.neighbour_accuracy >= needed:
        return []
    message = (
        f"Like images do not have like labels: the most similar other image, or a linear rule, gives the right label "
        f"{100 * facts.neighbour_accuracy:.1f} % of the time, guessing {100 * facts.neighbour_chance:.1f} %. "
        "The labels may belong to other images (one array shuffled without the other)."
    )
    return [
        Finding(
            "labels-wrong",
            "warning",
            None,
            message,
            round(facts.neighbour_accuracy, 4),
            f"above {needed:.3f}",
            f"guessing plus {_DEVIATIONS:g} standard errors on {count} images",
        )
    ]
