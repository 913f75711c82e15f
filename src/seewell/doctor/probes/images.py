"""The numbers in the images, as given and as the first weights see them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.statistics import InputFacts

__all__ = ["input_facts", "share_not_finite"]

_CHUNK = 1000


def input_facts(given: npt.NDArray[Any], seen: npt.NDArray[Any] | None, *, normalized: bool) -> InputFacts:
    """Statistics of a sample of images.

    Args:
        given: As the network takes them, (N, …).
        seen: What reaches the first weighted layer; None where that cannot be read.
        normalized: Whether a normalization stands right behind that layer.
    """
    whole = np.asarray(given, np.float64)
    bad = ~np.isfinite(whole.reshape(len(whole), -1)).all(axis=1)
    reach = np.asarray(seen if seen is not None else given, np.float64)
    reach = reach[np.isfinite(reach)]
    fine = whole[~bad]
    return InputFacts(
        not_finite=float(bad.mean()),
        low=float(reach.min()) if reach.size else 0.0,
        high=float(reach.max()) if reach.size else 0.0,
        mean=float(reach.mean()) if reach.size else 0.0,
        deviation=float(reach.std()) if reach.size else 0.0,
        given_low=float(fine.min()) if fine.size else 0.0,
        given_high=float(fine.max()) if fine.size else 0.0,
        normalized=normalized,
        judged=seen is not None,
        same=len(fine) > 1 and bool((fine == fine[:1]).all()),
        flat_channels=_flat_channels(fine),
    )


def share_not_finite(images: npt.NDArray[Any]) -> float:
    """Share of images with NaN or infinity, of all of them; reads floats once, and no whole numbers.

    Example:
        >>> share_not_finite(np.array([[0.0, np.nan], [1.0, 2.0]]))
        0.5
    """
    if images.dtype.kind != "f" or len(images) == 0:
        return 0.0
    bad = 0
    for start in range(0, len(images), _CHUNK):
        part = np.asarray(images[start : start + _CHUNK]).reshape(len(images[start : start + _CHUNK]), -1)
        if not np.isfinite(part.sum(dtype=np.float64)):  # one pass; a second where something is wrong
            bad += int((~np.isfinite(part)).any(axis=1).sum())
    return bad / len(images)


def _flat_channels(images: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Of images with channels last, 2 to 4 of them."""
    if len(images) < 2 or images.ndim != 4 or not 2 <= images.shape[-1] <= 4:
        return ()
    flat = images.reshape(-1, images.shape[-1])
    return tuple(int(number) for number in np.flatnonzero(flat.min(axis=0) == flat.max(axis=0)))
