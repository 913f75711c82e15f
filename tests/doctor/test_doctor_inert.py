"""The doctor changes nothing: weights, history, and the next random numbers."""

import random
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from doctor_cases import L, digits

import seewell
from seewell.doctor.guard import Guard
from seewell.doctor.probes.datasets import read_batches


def network() -> Any:
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            L.RandomTranslation(0.1, 0.1),
            L.Conv2D(8, 3, activation="relu", kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.Dropout(0.3),
            L.Flatten(),
            L.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def as_arrays(x: np.ndarray, y: np.ndarray) -> tuple[Any, ...]:
    return x, y


def as_dataset(x: np.ndarray, y: np.ndarray) -> tuple[Any, ...]:
    data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(500)
    return (data.map(lambda a, b: (a * 1.0, b)).batch(50).prefetch(2),)


class Batches(keras.utils.PyDataset):
    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self._x, self._y = x, y

    def __len__(self) -> int:
        return len(self._x) // 50

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(50 * index, 50 * index + 50)
        return self._x[rows] + np.random.normal(0, 0.01, self._x[rows].shape).astype("float32"), self._y[rows]


def as_batches(x: np.ndarray, y: np.ndarray) -> tuple[Any, ...]:
    return (Batches(x, y),)


def train(give: Any, *, watched: bool) -> tuple[Any, ...]:
    keras.utils.set_random_seed(5)
    x, y = digits()
    x = x / 16
    keras.random.normal((1,))  # Keras's own generator exists and is in use
    data = give(x[:500], y[:500])
    model = network()
    callbacks = []
    if watched:
        doctor = seewell.Doctor()
        doctor.examine(model, *data, validation_data=(x[500:600], y[500:600]), thorough=True)
        callbacks = [doctor]
    shuffle = give is not as_dataset
    held = (x[500:600], y[500:600])
    history = model.fit(*data, epochs=8, validation_data=held, callbacks=callbacks, shuffle=shuffle, verbose=0)
    if watched:
        assert not [one.code for one in doctor.findings if one.severity != "info"]
        assert doctor.limits == ()
    following = (random.random(), np.random.rand(), float(tf.random.normal(())), float(keras.random.normal(())))
    weights = [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]
    return weights, [v.numpy() for v in model.variables], history.history, following


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    "give",
    [as_arrays, pytest.param(as_dataset, marks=pytest.mark.slow), pytest.param(as_batches, marks=pytest.mark.slow)],
)
def test_a_watched_training_gives_the_same_bits(give: Any) -> None:
    plain, watched = train(give, watched=False), train(give, watched=True)
    for a, b in zip(plain[0] + plain[1], watched[0] + watched[1], strict=True):
        np.testing.assert_array_equal(a, b)
    assert plain[2] == watched[2]
    assert plain[3] == watched[3]


def test_examine_leaves_model_optimizer_and_metrics_as_they_are() -> None:
    keras.utils.set_random_seed(5)
    x, y = digits()
    model = network()
    before = [v.numpy().copy() for v in model.variables]
    built, paths = model.optimizer.built, [v.path for v in model.variables]
    metrics = [m.name for m in model.metrics]
    seewell.examine(model, x[:300] / 16, y[:300])
    assert [v.path for v in model.variables] == paths
    assert model.optimizer.built == built
    assert [m.name for m in model.metrics] == metrics
    for a, b in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_reading_a_shuffled_data_set_does_not_move_its_shuffle_on() -> None:
    def order(read: bool) -> list[int]:
        data = tf.data.Dataset.from_tensor_slices((np.arange(40.0)[:, None], np.arange(40))).shuffle(40, seed=3)
        data = data.cache().map(lambda a, b: (a, b)).batch(8)
        if read:
            reading = read_batches(data, 3)
            assert reading is not None
            assert [len(labels) for _, labels in reading.batches] == [8, 8, 8]
        return [int(label) for _, labels in data for label in labels]

    assert order(True) == order(False)


def test_a_data_set_that_cannot_be_read_unchanged_is_left_alone() -> None:
    data = tf.data.Dataset.range(10).shuffle(10)
    both = tf.data.Dataset.zip((data, data)).batch(2).shuffle(3)
    assert read_batches(both, 3) is None


def test_what_a_thread_of_keras_draws_while_a_probe_runs_in_fit_stays_drawn() -> None:
    random.seed(1)
    expected = [random.random(), random.random()][1]
    random.seed(1)
    Guard().attempt("values", random.random, in_fit=True)
    assert random.random() == expected
