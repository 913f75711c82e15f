"""A few updates on copies: of the weights, of what BatchNorm and dropout keep, and of the optimizer."""

import contextlib
import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from seewell.doctor.probes.answers import cross_entropy
from seewell.doctor.statistics import Kind, LookaheadFacts

__all__ = ["Trial"]

Array = npt.NDArray[Any]

_FEWEST = 6


class Trial:
    """Trains copies of a model's weights; the model itself is only called, statelessly.

    The copy of the optimizer comes from its configuration, so clipping, decay,
    momentum and everything else count as they would in training.

    Args:
        model: A built, compiled model.
        loss: Its loss: labels and outputs to one number.
        kind: What its outputs are.
        optimizer: Takes the place of the copy of the model's own; not yet built.
    """

    def __init__(self, model: Any, loss: Any, kind: Kind, optimizer: Any = None) -> None:
        self._model = model
        self._loss = loss
        self._kind = kind
        self._weights = [_copy(variable) for variable in model.trainable_variables]
        self._rest = [_copy(variable) for variable in model.non_trainable_variables]
        given = getattr(model.optimizer, "inner_optimizer", model.optimizer) if optimizer is None else optimizer
        config = given.get_config()
        self._rate = float(np.asarray(given.learning_rate))
        config["learning_rate"] = self._rate
        self._optimizer = type(given).from_config(config)
        self._optimizer.build(self._weights)
        self._start = [variable.numpy() for variable in self._optimizer.variables]
        # As in fit: a model whose call has no such argument is called without it.
        self._mode = {"training": True} if model._call_has_training_arg else {}
        self._update = tf.function(self._step)

    def run(
        self, data: tuple[Array, Array, Array], *, steps: int, rate: float, batch: int, compiled: bool, deadline: float
    ) -> LookaheadFacts:
        """Update the copies a few times from the model's present weights.

        Args:
            data: Images, labels as the loss takes them, and class numbers; cut into batches in turn.
            steps: Updates at most.
            rate: The learning rate.
            batch: Images an update.
            compiled: Trace the update first: worth it from the second run on.
            deadline: Time of `time.perf_counter` after which to stop, once six updates are made.

        Returns:
            The cross-entropy of each batch before its update; the first update by layer.
        """
        self._reset(rate)
        images, targets, labels = data
        update = self._update if compiled else self._step
        pieces = max(1, len(images) // batch)
        rows = [slice(piece * batch, (piece + 1) * batch) for piece in range(pieces)]
        losses: list[float] = []
        ratios: tuple[tuple[str, float], ...] = ()
        for step in range(steps):
            part = rows[step % pieces]
            before = [variable.numpy() for variable in self._weights] if step == 0 else []
            losses.append(float(update(*self._tensors(images[part], targets[part], labels[part]))))
            if step == 0:
                ratios = self._ratios(before)
            late = step + 1 >= _FEWEST and time.perf_counter() > deadline
            if not math.isfinite(losses[-1]) or late:
                break
        return LookaheadFacts(rate / self._rate if self._rate else math.inf, tuple(losses), ratios)

    def sweep(self, data: tuple[Array, Array, Array], rates: Sequence[float], *, batch: int) -> tuple[float, ...]:
        """Update the copies once with each rate in turn, from the model's present weights on.

        Args:
            data: As in `run`.
            rates: Learning rates.
            batch: Images an update.

        Returns:
            The cross-entropy before each update; shorter than ``rates`` where it stopped being finite.
        """
        self._reset(rates[0])
        images, targets, labels = data
        pieces = max(1, len(images) // batch)
        losses: list[float] = []
        for step, rate in enumerate(rates):
            self._optimizer.learning_rate = rate
            part = slice(step % pieces * batch, (step % pieces + 1) * batch)
            losses.append(float(self._update(*self._tensors(images[part], targets[part], labels[part]))))
            if not math.isfinite(losses[-1]):
                return tuple(losses[:-1])
        return tuple(losses)

    @property
    def rate(self) -> float:
        """The user's learning rate."""
        return self._rate

    def _tensors(self, images: Array, targets: Array, labels: Array) -> tuple[Any, Any, Any]:
        return tf.convert_to_tensor(images), tf.convert_to_tensor(targets), tf.convert_to_tensor(labels)

    def _step(self, images: Any, targets: Any, labels: Any) -> Any:
        weights = [tf.convert_to_tensor(variable.value) for variable in self._weights]
        rest = [tf.convert_to_tensor(variable.value) for variable in self._rest]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(weights)
            outputs, new_rest, losses = self._model.stateless_call(
                weights, rest, images, return_losses=True, **self._mode
            )
            cost = tf.cast(self._loss(targets, outputs), tf.float32)
            for penalty in losses:
                cost += tf.cast(tf.reduce_sum(penalty), tf.float32)
        slopes = tape.gradient(cost, weights)
        for variable, value in zip(self._rest, new_rest, strict=True):
            variable.assign(value)
        pairs = [(slope, copy) for slope, copy in zip(slopes, self._weights, strict=True)]
        self._optimizer.apply([slope if slope is not None else tf.zeros_like(copy.value) for slope, copy in pairs])
        return cross_entropy(labels, outputs, self._kind)

    def _reset(self, rate: float) -> None:
        for copy, variable in zip(self._weights, self._model.trainable_variables, strict=True):
            copy.assign(variable.value)
        for copy, variable in zip(self._rest, self._model.non_trainable_variables, strict=True):
            copy.assign(variable.value)
        for variable, value in zip(self._optimizer.variables, self._start, strict=True):
            variable.assign(value)
        self._optimizer.learning_rate = rate

    def _ratios(self, before: list[Array]) -> tuple[tuple[str, float], ...]:
        found = []
        for variable, copy, old in zip(self._model.trainable_variables, self._weights, before, strict=True):
            size = float(np.sqrt(np.mean(np.square(old, dtype=np.float64))))
            if old.ndim < 2 or size == 0.0 or "bias" in variable.name:
                continue
            change = float(np.sqrt(np.mean(np.square(copy.numpy().astype(np.float64) - old))))
            found.append((variable.path, change / size))
        return tuple(found)


def _copy(variable: Any) -> Any:
    """A variable of the same value, path and constraint: an optimizer may go by the layer's name."""
    with contextlib.ExitStack() as scopes:
        for layer in variable.path.split("/")[:-1]:
            scopes.enter_context(keras.name_scope(layer))
        copy = keras.Variable(
            np.asarray(variable.value),
            dtype=variable.dtype,
            trainable=variable.trainable,
            name=variable.name,
        )
    copy.constraint = variable.constraint
    return copy
