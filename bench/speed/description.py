"""A Keras network as plain data, from which other frameworks build the very same network.

    python -m speed.description FOLDER NETWORK [HEIGHT WIDTH CHANNELS CLASSES]

writes FOLDER/network.json (layers in the order they run) and FOLDER/weights.npz (its first weights, seed 0). Rows and
columns of "same" padding are spelled out, since TensorFlow pads below and right where the rest is odd and PyTorch
cannot; the layers with which ResNet pads channels become one step.
"""

import json
import sys
from pathlib import Path

import numpy as np


class UnknownLayerError(Exception):
    """The network has a layer that the other frameworks' builders do not know."""


def describe(model):
    """The layers of a Functional model as dictionaries, and its weights by "layer/variable".

    Each layer has "name", "kind", "inputs" (names) and "shape" (of its output, without the batch).

    Raises:
        UnknownLayerError: A layer, or a setting of one, is not known here.
    """
    from seewell.networks.graph import calls

    layers, weights, names = [], {}, {}
    for call in calls(model):
        layer = call.layer
        names[id(call.output)] = layer.name
        if call.node.is_input:
            layers.append({"name": layer.name, "kind": "input", "inputs": [], "shape": list(call.output.shape[1:])})
            continue
        told = _layer(layer, [tuple(one.shape[1:]) for one in call.inputs])
        inputs = [names[id(one)] for one in call.inputs]
        layers.append({"name": layer.name, **told, "inputs": inputs, "shape": list(call.output.shape[1:])})
        weights |= {f"{layer.name}/{one.name}": np.asarray(one) for one in layer.weights}
    return _join_channel_padding(layers), weights


def multiply_adds(model):
    """Multiply-adds on one image, of an answer ("inference") and of a training step ("training").

    A training step runs each layer forward and for the gradients of its kernel and of its input. A frozen kernel needs
    no gradient, and the first layer that learns needs none of its input.
    """
    from seewell.networks.layer_table import layer_table

    forward, total, learned_before = 0, 0, False
    for row in layer_table(model):
        learned = model.get_layer(row.name).trainable_weights
        kernel = any("kernel" in one.name for one in learned)
        forward += row.multiply_adds
        total += row.multiply_adds * (1 + kernel + learned_before)
        learned_before |= bool(learned)
    return {"inference": forward, "training": total}


def _layer(layer, shapes):
    kind = type(layer).__name__
    if kind not in _KINDS:
        raise UnknownLayerError(
            f'bench/speed knows no layer of the kind {kind} ("{layer.name}"); add it to description'
        )
    return _KINDS[kind](layer, shapes)


def _same(sizes, kernel, strides, padding):
    """[[above, below], [left, right]] that TensorFlow pads."""
    if padding == "valid":
        return [[0, 0], [0, 0]]
    found = []
    for size, width, step in zip(sizes, kernel, strides, strict=True):
        rest = max((-(-size // step) - 1) * step + width - size, 0)
        found.append([rest // 2, rest - rest // 2])
    return found


def _activation(layer):
    name = layer.activation.__name__
    if name not in ("linear", "relu", "gelu", "silu", "softmax", "tanh"):
        raise UnknownLayerError(f'bench/speed knows no activation "{name}" ("{layer.name}")')
    return name


def _convolution(layer, shapes):
    if layer.groups != 1 or set(layer.dilation_rate) != {1}:
        raise UnknownLayerError(f'"{layer.name}" has groups or dilation')
    padding = _same(shapes[0][:2], layer.kernel_size, layer.strides, layer.padding)
    return {
        "kind": "convolution",
        "strides": list(layer.strides),
        "padding": padding,
        "bias": layer.use_bias,
        "activation": _activation(layer),
        "trainable": layer.trainable,
        "unit_norm": _unit_norm(layer),
    }


def _unit_norm(layer):
    """Whether each filter is scaled to norm 1 after each update."""
    constraint = layer.kernel_constraint
    if constraint is None:
        return False
    if type(constraint).__name__ != "UnitNorm" or tuple(constraint.get_config()["axis"]) != (0, 1, 2):
        raise UnknownLayerError(f'"{layer.name}" has a constraint of an unknown kind')
    return True


def _pool(kind):
    def told(layer, shapes):
        if set(layer.pool_size) == {1}:
            return {"kind": "subsample", "strides": list(layer.strides)}
        padding = _same(shapes[0][:2], layer.pool_size, layer.strides, layer.padding)
        if kind == "average pool" and any(map(any, padding)):
            raise UnknownLayerError(f'"{layer.name}" averages over an edge')
        return {"kind": kind, "size": list(layer.pool_size), "strides": list(layer.strides), "padding": padding}

    return told


def _normalization(layer, shapes):
    return {
        "kind": "normalization",
        "momentum": layer.momentum,
        "epsilon": layer.epsilon,
        "center": layer.center,
        "scale": layer.scale,
        "trainable": layer.trainable,
    }


def _dense(layer, shapes):
    return {
        "kind": "fully connected",
        "bias": layer.use_bias,
        "activation": _activation(layer),
        "trainable": layer.trainable,
    }


def _rescaling(layer, shapes):
    if np.ndim(layer.scale) or np.ndim(layer.offset):
        raise UnknownLayerError(f'"{layer.name}" does not treat all values alike')
    return {"kind": "rescaling", "scale": float(layer.scale), "offset": float(layer.offset)}


def _dropout(layer, shapes):
    if layer.rate:
        raise UnknownLayerError(f'"{layer.name}" drops values at random; its losses could not be compared')
    return {"kind": "activation", "activation": "linear"}


def _relu(layer, shapes):
    if layer.max_value is not None or layer.negative_slope or layer.threshold:
        raise UnknownLayerError(f'"{layer.name}" is no plain ReLU')
    return {"kind": "activation", "activation": "relu"}


def _plain(kind):
    return lambda layer, shapes: {"kind": kind}


_KINDS = {
    "Rescaling": _rescaling,
    "ZeroPadding2D": lambda layer, shapes: {"kind": "pad", "padding": [list(one) for one in layer.padding]},
    "ZeroPadding3D": lambda layer, shapes: {"kind": "pad last", "padding": [list(one) for one in layer.padding]},
    "Conv2D": _convolution,
    "BatchNormalization": _normalization,
    "ReLU": _relu,
    "Activation": lambda layer, shapes: {"kind": "activation", "activation": _activation(layer)},
    "MaxPooling2D": _pool("max pool"),
    "AveragePooling2D": _pool("average pool"),
    "GlobalMaxPooling2D": _plain("global max pool"),
    "GlobalAveragePooling2D": _plain("global average pool"),
    "Reshape": _plain("reshape"),
    "Flatten": _plain("flatten"),
    "Add": _plain("add"),
    "Dropout": _dropout,
    "Dense": _dense,
}


def _join_channel_padding(layers):
    """Reshape, ZeroPadding3D, Reshape become "pad channels": before and after."""
    by_name = {layer["name"]: layer for layer in layers}
    gone, found = set(), []
    for layer in layers:
        before = by_name[layer["inputs"][0]] if len(layer["inputs"]) == 1 else {}
        if layer["kind"] == "reshape" and before.get("kind") == "pad last":
            first = by_name[before["inputs"][0]]
            *others, channels = before["padding"]
            if first["kind"] != "reshape" or any(map(any, others)):
                raise UnknownLayerError(f'"{before["name"]}" pads in three dimensions')
            gone |= {before["name"], first["name"]}
            layer = {**layer, "kind": "pad channels", "padding": channels, "inputs": first["inputs"]}
        found.append(layer)
    found = [layer for layer in found if layer["name"] not in gone]
    if any(layer["kind"] in ("reshape", "pad last") for layer in found):
        raise UnknownLayerError("a Reshape or ZeroPadding3D stands alone")
    return found


def shape_of(name):
    """The images that a network is measured with: MNIST's for the series' first ConvNet, CIFAR's for the others."""
    return (28, 28, 1) if name.partition(":")[0] in ("convnet", "fully-connected") else (32, 32, 3)


def build(text, shape, classes=10):
    """A network from its text, such as "convnet:widths=32-64", with the weights of seed 0."""
    import keras

    from seewell.networks.arguments import parse_network
    from seewell.networks.registry import build_network

    name, arguments = parse_network(text)
    keras.utils.set_random_seed(0)
    return build_network(name, input_shape=shape, num_classes=classes, arguments=arguments)


def write(folder, text, shape, classes=10):
    """Write a network's description and weights into a folder."""
    model = build(text, shape, classes)
    layers, weights = describe(model)
    told = {"network": text, "layers": layers, "shape": list(shape), "classes": classes}
    told |= {"parameters": int(model.count_params()), "multiply_adds": multiply_adds(model)}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.json").write_text(json.dumps(told))
    np.savez(folder / "weights.npz", **weights)


def assign(model, weights):
    """Give a network of the same kind the described weights."""
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([weights[f"{layer.name}/{one.name}"] for one in layer.weights])


def read(folder):
    """A description and its weights."""
    with np.load(Path(folder) / "weights.npz") as weights:
        return json.loads((Path(folder) / "network.json").read_text()), dict(weights)


def main():
    folder, text, *sizes = sys.argv[1:]
    *shape, classes = map(int, sizes or (*shape_of(text), 10))
    write(Path(folder), text, tuple(shape), classes)


if __name__ == "__main__":
    main()
