"""What augmentation does to images: compared with the plain ones, image by image."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.image_statistics import AugmentationFacts

__all__ = ["augmentation_facts", "flat_share"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

_SIDE = 16
"""Images are averaged down to so many pixels a side before they are compared."""
_REACH = 0.1
"""Shift, as a share of the side, up to which a moved image still counts as like itself."""
_TURN = 20.0
"""Degrees up to which a turned image does."""
_SLACK = 0.1
"""Share of the plain range by which interpolation may shrink the range of the augmented values."""
_FLAT = 0.1
"""Deviation within an image / mean deviation within plain images, below which it is nearly one colour."""


def augmentation_facts(plain: Array, augmented: Array, labels: npt.NDArray[np.int64]) -> AugmentationFacts:
    """Compare augmented images with the images they were made from.

    Both must be in one scale, such as what reaches the first weights of a
    network, in inference and in training mode.

    Args:
        plain: Images, (N, …), finite.
        augmented: The same images in the same order, augmented.
        labels: Their class numbers (N,).

    Returns:
        How many became one colour, left the range or were cut off, and how
        many a simple rule made from the plain images still recognizes.

    Example:
        >>> images = np.random.default_rng(0).random((40, 8, 8, 1))
        >>> augmentation_facts(images, 0 * images, np.arange(40) % 2).flat
        1.0
    """
    before, after = np.asarray(plain, np.float64), np.asarray(augmented, np.float64)
    finite = np.isfinite(after.reshape(len(after), -1)).all(axis=1)
    deviation = float(before.std()) or 1e-12
    width = float(before.max() - before.min()) or 1e-12
    fine = after[finite]
    outside = (fine > before.max() + 0.5 * width) | (fine < before.min() - 0.5 * width)
    low, high = (float(fine.min()), float(fine.max())) if len(fine) else (0.0, 0.0)
    lost = (before > high + _SLACK * width) | (before < low - _SLACK * width)
    chance = float(np.bincount(labels[labels >= 0]).max() / max(1, len(labels))) if (labels >= 0).any() else 1.0
    return AugmentationFacts(
        not_finite=float(1 - finite.mean()),
        flat=_flat(after, before) - _flat(before, before),
        change=float(np.abs(fine - before[finite]).mean() / deviation) if len(fine) else float("inf"),
        outside=float(outside.mean()) if len(fine) else 1.0,
        lost=float(lost.mean()),
        mean_shift=float((fine.mean() - before.mean()) / deviation) if len(fine) else float("nan"),
        scale_ratio=float(fine.std() / deviation) if len(fine) else float("nan"),
        recognized=_recognized(before[finite], fine, np.asarray(labels)[finite]),
        chance=chance,
        count=len(before),
    )


def flat_share(images: Array, others: Array) -> float:
    """Share of images that are nearly one colour, measured by how much there is to see in others."""
    return _flat(np.asarray(images, np.float64), np.asarray(others, np.float64))


def _flat(images: Floats, others: Floats) -> float:
    usual = float(np.median(_within(others))) or 1e-12
    return float((_within(images) < _FLAT * usual).mean())


def _within(images: Floats) -> Floats:
    """Deviation within each image, each channel by itself."""
    spread = images.std(axis=tuple(range(1, max(2, images.ndim - 1))))
    return np.asarray(np.nan_to_num(spread.reshape(len(images), -1).mean(axis=1)))


def _recognized(plain: Floats, augmented: Floats, labels: npt.NDArray[np.int64]) -> float:
    """Share whose nearest plain image has their class; plain images may be shifted, turned or flipped a little."""
    if len(plain) < 2 or plain.ndim not in (3, 4):
        return 1.0
    wanted = _unit(_shrink(augmented))
    best = np.full((len(plain), len(plain)), -np.inf)
    for version in _versions(_shrink(plain)):
        np.maximum(best, wanted @ _unit(version).T, out=best)
    return float((labels[best.argmax(axis=1)] == labels).mean())


def _versions(images: Floats) -> list[Floats]:
    from scipy.ndimage import rotate

    step = max(1, round(_REACH * images.shape[1]))
    moved = [_moved(images, down, right) for down in (-step, 0, step) for right in (-step, 0, step)]
    turned = [rotate(images, angle, axes=(1, 2), reshape=False, order=1, mode="nearest") for angle in (-_TURN, _TURN)]
    versions = moved + turned
    return versions + [version[:, :, ::-1] for version in versions]


def _moved(images: Floats, down: int, right: int) -> Floats:
    high, wide = images.shape[1:3]
    rows = np.clip(np.arange(high) - down, 0, high - 1)
    columns = np.clip(np.arange(wide) - right, 0, wide - 1)
    return images[:, rows][:, :, columns]


def _unit(images: Floats) -> Floats:
    """Rows of mean 0 and length 1: brightness and contrast do not count."""
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9))


def _shrink(images: Floats) -> Floats:
    """Averages over blocks, at most 16 a side."""
    images = images if images.ndim == 4 else images[..., None]
    high, wide = (max(1, size // _SIDE) for size in images.shape[1:3])
    rows, columns = images.shape[1] // high, images.shape[2] // wide
    cut = images[:, : rows * high, : columns * wide]
    return np.asarray(cut.reshape(len(cut), rows, high, columns, wide, -1).mean(axis=(2, 4)))
