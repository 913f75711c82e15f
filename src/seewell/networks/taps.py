"""What happens inside a network on a batch: pre-activations and gradients, without side effects."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.errors import NetworkError
from seewell.networks.graph import Call, calls, calls_at_any_depth, replay

__all__ = ["Point", "Taps", "logits_point", "weighted_points"]

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
_DEPTHWISE = (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D)
_WEIGHTED = (*_CONVOLUTIONS, *_DEPTHWISE, keras.layers.Dense)

_LABELS = tf.TensorSpec((None,), tf.int64)

Arrays = dict[str, npt.NDArray[np.float32]]


class Taps:
    """Reads a network's inner values on a batch of images.

    The network is run layer by layer in inference mode, in a graph that is
    traced once for each question and keeps only what was asked for. Nothing of
    the network changes: no weight, no moving average, no seed generator, no
    collected loss. Weights are read at each call, so a `Taps` made before
    training can be asked at any time during it.

    Args:
        model: A Functional or built Sequential model with one input and one
            output, nested to any depth. A layer with its activation inside
            (``Dense(10, activation="relu")``) is read before that activation.

    Attributes:
        layers: Names of the convolutions and fully connected layers, in the
            order they run; those of a nested model are "model/layer". A shared
            layer is read at its first use.

    Raises:
        NetworkError: The model's layers cannot be read, or it has several
            inputs or outputs; images asked about are not of its size.

    Example:
        >>> inputs = keras.Input((2,))
        >>> hidden = keras.layers.Dense(1, kernel_initializer="ones", activation="relu", name="hidden")(inputs)
        >>> Taps(keras.Model(inputs, hidden)).pre_activations(np.array([[-3.0, 1.0]]))
        {'hidden': array([[-2.]], dtype=float32)}
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._points = tuple(weighted_points(model))
        self._sources = tuple(_sources(model, self._points))
        if len(model.inputs) != 1 or len(model.outputs) != 1:
            raise NetworkError(
                f'"{model.name}" has {len(model.inputs)} inputs and {len(model.outputs)} outputs.',
                expected="one input (images) and one output (classes)",
                fix="give the part of the model that classifies images",
            )
        self._logits = logits_point(model)
        self._around = keras.layers.Lambda(lambda images: replay(model, images), name="taps", autocast=False)
        self.layers = tuple(point.name for point in self._points)
        self._images = tf.TensorSpec(model.inputs[0].shape, model.inputs[0].dtype)

    def pre_activations(self, images: npt.NDArray[Any]) -> Arrays:
        """The values that go into each nonlinearity.

        That is the output of each convolution or fully connected layer, or of
        the BatchNorm that directly follows it, also after a max pool.

        Args:
            images: As the network takes them, (N, H, W, C). All values are held
                in memory at once: give a probe batch, not a data set.

        Returns:
            Layer name to float32 (N, ...), in the order the layers run.
        """
        return self._named(self._read(self._as_input(images)))

    def gradients(self, images: npt.NDArray[Any], labels: npt.NDArray[np.integer[Any]]) -> Arrays:
        """The slope of the cost with respect to each kernel.

        The cost is the softmax cross-entropy of the logits, averaged over the
        batch, without regularization. The logits are what goes into the final
        softmax, or the model's output where there is none. BatchNorm uses its
        moving averages and dropout is off.

        Args:
            images: As the network takes them, (N, H, W, C).
            labels: Class numbers, (N,).

        Returns:
            Layer name to float32 of the kernel's shape. A kernel that the
            logits do not depend on has zeros.

        Raises:
            NetworkError: The output is not (N, classes), or a label is not one of the classes.
        """
        inputs = self._as_input(images), self._as_labels(images, labels)
        return self._named(self._slopes(*inputs))

    def pre_activations_and_gradients(
        self, images: npt.NDArray[Any], labels: npt.NDArray[np.integer[Any]]
    ) -> tuple[Arrays, Arrays]:
        """Both at once, from one graph: half the tracing of asking for one after the other.

        Args:
            images: As for `pre_activations`.
            labels: As for `gradients`.

        Returns:
            What `pre_activations` and `gradients` return.

        Raises:
            NetworkError: As `gradients`.
        """
        inputs = self._as_input(images), self._as_labels(images, labels)
        values, slopes = self._both(*inputs)
        return self._named(values), self._named(slopes)

    def _named(self, values: list[tf.Tensor]) -> Arrays:
        return {name: np.asarray(value, np.float32) for name, value in zip(self.layers, values, strict=True)}

    def _as_labels(self, images: npt.NDArray[Any], labels: npt.NDArray[np.integer[Any]]) -> tf.Tensor:
        labels = np.asarray(labels)
        classes = self._model.outputs[0].shape[1:]
        if len(classes) != 1:
            raise NetworkError(
                f'the output of "{self._model.name}" has the shape {tuple(classes)}.',
                expected="one number a class: (N, classes)",
                fix="give a model that classifies images",
            )
        whole = labels.dtype.kind in "iu" and labels.shape == (len(images),)
        if not whole or (labels.size and not 0 <= labels.min() <= labels.max() < classes[0]):
            raise NetworkError(
                f"{labels.dtype} labels of shape {labels.shape} do not fit {len(images)} images and "
                f"{classes[0]} classes.",
                expected=f"one class number an image, from 0 to {classes[0] - 1}",
                fix="give whole numbers, not one-hot rows, of the classes that the network knows",
            )
        return tf.convert_to_tensor(labels.astype(np.int64))

    def first_not_finite(self, images: npt.NDArray[Any]) -> tuple[str, Literal["weights", "values"]] | None:
        """Where NaN or infinity begins.

        Layers are asked in the order they run: first whether their weights are
        finite (BatchNorm is a layer of its own here), then whether the
        pre-activations on ``images`` are.

        Args:
            images: As the network takes them, (N, H, W, C).

        Returns:
            The layer's name and what is not finite in it, or None where all is well.
        """
        bad = np.flatnonzero(~np.asarray(self._check(self._as_input(images))))
        return self._sources[bad[0]].where if bad.size else None

    # Concrete functions: TensorFlow warns of retracing where many objects of a class ask their functions once each.
    @cached_property
    def _read(self) -> Any:
        return tf.function(self._compute).get_concrete_function(self._images)

    @cached_property
    def _slopes(self) -> Any:
        return tf.function(self._compute_gradients).get_concrete_function(self._images, _LABELS)

    @cached_property
    def _both(self) -> Any:
        return tf.function(self._compute_both).get_concrete_function(self._images, _LABELS)

    @cached_property
    def _check(self) -> Any:
        return tf.function(self._compute_finite).get_concrete_function(self._images)

    def _as_input(self, images: npt.NDArray[Any]) -> tf.Tensor:
        wanted, shape = tuple(self._images.shape), np.shape(images)
        fits = len(shape) == len(wanted) and all(b in (None, a) for a, b in zip(shape, wanted, strict=True))
        if not fits:
            raise NetworkError(
                f"images of shape {shape} do not fit the network.",
                expected=f"the shape {wanted}, None being any number",
                fix="give images of the size that the network was built for",
            )
        return tf.cast(tf.convert_to_tensor(images), self._images.dtype)

    def _replay(self, images: tf.Tensor) -> dict[int, Any]:
        # In this scope what a layer would assign or add to its losses goes nowhere. The surrounding
        # layer takes the place of the outermost call, where Keras drops losses collected before.
        with keras.StatelessScope(collect_losses=True):
            return self._around(images, training=False)

    def _compute(self, images: tf.Tensor) -> list[tf.Tensor]:
        values = self._replay(images)
        return [tf.cast(point.value(values), tf.float32) for point in self._points]

    def _compute_gradients(self, images: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
        return self._compute_both(images, labels)[1]

    def _compute_both(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        kernels = [point.call.layer.kernel.value for point in self._points]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(kernels)
            values = self._replay(images)
            logits = tf.cast(self._logits.value(values), tf.float32)
            cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        slopes = tape.gradient(cost, kernels, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        read = [tf.cast(point.value(values), tf.float32) for point in self._points]
        return read, [tf.cast(slope, tf.float32) for slope in slopes]

    def _compute_finite(self, images: tf.Tensor) -> tf.Tensor:
        values = self._replay(images)
        return tf.stack([source.is_finite(values) for source in self._sources])


@dataclass(frozen=True, eq=False)
class Point:
    """A place in the network where a value before a nonlinearity can be read.

    Attributes:
        name: The weighted layer's name.
        call: The weighted layer's call.
        tensor: The Keras tensor to read: the layer's output, or that of the
            BatchNorm after it; where the activation is inside the layer, its
            input, from which the pre-activation is computed.
        fused: Whether the activation is inside the layer.
    """

    name: str
    call: Call
    tensor: Any
    fused: bool = False

    def value(self, values: dict[int, Any]) -> Any:
        """What stands at this place, from all values of a run by ``id`` of their Keras tensors."""
        read = values[id(self.tensor)]
        return _without_activation(self.call.layer, read) if self.fused else read


@dataclass(frozen=True, eq=False)
class _Source:
    """What may be not finite: a layer's weights, or the values at a point."""

    where: tuple[str, Literal["weights", "values"]]
    weights: tuple[Any, ...] = ()
    point: Point | None = None

    def is_finite(self, values: dict[int, Any]) -> tf.Tensor:
        tensors = [self.point.value(values)] if self.point else [weight.value for weight in self.weights]
        return tf.reduce_all([tf.reduce_all(tf.math.is_finite(tensor)) for tensor in tensors])


def weighted_points(model: Any) -> Iterator[Point]:
    """The weighted layers of a model in the order they run, each at its first use; raises as `calls`."""
    every = list(calls_at_any_depth(model))
    normalized = {
        id(call.inputs[0]): call.output for _, call in every if isinstance(call.layer, keras.layers.BatchNormalization)
    }
    # Pooled before it is normalized (Jordan 2024): what goes on is the pool's output, and that is read.
    for _, call in every:
        if isinstance(call.layer, keras.layers.MaxPooling2D) and id(call.output) in normalized:
            normalized.setdefault(id(call.inputs[0]), normalized[id(call.output)])
    seen: set[int] = set()
    for name, call in every:
        if not isinstance(call.layer, _WEIGHTED) or id(call.layer) in seen:
            continue
        seen.add(id(call.layer))
        yield _point(name, call, normalized)


def _point(name: str, call: Call, normalized: dict[int, Any]) -> Point:
    if call.layer.activation in (None, keras.activations.linear):
        return Point(name, call, normalized.get(id(call.output), call.output))
    return Point(name, call, call.inputs[0], fused=True)


def _sources(model: Any, points: tuple[Point, ...]) -> Iterator[_Source]:
    """Weights and values in the order they run; a layer's values after the BatchNorm they pass through."""
    ends = {id(point.call.output if point.fused else point.tensor): point for point in points}
    seen: set[int] = set()
    for name, call in calls_at_any_depth(model):
        weights = tuple(weight for weight in getattr(call.layer, "weights", ()) if "float" in str(weight.dtype))
        if weights and id(call.layer) not in seen:
            seen.add(id(call.layer))
            yield _Source((name, "weights"), weights)
        point = ends.get(id(call.output))
        if point:
            yield _Source((point.name, "values"), point=point)


def logits_point(model: Any) -> Point:
    """What goes into the final softmax, or the model's output where there is none."""
    graph_output = model.outputs[0]
    last = next(call for call in calls(model) if any(tensor is graph_output for tensor in call.node.outputs))
    if last.inner is not None:
        return logits_point(last.layer)
    if isinstance(last.layer, keras.layers.Softmax) or (
        isinstance(last.layer, keras.layers.Activation) and last.layer.activation is keras.activations.softmax
    ):
        return Point("logits", last, last.inputs[0])
    if isinstance(last.layer, _WEIGHTED):
        return _point("logits", last, {})
    return Point("logits", last, graph_output)


def _without_activation(layer: Any, inputs: Any) -> Any:
    """What a layer gives before the activation that is inside it."""
    ops = keras.ops
    kernel = ops.cast(layer.kernel, layer.compute_dtype)
    inputs = ops.cast(inputs, layer.compute_dtype)
    if isinstance(layer, keras.layers.Dense):
        outputs = ops.matmul(inputs, kernel)
    else:
        apply = ops.depthwise_conv if isinstance(layer, _DEPTHWISE) else ops.conv
        outputs = apply(
            inputs,
            kernel,
            strides=layer.strides,
            padding=layer.padding,
            data_format=layer.data_format,
            dilation_rate=layer.dilation_rate,
        )
    if layer.bias is None:
        return outputs
    bias = ops.cast(layer.bias, layer.compute_dtype)
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        bias = ops.reshape(bias, (-1, *[1] * (len(outputs.shape) - 2)))
    return ops.add(outputs, bias)
