"""Bias and variance: what kind of error is left (LTFN 12)."""

import math
from dataclasses import dataclass

from seewell.findings import Finding, Severity

__all__ = ["ErrorFacts", "curve_is_flat", "judge_bias", "judge_variance"]

_GAP, _GAP_LOW, _MISS = 0.10, 0.05, 0.05
_DEFINITION = "design.md, section 7: a gap of 10 points whose 95 % interval stays above 5"


@dataclass(frozen=True)
class ErrorFacts:
    """What the judgement rests on.

    Attributes:
        train_error: Error on training images, in inference mode without augmentation, in [0, 1].
        train_count: On how many.
        validation_error: Error on the validation split.
        validation_count: On how many.
        num_classes: K.
        target_error: The error that could be reached at best.
        target_given: Whether the user said so.
        flat: Whether the training cost has stopped falling.
    """

    train_error: float
    train_count: int
    validation_error: float
    validation_count: int
    num_classes: int
    target_error: float = 0.0
    target_given: bool = False
    flat: bool = True


def judge_bias(facts: ErrorFacts) -> Finding:
    """Training error − target error.

    A warning where a target that the user gave is missed by 5 points, or where
    the accuracy is below halfway between chance and 1, and the curve is flat.
    """
    bias = round(facts.train_error - facts.target_error, 9)
    halfway = 0.5 * (1 / facts.num_classes + 1)
    missed = facts.target_given and bias >= _MISS
    poor = 1 - facts.train_error < halfway
    severity: Severity = "warning" if facts.flat and (missed or poor) else "info"
    above = f", and less than {_MISS:.2f} above the target" if facts.target_given else ""
    said = (
        f"The network gets {100 * facts.train_error:.1f} % of its own training images wrong "
        f"(target {100 * facts.target_error:.1f} %)"
    )
    if severity == "warning":
        message = f"{said}: it underfits. It is too small, was trained too briefly, or cannot learn as it is set up."
    else:
        message = f"{said}. This part of the error is bias."
    return Finding(
        code="high-bias",
        severity=severity,
        layer=None,
        message=message,
        measured=round(bias, 6),
        expected=f"a training error below {1 - halfway:.2f}{above}",
        threshold_source="design.md, section 7",
    )


def judge_variance(facts: ErrorFacts) -> Finding:
    """Validation error − training error, with its interval.

    A warning from 10 points whose 95 % interval stays above 5.
    """
    gap = round(facts.validation_error - facts.train_error, 9)
    low, high = _difference_interval(
        facts.validation_error, facts.validation_count, facts.train_error, facts.train_count
    )
    severity: Severity = "warning" if gap >= _GAP and low > _GAP_LOW else "info"
    said = (
        f"New images are wrong {100 * facts.validation_error:.1f} % of the time, training images "
        f"{100 * facts.train_error:.1f} %: "
        f"a gap of {100 * gap:.1f} points (95 % interval {100 * low:.1f} to {100 * high:.1f})"
    )
    if severity == "warning":
        message = f"{said}. The network overfits: it knows its training images by heart better than their kind."
    else:
        message = f"{said}. This part of the error is variance."
    return Finding(
        code="high-variance",
        severity=severity,
        layer=None,
        message=message,
        measured=round(gap, 6),
        expected=f"below {_GAP:.2f}",
        threshold_source=_DEFINITION,
    )


def curve_is_flat(losses: list[float]) -> bool:
    """Whether the training cost has stopped falling: its last fifth is less than 5 % below the fifth before.

    Args:
        losses: The mean cost of each stretch of training, in order.

    Returns:
        True also where there is too little to say (fewer than ten values).
    """
    fifth = len(losses) // 5
    if fifth < 2:
        return True
    last = sum(losses[-fifth:]) / fifth
    before = sum(losses[-2 * fifth : -fifth]) / fifth
    return last >= 0.95 * before


def _difference_interval(a: float, count_a: int, b: float, count_b: int) -> tuple[float, float]:
    """95 % interval of the difference of two independent shares (Newcombe 1998, method 10)."""
    low_a, high_a = _wilson(a, count_a)
    low_b, high_b = _wilson(b, count_b)
    difference = a - b
    return (
        difference - math.hypot(a - low_a, high_b - b),
        difference + math.hypot(high_a - a, b - low_b),
    )


def _wilson(share: float, count: int, z: float = 1.959964) -> tuple[float, float]:
    if count == 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)
