"""A network's forward pass in training with each BatchNorm as one kernel, where Keras takes a dozen operations."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from seewell.networks.graph import Call, calls, calls_at_any_depth, replay

__all__ = ["forward_in_training"]

_AXES = 4
_DTYPES = ("float32", "bfloat16", "float16")
"""What the kernel takes; its scale and offset are float32 always."""


def forward_in_training(model: Any, output: Any) -> Callable[[Any], Any]:
    """The way from images to an output of a network in training mode.

    The values are Keras's up to rounding, and so are the moving averages that
    BatchNorm keeps (of the biased variance, where the kernel gives the unbiased
    one). The layers themselves stay Keras's own: a saved network knows nothing
    of it.

    Args:
        model: A functional model with one input. One that holds other models, masks or penalties on activities runs as
            Keras runs it.
        output: The Keras tensor to compute.

    Returns:
        A function for use in a graph; batches of images in, values of ``output`` out.
    """
    every = [call for _, call in calls_at_any_depth(model)]
    plain = not any(call.inner is not None for call in calls(model)) and not any(map(_collects_losses, every))
    if not plain or not any(_is_fusable(call.layer) for call in every):
        whole = keras.Model(model.input, output)
        return lambda images: whole(images, training=True)
    around = keras.layers.Lambda(
        lambda images: replay(model, images, instead=_instead)[id(output)], name="training", autocast=False
    )
    return lambda images: around(images, training=True)


def _instead(layer: Any) -> Callable[..., Any]:
    if not _is_fusable(layer):
        return layer

    def call(x: Any, mask: Any = None) -> Any:
        if mask is not None:
            return layer(x, mask=mask)
        if getattr(x, "_keras_mask", None) is not None:
            return layer(x)
        with tf.name_scope(layer.name):
            return _normalize(layer, x)

    return call


def _is_fusable(layer: Any) -> bool:
    if (
        not isinstance(layer, keras.layers.BatchNormalization)
        or type(layer).call is not keras.layers.BatchNormalization.call
    ):
        return False
    shape = layer.input_spec.ndim if layer.input_spec is not None else None
    last = layer.axis in (-1, _AXES - 1)
    fits = layer.variable_dtype == "float32" and layer.compute_dtype in _DTYPES
    return bool(shape == _AXES and last and fits and layer.trainable and not layer.synchronized and not layer.renorm)


def _collects_losses(call: Call) -> bool:
    return any(getattr(layer, "activity_regularizer", None) is not None for layer in _with_parts(call.layer))


def _with_parts(layer: Any) -> list[Any]:
    return list(layer._flatten_layers()) if isinstance(layer, keras.layers.Layer) else [layer]


def _normalize(layer: Any, x: Any) -> Any:
    """Batch normalization in training mode (Ioffe and Szegedy 2015) of (N, H, W, C), with the layer's variables."""
    x = tf.cast(x, layer.compute_dtype)
    channels = x.shape[-1]
    result = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=layer.gamma.value if layer.scale else tf.ones([channels]),
        offset=layer.beta.value if layer.center else tf.zeros([channels]),
        mean=tf.zeros([0]),
        variance=tf.zeros([0]),
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.reduce_prod(tf.shape(x)[:-1]), tf.float32)
    biased = result.batch_variance * (tf.maximum(count - 1.0, 1.0) / count)
    for average, value in ((layer.moving_mean, result.batch_mean), (layer.moving_variance, biased)):
        average.assign(average.value * layer.momentum + value * (1.0 - layer.momentum))
    return result.y
