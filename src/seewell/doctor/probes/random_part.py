"""The network's own augmentation, run on a sample without the rest of the network."""

import dataclasses
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.image_statistics import AugmentationFacts
from seewell.doctor.probes.anatomy import Anatomy
from seewell.doctor.probes.augmentation import augmentation_facts

__all__ = ["network_augmentation"]

_IMAGES, _VALUES = 256, 20_000_000
"""Images compared, and values in them, at most."""
_BATCH = 32
"""Some layers draw once a batch."""
_STRONG_ON_PURPOSE = ("RandAugment", "AugMix")
"""Published mixtures of operations, some of which leave little to recognize."""


def network_augmentation(
    anatomy: Anatomy, images: npt.NDArray[Any], labels: npt.NDArray[np.int64]
) -> AugmentationFacts | None:
    """What the random layers before the first weights do; None where there are none.

    Args:
        anatomy: The layers of the network.
        images: A sample, as the network takes it.
        labels: Class numbers.
    """
    layers = anatomy.augmentations()
    if not layers:
        return None
    most = max(2, min(_IMAGES, _VALUES // max(1, int(np.prod(images.shape[1:])))))
    rows = np.unique(np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(np.int64))
    plain, changed = [], []
    with keras.StatelessScope(collect_losses=True):
        for start in range(0, len(rows), _BATCH):
            part = tf.cast(tf.convert_to_tensor(images[rows[start : start + _BATCH]]), anatomy.model.inputs[0].dtype)
            plain.append(np.asarray(tf.cast(anatomy.before_weights(part, augmented=False), tf.float32)))
            changed.append(np.asarray(tf.cast(anatomy.before_weights(part, augmented=True), tf.float32)))
    facts = augmentation_facts(np.concatenate(plain), np.concatenate(changed), labels[rows])
    if any(type(layer).__name__ in _STRONG_ON_PURPOSE for layer in layers):
        return dataclasses.replace(facts, recognized=1.0)
    return facts
