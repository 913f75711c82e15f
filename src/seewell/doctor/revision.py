"""What was predicted before and during a training, looked at again when its outcome is known."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from seewell.doctor.facts import CourseFacts, Facts
from seewell.doctor.outcome import ResultFacts
from seewell.doctor.rules.unseen_images import FROM_FIRST_COST
from seewell.findings import Finding

__all__ = ["Outcome", "outcome_of", "revise"]

_NEAR = 0.1
"""Validation accuracy below training accuracy that still counts as well learned."""
_ABOVE = 0.2
"""Validation accuracy above guessing that labels which belong to other images cannot give."""
_LAG = 0.2
"""Validation accuracy below training accuracy that `rules.modes` leaves alone."""
_FALLEN = 0.7
"""Last cost / first cost from which on something was learned, as `rules.movement` has it."""
_STILL_FALLING = 0.05
_HARMLESS = ("dead-units", "saturated-units", "init-too-large", "init-too-small")
"""Predictions of harm that a network which learned well has refuted; "critical" ones stay."""
_PULL = "gradients of the two terms"
"""How `rules.regularization` names the source of what it predicts from gradients at the start."""


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        classes: K.
        guessing: Share of the commonest class, at least 1 / K.
        accuracy: On training images, the better of training and inference mode; None where it is not known.
        running: The same as fit reports it: in training mode.
        validation: On validation images; None where it is not known.
        fallen: Last cost / first cost.
        knows: Whether the last cost is below that of giving each class 1 / K, or what that costs is not known.
        falling: Share by which the cost still falls.
        scheduled: Whether a schedule sets the learning rate.
    """

    classes: int
    guessing: float
    accuracy: float | None
    running: float | None
    validation: float | None
    fallen: float
    knows: bool
    falling: float
    scheduled: bool

    @property
    def learned(self) -> bool:
        """Whether the accuracy is at least halfway between chance and 1."""
        return self.accuracy is not None and self.accuracy >= 0.5 * (1 / self.classes + 1)

    @property
    def learned_well(self) -> bool:
        """The same, and validation images, where there are any, are judged nearly as well."""
        known, held = self.accuracy, self.validation
        return self.learned and known is not None and (held is None or held >= known - _NEAR)


def outcome_of(facts: Facts, course: CourseFacts, result: ResultFacts | None) -> Outcome | None:
    """How the training ended, by what was measured and reported; None where its cost broke or is not known."""
    curve, report = course.curve, course.report
    if curve is None or curve.first_not_finite is not None:
        return None
    running = curve.accuracy if report is None else report.accuracies[-1]
    held = None if report is None or report.averaged else report.validation[-1]
    known = [] if running is None else [running]
    if result is not None:
        errors = result.errors
        known += [1 - errors.train_error] if errors.train_count and not errors.reported else []
        if held is None and errors.validation_count:
            held = 1 - errors.validation_error
    counts = () if facts.labels is None else facts.labels.counts
    commonest = max(counts) / sum(counts) if sum(counts) else 0.0
    return Outcome(
        classes=curve.classes,
        guessing=max(1 / curve.classes, commonest),
        accuracy=max(known, default=None),
        running=running,
        validation=held,
        fallen=curve.last / curve.start if curve.start > 0 else 1.0,
        knows=curve.chance is None or curve.last < curve.chance,
        falling=curve.falling,
        scheduled=facts.optimizer.scheduled,
    )


def revise(findings: Iterable[Finding], outcome: Outcome | None, *, before: bool) -> list[Finding]:
    """Findings that the outcome has refuted become "info", or go; what still hurts stays as it is.

    Only predictions from statistics are looked at again, never what is wrong by definition or by structure.

    Args:
        findings: Of one time, before or during training.
        outcome: How it ended; None changes nothing.
        before: Whether they were made before training.
    """
    if outcome is None:
        return list(findings)
    kept = [one for one in findings if not (one.code == "train-eval-mismatch" and _agrees(outcome))]
    return [
        dataclasses.replace(one, severity="info", message=f"{one.message} The training came out well all the same.")
        if one.severity != "info" and _is_refuted(one, outcome, before)
        else one
        for one in kept
    ]


def _agrees(outcome: Outcome) -> bool:
    held, running = outcome.validation, outcome.running
    return held is not None and running is not None and held >= running - _LAG


def _is_refuted(finding: Finding, outcome: Outcome, before: bool) -> bool:
    code, warning = finding.code, finding.severity == "warning"
    if code in _HARMLESS:
        return warning and outcome.learned_well
    if code == "saturated-output":
        return warning and before and outcome.learned_well and outcome.knows
    if code == "regularization-too-strong":
        return warning and finding.threshold_source.startswith(_PULL) and outcome.learned_well
    if code == "input-range-too-large":  # a mean image subtracted from raw images gives a high first cost, and trains
        return finding.threshold_source == FROM_FIRST_COST and outcome.learned_well
    if code == "labels-wrong":
        return warning and outcome.validation is not None and outcome.validation >= outcome.guessing + _ABOVE
    if code == "learning-rate-too-high" and before and outcome.scheduled:
        hopeful = outcome.learned or outcome.accuracy is None or outcome.falling > _STILL_FALLING
        return outcome.fallen < _FALLEN and hopeful
    return False
