"""The images of the throughput bench: random bytes, which cost the same as real ones. NumPy alone."""

import numpy as np

POOL = 2000
"""Images that training draws its batches from, where a batch is not larger."""


def images_and_labels(shape, count, classes=10):
    """uint8 (count, H, W, C) and int64 (count,), the same at each call."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    return images, rng.integers(0, classes, count).astype(np.int64)


def compared_batches(shape, batch_size, steps, classes=10):
    """The batches whose losses are compared: (steps, batch, H, W, C) and (steps, batch).

    Bright rows tell the classes, so that the losses fall.
    """
    images, labels = images_and_labels(shape, batch_size * steps, classes)
    images = images // 2
    rows = (labels * shape[0]) // classes
    images[np.arange(len(images)), rows] += 128
    return images.reshape(steps, batch_size, *shape), labels.reshape(steps, batch_size)
