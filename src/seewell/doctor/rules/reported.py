"""What the accuracies that `fit` reports say of the result, where no answers could be measured, or too few."""

import dataclasses

from seewell.doctor.course_statistics import ReportFacts
from seewell.doctor.outcome import ErrorFacts
from seewell.findings import Finding
from seewell.intervals import difference_interval, wilson

__all__ = ["judge_shift", "reported_errors", "sharpened"]

_LAST, _LAST_NORMED = 2, 3
"""Epochs that must agree; with BatchNorm, whose averages lag behind long steps, more."""
_SINGLE_GAP = 0.20
"""What a single epoch must show: one look at the validation split may fall on a bad moment."""
_NEAR_CHANCE = 0.15
"""Share of the way from guessing to certainty that validation accuracy stays within in every epoch."""
_SURE_GAP = 0.25
"""Lower end of the gap's 95 % interval that goes with it."""


def reported_errors(
    facts: ReportFacts, classes: int, *, target_error: float, flat: bool, resting: bool = True
) -> ErrorFacts:
    """Errors by fit's own figures, each of them on the safe side.

    The accuracy of an epoch is the mean over a network that was still learning, in training mode: the finished one is
    no worse on its training images, and it is no worse there than on new ones. The gap is the smallest of the last
    epochs. Validation is left out where nothing is certain: averaged weights, or BatchNorm in a single epoch or while
    the cost falls, for its averages lag behind long steps (a healthy network of digits lay 10 points behind for three
    epochs).

    Args:
        facts: The accuracies.
        classes: K.
        target_error: The error that could be reached at best; 0 where nobody gave one.
        flat: Whether nothing more will be learned by itself.
        resting: Whether the cost has come to rest.
    """
    pairs = [(a, b) for a, b in zip(facts.accuracies, facts.validation, strict=True) if b is not None]
    judged = bool(pairs) and not facts.averaged and (facts.layer is None or (resting and len(pairs) > 1))
    last = pairs[-(_LAST_NORMED if facts.layer else _LAST) :]
    accuracy, held = min(last, key=lambda pair: pair[0] - pair[1]) if judged else (facts.accuracies[-1], None)
    if len(pairs) == 1 and held is not None and 0.0 < accuracy - held < _SINGLE_GAP:
        held = None
    best = max([accuracy, *(b for _, b in pairs[-1:])])
    return ErrorFacts(
        train_error=round(1 - best, 9),
        train_count=facts.train_count,
        validation_error=0.0 if held is None else round(1 - held, 9),
        validation_count=0 if held is None else facts.validation_count,
        num_classes=classes,
        target_error=target_error,
        target_given=target_error > 0 and facts.plain,
        flat=flat and (facts.plain or bool(pairs)) and not facts.averaged,
        reported=True,
    )


def sharpened(errors: ErrorFacts, facts: ReportFacts) -> ErrorFacts:
    """Errors measured on some validation images, with fit's own figure where it rests on more of them and agrees."""
    held = facts.validation[-1]
    if held is None or facts.averaged or not 0 < errors.validation_count < facts.validation_count:
        return errors
    low, high = wilson(errors.validation_error, errors.validation_count)
    if not low <= 1 - held <= high:
        return errors
    return dataclasses.replace(errors, validation_error=round(1 - held, 9), validation_count=facts.validation_count)


def judge_shift(facts: ReportFacts, classes: int, *, modes_agree: bool = False) -> list[Finding]:
    """Validation at guessing in every epoch while training images are learned: no mere overfitting.

    A network that learns its images by heart starts slowly, for there is nothing that one image says of the next;
    where the first two epochs are at guessing as well, nothing is said here.

    Args:
        facts: The accuracies.
        classes: K.
        modes_agree: Whether training and inference mode were compared on training images, and agree.
    """
    chance = 1 / classes
    near, halfway = chance + _NEAR_CHANCE * (1 - chance), 0.5 * (chance + 1)
    held = [one for one in facts.validation if one is not None]
    enough = len(held) >= (_LAST if facts.layer is None else _LAST_NORMED)
    if not enough or facts.averaged or facts.accuracies[-1] < halfway or max(held) > near:
        return []
    if facts.accuracies[1] <= near:
        return []
    gap = facts.accuracies[-1] - max(held)
    low, _ = difference_interval(
        facts.accuracies[-1], max(facts.train_count, facts.validation_count), max(held), facts.validation_count
    )
    if low < _SURE_GAP:
        return []
    said = (
        f"Training images are right {100 * facts.accuracies[-1]:.0f} % of the time, but validation images never more "
        f"than {100 * max(held):.0f} % (guessing gives {100 * chance:.0f} %) in {len(held)} epochs: that is no mere "
        "overfitting."
    )
    if facts.layer is not None and not modes_agree:
        code = "train-eval-mismatch"
        why = "BatchNorm does something else in use than in training, or validation images are prepared otherwise."
    else:
        code = "train-test-shift"
        why = "Validation images are prepared otherwise than training images, or their labels are numbered otherwise."
    return [
        Finding(
            code,
            "warning",
            facts.layer if code == "train-eval-mismatch" else None,
            f"{said} {why}",
            round(gap, 4),
            f"a validation accuracy above {near:.2f} in some epoch",
            "guessing plus 15 % of the way to certainty; what is learned of images holds for new ones of their kind",
        )
    ]
