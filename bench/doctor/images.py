"""Real images for the doctor's trial: float32 (N, H, W, C) from 0 to 255, shuffled, with class numbers.

All but the digits are halved in size (means of 2 x 2 pixels), so that hundreds of trainings fit into an hour.
"""

import functools

import numpy as np

from seewell.data.loading import load_dataset

CLASSES = 10


@functools.cache
def everything(name):
    """All images of a set that may be used, in a fixed random order."""
    dataset = load_dataset(name)
    splits = [dataset.train, dataset.validation]
    images = np.concatenate([np.asarray(split.images) for split in splits])
    labels = np.concatenate([split.labels for split in splits])
    order = np.random.default_rng(7).permutation(len(labels))[:12_000]
    images = images[order].astype("float32")
    if images.shape[1] > 16:
        count, height, width, channels = images.shape
        images = images.reshape(count, height // 2, 2, width // 2, 2, channels).mean((2, 4))
    return images, labels[order]


def splits(name, count, seed, held=400):
    """Training, validation and test images that do not overlap; another choice for each seed.

    All that is left over is for the test, up to 2,000 images: what is held true must be known better than the doctor can.
    """
    images, labels = everything(name)
    order = np.random.default_rng([seed, 11]).permutation(len(labels))
    held = min(held, len(labels) // 5)
    count = min(count, len(labels) - 2 * held)
    ends = np.cumsum([count, held, min(2000, len(labels) - count - held)])
    parts = np.split(order[: ends[-1]], ends[:-1])
    return [(images[rows], labels[rows]) for rows in parts]
