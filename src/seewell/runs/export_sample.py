"""The images that an export is compared on: the run's own where they are found, seeded ones otherwise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seewell.data.dataset import ImageDataset, Split
from seewell.errors import SeewellError
from seewell.runs.run import Run

__all__ = ["Sample", "gather_sample", "seeded_images"]

LEAST = 256
"""Fewer images are no comparison."""

_MOST_MEASURED = 5000
_MOST_BYTES = 2**28
_CALIBRATION = 128


@dataclass(frozen=True, eq=False)
class Sample:
    """What an export is compared on.

    Attributes:
        images: uint8 (N, H, W, C), N at least 256: validation, then training, then seeded images.
        labels: int64 (V,), of the first V images, which are validation images.
        validation: How many are of the validation split.
        train: How many are of the training split.
        seeded: How many were made up.
        calibration: uint8 (M, H, W, C), training images, or None where the dataset is not there.
        missing: Why the dataset was not used; "" where it was.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    validation: int
    train: int
    seeded: int
    calibration: NDArray[np.uint8] | None
    missing: str = ""

    @property
    def source(self) -> str:
        """Which images they are, in words."""
        parts = (
            (self.validation, "of the validation split"),
            (self.train, "of the training split"),
            (self.seeded, "seeded"),
        )
        return ", ".join(f"{count:,} {what}" for count, what in parts if count)


def gather_sample(run: Run, *, measure: bool) -> Sample:
    """Collect the images for a run's export; the test split is left alone.

    Args:
        run: The run.
        measure: Whether accuracy is to be measured too: then up to 5,000 validation images, else 256.

    Returns:
        The sample.
    """
    shape = tuple(run.info["dataset"]["image_shape"])
    dataset, missing = _dataset(run)
    if dataset is None:
        return Sample(seeded_images(LEAST, shape), np.zeros(0, np.int64), 0, 0, LEAST, None, missing)
    most = max(LEAST, min(_MOST_MEASURED, _MOST_BYTES // int(np.prod(shape)))) if measure else LEAST
    rows = _spread(dataset.validation, most)
    parts = [dataset.validation.images[rows]]
    extra = _spread(dataset.train, max(0, LEAST - len(rows)))
    parts.append(dataset.train.images[extra])
    left = max(0, LEAST - len(rows) - len(extra))
    parts.append(seeded_images(left, shape))
    return Sample(
        images=np.concatenate(parts),
        labels=dataset.validation.labels[rows],
        validation=len(rows),
        train=len(extra),
        seeded=left,
        calibration=np.asarray(dataset.train.images[_spread(dataset.train, _CALIBRATION)]),
    )


def seeded_images(count: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Images that are the same each time: noise on a coarse pattern, a black and a white one among them.

    Args:
        count: How many.
        shape: Height, width and channels.

    Returns:
        uint8 (count, H, W, C).

    Example:
        >>> seeded_images(3, (8, 8, 1)).shape
        (3, 8, 8, 1)
    """
    height, width, channels = shape
    rng = np.random.default_rng(0)
    side = rng.integers(1, 9, count)
    images = np.empty((count, *shape), np.uint8)
    for index, coarse in enumerate(side):
        pattern = rng.integers(0, 256, (coarse, coarse, channels))
        rows = np.arange(height) * coarse // height
        columns = np.arange(width) * coarse // width
        noise = rng.integers(-40, 41, shape)
        images[index] = np.clip(pattern[rows][:, columns] + noise, 0, 255)
    images[1:2], images[2:3] = 0, 255
    return images


def _dataset(run: Run) -> tuple[ImageDataset | None, str]:
    facts = run.info["dataset"]
    if not facts["source"]:
        return None, "the run names no dataset"
    try:
        found = run.dataset()
    except SeewellError as problem:
        return None, problem.what
    if found.fingerprint() != facts["fingerprint"]:
        return None, f"{found.name} is not the dataset that the run was trained on any more"
    return found, ""


def _spread(split: Split, most: int) -> NDArray[np.int64]:
    """At most so many rows, evenly spread, so that a sorted split is not cut to its first classes."""
    count = min(most, len(split))
    return np.linspace(0, len(split) - 1, count).round().astype(np.int64)
