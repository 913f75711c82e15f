"""From steps to a Keras network of stock layers, the adapter for raw images in front."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewell.errors import FormatError
from seewell.runs.foreign.names import clean_name, given_name, layer_names
from seewell.runs.foreign.values import Step, Weight
from seewell.runs.gates.listed import listed

__all__ = ["INPUT_RANGES", "Translated", "adapted", "build"]

INPUT_RANGES: Mapping[str, tuple[float, float]] = {
    "0..1": (1 / 255, 0.0),
    "0..255": (1.0, 0.0),
    "-1..1": (1 / 127.5, -1.0),
}
"""Factor and offset that take raw values from 0 to 255 to what a network expects."""


@dataclass(frozen=True, eq=False)
class Translated:
    """A network made of a foreign graph.

    Attributes:
        model: uint8 (N, H, W, C) in, float32 probabilities (N, K) out; a layer "logits".
        variables: Names in the checkpoint, by ``layer/variable`` of the model.
        nodes: The graph's node that each layer was made of.
        softmax_added: Whether the output was no softmax, so that one was put behind it.
    """

    model: Any
    variables: Mapping[str, str]
    nodes: Mapping[str, str]
    softmax_added: bool


def adapted(image: Any, input_range: str, shape: tuple[int, ...]) -> Any:
    """Raw images as a foreign network expects them.

    Args:
        image: Keras tensor uint8 (N, H, W, C).
        input_range: One of `INPUT_RANGES`.
        shape: What the network takes of each image, such as (784,).

    Returns:
        Keras tensor float32 (N, *shape).
    """
    import keras

    scale, offset = INPUT_RANGES[input_range]
    x = keras.layers.Rescaling(scale, offset=offset, dtype="float32", name="scale" if scale != 1 else "cast")(image)
    return x if tuple(x.shape[1:]) == shape else keras.layers.Reshape(shape, name="as_expected")(x)


def build(output: Step, image_shape: tuple[int, int, int], input_range: str) -> Translated:
    """Build the network that ends in a step.

    Args:
        output: Class probabilities, or values that softmax makes into such.
        image_shape: Height, width and channels of the raw images.
        input_range: What the graph was fed with, one of `INPUT_RANGES`.

    Returns:
        The network, with its weights.

    Raises:
        FormatError: The output is not one number a class.
    """
    import keras

    if len(output.shape) != 1 or output.shape[0] < 2:
        raise FormatError(
            f'the output "{output.node}" has the shape {output.shape} for each image.',
            expected="one number for each class, at least two",
            fix="choose another with --output; list them with: seewell adopt PATH --list",
        )
    ends_in_softmax = output.kind == "softmax"
    last = output.inputs[0] if ends_in_softmax else output
    steps = [one for one in _in_order(last) if one.kind != "input"]
    end = _end_name(output) if ends_in_softmax else "probabilities"
    named = given_name(last.node).rpartition("/")[2] == "logits"
    names = layer_names(steps, {"image", "scale", "cast", "as_expected", end, *([] if named else ["logits"])})
    image = keras.Input(image_shape, dtype="uint8", name="image")
    made: dict[int, Any] = {}
    pending: list[tuple[Any, Step]] = []
    for step in _in_order(last):
        if step.kind == "input":
            made[id(step)] = adapted(image, input_range, step.shape)
            continue
        layer = _MAKERS[step.kind](step, names[len(pending)])
        inputs = [made[id(one)] for one in step.inputs]
        made[id(step)] = layer(inputs if len(inputs) > 1 or step.kind in ("add", "concatenate") else inputs[0])
        pending.append((layer, step))
    logits = made[id(last)]
    if "logits" not in names:
        logits = keras.layers.Activation("linear", dtype="float32", name="logits")(logits)
    probabilities = keras.layers.Activation("softmax", dtype="float32", name=end)(logits)
    model = keras.Model(image, probabilities, name="adopted")
    variables = {key: name for layer, step in pending for key, name in _fill(layer, step)}
    nodes = {layer.name: step.node for layer, step in pending}
    return Translated(model, variables, nodes, not ends_in_softmax)


def _end_name(output: Step) -> str:
    """The softmax's own name, where its author gave it one."""
    last = output.node.rpartition("/")[2]
    name = clean_name(last) if given_name(last) else "probabilities"
    return "probabilities" if name in ("image", "scale", "cast", "as_expected", "logits") else name


def _in_order(last: Step) -> list[Step]:
    """All steps that lead to the last one, each after those it needs."""
    order: list[Step] = []
    seen: set[int] = set()
    stack: list[tuple[Step, bool]] = [(last, False)]
    while stack:
        step, ready = stack.pop()
        if ready:
            order.append(step)
        elif id(step) not in seen:
            seen.add(id(step))
            stack.append((step, True))
            stack.extend((one, False) for one in reversed(step.inputs))
    return order


def _fill(layer: Any, step: Step) -> list[tuple[str, str]]:
    """Give a layer its weights; returns the checkpoint's name for each of its variables that has one."""
    found = []
    for variable in layer.variables:
        weight: Weight | None = step.weights.get("kernel" if "kernel" in variable.name else variable.name)
        if weight is None:
            continue
        variable.assign(np.asarray(weight.array, np.float32).reshape(variable.shape))
        if weight.variable is not None:
            found.append((f"{layer.name}/{variable.name}", weight.variable))
    return found


def _convolution(step: Step, name: str) -> Any:
    import keras

    return keras.layers.Conv2D(
        step.shape[-1],
        step.settings["size"],
        strides=step.settings["strides"],
        dilation_rate=step.settings["dilations"],
        padding=step.settings["padding"],
        groups=step.settings["groups"],
        use_bias="bias" in step.weights,
        name=name,
    )


def _depthwise(step: Step, name: str) -> Any:
    import keras

    return keras.layers.DepthwiseConv2D(
        step.settings["size"],
        strides=step.settings["strides"],
        dilation_rate=step.settings["dilations"],
        padding=step.settings["padding"],
        depth_multiplier=step.settings["multiplier"],
        use_bias="bias" in step.weights,
        name=name,
    )


def _dense(step: Step, name: str) -> Any:
    import keras

    return keras.layers.Dense(step.shape[-1], use_bias="bias" in step.weights, name=name)


def _affine(step: Step, name: str) -> Any:
    import keras

    return keras.layers.Rescaling(step.settings.get("scale", 1.0), offset=step.settings.get("offset", 0.0), name=name)


def _batch_normalization(step: Step, name: str) -> Any:
    import keras

    return keras.layers.BatchNormalization(
        epsilon=step.settings["epsilon"], center="beta" in step.weights, scale="gamma" in step.weights, name=name
    )


def _activation(step: Step, name: str) -> Any:
    import keras

    function = step.settings["function"]
    if function in ("Relu", "Relu6"):
        return keras.layers.ReLU(max_value=6.0 if function == "Relu6" else None, name=name)
    if function == "LeakyRelu":
        return keras.layers.LeakyReLU(negative_slope=float(step.settings["slope"]), name=name)
    return keras.layers.Activation(function.lower(), name=name)


def _pool(step: Step, name: str) -> Any:
    import keras

    kind = keras.layers.MaxPooling2D if step.kind == "max_pool" else keras.layers.AveragePooling2D
    settings = step.settings
    return kind(settings["size"], strides=settings["strides"], padding=settings["padding"], name=name)


def _plain(step: Step, name: str) -> Any:
    import keras

    layers, settings = keras.layers, step.settings
    makers: Mapping[str, Callable[[], Any]] = {
        "pad": lambda: layers.ZeroPadding2D(settings["padding"], name=name),
        "crop": lambda: layers.Cropping2D(settings["cropping"], name=name),
        "flatten": lambda: layers.Flatten(name=name),
        "reshape": lambda: layers.Reshape(step.shape, name=name),
        "permute": lambda: layers.Permute(settings["order"], name=name),
        "dropout": lambda: layers.Dropout(settings["rate"], name=name),
        "softmax": lambda: layers.Activation("softmax", name=name),
        "global_average": lambda: layers.GlobalAveragePooling2D(keepdims=settings["keep"], name=name),
        "add": lambda: layers.Add(name=name),
        "concatenate": lambda: layers.Concatenate(axis=settings["axis"], name=name),
    }
    return makers[step.kind]()


_MAKERS: Mapping[str, Callable[[Step, str], Any]] = {
    "convolution": _convolution,
    "depthwise": _depthwise,
    "dense": _dense,
    "affine": _affine,
    "batch_normalization": _batch_normalization,
    "activation": _activation,
    "max_pool": _pool,
    "average_pool": _pool,
    **dict.fromkeys(listed("pad crop flatten reshape permute dropout softmax global_average add concatenate"), _plain),
}
