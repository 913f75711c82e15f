"""The architectures of the trial, in two halves that share none: one to calibrate on, one that calibration never sees."""

from dataclasses import dataclass, field
from typing import Any

import keras

L = keras.layers


@dataclass
class Parts:
    """What a network is made from; faults change it."""

    activation: Any = "relu"
    initializer: Any = None  # None: He before ReLU and its kin, Glorot elsewhere
    bias: Any = "zeros"
    last_initializer: Any = "glorot_uniform"
    ends: tuple[Any, ...] = ("softmax",)
    outputs: int = 10
    regularizer: Any = None
    dropout: float = 0.0
    momentum: float = 0.9
    width: int = 16
    pools: str = "max"
    front: list[Any] = field(default_factory=list)
    frozen: int = 0  # hidden weighted layers, from the front, that do not train; -1: all of the network

    def weights(self, hidden=True):
        drawn = self.initializer or (
            "he_normal" if self.activation in ("relu", "gelu", "swish", "elu") else "glorot_uniform"
        )
        return {"kernel_initializer": drawn, "bias_initializer": self.bias, "kernel_regularizer": self.regularizer}

    def conv(self, x, filters, size=3, act=True, **how):
        how.setdefault("padding", "same")
        x = L.Conv2D(filters, size, **self.weights(), **how)(x)
        return self.act(x) if act else x

    def normed(self, x, filters, size=3, act=True, **how):
        x = L.Conv2D(
            filters,
            size,
            use_bias=False,
            padding="same",
            kernel_initializer=self.weights()["kernel_initializer"],
            kernel_regularizer=self.regularizer,
            **how,
        )(x)
        x = L.BatchNormalization(momentum=self.momentum)(x)
        return self.act(x) if act else x

    def dense(self, x, units):
        return self.act(L.Dense(units, **self.weights())(x))

    def act(self, x):
        if self.activation is None:
            return x
        return L.LeakyReLU(0.1)(x) if self.activation == "leaky_relu" else L.Activation(self.activation)(x)

    def pool(self, x):
        return (L.MaxPooling2D if self.pools == "max" else L.AveragePooling2D)(2, padding="same")(x)

    def drop(self, x):
        return L.Dropout(self.dropout)(x) if self.dropout else x


def mlp(x, p):
    x = L.Flatten()(x)
    for _ in range(2):
        x = p.drop(p.dense(x, 4 * p.width))
    return x


def convnet(x, p):
    x = p.pool(p.conv(p.conv(x, p.width), p.width))
    x = p.pool(p.conv(p.conv(x, 2 * p.width), 2 * p.width))
    return p.drop(L.Flatten()(x))


def vgg(x, p):
    for width in (p.width, 2 * p.width):
        x = p.pool(p.conv(p.conv(x, width), width))
    x = p.conv(x, 2 * p.width)
    return p.drop(p.dense(L.Flatten()(x), 4 * p.width))


def strided(x, p):
    x = p.conv(x, p.width, strides=2)
    x = p.conv(x, 2 * p.width, strides=2)
    return p.drop(p.dense(L.Flatten()(x), 4 * p.width))


def _block(x, p, width, stride):
    kept = x if stride == 1 else p.normed(x, width, 1, act=False, strides=stride)
    x = p.normed(p.normed(x, width, strides=stride), width, act=False)
    return p.act(L.Add()([x, kept]))


def resnet(x, p):
    x = p.normed(x, p.width)
    x = _block(_block(x, p, p.width, 1), p, 2 * p.width, 2)
    return p.drop(L.GlobalAveragePooling2D()(x))


def lenet(x, p):
    x = p.pool(p.conv(x, p.width // 2, 5))
    x = p.pool(p.conv(x, p.width, 5))
    x = p.dense(L.Flatten()(x), 6 * p.width)
    return p.drop(p.dense(x, 4 * p.width))


def bnconv(x, p):
    for width in (p.width, 2 * p.width, 2 * p.width):
        x = p.pool(p.normed(x, width))
    return p.drop(L.GlobalAveragePooling2D()(x))


def separable(x, p):
    x = p.normed(x, p.width)
    for width in (p.width, 2 * p.width):
        x = L.DepthwiseConv2D(3, padding="same", use_bias=False, depthwise_initializer="he_normal")(x)
        x = p.act(L.BatchNormalization(momentum=p.momentum)(x))
        x = p.normed(x, width, 1)
    x = p.pool(x)
    return p.drop(L.GlobalAveragePooling2D()(x))


def inception(x, p):
    x = p.pool(p.conv(x, p.width))
    for _ in range(2):
        branches = [
            p.conv(x, p.width, 1),
            p.conv(p.conv(x, p.width, 1), p.width, 3),
            p.conv(p.pool_same(x), p.width, 1),
        ]
        x = L.Concatenate()(branches)
    x = p.pool(x)
    return p.drop(L.Flatten()(x))


def _pool_same(self, x):
    return L.MaxPooling2D(3, strides=1, padding="same")(x)


Parts.pool_same = _pool_same


def deep(x, p):
    x = L.Flatten()(x)
    for _ in range(5):
        x = p.dense(x, 4 * p.width)
    return p.drop(x)


def vit(x, p):
    patch = max(2, x.shape[1] // 7)
    x = L.Conv2D(
        2 * p.width,
        patch,
        strides=patch,
        padding="same",
        kernel_regularizer=p.regularizer,
        kernel_initializer=p.initializer or "glorot_uniform",
    )(x)
    x = L.Reshape((-1, 2 * p.width))(x)
    for _ in range(2):
        y = L.LayerNormalization()(x)
        x = L.Add()([x, L.MultiHeadAttention(2, p.width)(y, y)])
        y = L.LayerNormalization()(x)
        y = L.Dense(4 * p.width, activation="gelu", kernel_regularizer=p.regularizer)(y)
        x = L.Add()([x, p.drop(L.Dense(2 * p.width, kernel_regularizer=p.regularizer)(y))])
    return L.GlobalAveragePooling1D()(L.LayerNormalization()(x))


HALVES = {
    "calibration": {"mlp": mlp, "convnet": convnet, "vgg": vgg, "strided": strided, "resnet": resnet},
    "unseen": {
        "lenet": lenet,
        "bnconv": bnconv,
        "separable": separable,
        "inception": inception,
        "deep": deep,
        "vit": vit,
    },
}
BODIES = HALVES["calibration"] | HALVES["unseen"]
NORMED = ("resnet", "bnconv", "separable", "vit")
"""Networks that normalize inside, which heals several faults."""


def build(name, shape, p):
    """The network as a functional model, from what goes in to what its ends make of it."""
    inputs = x = keras.Input(shape)
    for layer in p.front:
        x = layer(x)
    x = BODIES[name](x, p)
    first, *more = p.ends
    x = L.Dense(
        p.outputs, kernel_initializer=p.last_initializer, kernel_regularizer=p.regularizer, bias_initializer="zeros"
    )(x)
    for end in (first, *more):
        if end is not None:
            x = L.Activation(end, dtype="float32")(x) if isinstance(end, str) else end(x)
    model = keras.Model(inputs, x)
    weighted = [layer for layer in model.layers if getattr(layer, "kernel", None) is not None]
    for layer in model.layers if p.frozen < 0 else weighted[: p.frozen]:
        layer.trainable = False
    return model
