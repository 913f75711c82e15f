"""Keras's own ways: `fit` and `predict` as its guides show them, and with every setting that makes them faster."""

import keras
import numpy as np
import tensorflow as tf

from seewell.training.precision import policy_name
from speed.batches import compared_batches, images_and_labels
from speed.conversation import Timed, serve
from speed.description import assign, build, read

_RATE = 1e-4
_AT_ONCE = 20
"""Updates in a call of the tuned `fit` (``steps_per_execution``), where there are that many."""


def compiled(settings, rate=_RATE):
    """The described network with its weights in a precision, compiled with Adam; its description."""
    description, weights = read(settings["folder"])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy_name(settings.get("precision", "float32")))
    model = build(description["network"], tuple(description["shape"]), description["classes"])
    keras.config.set_dtype_policy(before)
    assign(model, weights)
    _compile(model, rate, 1)
    return model, description


def _compile(model, rate, at_once):
    model.compile(
        keras.optimizers.Adam(rate, epsilon=1e-8),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=at_once,
        jit_compile=False,  # XLA is slower on processors
    )


class Fit(Timed):
    """`fit` on arrays."""

    def __init__(self, settings):
        self._model, self._description = compiled(settings)
        self._batch_size = settings["batch_size"]
        self._images = self._labels = ()

    def ready(self, count):
        if len(self._labels) < count * self._batch_size:
            self._images, self._labels = images_and_labels(self._description["shape"], count * self._batch_size)

    def make(self, count):
        rows = slice(0, count * self._batch_size)
        self._model.fit(self._images[rows], self._labels[rows], batch_size=self._batch_size, epochs=1, verbose=0)


class TunedFit(Timed):
    """`fit` on a tf.data pipeline that gathers whole batches ahead, with several updates a call."""

    def __init__(self, settings):
        self._model, description = compiled(settings)
        self._at_once = None
        batch_size = settings["batch_size"]
        images, labels = images_and_labels(description["shape"], max(2000, batch_size), description["classes"])
        with tf.device("/CPU:0"):
            images, labels = tf.constant(images), tf.constant(labels)
        self._batches = (
            tf.data.Dataset.range(len(labels))
            .shuffle(len(labels), seed=0)
            .repeat()
            .batch(batch_size, drop_remainder=True)
            .map(lambda rows: (tf.gather(images, rows), tf.gather(labels, rows)), num_parallel_calls=tf.data.AUTOTUNE)
            .prefetch(tf.data.AUTOTUNE)
        )

    def prepare(self, count):
        at_once = min(_AT_ONCE, count)
        if at_once != self._at_once:
            self._at_once = at_once
            _compile(self._model, _RATE, at_once)
            self.make(at_once)
        return count - count % at_once

    def make(self, count):
        self._model.fit(self._batches, steps_per_epoch=count, epochs=1, shuffle=False, verbose=0)


class Predict(Timed):
    """`predict` on an array, in batches."""

    def __init__(self, settings):
        self._model, self._description = compiled(settings)
        self._batch_size = settings["batch_size"]
        self._images = ()

    def ready(self, count):
        if len(self._images) < count * self._batch_size:
            self._images, _ = images_and_labels(self._description["shape"], count * self._batch_size)

    def make(self, count):
        images = self._images[: count * self._batch_size]
        self._model.predict(images, batch_size=self._batch_size, verbose=0)


class TunedPredict(Timed):
    """A compiled call of the network on each batch."""

    def __init__(self, settings):
        model, description = compiled(settings)
        self._images, _ = images_and_labels(description["shape"], settings["batch_size"])
        self._call = tf.function(lambda images: model(images, training=False))

    def make(self, count):
        for _ in range(count):
            self._call(tf.constant(self._images)).numpy()


class Losses:
    """The losses of the compared batches, each from a `fit` of one update."""

    def __init__(self, settings):
        self._settings = settings

    def losses(self):
        settings = self._settings
        model, description = compiled(settings, settings["rate"])
        batches = compared_batches(
            description["shape"], settings["batch_size"], settings["steps"], description["classes"]
        )
        found = []
        for images, labels in zip(*batches, strict=True):
            fitted = model.fit(images, labels, batch_size=len(images), epochs=1, shuffle=False, verbose=0)
            found.append(fitted.history["loss"][0])
        return np.asarray(found, float).tolist()


MAKERS = {
    "training": {"usual": Fit, "tuned": TunedFit},
    "inference": {"usual": Predict, "tuned": TunedPredict},
    "losses": {"usual": Losses},
}


def make(settings):
    return MAKERS[settings["mode"]][settings["way"]](settings)


if __name__ == "__main__":
    serve(make)
