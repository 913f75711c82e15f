"""Longer trial updates: can a few images be learned by heart, and which learning rates lower the cost?"""

import time
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from seewell.doctor.probes.trial import Trial
from seewell.doctor.statistics import Kind
from seewell.doctor.update_statistics import HeartFacts, RangeFacts

__all__ = ["few_of_each", "learn_by_heart", "range_test"]

Array = npt.NDArray[Any]

_IMAGES, _UPDATES = 16, 150
_RATES = (1e-3, 1e-2, 1e-4)
"""Of Adam, with which most networks learn a few images in some dozen updates."""
_LEARNED = 0.5
"""Cross-entropy / chance that settles the question."""
_RANGE, _RANGE_IMAGES = (1e-6, 10.0, 140), 64
_SMOOTH = 0.7
_STOP = 4.0
"""Times the best cost at which a range test has seen enough (Smith 2017, fastai)."""
_FALL = 0.95
_BELOW_BEST = 10.0
"""A rate that much below the one with the lowest cost is still safe (fastai)."""


def learn_by_heart(
    model: Any, loss: Any, kind: Kind, data: tuple[Array, Array, Array], *, deadline: float
) -> HeartFacts | None:
    """Show copies of the network 16 images again and again, with Adam at up to three rates.

    Args:
        model: A built, compiled model.
        loss: Its loss: labels and outputs to one number.
        kind: What its outputs are.
        data: Images, labels as the loss takes them, and class numbers.
        deadline: Time of `time.perf_counter` after which to give up.

    Returns:
        How far it came, or None where the time was too short to tell or the images are of one class.
    """
    images, targets, labels = data
    rows = few_of_each(labels, _IMAGES)
    shares = np.unique(labels[rows], return_counts=True)[1] / len(rows)
    chance = float(-(shares * np.log(shares)).sum())
    if chance == 0.0:
        return None
    trial = Trial(model, loss, kind, keras.optimizers.Adam(_RATES[0]))
    best = float("inf")
    for rate in _RATES:
        found = trial.run(
            (images[rows], targets[rows], labels[rows]),
            steps=_UPDATES,
            rate=rate,
            batch=len(rows),
            compiled=True,
            deadline=deadline,
        )
        last = found.losses[-max(1, len(found.losses) // 4) :]
        reached = float(np.mean(last))
        best = min(best, reached if np.isfinite(reached) else float("inf"))
        if best < _LEARNED * chance:
            break
        if time.perf_counter() > deadline:
            return None
    return HeartFacts(best, chance, len(rows), _UPDATES, _RATES)


def few_of_each(labels: npt.NDArray[np.int64], most: int) -> npt.NDArray[np.int64]:
    """Rows of at most so many images, the classes in turn.

    Example:
        >>> few_of_each(np.array([0, 0, 0, 1]), 2).tolist()
        [0, 3]
    """
    turn = np.zeros(len(labels), np.int64)
    for number in np.unique(labels):
        mine = labels == number
        turn[mine] = np.arange(int(mine.sum()))
    return np.argsort(turn, kind="stable")[:most]


def range_test(trial: Trial, data: tuple[Array, Array, Array]) -> RangeFacts:
    """Raise the learning rate from 1e-6 to 10, a little at each of 140 updates.

    All updates see the same 64 images: with so few updates a rate, other
    images at each would say more of the images than of the rate.
    """
    rates = tuple(float(rate) for rate in np.geomspace(*_RANGE))
    images, targets, labels = (part[:_RANGE_IMAGES] for part in data)
    losses = trial.sweep((images, targets, labels), rates, batch=len(images))
    return RangeFacts(rates[: len(losses)], losses, _suggested(rates, losses))


def _suggested(rates: tuple[float, ...], losses: tuple[float, ...]) -> float | None:
    """A tenth of the rate with the lowest smoothed cost before the cost rises for good."""
    smooth, weight, best, at = 0.0, 0.0, float("inf"), 0
    for place, loss in enumerate(losses):
        smooth = _SMOOTH * smooth + (1 - _SMOOTH) * loss
        weight = _SMOOTH * weight + (1 - _SMOOTH)
        if smooth / weight < best:
            best, at = smooth / weight, place
        elif smooth / weight > _STOP * best:
            break
    start = float(np.mean(losses[:10])) if losses else 0.0
    return rates[at] / _BELOW_BEST if best < _FALL * start else None
