"""Healthy small image classifiers of many makes: what they are built of, compiled with and fed with."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from doctor_cases import L, digits

SPARSE = "sparse_categorical_crossentropy"
X, Y = digits()
X = X / 16
TRAIN = slice(0, 400)
HELD = slice(400, 500)


def compiled(model: Any, loss: Any = SPARSE, optimizer: Any = "adam", **settings: Any) -> Any:
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], **settings)
    return model


def small(*first: Any, outputs: int = 10, last: str | None = "softmax", shape: tuple[int, ...] = (8, 8, 1)) -> Any:
    layers = [*first, L.Flatten(), L.Dense(32, "relu"), L.Dense(outputs, activation=last)]
    return keras.Sequential([keras.Input(shape), *layers])


class Subclassed(keras.Model):
    """Layers in attributes and in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.body = [L.Conv2D(8, 3, activation="relu"), L.BatchNormalization(), L.Flatten(), L.Dropout(0.2)]
        self.out = L.Dense(10, activation="softmax")

    def call(self, images: Any, training: bool = False) -> Any:
        """Class probabilities."""
        for layer in self.body:
            images = layer(images, training=training) if isinstance(layer, L.Dropout) else layer(images)
        return self.out(images)


class OwnStep(keras.Model):
    """A Functional model with a train_step of its own."""

    def train_step(self, data: Any) -> Any:
        """One update, written out."""
        x, y = data
        with tf.GradientTape() as tape:
            outputs = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=outputs)
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True)
        )
        return {"loss": loss, **self.compute_metrics(x, y, outputs)}


class OwnLoss(keras.losses.Loss):
    """Cross-entropy, written out."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """One number an image."""
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


def own_loss(labels: Any, outputs: Any) -> Any:
    """Cross-entropy as a function."""
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, outputs))


class Parts(keras.utils.PyDataset):
    """Batches with weights, made by workers."""

    def __init__(self) -> None:
        super().__init__(workers=2, use_multiprocessing=False)

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = slice(50 * index, 50 * index + 50)
        return X[rows], Y[rows], np.ones(50, "float32")


def subclassed() -> Any:
    model = Subclassed()
    model(X[:1])
    return model


def own_step() -> Any:
    images = keras.Input((8, 8, 1))
    return OwnStep(images, L.Dense(10, "softmax")(L.Dense(32, "relu")(L.Flatten()(images))))


def transformer() -> Any:
    images = keras.Input((8, 8, 1))
    x = L.Reshape((16, 16))(L.Conv2D(16, 2, strides=2)(images))
    y = L.LayerNormalization()(x)
    x = L.Add()([x, L.MultiHeadAttention(2, 8)(y, y)])
    y = L.LayerNormalization()(x)
    x = L.Add()([x, L.Dense(16)(L.Dense(32, "gelu")(y))])
    return keras.Model(images, L.Dense(10, "softmax")(L.GlobalAveragePooling1D()(x)))


def nested(*, frozen: bool) -> Any:
    body = keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(16, 3, activation="relu"), L.Flatten()], name="body")
    body.trainable = not frozen
    images = keras.Input((8, 8, 1))
    return keras.Model(images, L.Dense(10, "softmax")(L.Dense(32, "relu")(body(images))))


def shared() -> Any:
    images = keras.Input((8, 8, 1))
    same = L.Dense(64, "relu")
    return keras.Model(images, L.Dense(10, "softmax")(same(same(L.Flatten()(images)))))


def half(policy: str) -> Any:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = small(last=None)
    finally:
        keras.config.set_dtype_policy(before)
    return keras.Sequential([model, L.Activation("softmax", dtype="float32")])


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(10, dtype="float32")[labels]


def dataset(*, weights: bool = False, hot: bool = False) -> tuple[Any, ...]:
    labels: Any = one_hot(Y[TRAIN]) if hot else Y[TRAIN]
    parts = (X[TRAIN], labels, np.ones(400, "float32")) if weights else (X[TRAIN], labels)
    return (tf.data.Dataset.from_tensor_slices(parts).shuffle(400).batch(50),)


def arrays(
    images: Callable[[np.ndarray], np.ndarray] = lambda x: x, labels: Callable[[np.ndarray], np.ndarray] = lambda y: y
) -> Callable[[], tuple[Any, ...]]:
    return lambda: (images(X[TRAIN]), labels(Y[TRAIN]))


def two(labels: np.ndarray) -> np.ndarray:
    return labels > 4


MODELS: dict[str, tuple[Callable[[], Any], Callable[[], tuple[Any, ...]]]] = {
    "subclassed": (lambda: compiled(subclassed()), arrays()),
    "own train_step": (lambda: compiled(own_step()), arrays()),
    "own loss class": (lambda: compiled(small(), OwnLoss()), arrays()),
    "own loss function": (lambda: compiled(small(), own_loss), arrays()),
    "loss in a list": (lambda: compiled(small(), [SPARSE]), arrays()),
    "transformer": (lambda: compiled(transformer()), arrays()),
    "frozen body": (lambda: compiled(nested(frozen=True)), arrays()),
    "nested body": (lambda: compiled(nested(frozen=False)), arrays()),
    "layer used twice": (lambda: compiled(shared()), arrays()),
    "float16, loss scale": (
        lambda: compiled(half("mixed_float16"), optimizer=keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam())),
        arrays(),
    ),
    "jit, steps_per_execution": (lambda: compiled(small(), jit_compile=True, steps_per_execution=4), arrays()),
    "eager": (lambda: compiled(small(), run_eagerly=True), arrays()),
    "data set, one-hot, weights": (
        lambda: compiled(small(), "categorical_crossentropy"),
        lambda: dataset(weights=True, hot=True),
    ),
    "data set": (lambda: compiled(small()), dataset),
    "PyDataset, weights, workers": (lambda: compiled(small()), lambda: (Parts(),)),
    "labels (N, 1), uint8": (lambda: compiled(small()), arrays(labels=lambda y: y[:, None].astype("uint8"))),
    "bool labels, one sigmoid": (
        lambda: compiled(small(outputs=1, last="sigmoid"), "binary_crossentropy"),
        arrays(labels=two),
    ),
    "two softmax outputs": (lambda: compiled(small(outputs=2)), arrays(labels=lambda y: two(y).astype("int64"))),
    "grey, no channel axis": (lambda: compiled(small(shape=(8, 8))), arrays(images=lambda x: x[..., 0])),
    "Conv1D over rows": (
        lambda: compiled(small(L.Conv1D(16, 3, activation="relu"), shape=(8, 8))),
        arrays(images=lambda x: x[..., 0]),
    ),
    "LSTM over rows": (
        lambda: compiled(keras.Sequential([keras.Input((8, 8)), L.LSTM(32), L.Dense(10, "softmax")])),
        arrays(images=lambda x: x[..., 0]),
    ),
    "channels first": (
        lambda: compiled(small(L.Permute((2, 3, 1)), L.Conv2D(8, 3, activation="relu"), shape=(1, 8, 8))),
        arrays(images=lambda x: x.transpose(0, 3, 1, 2)),
    ),
    "Activation layers": (
        lambda: compiled(
            keras.Sequential(
                [
                    keras.Input((8, 8, 1)),
                    *(L.Flatten(), L.Dense(32), L.Activation("relu"), L.Dense(10), L.Activation("softmax")),
                ]
            )
        ),
        arrays(),
    ),
    "Normalization, adapted": (lambda: compiled(small(adapted())), arrays(images=lambda x: 255 * x)),
    "separable, swish": (
        lambda: compiled(small(L.SeparableConv2D(16, 3), L.BatchNormalization(), L.Activation("swish"))),
        arrays(),
    ),
}


def adapted() -> Any:
    layer = L.Normalization()
    layer.adapt(255 * X[TRAIN])
    return layer
