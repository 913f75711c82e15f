"""Classifiers that look like a fault and are none, each beside the fault that it looks like; 8 x 8 digits."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from breadth_cases import X, Y, compiled
from doctor_cases import L

K = keras
HOT = np.eye(10, dtype="float32")[Y]
TWO = (Y > 4).astype("float32")


class Scale(L.Layer):
    """LayerScale, or ReZero with 0."""

    def __init__(self, start: float) -> None:
        super().__init__()
        self._start = start

    def build(self, shape: Any) -> None:
        """One factor a channel."""
        self.factor = self.add_weight(shape=(shape[-1],), initializer=K.initializers.Constant(self._start))

    def call(self, values: Any) -> Any:
        """Scaled values."""
        return values * self.factor


class Own(K.Model):
    """Layers that cannot be read, called without a training argument."""

    def __init__(self, last: str | None, outputs: int = 10) -> None:
        super().__init__()
        self.flat, self.hidden, self.out = L.Flatten(), L.Dense(32, "relu"), L.Dense(outputs, last)

    def call(self, images: Any) -> Any:
        """Answers."""
        return self.out(self.hidden(self.flat(images)))


def own(last: str | None, outputs: int = 10) -> Any:
    model = Own(last, outputs)
    model(X[:1])
    return model


def chain(*layers: Any) -> Any:
    return K.Sequential([K.Input((8, 8, 1)), *layers])


def dense(last: str | None, outputs: int = 10, hidden: str = "relu") -> Any:
    return chain(L.Flatten(), L.Dense(32, hidden), L.Dense(outputs, last))


def residual(activation: str, *, zero: str, blocks: int = 2, **kernel: Any) -> Any:
    images = K.Input((8, 8, 1))
    x = L.Conv2D(8, 3, padding="same", activation=activation, **kernel)(images)
    for _ in range(blocks):
        y = L.Conv2D(8, 3, padding="same", activation=activation, **kernel)(x)
        y = L.Conv2D(8, 3, padding="same", **({"kernel_initializer": "zeros"} if zero == "kernel" else kernel))(y)
        if zero == "gamma":
            y = L.BatchNormalization(gamma_initializer="zeros")(y)
        if zero == "scale":
            y = Scale(1e-6)(y)
        x = L.Activation(activation)(L.Add()([x, y]))
    return K.Model(images, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x)))


def gated(kind: str) -> Any:
    images = K.Input((8, 8, 1))
    x = L.Conv2D(8, 3, padding="same", activation="relu")(images)
    for _ in range(3):
        y = L.Conv2D(8, 3, padding="same")(x)
        if kind == "squeeze":
            gate = L.Dense(8, "sigmoid")(L.Dense(4, "relu")(L.GlobalAveragePooling2D()(y)))
            x = L.ReLU()(L.Add()([x, L.Multiply()([y, L.Reshape((1, 1, 8))(gate)])]))
        else:
            x = L.Multiply()([y, L.Activation("sigmoid")(y)])
    return K.Model(images, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(x)))


def experts() -> Any:
    images = K.Input((8, 8, 1))
    x = L.Flatten()(images)
    weights = K.ops.expand_dims(L.Dense(4, "softmax")(x), -1)
    every = K.ops.stack([L.Dense(16, "relu")(x) for _ in range(4)], axis=1)
    return K.Model(images, L.Dense(10, "softmax")(K.ops.sum(every * weights, axis=1)))


def frozen(activation: str) -> Any:
    body = chain(L.Flatten(), *[L.Dense(64, activation) for _ in range(3)])
    body.trainable = False
    return K.Sequential([K.Input((8, 8, 1)), body, L.Dense(10, "softmax")])


def penalized(penalty: Any) -> Any:
    blocks = [L.Conv2D(16, 3, padding="same", activation="relu", kernel_regularizer=penalty) for _ in range(2)]
    wide = L.Dense(256, "relu", kernel_regularizer=penalty)
    return chain(*blocks, L.MaxPooling2D(), L.Flatten(), wide, L.Dense(10, "softmax"))


def tanh(outputs: int, last: str, depth: int = 2, **settings: Any) -> Any:
    return chain(L.Flatten(), *[L.Dense(256, "tanh", **settings) for _ in range(depth)], L.Dense(outputs, last))


def group_norm() -> Any:
    images = K.Input((8, 8, 1))
    x = L.Conv2D(8, 3, padding="same")(images)
    for _ in range(2):
        y = x
        for _ in range(2):
            y = L.Conv2D(8, 3, padding="same")(L.ReLU()(L.GroupNormalization(4)(y)))
        x = L.Add()([x, y])
    return K.Model(images, L.Dense(10, "softmax")(L.GlobalAveragePooling2D()(L.ReLU()(x))))


def selu() -> Any:
    hidden = [
        one for _ in range(3) for one in (L.Dense(64, "selu", kernel_initializer="lecun_normal"), L.AlphaDropout(0.1))
    ]
    return chain(L.Flatten(), *hidden, L.Dense(10, "softmax"))


def separable() -> Any:
    body = [
        L.SeparableConv2D(16, 3, activation="relu"),
        L.SpatialDropout2D(0.2),
        L.DepthwiseConv2D(3, activation="relu"),
    ]
    return chain(*body, L.Conv2D(32, 1, activation="relu"), L.GlobalAveragePooling2D(), L.Dense(10, "softmax"))


def logits(outputs: int = 10) -> Any:
    return compiled(own(None, outputs), K.losses.SparseCategoricalCrossentropy(from_logits=True))


SMALL = K.initializers.RandomNormal(stddev=1e-3, seed=1)
BINARY = "binary_crossentropy"
Make = Callable[[], tuple[Any, ...]]

HEALTHY: dict[str, Make] = {
    "zero gamma, relu": lambda: (compiled(residual("relu", zero="gamma")), X, Y),
    "zero gamma, gelu": lambda: (compiled(residual("gelu", zero="gamma")), X, Y),
    "zero kernel": lambda: (compiled(residual("relu", zero="kernel")), X, Y),
    "LayerScale": lambda: (compiled(residual("gelu", zero="scale")), X, Y),
    "squeeze and excite": lambda: (compiled(gated("squeeze")), X, Y),
    "swish by hand": lambda: (compiled(gated("swish")), X, Y),
    "mixture of experts": lambda: (compiled(experts()), X, Y),
    "frozen sigmoids": lambda: (compiled(frozen("sigmoid")), X, Y),
    "frozen, raw": lambda: (compiled(frozen("relu")), 255 * X, Y),
    "tanh, one output": lambda: (compiled(tanh(1, "sigmoid"), BINARY), X, TWO),
    "L2 of 0.01": lambda: (compiled(penalized(K.regularizers.L2(0.01))), X, Y),
    "categorical hinge": lambda: (compiled(dense(None), "categorical_hinge"), X, HOT),
    "support vectors": lambda: (compiled(dense(None), "squared_hinge"), X, HOT),
    "hinge, one output": lambda: (compiled(dense(None, 1), "hinge"), X, TWO),
    "divergence": lambda: (compiled(dense("softmax"), "kl_divergence"), X, HOT),
    "subclassed, logits": lambda: (logits(), X, Y),
    "subclassed, two logits": lambda: (logits(2), X, TWO.astype("int64")),
    "GroupNorm": lambda: (compiled(group_norm()), X, Y),
    "selu": lambda: (compiled(selu()), (X - X.mean()) / X.std(), Y),
    "separable": lambda: (compiled(separable()), X, Y),
}

FAULTS: dict[str, tuple[str, Make]] = {
    "hinge on softmax": ("loss-unsuitable", lambda: (compiled(dense("softmax"), "hinge"), X, HOT)),
    "squared hinge": ("loss-unsuitable", lambda: (compiled(dense("softmax"), K.losses.SquaredHinge()), X, HOT)),
    "hinge on sigmoid": ("loss-unsuitable", lambda: (compiled(dense("sigmoid", 1), "hinge"), X, TWO)),
    "hidden softmax": ("hidden-activation-saturating", lambda: (compiled(dense("softmax", hidden="softmax")), X, Y)),
    "divergence of logits": ("output-activation-missing", lambda: (compiled(dense(None), "kl_divergence"), X, HOT)),
    "subclassed, binary": ("loss-unsuitable", lambda: (compiled(own("softmax"), BINARY), X, HOT)),
    "subclassed, sigmoid": (
        "output-activation-wrong",
        lambda: (compiled(own("sigmoid"), "categorical_crossentropy"), X, HOT),
    ),
    "small, residual": (
        "init-too-small",
        lambda: (compiled(residual("relu", zero="", kernel_initializer=SMALL)), X, Y),
    ),
    "L2 of 1": ("regularization-too-strong", lambda: (compiled(penalized(K.regularizers.L2(1.0))), X, Y)),
    "L1 of 0.1": ("regularization-too-strong", lambda: (compiled(penalized(K.regularizers.L1(0.1))), X, Y)),
    "full tanh": (
        "hidden-activation-saturating",
        lambda: (compiled(tanh(10, "softmax", 4, bias_initializer=K.initializers.Constant(4.0))), X, Y),
    ),
}
