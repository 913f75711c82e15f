"""Small trainings on the 8 × 8 digits: typical faults, and healthy ones of many kinds."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits

L = keras.layers
SPARSE = "sparse_categorical_crossentropy"


@dataclass
class Case:
    """A model, its compilation and its data."""

    layers: Callable[[], list[Any]]
    optimizer: Callable[[], Any] = lambda: keras.optimizers.Adam(1e-3)
    loss: Any = SPARSE
    images: Callable[[np.ndarray], np.ndarray] = lambda raw: raw / 16
    labels: Callable[[np.ndarray], np.ndarray] = lambda y: y
    epochs: int = 4
    policy: str = "float32"
    shape: tuple[int, ...] = (8, 8, 1)
    fit: dict[str, Any] = field(default_factory=dict)

    def build(self) -> tuple[Any, np.ndarray, np.ndarray]:
        keras.utils.set_random_seed(0)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.policy)
        try:
            model = keras.Sequential([keras.Input(self.shape), *self.layers()])
        finally:
            keras.config.set_dtype_policy(before)
        model.compile(self.optimizer(), self.loss, metrics=["accuracy"])
        x, y = digits()
        return model, np.asarray(self.images(x), "float32"), self.labels(y)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Shuffled digits, values 0 to 16."""
    data = load_digits()
    order = np.random.default_rng(1).permutation(len(data.target))[:1500]
    return data.images[order][..., None].astype("float32"), data.target[order].astype("int64")


def conv(activation: str | None = "relu", last: str | None = "softmax", outputs: int = 10, **kernel: Any) -> list[Any]:
    return [
        L.Conv2D(16, 3, activation=activation, **kernel),
        L.Conv2D(16, 3, activation=activation, **kernel),
        L.Flatten(),
        L.Dense(32, activation=activation, **kernel),
        L.Dense(outputs, activation=last, **kernel),
    ]


def dense(activation: str | None = "relu", depth: int = 2, last: str | None = "softmax", **kernel: Any) -> list[Any]:
    hidden = [L.Dense(32, activation=activation, **kernel) for _ in range(depth)]
    return [L.Flatten(), *hidden, L.Dense(10, activation=last, **kernel)]


def normed(momentum: float = 0.9) -> list[Any]:
    layers: list[Any] = []
    for _ in range(2):
        layers += [L.Conv2D(16, 3, use_bias=False), L.BatchNormalization(momentum=momentum), L.ReLU()]
    return [*layers, L.GlobalAveragePooling2D(), L.Dropout(0.2), L.Dense(10, activation="softmax")]


def sgd(rate: float, **more: Any) -> Callable[[], Any]:
    return lambda: keras.optimizers.SGD(rate, **more)


def adam(rate: float, **more: Any) -> Callable[[], Any]:
    return lambda: keras.optimizers.Adam(rate, **more)


def flipped(labels: Any, outputs: Any) -> Any:
    return -keras.losses.sparse_categorical_crossentropy(labels, outputs)


def with_nan(raw: np.ndarray) -> np.ndarray:
    images = raw / 16
    images[::50, 3, 3] = np.nan
    return images


def mean_image(raw: np.ndarray) -> np.ndarray:
    images = raw * 255 / 16
    return images - images.mean(axis=0)


def shuffled(y: np.ndarray) -> np.ndarray:
    return np.random.default_rng(2).permutation(y)


NORMAL = keras.initializers.RandomNormal(stddev=1.0, seed=1)
SMALL = keras.initializers.RandomNormal(stddev=0.001, seed=1)

FAULTS: dict[str, tuple[str, Case]] = {
    "raw 0 to 255": ("input-range-too-large", Case(conv, sgd(0.01), images=lambda raw: raw * 255 / 16)),
    "divided twice": ("input-range-too-small", Case(conv, sgd(0.01), images=lambda raw: raw / 16 / 255)),
    "nan in images": ("non-finite-input", Case(conv, images=with_nan)),
    "no softmax": ("output-activation-missing", Case(lambda: conv(last=None))),
    "softmax twice": (
        "output-activation-doubled",
        Case(conv, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
    ),
    "relu at the end": ("output-activation-wrong", Case(lambda: conv(last="relu"))),
    "too few outputs": ("output-size-mismatch", Case(lambda: conv(outputs=9))),
    "no nonlinearity": ("hidden-activation-missing", Case(lambda: dense(None, 3))),
    "six sigmoids": ("hidden-activation-saturating", Case(lambda: dense("sigmoid", 6), sgd(0.1))),
    "all ones": ("init-constant", Case(lambda: dense(kernel_initializer="ones"))),
    "weights too large": ("init-too-large", Case(lambda: conv(kernel_initializer=NORMAL), sgd(1e-3))),
    "weights too small": ("init-too-small", Case(lambda: conv(kernel_initializer=SMALL), sgd(0.01))),
    "squared error": (
        "loss-unsuitable",
        Case(conv, sgd(0.01), loss="mse", labels=lambda y: np.eye(10, dtype="float32")[y]),
    ),
    "sign flipped": ("loss-sign-flipped", Case(conv, loss=flipped)),
    "summed": (
        "loss-not-averaged",
        Case(conv, sgd(0.3), loss=keras.losses.SparseCategoricalCrossentropy(reduction="sum")),
    ),
    "adam at 1": ("learning-rate-too-high", Case(conv, adam(1.0))),
    "sgd at 30": ("learning-rate-too-high", Case(dense, sgd(30.0))),
    "sgd at 1e-6": ("learning-rate-too-low", Case(conv, sgd(1e-6))),
    "adam at 1e-7": ("learning-rate-too-low", Case(conv, adam(1e-7))),
    "momentum 0.999": ("optimizer-unstable", Case(conv, sgd(0.05, momentum=0.999))),
    "L2 of 10": ("regularization-too-strong", Case(lambda: dense(kernel_regularizer=keras.regularizers.L2(10.0)))),
    "dropout 0.95": (
        "regularization-too-strong",
        Case(lambda: [L.Flatten(), L.Dense(32, "relu"), L.Dropout(0.95), L.Dense(10, "softmax")]),
    ),
    "labels of others": ("labels-wrong", Case(conv, labels=shuffled)),
    "dead from the start": ("dead-units", Case(lambda: dense(bias_initializer=keras.initializers.Constant(-20.0)))),
}

HEALTHY: dict[str, Case] = {
    "conv, adam": Case(conv),
    "conv, momentum, [-1, 1]": Case(conv, sgd(0.05, momentum=0.9), images=lambda raw: raw / 8 - 1),
    "dense, z-scored": Case(dense, images=lambda raw: (raw - raw.mean()) / raw.std()),
    "mean image subtracted": Case(conv, adam(1e-4), images=mean_image),
    "rescaling inside": Case(lambda: [L.Rescaling(1 / 255), *conv()], images=lambda raw: raw * 255 / 16),
    "0 to 16 as they are": Case(conv, images=lambda raw: raw),
    "BatchNorm, dropout": Case(normed),
    "BatchNorm, raw": Case(normed, images=lambda raw: raw * 255 / 16),
    "logits": Case(lambda: conv(last=None), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)),
    "one-hot": Case(conv, loss="categorical_crossentropy", labels=lambda y: np.eye(10, dtype="float32")[y]),
    "two classes, sigmoid": Case(
        lambda: conv(last="sigmoid", outputs=1), loss="binary_crossentropy", labels=lambda y: (y > 4).astype("int64")
    ),
    "bfloat16": Case(lambda: [*conv(last=None), L.Activation("softmax", dtype="float32")], policy="mixed_bfloat16"),
    "float16": Case(
        lambda: [*conv(last=None), L.Activation("softmax", dtype="float32")], policy="mixed_float16", epochs=2
    ),
    "tanh": Case(lambda: dense("tanh", 2)),
    "one sigmoid layer": Case(lambda: dense("sigmoid", 1), sgd(0.5)),
    "softmax regression": Case(lambda: dense(depth=0)),
    "L2 and dropout": Case(
        lambda: [
            L.Flatten(),
            L.Dense(64, "relu", kernel_regularizer=keras.regularizers.L2(5e-4)),
            L.Dropout(0.5),
            L.Dense(10, "softmax"),
        ]
    ),
    "augmented": Case(lambda: [L.RandomTranslation(0.1, 0.1), L.RandomRotation(0.05), *conv()]),
    "zero start at the end": Case(lambda: [*dense()[:-1], L.Dense(10, "softmax", kernel_initializer="zeros")]),
    "RMSprop": Case(conv, lambda: keras.optimizers.RMSprop(1e-3)),
    "Adagrad": Case(conv, lambda: keras.optimizers.Adagrad(0.05)),
    "AdamW, warm-up": Case(
        conv,
        lambda: keras.optimizers.AdamW(
            keras.optimizers.schedules.CosineDecay(0.0, 200, warmup_target=2e-3, warmup_steps=50)
        ),
    ),
    "imbalanced": Case(conv, labels=lambda y: (y == 0).astype("int64") * 1 + (y == 1) * 2, epochs=4),
    "sgd 0.05": Case(dense, sgd(0.05), epochs=10),
    "sgd 0.01, long": Case(dense, sgd(0.01), epochs=10),
    "adam 0.01": Case(conv, adam(0.01)),
    "RandomNormal(0.05)": Case(lambda: conv(kernel_initializer="random_normal")),
}
HEALTHY["imbalanced"].layers = lambda: conv(outputs=3)
