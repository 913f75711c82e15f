"""From what was measured to findings, in no order yet: every rule is asked here, and only here."""

import dataclasses
import math
from collections.abc import Sequence

from seewell.doctor.facts import CourseFacts, Facts
from seewell.doctor.image_statistics import AugmentationFacts
from seewell.doctor.rules.augmentation import judge_augmentation
from seewell.doctor.rules.by_heart import judge_by_heart, judge_range
from seewell.doctor.rules.curve import judge_curve
from seewell.doctor.rules.drift import judge_drift
from seewell.doctor.rules.gradients import judge_gradients
from seewell.doctor.rules.hidden import judge_hidden
from seewell.doctor.rules.images import judge_images
from seewell.doctor.rules.initialization import judge_constant, judge_scale
from seewell.doctor.rules.labels import judge_labels
from seewell.doctor.rules.loss import judge_loss
from seewell.doctor.rules.modes import judge_modes, judge_still_norms
from seewell.doctor.rules.movement import judge_movement
from seewell.doctor.rules.optimizer import judge_optimizer
from seewell.doctor.rules.order import judge_order
from seewell.doctor.rules.output import judge_output
from seewell.doctor.rules.regularization import drops_too_much, judge_regularization
from seewell.doctor.rules.reported import judge_shift
from seewell.doctor.rules.shrinkage import judge_shrinkage
from seewell.doctor.rules.splits import judge_splits
from seewell.doctor.rules.steps import ends, falls, is_short, judge_steps
from seewell.doctor.rules.structure import judge_bottleneck, judge_trainable
from seewell.doctor.rules.units import judge_answers, judge_units
from seewell.doctor.rules.unseen_images import judge_first_cost, judge_lost_weights, judge_sudden_end
from seewell.doctor.statistics import InputFacts, LayerValues, LookaheadFacts, OutputFacts
from seewell.findings import Finding

__all__ = ["can_be_trained", "judge_course", "judge_start"]

_UNUSABLE = ("output-size-mismatch", "labels-wrong", "loss-unsuitable")
"""Where these are critical, the loss cannot even be computed."""
_SYMPTOMS = ("gradient-exploding", "gradient-vanishing", "saturated-output", "saturated-units")
"""Before training these are only worth knowing where a few updates lower the cost all the same."""
_POOR = 0.5
"""Cost / ln K above which the size of gradients says something: a network that has learned has small ones."""


def can_be_trained(facts: Facts) -> bool:
    """Whether labels, outputs and loss fit each other well enough for an update to be tried."""
    found = [*_judge_data(facts), *judge_output(facts.structure, facts.form, facts.answers)]
    return not any(one.code in _UNUSABLE and one.severity == "critical" for one in found)


def judge_start(facts: Facts) -> list[Finding]:
    """All findings before training."""
    structure, optimizer, loss = facts.structure, facts.optimizer, facts.loss
    finite = facts.images is not None and facts.images.not_finite == 0
    falling = falls(facts.lookaheads[0]) if facts.lookaheads else None
    short = bool(falling) and is_short(facts.lookaheads[0])
    found = _judge_data(facts) + judge_output(structure, facts.form, facts.answers)
    found += judge_trainable(structure) + judge_bottleneck(structure) + judge_constant(structure.constant_layers)
    found += judge_still_norms(structure.still_norms)
    found += judge_loss(loss, optimizer, own=structure.loss == "custom", short=short)
    found += judge_optimizer(optimizer)
    found += judge_hidden(structure, facts.values)
    found += judge_regularization(structure, facts.values, optimizer, lowers=_lowers(facts.lookaheads))
    found += judge_units(facts.values) + judge_gradients(facts.values)
    if facts.images is not None and finite and not drops_too_much(structure):
        found += judge_scale(facts.values, _as_trained(facts.images, facts.augmentation), loss, falls=falling)
    if facts.answers is not None:
        last = [value for value in facts.values if value.last]
        answers = _as_trained_answers(facts.answers, last[-1]) if structure.batch_norm and last else facts.answers
        found += judge_answers(answers, loss, last_constant=bool(last) and last[-1].gain == 0.0)
    if facts.lookaheads:
        steps = judge_steps(facts.lookaheads[0], facts.lookaheads[1:], optimizer)
        found += steps if facts.range is None else judge_range(steps, facts.range, facts.lookaheads[0], optimizer)
    if facts.by_heart is not None:
        found += judge_by_heart(facts.by_heart)
    return [dataclasses.replace(one, severity="info") if falling and one.code in _SYMPTOMS else one for one in found]


def judge_course(course: CourseFacts) -> list[Finding]:
    """All findings during training."""
    curve = course.curve
    found = _if_fresh(judge_units(course.values), course)
    silent = any(one.code == "dead-units" and one.severity != "info" for one in found)
    # Where no gradient comes through, short ways are no matter of the learning rate.
    modes = [] if course.modes is None else _if_fresh(judge_modes(course.modes), course)
    suffers = silent or any(one.severity != "info" for one in modes)
    moves = judge_movement(
        course.changes,
        curve,
        suffers=suffers,
        scheduled=course.scheduled,
        mean_rate=course.mean_rate,
        orthogonal=course.orthogonal,
    )
    found += [one for one in moves if not (silent and one.code == "learning-rate-too-low")]
    found += judge_shrinkage(course.changes, curve)
    if curve is not None:
        found += [_place(one, course.not_finite_layer) for one in judge_curve(curve)]
        rate = any(one.code == "learning-rate-too-high" for one in moves)
        found += judge_first_cost(curve, images_seen=course.images_seen, growth=course.growth)
        found += [] if rate else judge_sudden_end(curve, images_seen=course.images_seen)
        found += judge_lost_weights(course.changes, curve, images_seen=course.images_seen, too_high=rate)
        if curve.last > _POOR * (curve.chance or curve.start):
            found += _if_fresh(judge_gradients(course.values), course)
        if course.report is not None:
            agree = course.modes is not None and not course.stale and not modes
            found += judge_shift(course.report, curve.classes, modes_agree=agree)
    if course.order is not None:
        found += judge_order(course.order, scheduled=course.scheduled)
    return found + modes


def _if_fresh(found: list[Finding], course: CourseFacts) -> list[Finding]:
    """What was seen in the first half of a training, and not looked at again, is no more than worth knowing."""
    return [dataclasses.replace(one, severity="info") for one in found] if course.stale else found


def _as_trained(images: InputFacts, augmentation: AugmentationFacts | None) -> InputFacts:
    """The size of what layers saw in training mode, in which augmentation counts."""
    if augmentation is None or not math.isfinite(augmentation.mean_shift + augmentation.scale_ratio):
        return images
    mean = images.mean + augmentation.mean_shift * images.deviation
    return dataclasses.replace(images, mean=mean, deviation=images.deviation * augmentation.scale_ratio)


def _as_trained_answers(answers: OutputFacts, last: LayerValues) -> OutputFacts:
    """Before training BatchNorm's averages are not the images' own, and a deep network's values may fade in use."""
    return answers if last.depends is None else dataclasses.replace(answers, depends=max(answers.depends, last.depends))


def _lowers(lookaheads: Sequence[LookaheadFacts]) -> bool | None:
    if not lookaheads:
        return None
    first, last = ends(lookaheads[0])
    return last < first


def _judge_data(facts: Facts) -> list[Finding]:
    found = [] if facts.images is None else judge_images(facts.images, frozen=facts.structure.first_frozen)
    if facts.labels is not None:
        found += judge_labels(facts.labels, facts.structure.outputs)
    if facts.splits is not None:
        known = facts.labels
        ordered = known is not None and known.sorted_share > 0.5
        found += judge_splits(facts.splits, complete=known is None or known.complete, ordered=ordered)
    if facts.drift is not None:
        found += judge_drift(facts.drift)
    if facts.augmentation is not None:
        found += judge_augmentation(facts.augmentation)
    return found


def _place(finding: Finding, layer: str | None) -> Finding:
    if finding.code != "non-finite-loss" or layer is None:
        return finding
    message = f"{finding.message} The first layer whose weights are not finite is {layer}."
    return dataclasses.replace(finding, layer=layer, message=message)
