"""Near copies: images of one split that are those of another, brightened, flipped, shifted or saved again."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["can_have_copies", "near_copies"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_SIDE = 8
"""Pixels a side of the thumbnails by which candidates are found."""
_FINE = 64
"""Pixels a side, at most, of the images that are compared in full."""
_SMALLEST = 16
"""Smaller images have too little detail: two eights are as like as two copies."""
_CANDIDATE = 0.9
"""Correlation of thumbnails from which on a pair is compared in full."""
_SHIFTS = (-1, 0, 1)
_TRAIN, _VALIDATION, _VALUES = 10_000, 1_000, 300_000_000
"""Images compared at most, spread evenly, and values in them."""


def near_copies(train: Array, validation: Array) -> Floats:
    """For each of (some of) the validation images the likeness of the most similar training image.

    Brightness and contrast do not count, and a flip or a shift by a pixel is
    undone. Likeness is the correlation of what is left when the slow changes
    across an image are taken away: two images of one kind share those, copies
    share the rest.

    Args:
        train: Images (N, H, W, C) or (N, H, W).
        validation: Images of the same shape.

    Returns:
        Likeness in [-1, 1], float32, of each validation image that was looked at; -1 where nothing is alike, and
        for exact copies, which are another probe's business. Empty where images are too small or no images.
    """
    if (
        min(train.ndim, validation.ndim) < 3
        or min(train.shape[1:3]) < _SMALLEST
        or train.shape[1:] != validation.shape[1:]
    ):
        return np.zeros(0, np.float32)
    a, b = _rows(train, _TRAIN), _rows(validation, _VALIDATION)
    known, asked = _grey(train, a), _grey(validation, b)
    small, wanted = _unit(_shrink(known, _SIDE)), _shrink(asked, _SIDE)
    found = np.full(len(b), -1.0, np.float32)
    exact = np.zeros(len(b), bool)
    for flip in (False, True):
        turned = wanted[:, :, ::-1] if flip else wanted
        alike = _unit(turned) @ small.T
        best = alike.argmax(axis=1)
        for row in np.flatnonzero(alike.max(axis=1) > _CANDIDATE):
            other = asked[row][:, ::-1] if flip else asked[row]
            found[row] = max(found[row], _likeness(known[best[row]], other))
            exact[row] |= np.array_equal(train[a[best[row]]], validation[b[row]])
    found[exact] = -1.0
    return found


def can_have_copies(images: Array) -> bool:
    """Whether there is enough detail to tell copies from images of one kind."""
    return images.ndim in (3, 4) and min(images.shape[1:3]) >= _SMALLEST


def _likeness(image: Floats, other: Floats) -> float:
    a, b = _edges(image), _edges(other)
    inner = a[1:-1, 1:-1]
    best = -1.0
    for down in _SHIFTS:
        for right in _SHIFTS:
            moved = b[1 + down : b.shape[0] - 1 + down, 1 + right : b.shape[1] - 1 + right]
            best = max(best, _correlation(inner, moved))
    return best


def _edges(image: Floats) -> Floats:
    """The image less its own blur."""
    from scipy.ndimage import uniform_filter

    return np.asarray(image - uniform_filter(image, 5, mode="nearest"), np.float32)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float((a * b).sum() / size) if size > 1e-6 else -1.0


def _grey(images: Array, rows: npt.NDArray[np.int64]) -> Floats:
    """Float32 (N, H, W), of large images averages over blocks."""
    return np.concatenate([_one_grey(images[row]) for row in rows])


def _one_grey(image: Array) -> Floats:
    values = np.nan_to_num(np.asarray(image, np.float32))
    return _shrink((values.mean(axis=-1) if values.ndim == 3 else values)[None], _FINE)


def _shrink(images: Floats, side: int) -> Floats:
    high, wide = (max(1, size // side) for size in images.shape[1:3])
    rows, columns = images.shape[1] // high, images.shape[2] // wide
    cut = images[:, : rows * high, : columns * wide]
    return np.asarray(cut.reshape(len(cut), rows, high, columns, wide).mean(axis=(2, 4)))


def _unit(images: Floats) -> Floats:
    flat = images.reshape(len(images), -1)
    flat = flat - flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-9), np.float32)


def _rows(images: Array, most: int) -> npt.NDArray[np.int64]:
    most = max(1, min(len(images), most, _VALUES // max(1, int(np.prod(images.shape[1:])))))
    return np.unique(np.linspace(0, len(images) - 1, most).round().astype(np.int64))
