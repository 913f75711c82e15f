"""Bias and variance: what kind of error is left (LTFN 12)."""

from seewell.doctor.outcome import ErrorFacts
from seewell.findings import Finding, Severity
from seewell.intervals import difference_interval

__all__ = ["judge_bias", "judge_variance"]

_GAP, _GAP_LOW, _MISS = 0.10, 0.05, 0.05
_DEFINITION = "design.md, section 7: a gap of 10 points whose 95 % interval stays above 5"


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
    start = "By fit's own figures, the" if facts.reported else "The"
    said = (
        f"{start} network gets {100 * facts.train_error:.1f} % of its own training images wrong "
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
    low, high = difference_interval(
        facts.validation_error, facts.validation_count, facts.train_error, facts.train_count
    )
    severity: Severity = "warning" if gap >= _GAP and low > _GAP_LOW else "info"
    new = "By fit's own figures, new" if facts.reported else "New"
    said = (
        f"{new} images are wrong {100 * facts.validation_error:.1f} % of the time, training images "
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
