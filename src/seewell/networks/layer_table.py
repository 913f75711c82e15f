"""The layers of a network as a table: output shape, weights, biases and multiply-adds, as LTFN 8 prints them."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from seewell.errors import NetworkError
from seewell.networks.graph import Call, calls_at_any_depth

__all__ = ["LayerRow", "layer_kinds", "layer_table", "total"]

_KINDS: tuple[tuple[str, str], ...] = (
    ("InputLayer", "input"),
    ("Dense", "fully connected"),
    ("BatchNormalization", "batch norm"),
    ("Resizing", "resize"),
    ("ZeroPadding", "pad"),
    ("GlobalAveragePooling", "global average pool"),
    ("GlobalMaxPooling", "global max pool"),
    ("AveragePooling", "average pool"),
    ("MaxPooling", "max pool"),
    ("Add", "add"),
    ("Concatenate", "concatenate"),
    ("DepthwiseConv", "depthwise convolution"),
    ("SeparableConv", "separable convolution"),
    ("Conv", "convolution"),
)
"""Beginning of a Keras class name, and what the table calls it. The first that fits holds."""

_STATISTICS = ("moving_mean", "moving_variance")


@dataclass(frozen=True)
class LayerRow:
    """One line of the table.

    Attributes:
        name: The layer's name; a nested model's layers are "model/layer".
        kind: What it is, such as "convolution".
        output_shape: Without the batch, such as (28, 28, 64).
        weights: Numbers that are multiplied, without biases; BatchNorm's gamma counts, its moving averages do not.
        biases: Numbers that are added; BatchNorm's beta counts.
        multiply_adds: Multiplications (each with an addition) for one image.
        trained: Whether any of its numbers is learned.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    weights: int
    biases: int
    multiply_adds: int
    trained: bool = field(default=False, compare=False, repr=False)


def layer_table(model: Any) -> tuple[LayerRow, ...]:
    """The layers of any Functional or Sequential Keras model that a reader wants to see.

    Rows are given to the input, to layers that have weights, and to those that
    change the shape of feature maps (padding, resizing, pools) or merge them;
    ReLU, softmax, dropout, flatten and rescaling have none. Nested models are
    opened. A layer that is used twice has two rows, its weights in the first.

    Multiply-adds are counted for convolutions and fully connected layers, where
    the work is: a convolution has H_out x W_out x kernel height x kernel width
    x depth in x depth out, whether or not a kernel hangs over the edge; a fully
    connected layer has as many as it has weights. Biases, BatchNorm (which can
    be folded into the convolution before it), pools and sums count 0.

    Args:
        model: With fixed input sizes.

    Returns:
        The rows in the order the layers run.

    Raises:
        NetworkError: The model's layers cannot be read, or a size is not fixed.

    Example:
        >>> inputs = keras.Input((8, 8, 1), name="image")
        >>> model = keras.Model(inputs, keras.layers.Conv2D(4, 3, padding="same", name="conv")(inputs))
        >>> layer_table(model)[1]
        LayerRow(name='conv', kind='convolution', output_shape=(8, 8, 4), weights=36, biases=4, multiply_adds=2304)
    """
    return tuple(_rows(model))


def layer_kinds(model: Any) -> dict[str, str]:
    """What each layer of a model is, by its name; layers without a row in the table are called by their class.

    A nested model's layers are found under their own names, without the model's.

    Example:
        >>> inputs = keras.Input((8, 8, 1), name="image")
        >>> model = keras.Model(inputs, keras.layers.ReLU(name="relu1")(inputs))
        >>> layer_kinds(model)
        {'image': 'input', 'relu1': 'relu'}
    """
    return {
        call.layer.name: _kind(call.layer) or _words(type(call.layer).__name__) for _, call in calls_at_any_depth(model)
    }


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", name).lower()


def total(rows: Sequence[LayerRow]) -> LayerRow:
    """The sums of weights, biases and multiply-adds; the shape is that of the last row."""
    return LayerRow(
        name="total",
        kind="total",
        output_shape=rows[-1].output_shape if rows else (),
        weights=sum(row.weights for row in rows),
        biases=sum(row.biases for row in rows),
        multiply_adds=sum(row.multiply_adds for row in rows),
    )


def _rows(model: Any) -> Iterator[LayerRow]:
    seen: set[int] = set()
    for name, call in calls_at_any_depth(model):
        kind = _kind(call.layer)
        weights, biases = _parameters(call.layer)
        if not kind and not weights + biases:
            continue
        if id(call.layer) in seen:
            weights = biases = 0
        seen.add(id(call.layer))
        shape = _shape(call.output, name)
        work, trained = _multiply_adds(call, shape), bool(call.layer.trainable_variables)
        yield LayerRow(name, kind or type(call.layer).__name__, shape, weights, biases, work, trained)


def _kind(layer: Any) -> str:
    name = type(layer).__name__
    if name == "ZeroPadding3D":
        return ""  # resnet20 pads channels with it: nothing that a reader looks for
    if name.startswith("MaxPooling") and set(layer.pool_size) == {1}:
        return "subsample"
    return next((kind for start, kind in _KINDS if name.startswith(start)), "")


def _parameters(layer: Any) -> tuple[int, int]:
    """Weights and biases of a layer: frozen ones too, statistics not."""
    if isinstance(layer, keras.layers.Normalization):
        return 0, 0
    counted = [variable for variable in getattr(layer, "weights", ()) if variable.name not in _STATISTICS]
    added = sum(math.prod(variable.shape) for variable in counted if variable.name in ("bias", "beta"))
    return sum(math.prod(variable.shape) for variable in counted) - added, added


def _shape(tensor: Any, name: str) -> tuple[int, ...]:
    shape = tuple(tensor.shape[1:])
    if None in shape:
        raise NetworkError(
            f'the output of layer "{name}" has no fixed size: {shape}.',
            expected="fixed height, width and channels",
            fix="build the model with an Input of fixed size, such as keras.Input((32, 32, 3))",
        )
    return shape


def _multiply_adds(call: Call, output_shape: tuple[int, ...]) -> int:
    layer = call.layer
    name = type(layer).__name__
    if "Conv" not in name and name != "Dense":
        return 0
    if name == "Dense":
        return math.prod(output_shape[:-1]) * math.prod(layer.kernel.shape)
    where = tuple(call.inputs[0].shape[1:]) if name.endswith("Transpose") else output_shape
    spatial = where[1:] if layer.data_format == "channels_first" else where[:-1]
    kernels = [variable for variable in layer.weights if "kernel" in variable.name]
    return math.prod(spatial) * sum(math.prod(variable.shape) for variable in kernels)
