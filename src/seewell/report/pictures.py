"""Images of the data as PNG data URIs: the mean image, and the mistakes made with most confidence."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewell.report.words import printable, shortened

__all__ = ["Mistake", "confident_mistakes", "disputed_labels", "mean_image", "png_data_uri"]

_LARGEST = 160


@dataclass(frozen=True)
class Mistake:
    """One image that was classified wrongly.

    Attributes:
        index: Its place in the split.
        truth: The true class.
        predicted: The class that the network chose.
        probability: The network's probability of the predicted class, in [0, 1].
        image: The image as a PNG data URI.
        path: The image's file, or an empty text.
    """

    index: int
    truth: str
    predicted: str
    probability: float
    image: str
    path: str = ""


def png_data_uri(image: np.ndarray) -> str:
    """A ``data:image/png`` URI of an image; one larger than 160 pixels is made smaller.

    Args:
        image: uint8 (H, W, 1 or 3).

    Returns:
        Letters, digits and ``+/=:;,`` only, safe in any HTML attribute.
    """
    from PIL import Image

    plain = np.ascontiguousarray(image[:, :, 0] if image.shape[2] == 1 else image)
    picture = Image.fromarray(plain)
    picture.thumbnail((_LARGEST, _LARGEST))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def mean_image(images: np.ndarray) -> str:
    """The mean of images per pixel (LTFN 11) as a PNG data URI.

    Args:
        images: uint8 (N, H, W, C), N at least 1; may be memory-mapped and is read once.
    """
    mean = np.zeros(images.shape[1:], np.float64)
    for start in range(0, len(images), 1024):
        mean += images[start : start + 1024].sum(axis=0, dtype=np.float64)
    return png_data_uri(np.rint(mean / len(images)).astype(np.uint8))


def confident_mistakes(
    labels: np.ndarray,
    probabilities: np.ndarray,
    images: np.ndarray,
    classes: Sequence[str],
    *,
    most: int = 24,
    paths: Sequence[Any] | None = None,
) -> list[Mistake]:
    """The images that were classified wrongly with the highest probability, the surest first.

    Args:
        labels: int64 (N,), the true classes.
        probabilities: float32 (N, K).
        images: uint8 (N, H, W, C), in the same order.
        classes: K names.
        most: How many at most.
        paths: The images' files in the same order, where there are any.
    """
    predicted = probabilities.argmax(axis=1)
    surest = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    ranked = wrong[np.argsort(-surest[wrong], kind="stable")][:most]
    return [
        Mistake(
            index=int(place),
            truth=shortened(classes[int(labels[place])], 28),
            predicted=shortened(classes[int(predicted[place])], 28),
            probability=float(surest[place]),
            image=png_data_uri(np.asarray(images[place])),
            path=printable(paths[place]) if paths else "",
        )
        for place in ranked
    ]


def disputed_labels(
    issues: Sequence[Mapping[str, Any]],
    images: np.ndarray,
    classes: Sequence[str],
    *,
    most: int = 12,
    paths: Sequence[Any] | None = None,
) -> list[Mistake]:
    """The first images whose labels look wrong; their label as the truth, the network's answer as the prediction.

    Args:
        issues: Entries of ``label-issues.json`` that fit the images and classes.
        images: uint8 (N, H, W, C) of the validation split.
        classes: K names.
        most: How many at most.
        paths: The images' files, where there are any.
    """
    return [
        Mistake(
            index=one["index"],
            truth=shortened(classes[one["given"]], 28),
            predicted=shortened(classes[one["suggested"]], 28),
            probability=float(one["probability"]),
            image=png_data_uri(np.asarray(images[one["index"]])),
            path=printable(paths[one["index"]]) if paths else "",
        )
        for one in issues[:most]
    ]
