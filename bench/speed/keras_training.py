"""Keras's usual way: a small functional CNN, Adam and `fit`, as its guides show them, in float32."""

import time

import keras
import numpy as np

from speed.conversation import serve
from speed.rivals import check_options


def network(shape, classes):
    """Two convolutions and a pool, once for 32, 64 and 128 filters; dropout and softmax."""
    images = keras.Input(shape)
    x = keras.layers.Rescaling(1 / 255)(images)
    for filters in (32, 64, 128):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Dense(classes, activation="softmax")(x))


class Curve(keras.callbacks.Callback):
    """Validates after each epoch, off the clock."""

    def __init__(self, images, labels):
        super().__init__()
        self._held = images, labels
        self.points, self.apart, self.began = [], 0.0, None

    def on_train_begin(self, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        now = time.perf_counter()
        _, accuracy = self.model.evaluate(*self._held, batch_size=500, verbose=0)
        self.points.append({"epoch": epoch + 1, "seconds": now - self.began - self.apart, "accuracy": accuracy})
        self.apart += time.perf_counter() - now


class Training:
    """One training. Settings: "data", "seed", "classes", "options": "epochs" (15), "batch" (128)."""

    def __init__(self, settings):
        self._settings = settings
        check_options("keras", settings["options"])
        with np.load(settings["data"]) as data:
            self._data = dict(data)

    def train(self):
        keras.utils.set_random_seed(self._settings["seed"])
        options, data = self._settings["options"], self._data
        began = time.perf_counter()
        model = network(data["train"].shape[1:], self._settings["classes"])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        curve = Curve(data["validation"], data["validation_labels"])
        epochs, batch_size = int(options.get("epochs", 15)), int(options.get("batch", 128))
        model.fit(
            data["train"], data["train_labels"], batch_size=batch_size, epochs=epochs, callbacks=[curve], verbose=0
        )
        seconds = curve.points[-1]["seconds"]
        return {
            "curve": curve.points,
            "seconds": seconds,
            "seconds_before": curve.began - began,
            "images_per_second": epochs * len(data["train"]) / seconds,
            "precision": "float32",
            "batch_size": batch_size,
            "parameters": model.count_params(),
        }


make = Training

if __name__ == "__main__":
    serve(make)
