"""What a trained network's probabilities say about it: errors, calibration, classes, and how sure its mistakes are."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seewell.doctor.outcome import Calibration, ClassRecall, ErrorFacts, NoiseFacts, ResultFacts
from seewell.intervals import Z99, bonferroni, difference_interval, wilson

__all__ = [
    "Answers",
    "calibration_facts",
    "class_recalls",
    "falling_share",
    "noise_facts",
    "result_facts",
    "surest_first",
]

Answers = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]
"""Probabilities (N, K) and class numbers (N,) of the same images."""

_BINS = 15
_SMALLEST = 1e-30
_TEMPERATURES = (0.05, 20.0)
_FLAT = 0.05
"""Share below which a fall of the cost is none (design.md, section 7, leaves it to us)."""
_SUREST = 4
"""One part in so many is the surest."""
_FEWEST_SURE = 15


def result_facts(
    train: Answers | None,
    validation: Answers | None,
    *,
    falling: float = 0.0,
    settled: bool = True,
    resting: bool | None = None,
    target_error: float = 0.0,
    target_given: bool = False,
    updates: int = 0,
    fell: bool = False,
    accuracy: float | None = None,
) -> ResultFacts:
    """Everything that the judgement after a training rests on, but for the disputed labels.

    Args:
        train: The network's answers on training images, in inference mode; None where there are none.
        validation: The same on the validation split.
        falling: Share by which the training cost still falls, as `falling_share` gives it.
        settled: Whether nothing else says that the network was still learning.
        resting: Whether the cost has come to rest; by default where it does not fall any more.
        target_error: The error that could be reached at best.
        target_given: Whether the user said so.
        updates: Updates that were made; 0 where they were not counted.
        fell: Whether the cost fell at all.
        accuracy: Accuracy in training mode at the end; None where it is not reported.

    Returns:
        The facts; parts that need a validation split are empty without one.
    """
    classes = next((shares.shape[1] for shares, _ in (one for one in (train, validation) if one is not None)), 2)
    errors = ErrorFacts(
        train_error=0.0 if train is None else _error(train),
        train_count=0 if train is None else len(train[1]),
        validation_error=0.0 if validation is None else _error(validation),
        validation_count=0 if validation is None else len(validation[1]),
        num_classes=classes,
        target_error=target_error,
        target_given=target_given,
        flat=settled and falling <= _FLAT,
    )
    facts = ResultFacts(
        errors,
        falling,
        resting=falling <= _FLAT if resting is None else resting,
        updates=updates,
        fell=fell,
        accuracy=accuracy,
    )
    if validation is None or len(validation[1]) == 0:
        return facts
    return dataclasses.replace(
        facts,
        calibration=calibration_facts(validation),
        classes=class_recalls(validation),
        noise=noise_facts(validation),
    )


def falling_share(losses: Sequence[float]) -> float:
    """Share by which the mean cost of the last fifth lies below that of the fifth before.

    Args:
        losses: The mean cost of each stretch of training, in order.

    Returns:
        Negative where it rises; 0 where there is too little to say (fewer than ten values).

    Example:
        >>> falling_share([2.0] * 8 + [1.5] * 2)
        0.25
    """
    fifth = len(losses) // 5
    if fifth < 2:
        return 0.0
    last = sum(losses[-fifth:]) / fifth
    before = sum(losses[-2 * fifth : -fifth]) / fifth
    return 1 - last / before if before > 0 else 0.0


def calibration_facts(answers: Answers) -> Calibration:
    """How far certainty and accuracy agree.

    Args:
        answers: Probabilities and labels of at least one image.

    Example:
        >>> sure = np.array([[0.9, 0.1], [0.9, 0.1]], np.float32)
        >>> facts = calibration_facts((sure, np.array([0, 1])))
        >>> round(facts.ece, 3), facts.accuracy
        (0.4, 0.5)
    """
    shares, labels = answers
    count = len(labels)
    sure = shares.max(axis=1).astype(np.float64)
    right = (shares.argmax(axis=1) == labels).astype(np.float64)
    surplus = sure - right
    bins = np.clip(np.ceil(sure * _BINS).astype(np.int64) - 1, 0, _BINS - 1)
    error = Z99 * float(surplus.std(ddof=1)) / math.sqrt(count) if count > 1 else 1.0
    logs = np.log(np.maximum(shares.astype(np.float64), _SMALLEST))
    temperature = _best_temperature(logs, labels)
    return Calibration(
        count=count,
        accuracy=float(right.mean()),
        certainty=float(sure.mean()),
        surplus_low=float(surplus.mean()) - error,
        ece=float(np.abs(np.bincount(bins, surplus, _BINS)).sum()) / count,
        nll=_nll(logs, labels, 1.0),
        nll_tempered=_nll(logs, labels, 1 / temperature),
        temperature=temperature,
    )


def class_recalls(answers: Answers) -> tuple[ClassRecall, ...]:
    """Each class that there are images of, compared with the others together."""
    shares, labels = answers
    kinds = shares.shape[1]
    confusion = np.bincount(labels * kinds + shares.argmax(axis=1), minlength=kinds * kinds).reshape(kinds, kinds)
    counts, hits = confusion.sum(axis=1), np.diagonal(confusion)
    z = bonferroni(int((counts > 0).sum()))
    found = []
    for label in np.flatnonzero(counts).tolist():
        right, count = int(hits[label]), int(counts[label])
        others, others_right = int(counts.sum()) - count, int(hits.sum()) - right
        wrong = confusion[label].copy()
        wrong[label] = 0
        rest = others_right / others if others else right / count
        low, high = wilson(right / count, count)
        found.append(
            ClassRecall(
                label=label,
                right=right,
                count=count,
                low=low,
                high=high,
                confused_with=int(wrong.argmax()) if wrong.any() else None,
                confused=int(wrong.max()),
                behind=rest - right / count,
                behind_low=difference_interval(rest, others, right / count, count, z)[0],
            )
        )
    return tuple(found)


def noise_facts(answers: Answers) -> NoiseFacts | None:
    """How often the surest quarter of the answers is not what the label says; None for too few images.

    The class that is disputed most is left out: a network that gives too many images one class is sure and wrong there.
    """
    shares, labels = answers
    kinds, surest = shares.shape[1], surest_first(shares)[: len(labels) // _SUREST]
    answered = shares[surest].argmax(axis=1)
    wrong = answered != labels[surest]
    fair = (
        answered != np.bincount(answered[wrong], minlength=kinds).argmax() if wrong.any() else np.full(len(wrong), True)
    )
    count, disputed = int(fair.sum()), int(wrong[fair].sum())
    if count < _FEWEST_SURE:
        return None
    low, _ = wilson(disputed / count, count, Z99)
    return NoiseFacts(count, disputed, low, _error(answers))


def surest_first(shares: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Rows in the order of certainty; those that round to 1 are told apart by what the other classes get.

    Example:
        >>> surest_first(np.array([[0.4, 0.6], [1.0, 1e-9], [1.0, 1e-12]], np.float32)).tolist()
        [2, 1, 0]
    """
    rest = shares.astype(np.float64)
    rest[np.arange(len(rest)), rest.argmax(axis=1)] = 0.0
    return np.argsort(rest.sum(axis=1), kind="stable")


def _error(answers: Answers) -> float:
    shares, labels = answers
    return float((shares.argmax(axis=1) != labels).mean()) if len(labels) else 0.0


def _nll(logs: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], sharpness: float) -> float:
    scaled = sharpness * logs
    top = scaled.max(axis=1, keepdims=True)
    total = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
    return float((total - scaled[np.arange(len(labels)), labels]).mean())


def _best_temperature(logs: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> float:
    """The temperature of the lowest negative log-likelihood, by golden section: it is convex in 1 / temperature."""
    coldest, hottest = _TEMPERATURES
    low, high = math.log(1 / hottest), math.log(1 / coldest)
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    cost_left, cost_right = _nll(logs, labels, math.exp(left)), _nll(logs, labels, math.exp(right))
    for _ in range(20):
        if cost_left <= cost_right:
            high, right, cost_right = right, left, cost_left
            left = high - golden * (high - low)
            cost_left = _nll(logs, labels, math.exp(left))
        else:
            low, left, cost_left = left, right, cost_right
            right = low + golden * (high - low)
            cost_right = _nll(logs, labels, math.exp(right))
    return math.exp(-(low + high) / 2)
