"""Values and gradients of every weighted layer on a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.probes.anatomy import Anatomy, is_trainable
from seewell.doctor.probes.answers import cross_entropy
from seewell.doctor.statistics import Kind, LayerValues

__all__ = ["layer_values", "predicted_values"]

_BEND = {"sigmoid": 4.0, "tanh": 2.0, "hard_sigmoid": 3.0}
"""Beyond these pre-activations the slope is below 7 % of its largest value."""


def layer_values(
    anatomy: Anatomy,
    images: npt.NDArray[Any],
    labels: npt.NDArray[np.int64] | None = None,
    *,
    kind: Kind = "logits",
    training: bool = True,
) -> tuple[LayerValues, ...]:
    """What each weighted layer does to a batch; in training mode, so that BatchNorm normalizes by the batch.

    Args:
        anatomy: The layers.
        images: As the network takes them.
        labels: Class numbers; without them gradients are left out.
        kind: What the network's output is.
        training: Whether layers run as in training; what they would change goes nowhere.
    """
    kernels = [point.call.layer.kernel.value for point in anatomy.points]
    inputs = tf.cast(tf.convert_to_tensor(images), anatomy.model.inputs[0].dtype)
    slopes: Sequence[Any] = [None] * len(kernels)
    if labels is None:
        values = anatomy.values(inputs, training=training)
    else:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            values = anatomy.values(inputs, training=training)
            softmax = kind == "probabilities"
            answers = anatomy.logits.value(values) if softmax else values[id(anatomy.model.outputs[0])]
            cost = cross_entropy(labels, answers, "logits" if softmax else kind)
        slopes = tape.gradient(cost, kernels, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    found = []
    for index, point in enumerate(anatomy.points):
        before = np.asarray(tf.cast(point.value(values), tf.float32))
        found.append(_layer(anatomy, index, before, slopes[index]))
    return tuple(found)


def _layer(anatomy: Anatomy, index: int, before: npt.NDArray[np.float32], slope: Any) -> LayerValues:
    following = anatomy.following[index]
    name = following.activation
    layer = anatomy.points[index].call.layer
    kernel = np.asarray(layer.kernel.value, np.float32)
    fan_in = kernel.size // kernel.shape[-1]
    finite = bool(np.isfinite(before).all())
    first = getattr(layer, "data_format", "channels_last") == "channels_first" and before.ndim > 2
    units = np.moveaxis(before, 1, -1) if first else before
    units = units.reshape(-1, units.shape[-1])
    relu = name in ("relu", "relu6") and (not following.residual or anatomy.points[index].fused)
    bend = None if following.gate else _BEND.get(name)
    trainable = is_trainable(layer)
    penalty, fading = _penalty(layer)
    return LayerValues(
        name=anatomy.names[index],
        activation=name,
        deviation=float(before.std(dtype=np.float64)) if finite else float("nan"),
        largest=float(np.abs(before).max()) if finite else float("inf"),
        finite=finite,
        silent=float((units.max(axis=0) <= 0).mean()) if relu else None,
        saturated=None if bend is None else float((np.abs(units) > bend).mean()),
        gradient=None
        if slope is None or not trainable
        else float(np.sqrt(np.mean(np.square(np.asarray(slope, np.float64))))),
        weight=float(np.sqrt(np.mean(np.square(kernel, dtype=np.float64)))),
        penalty=penalty,
        gain=float(kernel.std(dtype=np.float64) * np.sqrt(fan_in)),
        last=following.end,
        residual=following.summed,
        trainable=trainable,
        fading=fading,
        depends=_depends(before) if finite else None,
    )


def predicted_values(anatomy: Anatomy) -> tuple[LayerValues, ...]:
    """What weights alone tell of the values, for inputs of size 1; nothing where a normalization or sum stands between.

    A layer multiplies the deviation by its gain, ReLU halves the mean square (He et al. 2015).
    """
    layers = anatomy.model._flatten_layers(include_self=False)
    if any("Normalization" in type(layer).__name__ for layer in layers) or any(f.residual for f in anatomy.following):
        return ()
    found, size = [], 1.0
    for name, point, following in zip(anatomy.names, anatomy.points, anatomy.following, strict=True):
        kernel = np.asarray(point.call.layer.kernel.value, np.float64)
        weight = float(np.sqrt(np.mean(np.square(kernel))))
        gain = float(kernel.std() * np.sqrt(kernel.size // kernel.shape[-1]))
        size *= weight * np.sqrt(kernel.size // kernel.shape[-1])
        values = LayerValues(
            name, following.activation, size, 3 * size, True, None, None, None, weight, gain, last=following.end
        )
        found.append(values)
        size *= np.sqrt(0.5) if following.activation in ("relu", "relu6") else 1.0
        size = min(size, 1.0) if following.activation in ("tanh", "sigmoid") else size
    return tuple(found)


def _depends(values: npt.NDArray[np.float32]) -> float:
    across, spread = np.sqrt(values.var(axis=0, dtype=np.float64).mean()), values.std(dtype=np.float64)
    return float(across / spread) if spread > 0 else 0.0


def _penalty(layer: Any) -> tuple[float, float]:
    """Root mean square of the slope of the kernel's regularizer, 0 without one; the share of it at half the size."""
    regularizer = getattr(layer, "kernel_regularizer", None)
    if regularizer is None:
        return 0.0, 0.5
    kernel = tf.convert_to_tensor(layer.kernel.value)
    whole, half = _slope(regularizer, kernel), _slope(regularizer, kernel / 2)
    return whole, half / whole if whole > 0 else 0.5


def _slope(regularizer: Any, kernel: Any) -> float:
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        cost = tf.reduce_sum(regularizer(kernel))
    slope = tape.gradient(cost, kernel)
    return 0.0 if slope is None else _size(slope)


def _size(values: Any) -> float:
    return float(np.sqrt(np.mean(np.square(np.asarray(values, np.float64)))))
