"""Labels: how many of each, in what order, and whether they have anything to do with their images."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.statistics import LabelFacts

__all__ = ["label_facts", "sorted_share"]

Array = npt.NDArray[Any]

_MOST_VALUES = 1024
_RIDGE = 1.0


def label_facts(
    every: npt.NDArray[np.int64],
    form: str,
    *,
    complete: bool,
    arrays: bool,
    images: Array | None = None,
    labels: npt.NDArray[np.int64] | None = None,
) -> LabelFacts:
    """Statistics of the labels.

    Args:
        every: All class numbers that were read, in the order of the data.
        form: How they are written.
        complete: Whether that is all there are.
        arrays: Whether the data are arrays.
        images: A sample of images, to ask whether like images have like labels.
        labels: Their class numbers.
    """
    valid = every[every >= 0]
    right, chance, count = (0.0, 0.0, 0) if images is None or labels is None else _neighbours(images, labels)
    return LabelFacts(
        counts=tuple(int(n) for n in np.bincount(valid)) if valid.size and valid.max() < 1_000_000 else (),
        negative=int((every < 0).sum()),
        form=form,
        complete=complete,
        sorted_share=sorted_share(every),
        shuffled_by_fit=arrays,
        neighbour_accuracy=right,
        neighbour_chance=chance,
        neighbour_count=count,
    )


def sorted_share(every: npt.NDArray[np.int64]) -> float:
    """Neighbours with the same label, above what chance gives: 0 shuffled, 1 sorted.

    Example:
        >>> sorted_share(np.array([0, 0, 0, 0, 1, 1, 1, 1]))
        0.7142857142857142
    """
    if len(every) < 2:
        return 0.0
    _, counts = np.unique(every, return_counts=True)
    by_chance = float(np.square(counts / len(every)).sum())
    same = float((every[1:] == every[:-1]).mean())
    return (same - by_chance) / (1 - by_chance) if by_chance < 1 else 1.0


def _neighbours(images: Array, labels: npt.NDArray[np.int64]) -> tuple[float, float, int]:
    """The better of two simple rules, each tried on images it was not made from: nearest neighbour, linear."""
    flat = np.asarray(images, np.float64).reshape(len(images), -1)
    flat = flat[:, :: max(1, flat.shape[1] // _MOST_VALUES)]
    fine = np.isfinite(flat).all(axis=1) & (labels >= 0)
    flat, labels = flat[fine], labels[fine]
    if len(flat) < 20 or len(np.unique(labels)) < 2:
        return 0.0, 0.0, 0
    flat = (flat - flat.mean(axis=0)) / (flat.std() + 1e-12)
    square = (flat * flat).sum(axis=1)
    distance = square[:, None] + square[None, :] - 2 * flat @ flat.T
    np.fill_diagonal(distance, np.inf)
    nearest = float((labels[distance.argmin(axis=1)] == labels).mean())
    _, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return max(nearest, _linear(flat, numbers)), float(counts.max() / len(labels)), len(labels)


def _linear(flat: npt.NDArray[np.float64], numbers: npt.NDArray[np.int64]) -> float:
    """Leave-one-out accuracy of a ridge regression onto one-hot labels, by the hat matrix."""
    wanted = np.eye(int(numbers.max()) + 1)[numbers]
    wanted = wanted - wanted.mean(axis=0)
    kernel = flat @ flat.T
    hat = kernel @ np.linalg.inv(kernel + _RIDGE * np.trace(kernel) / len(kernel) * np.eye(len(kernel)))
    own = np.clip(np.diag(hat), 0, 0.999)[:, None]
    guess = (hat @ wanted - own * wanted) / (1 - own)
    return float((guess.argmax(axis=1) == numbers).mean())
