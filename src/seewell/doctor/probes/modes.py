"""The same batch, judged as in training and as in use."""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.probes.answers import cross_entropy, probabilities
from seewell.doctor.statistics import Kind, ModeFacts

__all__ = ["mode_facts", "warm_up"]


def mode_facts(
    model: Any, images: npt.NDArray[Any], labels: npt.NDArray[np.int64], kind: Kind, updates: int
) -> ModeFacts:
    """Run a batch in training and in inference mode; what training mode would change goes nowhere."""
    inputs = tf.convert_to_tensor(images)
    with keras.StatelessScope(collect_losses=True):
        training = model(inputs, training=True)
        inference = model(inputs, training=False)
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    return ModeFacts(
        train_loss=float(cross_entropy(labels, training, kind)),
        inference_loss=float(cross_entropy(labels, inference, kind)),
        train_accuracy=_accuracy(training, labels, kind),
        inference_accuracy=_accuracy(inference, labels, kind),
        warm_up=warm_up(model, updates),
        layer=norms[0].name if norms else None,
        count=len(images),
    )


def warm_up(model: Any, updates: int) -> float:
    """The largest momentum ** updates of the BatchNorm layers: the share of the start in their averages; 0 without."""
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    return max((float(layer.momentum) ** updates for layer in norms), default=0.0)


def _accuracy(outputs: Any, labels: npt.NDArray[np.int64], kind: Kind) -> float:
    return float((np.asarray(probabilities(outputs, kind)).argmax(axis=-1) == labels).mean())
