"""Operations that compute: products, sums, activations, normalization, dropout."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.runs.foreign.geometry import UntranslatableError, image, padded, spatial, window
from seewell.runs.foreign.graph import Node
from seewell.runs.foreign.values import Data, Known, Step, Weight

__all__ = [
    "activation",
    "add",
    "convolve",
    "divide",
    "drop",
    "global_average",
    "join",
    "multiply",
    "multiply_matrix",
    "normalize",
    "subtract",
    "sum_of",
]

_WEIGHTED = ("convolution", "depthwise", "dense")


def convolve(node: Node, data: Data, kernel: Known) -> Data:
    """Conv2D and DepthwiseConv2dNative."""
    height, width, channels = image(data)
    depthwise = node.op != "Conv2D"
    if kernel.array.ndim != 4:
        raise UntranslatableError(f"its filters have the shape {kernel.array.shape}")
    rows, columns, deep, out = kernel.array.shape
    strides, dilations = spatial(node, "strides"), spatial(node, "dilations")
    if channels % deep or (depthwise and deep != channels):
        raise UntranslatableError(f"its filters take {deep} channels, and {channels} come in")
    if max(strides) > 1 and max(dilations) > 1:
        raise UntranslatableError("it has both strides and dilations")
    padding = node.text("padding")
    if padding == "EXPLICIT":
        around = node.wholes("explicit_paddings")
        sides = ((around[2], around[3]), (around[4], around[5]))
        height, width = height + sum(sides[0]), width + sum(sides[1])
        data = padded(node, data, sides, (height, width, channels))
        padding = "VALID"
    sizes = ((rows - 1) * dilations[0] + 1, (columns - 1) * dilations[1] + 1)
    shape = (*window((height, width), sizes, strides, padding), deep * out if depthwise else out)
    settings = {
        "size": (rows, columns),
        "strides": strides,
        "dilations": dilations,
        "padding": padding.lower(),
        "groups": 1 if depthwise else channels // deep,
        "multiplier": out,
    }
    kind = "depthwise" if depthwise else "convolution"
    return Data(Step(kind, (data.step,), shape, node.name, settings, {"kernel": Weight(kernel.array, kernel.variable)}))


def multiply_matrix(node: Node, data: Data, kernel: Known) -> Data:
    """MatMul with a matrix of weights on the right."""
    array, variable = kernel.array, kernel.variable
    if node.flag("transpose_a"):
        raise UntranslatableError("it transposes the images")
    if node.flag("transpose_b"):
        array, variable = array.T, None
    if len(data.step.shape) != 1 or array.ndim != 2 or array.shape[0] != data.step.shape[0]:
        raise UntranslatableError(f"it multiplies {data.step.shape} by {array.shape}")
    return Data(
        Step("dense", (data.step,), (array.shape[1],), node.name, {}, {"kernel": Weight(array, variable)}),
    )


def add(node: Node, data: Data, other: Known) -> Data:
    """A known tensor added: a bias, the end of a batch normalization, or any offset."""
    step = data.step
    offset = fitting(other.array, step.shape)
    channels = step.shape[-1]
    per_channel = offset.size in (1, channels) and offset.shape[-1:] in ((), (1,), (channels,))
    if step.kind in _WEIGHTED and "bias" not in step.weights and per_channel:
        bias = Weight(np.broadcast_to(offset.ravel(), (channels,)), other.variable)
        return Data(
            Step(step.kind, step.inputs, step.shape, step.node, step.settings, {**step.weights, "bias": bias}),
        )
    normalized = _batch_normalization(node, step, other)
    if normalized is not None:
        return Data(normalized)
    return Data(Step("affine", (step,), step.shape, node.name, {"offset": offset}))


def subtract(node: Node, left: Data | Known, right: Data | Known) -> Data:
    """A known tensor taken away, or taken away from."""
    if isinstance(left, Data) and isinstance(right, Known):
        return add(node, left, Known(-right.array))
    if isinstance(left, Known) and isinstance(right, Data):
        step = right.step
        offset = fitting(left.array, step.shape)
        return Data(Step("affine", (step,), step.shape, node.name, {"scale": np.float32(-1), "offset": offset}))
    raise UntranslatableError("it takes one feature map away from another")


def multiply(node: Node, data: Data, other: Known) -> Data:
    """A known factor."""
    scale = fitting(other.array, data.step.shape)
    return Data(Step("affine", (data.step,), data.step.shape, node.name, {"scale": scale, "known": other}))


def divide(node: Node, left: Data | Known, right: Data | Known) -> Data:
    """A known divisor."""
    if isinstance(left, Known) or isinstance(right, Data):
        raise UntranslatableError("it divides by values that depend on the image")
    if np.issubdtype(right.array.dtype, np.integer):
        raise UntranslatableError("it divides whole numbers")
    return multiply(node, left, Known(np.reciprocal(right.array)))


def fitting(array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A known tensor as it is combined with each image.

    Raises:
        UntranslatableError: It differs from image to image, or makes the images larger.
    """
    if array.ndim == len(shape) + 1 and array.shape[0] == 1:
        array = array[0]
    try:
        fits = array.ndim <= len(shape) and np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise UntranslatableError(f"a known tensor of shape {array.shape} meets values of shape {shape}")
    return np.asarray(array, np.float32)


def normalize(node: Node, data: Data, known: list[Known]) -> Data:
    """FusedBatchNorm in inference: scale, offset, mean and variance are known."""
    if node.flag("is_training", True):
        raise UntranslatableError("it takes mean and variance from each batch: the graph was saved in training mode")
    if node.text("data_format", "NHWC") != "NHWC" or len(known) != 4:
        raise UntranslatableError("channels come first in it; only channels last is read")
    channels = data.step.shape[-1]
    if any(one.array.shape != (channels,) for one in known):
        raise UntranslatableError("its statistics do not fit the channels")
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    weights = {name: Weight(one.array, one.variable) for name, one in zip(names, known, strict=True)}
    settings = {"epsilon": node.real("epsilon", 1e-4)}
    return Data(Step("batch_normalization", (data.step,), data.step.shape, node.name, settings, weights))


def _batch_normalization(node: Node, step: Step, other: Known) -> Step | None:
    """The layer that ``x * (rsqrt(variance + epsilon) * gamma) + (beta - mean * …)`` is, or None."""
    factor = step.settings.get("known")
    if step.kind != "affine" or "offset" in step.settings or not isinstance(factor, Known) or not other.made:
        return None
    beta, product = (other.made[1], other.made[2]) if other.made[0] == "Sub" else (None, other.made[1])
    if other.made[0] not in ("Sub", "Neg") or product.made[:1] != ("Mul",) or factor not in product.made[1:]:
        return None
    mean = product.made[1] if product.made[2] is factor else product.made[2]
    gamma, root = None, factor
    if factor.made[:1] == ("Mul",):
        root, gamma = factor.made[1], factor.made[2]
        if root.made[:1] != ("Rsqrt",):
            root, gamma = gamma, root
    inside = root.made[1] if root.made[:1] == ("Rsqrt",) else None
    if inside is None or inside.made[:1] not in (("Add",), ("AddV2",)) or inside.made[2].array.size != 1:
        return None
    channels = (step.shape[-1],)
    found = {"gamma": gamma, "beta": beta, "moving_mean": mean, "moving_variance": inside.made[1]}
    if any(one is not None and one.array.size != channels[0] for one in found.values()):
        return None
    weights = {
        name: Weight(one.array.reshape(channels), one.variable) for name, one in found.items() if one is not None
    }
    settings = {"epsilon": float(inside.made[2].array)}
    return Step("batch_normalization", step.inputs, step.shape, node.name, settings, weights)


def drop(node: Node, data: Data) -> Data:
    """Values multiplied by, or chosen by, a random mask: dropout, which does nothing in inference."""
    step = data.step
    scale = np.asarray(step.settings.get("scale", 0.0))
    if step.kind != "affine" or "offset" in step.settings or scale.size != 1 or float(scale) < 1:
        raise UntranslatableError("random values are mixed in, not as dropout does it")
    rate = 1 - 1 / float(scale)
    return Data(Step("dropout", step.inputs, step.shape, node.name, {"rate": rate}))


def activation(node: Node, data: Data) -> Data:
    """A function of each value, or softmax over the last side."""
    settings = {"function": node.op}
    if node.op == "LeakyRelu":
        settings["slope"] = str(node.real("alpha", 0.2))
    kind = "softmax" if node.op == "Softmax" else "activation"
    return Data(Step(kind, (data.step,), data.step.shape, node.name, settings))


def global_average(node: Node, data: Data, axes: Known) -> Data:
    """The mean over height and width."""
    _, _, channels = image(data)
    if sorted(int(one) % 4 for one in axes.array.ravel()) != [1, 2]:
        raise UntranslatableError(f"it averages over the sides {axes.array.ravel().tolist()}")
    keep = node.flag("keep_dims")
    shape = (1, 1, channels) if keep else (channels,)
    return Data(Step("global_average", (data.step,), shape, node.name, {"keep": keep}))


def sum_of(node: Node, parts: list[Data]) -> Data:
    """Feature maps added to each other."""
    shape = parts[0].step.shape
    if any(one.step.shape != shape for one in parts):
        raise UntranslatableError("feature maps of different shapes are added")
    return Data(Step("add", tuple(one.step for one in parts), shape, node.name))


def join(node: Node, parts: list[Data], axis: Known) -> Data:
    """Feature maps beside each other."""
    shapes = [one.step.shape for one in parts]
    place = int(axis.array) % (len(shapes[0]) + 1)
    rest = {shape[: place - 1] + shape[place:] for shape in shapes}
    if place == 0 or len(rest) != 1:
        raise UntranslatableError(f"it joins values of shapes {shapes}")
    side = sum(shape[place - 1] for shape in shapes)
    shape = (*shapes[0][: place - 1], side, *shapes[0][place:])
    if math.prod(shape) < 1:
        raise UntranslatableError("it joins nothing")
    return Data(Step("concatenate", tuple(one.step for one in parts), shape, node.name, {"axis": place}))
