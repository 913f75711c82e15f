"""After somebody's `fit`: as many images judged as the time share leaves room for, and fit's own figures."""

import dataclasses
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.course_statistics import ReportFacts
from seewell.doctor.guard import Guard
from seewell.doctor.outcome import ResultFacts
from seewell.doctor.probes.answers import probabilities
from seewell.doctor.probes.result import Answers, result_facts
from seewell.doctor.probes.sample import Sample
from seewell.doctor.rules.reported import reported_errors, sharpened
from seewell.doctor.statistics import CurveFacts, Kind
from seewell.doctor.timeshare import TimeShare

__all__ = ["RESERVED", "conclude", "settled"]

RESERVED = 0.5
"""Seconds of the doctor's share that probes during training leave for the end."""
_MOST = 2000
_BATCH = 100
_FIRST = 32
_FEWEST = 50
_LONG_ENOUGH = 100
"""Updates before a cost can be called flat."""
_RESTING = 0.04
"""Share of the whole fall that lies in the last half (mean of it − mean of the last tenth): 0.2 for a straight line.
The upper end of its interval must stay below: a short training's cost scatters too much to be called flat."""
_FELL = 0.97
"""Last cost / first cost below which it fell at all, as `rules.curve` has it."""
_FLAT = 0.05
"""Share below which a fall of the cost is none, as `probes.result` has it."""
_KEPT = 0.7
"""Share of the time left that is planned for, because measuring one batch is no promise."""


def conclude(
    model: Any,
    kind: Kind,
    samples: tuple[Sample | None, Sample | None],
    curve: CurveFacts | None,
    *,
    clock: TimeShare,
    guard: Guard,
    target_error: float,
    report: ReportFacts | None = None,
) -> ResultFacts | None:
    """Measure a network that `fit` has trained, in inference mode; nothing of it changes.

    Args:
        model: The network.
        kind: What its outputs are.
        samples: Training and validation images; each may be missing.
        curve: The course of the cost.
        clock: How much time there is.
        guard: Takes notes of what could not be judged.
        target_error: The error that could be reached at best; 0 where nobody gave one.
        report: The accuracies that fit reports: what is judged where nothing can be measured.

    Returns:
        The facts; None where there is nothing to judge, or no finite answers.
    """
    if curve is not None and curve.first_not_finite is not None:
        return None
    seen = _measured(model, kind, samples, clock, guard)
    if seen is None or not all(np.isfinite(one[0]).all() for one in seen if one is not None):
        return None if seen is not None or report is None or curve is None else _by_report(report, curve, target_error)
    facts = result_facts(
        seen[0],
        seen[1],
        falling=0.0 if curve is None else curve.falling,
        settled=curve is None or settled(curve),
        resting=curve is None or _resting(curve),
        target_error=target_error,
        target_given=target_error > 0,
        updates=0 if curve is None else curve.updates,
        fell=curve is not None and _fell(curve),
        accuracy=None if curve is None else curve.accuracy,
    )
    return facts if report is None else dataclasses.replace(facts, errors=sharpened(facts.errors, report))


def _measured(
    model: Any, kind: Kind, samples: tuple[Sample | None, Sample | None], clock: TimeShare, guard: Guard
) -> tuple[Answers | None, Answers | None] | None:
    """Answers on training and validation images; None where there are no images or no time."""
    train, validation = samples
    given = [one for one in samples if one is not None]
    if not given:
        return None
    began, size = time.perf_counter(), min(_FIRST, len(given[0]))
    _answer(model, given[0].images[:size], kind)
    each = (time.perf_counter() - began) / size
    count = int(min(_MOST, _KEPT * clock.left(time.perf_counter() - began) / max(each, 1e-9) / len(given)))
    if count < min(_FEWEST, *(len(one) for one in given)):
        guard.note("the result: judging it would take more than the doctor's share of the time.")
        return None
    return (
        None if train is None else _judged(model, train, count, kind),
        None if validation is None else _judged(model, validation, count, kind),
    )


def _by_report(report: ReportFacts, curve: CurveFacts, target_error: float) -> ResultFacts:
    flat = settled(curve) and curve.falling <= _FLAT
    return ResultFacts(
        reported_errors(report, curve.classes, target_error=target_error, flat=flat, resting=_resting(curve)),
        curve.falling,
        resting=_resting(curve) and curve.falling <= _FLAT,
        updates=curve.updates,
        fell=_fell(curve),
        accuracy=curve.accuracy,
    )


def settled(curve: CurveFacts) -> bool:
    """Whether the training was long enough, and its cost has come to rest, for a poor answer to be called bias.

    Where training mode is right often enough, a poor answer in use is
    BatchNorm's averages lagging behind, which is another finding.
    """
    halfway = 0.5 * (1 / curve.classes + 1)
    learned = curve.accuracy is not None and curve.accuracy >= halfway
    return curve.updates >= _LONG_ENOUGH and not learned and _resting(curve)


def _fell(curve: CurveFacts) -> bool:
    return curve.last + 2 * curve.last_error < _FELL * curve.start


def _resting(curve: CurveFacts) -> bool:
    fallen = max(0.0, curve.start - curve.last)
    return curve.level - curve.last + 2 * curve.last_error <= _RESTING * fallen


def _judged(model: Any, sample: Sample, count: int, kind: Kind) -> Answers:
    """Answers on that many images, spread evenly; labels that the network has no output for are left out."""
    images = sample.images if sample.source is None else sample.source
    labels = sample.labels if sample.source is None else sample.all_labels
    rows = np.unique(np.linspace(0, len(labels) - 1, min(count, len(labels))).round().astype(np.int64))
    shares = np.concatenate(
        [_answer(model, images[rows[start : start + _BATCH]], kind) for start in range(0, len(rows), _BATCH)]
    )
    known = (labels[rows] >= 0) & (labels[rows] < shares.shape[1])
    return shares[known], labels[rows][known]


def _answer(model: Any, images: npt.NDArray[Any], kind: Kind) -> npt.NDArray[np.float32]:
    import keras

    with keras.StatelessScope(collect_losses=True):
        return np.asarray(probabilities(model(np.asarray(images), training=False), kind), np.float32)
