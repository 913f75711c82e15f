"""Validation images against training images: copies, classes, range and scale."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.statistics import SplitFacts

__all__ = ["split_facts"]

_MOST_BYTES = 300_000_000


def split_facts(
    train: npt.NDArray[Any],
    train_labels: npt.NDArray[np.int64],
    validation: npt.NDArray[Any],
    validation_labels: npt.NDArray[np.int64],
) -> SplitFacts:
    """Compare two splits; the first 300 MB of each are searched for copies."""
    known = {_digest(image) for image in _as_far(train)}
    seen = _as_far(validation)
    copies = sum(_digest(image) in known for image in seen) / max(1, len(seen))
    a, b = _thin(train), _thin(validation)
    deviation = float(a.std()) or 1e-12
    classes = int(max(train_labels.max(initial=0), validation_labels.max(initial=0))) + 1
    shares = [np.bincount(one[one >= 0], minlength=classes)[:classes] for one in (train_labels, validation_labels)]
    p, q = (counts / max(1, counts.sum()) for counts in shares)
    told = min(len(train_labels), len(validation_labels)) > 0
    unknown = np.flatnonzero((shares[0] == 0) & (shares[1] > 0)) if len(train_labels) else np.zeros(0, np.int64)
    noise = float(0.5 * np.sqrt(2 / np.pi) * sum(np.sqrt(p * (1 - p) * sum(1 / max(1, c.sum()) for c in shares))))
    return SplitFacts(
        copies=copies,
        mean_shift=float((b.mean() - a.mean()) / deviation),
        scale_ratio=float(b.std() / deviation),
        label_distance=float(0.5 * np.abs(p - q).sum()) if told else 0.0,
        label_noise=noise,
        missing=tuple(int(k) for k in np.flatnonzero((shares[0] > 0) & (shares[1] == 0))),
        unknown=tuple(int(k) for k in unknown),
        count=len(validation),
        unknown_expected=float(q[unknown].max(initial=0.0) * len(train_labels)),
    )


def _digest(image: npt.NDArray[Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=12).digest()


def _as_far(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    size = max(1, int(np.prod(images.shape[1:])) * images.dtype.itemsize)
    return images[: max(1, _MOST_BYTES // size)]


def _thin(images: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    rows = np.unique(np.linspace(0, len(images) - 1, min(len(images), 500)).round().astype(np.int64))
    values = np.asarray(images[rows], np.float64)
    return values[np.isfinite(values)]
