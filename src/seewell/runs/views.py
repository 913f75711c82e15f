"""Test-time augmentation: a network's answers on several views of an image, averaged."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEWS", "answers_on_views"]

Images = NDArray[np.uint8]


def _as_it_is(images: Images) -> Images:
    return images


def _mirrored(images: Images) -> Images:
    return images[:, :, ::-1]


def _moved(by: int) -> Callable[[Images], Images]:
    """Moved by so many pixels down and right, the gap filled with the border mirrored about its last pixel."""

    def move(images: Images) -> Images:
        height, width = images.shape[1:3]
        rows, columns = _reflected(np.arange(height) - by, height), _reflected(np.arange(width) - by, width)
        return images[:, rows][:, :, columns]

    return move


def _reflected(places: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    inside = np.abs(places)
    return np.clip(np.where(inside >= size, 2 * size - 2 - inside, inside), 0, size - 1)


VIEWS: dict[str, tuple[tuple[float, tuple[Callable[[Images], Images], ...]], ...]] = {
    "mirror": ((0.5, (_as_it_is,)), (0.5, (_mirrored,))),
    "mirror-shift": (
        (0.25, (_as_it_is,)),
        (0.25, (_mirrored,)),
        (0.125, (_moved(1),)),
        (0.125, (_moved(1), _mirrored)),
        (0.125, (_moved(-1),)),
        (0.125, (_moved(-1), _mirrored)),
    ),
}
"""Name → views, each with its weight and the changes that make it (Jordan 2024, arXiv:2404.00498, section 3.5)."""


def answers_on_views(
    predict: Callable[[Images], tuple[NDArray[np.float32], Any]], images: Images, name: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The logits of each view, averaged with its weight, as one answer an image.

    Logits and log-probabilities differ by one number a view, which the last
    softmax takes out again, so that log-probabilities serve.

    Args:
        predict: From uint8 (N, H, W, C) to float32 (N, K) log-probabilities and something else.
        images: uint8 (N, H, W, C).
        name: One of `VIEWS`.

    Returns:
        float32 (N, K) log-probabilities and float32 (N, K) probabilities.
    """
    total: Any = 0.0
    for weight, changes in VIEWS[name]:
        view = images
        for change in changes:
            view = change(view)
        total = total + weight * predict(np.ascontiguousarray(view))[0].astype(np.float64)
    shifted = total - total.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs.astype(np.float32), np.exp(logs).astype(np.float32)
