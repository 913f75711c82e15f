"""Validation images against training images, beyond mean and spread: copies, channels, sharpness, range."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.image_statistics import DriftFacts
from seewell.doctor.probes.augmentation import flat_share
from seewell.doctor.probes.copies import near_copies

__all__ = ["drift_facts"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_IMAGES, _VALUES = 500, 20_000_000
"""Images looked at, and values in them, at most."""
_NEAR = 0.965
"""Likeness from which on two images are one. The most alike of 1,000 and 8,000 different images had 0.951 (MNIST) and
0.939 (CIFAR-10); copies brightened, flipped or saved as JPEG of quality 90 have 0.98 and more."""
_ERRORS = 4.0
"""Standard errors beyond which a difference of means is no chance."""
_COLOURED = 0.15
"""Red less blue, in deviations between images, from which on their order can be told. CIFAR-10 has 0.3."""
_ALIKE = 0.5
"""Correlation of mean images that two halves of one split must have before a negative one means anything."""
_SLACK = 0.1


def drift_facts(train: Array, validation: Array, *, plain: bool, copies: bool) -> DriftFacts:
    """Compare two splits.

    Args:
        train: Training images, (N, …).
        validation: Validation images of the same shape.
        plain: Whether training images are as they are, not augmented by a pipeline.
        copies: Whether to look for near copies as well, which takes a second or two.
    """
    near = near_copies(train, validation) > _NEAR if copies else np.zeros(0, bool)
    a, b = _some(train), _some(validation)
    finite = bool(np.isfinite(a).all() and np.isfinite(b).all())
    return DriftFacts(
        near_copies=float(near.mean()) if len(near) else 0.0,
        near_count=len(near),
        swapped=finite and _swapped(a, b),
        inverted=finite and _inverted(a, b),
        sharpness=_sharpness(a, b) if finite else None,
        outside=max(_outside(a, b), _outside(b, a)) if finite else 0.0,
        flat_train=flat_share(a, b) if finite else 0.0,
        flat_validation=flat_share(b, b) if finite else 0.0,
        plain=plain,
        count=min(len(a), len(b)),
    )


def _swapped(train: Floats, validation: Floats) -> bool:
    """Whether red less blue has the other sign, and about the same size."""
    if train.ndim != 4 or train.shape[-1] != 3 or min(len(train), len(validation)) < 2:
        return False
    here, there = (one[..., 0].mean(axis=(1, 2)) - one[..., 2].mean(axis=(1, 2)) for one in (train, validation))
    sure = all(abs(one.mean()) > _ERRORS * one.std() / np.sqrt(len(one)) for one in (here, there))
    coloured = all(abs(one.mean()) > _COLOURED * one.std() for one in (here, there))
    a, b = float(here.mean()), float(there.mean())
    return bool(sure and coloured and a * b < 0 and abs(a + b) < 0.5 * max(abs(a), abs(b)))


def _inverted(train: Floats, validation: Floats) -> bool:
    """Whether the mean images are each other's negative, while two halves of the training images agree."""
    if train[0].size < 16:
        return False
    steady = _correlation(train[::2].mean(axis=0), train[1::2].mean(axis=0))
    return steady > _ALIKE and _correlation(train.mean(axis=0), validation.mean(axis=0)) < -_ALIKE


def _sharpness(train: Floats, validation: Floats) -> float | None:
    if train.ndim not in (3, 4) or min(train.shape[1:3]) < 4:
        return None
    here, there = _differences(train), _differences(validation)
    return there / here if here > 0 else None


def _differences(images: Floats) -> float:
    """Root mean square difference of a pixel from the mean of its four neighbours / deviation within images."""
    within = images.std(axis=(1, 2)).mean()
    inner = images[:, 1:-1, 1:-1]
    around = images[:, :-2, 1:-1] + images[:, 2:, 1:-1] + images[:, 1:-1, :-2] + images[:, 1:-1, 2:]
    return float(np.sqrt(np.mean((inner - around / 4) ** 2)) / within) if within > 0 else 0.0


def _outside(values: Floats, others: Floats) -> float:
    low, high = float(others.min()), float(others.max())
    slack = _SLACK * (high - low)
    return float(((values < low - slack) | (values > high + slack)).mean())


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / size) if size > 1e-12 else 0.0


def _some(images: Array) -> Floats:
    most = max(1, min(len(images), _IMAGES, _VALUES // max(1, int(np.prod(images.shape[1:])))))
    rows = np.unique(np.linspace(0, len(images) - 1, most).round().astype(np.int64))
    return np.asarray(images[rows], np.float64)
