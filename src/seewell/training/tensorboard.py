"""TensorBoard files: scalars, and histograms of each layer's pre-activations, gradients and weights."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seewell.networks.taps import Taps
from seewell.training.observers import Observer, Started, TrainReport, ValidationReport

__all__ = ["TIME_SHARE", "TensorBoardWriter"]

_MOST_VALUES = 50_000
TIME_SHARE = 0.03
"""Of the time, what histograms may take."""


class TensorBoardWriter(Observer):
    """Writes a training to TensorBoard as it goes; histograms space themselves out to 3 % of the time.

    Args:
        folder: Where the files go.
        images: uint8 (N, H, W, C): a fixed small batch to look at the layers with.
        labels: int64 (N,).
        histograms: Whether there is time for them: their first ones trace a graph.

    Attributes:
        lacks: Why something could not be written (a full disk), in a sentence; the training goes on without it.
    """

    label = "tensorboard"

    def __init__(
        self, folder: Path, images: NDArray[np.uint8], labels: NDArray[np.int64], *, histograms: bool = True
    ) -> None:
        self._folder = folder
        self._images, self._labels = images, labels
        self._wanted = histograms
        self._taps: Taps | None = None
        self._model: Any = None
        self._writer: Any = tf.summary.create_noop_writer()
        self.lacks: tuple[str, ...] = ()
        self._spent = 0.0
        self._began = 0.0

    def on_start(self, started: Started) -> None:
        """Open the files and look at the layers before the first update."""
        with self._all_the_same():
            self._writer = tf.summary.create_file_writer(str(self._folder))
        self._model, self._taps = started.model, Taps(started.model) if self._wanted else None
        self._began = time.perf_counter()
        self._histograms(started.first_step)

    def on_train(self, report: TrainReport) -> None:
        """Write the scalars of a report."""
        with self._all_the_same(), self._writer.as_default():
            tf.summary.scalar("train/cost", report.loss, report.step)
            tf.summary.scalar("train/accuracy", report.accuracy, report.step)
            tf.summary.scalar("train/learning_rate", report.learning_rate, report.step)
            tf.summary.scalar("train/images_per_second", report.images_per_second, report.step)

    def on_validation(self, report: ValidationReport) -> None:
        """Write the scalars of a validation, and histograms where there is time for them."""
        with self._all_the_same(), self._writer.as_default():
            tf.summary.scalar("validation/cost", report.loss, report.step)
            tf.summary.scalar("validation/accuracy", report.accuracy, report.step)
        if self._spent <= TIME_SHARE * (time.perf_counter() - self._began):
            self._histograms(report.step)

    def on_end(self) -> None:
        """Close the files."""
        with self._all_the_same():
            self._writer.close()

    @contextlib.contextmanager
    def _all_the_same(self) -> Iterator[None]:
        """Pictures are no reason to end a training."""
        try:
            yield
        except (tf.errors.OpError, OSError) as problem:
            said = str(getattr(problem, "message", problem)).splitlines()[0].rpartition("; ")[2]
            self.lacks = self.lacks or (f"not everything could be written for TensorBoard: {said}.",)

    def _histograms(self, step: int) -> None:
        clock = time.perf_counter()
        taps = self._taps
        if taps is None:
            return
        with self._all_the_same(), self._writer.as_default():
            before, slopes = taps.pre_activations_and_gradients(self._images, self._labels)
            for name, values in before.items():
                tf.summary.histogram(f"pre-activations/{name}", _sample(values), step)
            for name, values in slopes.items():
                tf.summary.histogram(f"gradients/{name}", _sample(values), step)
            for variable in self._model.trainable_variables:
                tf.summary.histogram(f"weights/{variable.path}", _sample(np.asarray(variable.value)), step)
        self._spent += time.perf_counter() - clock


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    """At most 50,000 values, evenly spread; what is not finite cannot be drawn and is left out."""
    flat = values.reshape(-1)
    flat = flat[:: max(1, len(flat) // _MOST_VALUES)]
    return flat[np.isfinite(flat)]
