"""Test-time augmentation: a network's answers on several views of an image, averaged."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["VIEWS", "Answers", "answers_on_views"]

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


@dataclass(frozen=True, eq=False)
class Answers:
    """A network's answers on some images.

    Attributes:
        logs: float32 (N, K) log-probabilities.
        probabilities: float32 (N, K).
    """

    logs: NDArray[np.float32]
    probabilities: NDArray[np.float32]


def answers_on_views(
    predict: Callable[[Images], tuple[NDArray[np.float32], NDArray[np.float32]]],
    images: Images,
    name: str,
    *,
    most: int = 1000,
) -> tuple[Answers, Answers]:
    """The answers on the images as they are, and the logits of each view, averaged with its weight.

    Logits and log-probabilities differ by one number a view, which the last
    softmax takes out again, so that log-probabilities serve. Only a block of
    images is copied at a time: the split may be larger than the memory.

    Args:
        predict: From uint8 (N, H, W, C) to float32 (N, K) log-probabilities and probabilities.
        images: uint8 (N, H, W, C), at least one.
        name: One of `VIEWS`.
        most: Images in a block.

    Returns:
        The plain answers, and those over all views.
    """
    plain: list[tuple[NDArray[np.float32], NDArray[np.float32]]] = []
    totals: list[NDArray[np.float64]] = []
    for start in range(0, len(images), most):
        block = np.asarray(images[start : start + most])
        plain.append(predict(block))
        total: Any = 0.0
        for weight, changes in VIEWS[name]:
            view = block
            for change in changes:
                view = change(view)
            logs = predict(np.ascontiguousarray(view))[0] if changes != (_as_it_is,) else plain[-1][0]
            total = total + weight * logs.astype(np.float64)
        totals.append(total)
    both = np.concatenate(totals)
    shifted = both - both.max(axis=1, keepdims=True)
    averaged = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return (
        Answers(np.concatenate([one[0] for one in plain]), np.concatenate([one[1] for one in plain])),
        Answers(averaged.astype(np.float32), np.exp(averaged).astype(np.float32)),
    )
