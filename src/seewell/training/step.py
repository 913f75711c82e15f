"""One compiled update, and several of them in a call.

The images stay uint8 on the device; batches are gathered, augmented and
learned from inside one graph, so a call costs Python once for many updates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seewell.data.augmentation import Augmentation, Shown, augment
from seewell.data.batches import Chunk
from seewell.networks.losses import cross_entropy, soft_labels
from seewell.seeds import derive_seed
from seewell.training.fused_normalization import forward_in_training

__all__ = ["PHASES", "CompiledSteps", "StepOutcome", "StepSettings"]

_PLACES = 3
"""Of each image of a batch: its row among the images given, its number in the split, its epoch."""

_BIASES = ("bias", "beta")


@dataclass(frozen=True)
class StepSettings:
    """What an update does besides the network and the optimizer.

    Attributes:
        num_classes: K.
        label_smoothing: In [0, 1).
        augmentations: Applied to every batch, in order.
        ema: Decay of the moving average of the weights; 0 keeps none.
        seed: The training's seed.
        batch_size: Images in one update, over all devices.
        bias_scale: Multiplies the gradients of biases, and so their learning rate, where the optimizer's steps
            grow with the gradient.
    """

    num_classes: int
    label_smoothing: float
    augmentations: tuple[Augmentation, ...]
    ema: float
    seed: int
    batch_size: int
    bias_scale: float = 1.0


@dataclass(frozen=True)
class StepOutcome:
    """What several updates measured.

    Attributes:
        losses: float32 (done,): the cross-entropy of each batch before its update.
        accuracies: float32 (done,): of the batch as it was trained on, augmented and with dropout.
        finite: False where the last of them was not finite; its update was not applied.
    """

    losses: NDArray[np.float32]
    accuracies: NDArray[np.float32]
    finite: bool


PHASES = ("input", "augmentation", "forward", "cost", "backward", "optimizer", "average")
"""The parts of an update, in order: the name scopes of its operations."""


class CompiledSteps:
    """A graph that makes many updates in one call, traced once.

    Args:
        model: The network under training, built under ``strategy``'s scope; uint8 in, probabilities out.
        average: A second copy of it that holds the moving average of the weights, or None.
        optimizer: A Keras optimizer, built for the model's trainable variables.
        settings: Everything else.
        strategy: A ``tf.distribute.Strategy``; the default one on one device.
    """

    def __init__(
        self,
        model: keras.Model,
        average: keras.Model | None,
        optimizer: keras.optimizers.Optimizer,
        settings: StepSettings,
        strategy: tf.distribute.Strategy,
    ) -> None:
        logits = model.get_layer("logits").output
        self._logits = keras.Model(model.input, logits)
        self._forward = forward_in_training(model, logits)
        self._weights = [variable.value for variable in model.weights]
        self._averages = [] if average is None else [variable.value for variable in average.weights]
        self._optimizer = optimizer
        self._inner = getattr(optimizer, "inner_optimizer", optimizer)
        self._settings = settings
        self._strategy = strategy
        self._replicas = strategy.num_replicas_in_sync
        self._augment_seed = derive_seed(settings.seed, "augment")
        signature = [
            tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8),
            tf.TensorSpec((None,), tf.int32),
            tf.TensorSpec((None, _PLACES, settings.batch_size), tf.int32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((), tf.int32),
        ]
        self._run = tf.function(self._many, input_signature=signature)

    def run(self, chunk: Chunk, rates: NDArray[np.float32]) -> StepOutcome:
        """Make the chunk's updates, or as many as there are before the cost stops being finite.

        Args:
            chunk: The batches.
            rates: float32 (steps,): the learning rate of each update.

        Returns:
            What the updates measured, in order.
        """
        losses, accuracies, done = self._run(
            chunk.images, chunk.labels, tf.constant(_places(chunk)), tf.constant(rates), tf.constant(chunk.first_step)
        )
        count = int(done)
        values = losses.numpy()[:count]
        return StepOutcome(values, accuracies.numpy()[:count], bool(np.isfinite(values).all()))

    def batch(self, chunk: Chunk, place: int) -> tuple[tf.Tensor, tf.Tensor]:
        """One batch of a chunk just as the network sees it: gathered and augmented.

        Args:
            chunk: The batches.
            place: Which of them, from 0.

        Returns:
            uint8 (N, H, W, C) images and float32 (N, K) labels.
        """
        step = tf.constant(chunk.first_step + place)
        return self._prepare(chunk.images, chunk.labels, tf.constant(_places(chunk)[place]), step, 0)

    def _prepare(self, images: Any, labels: Any, places: Any, step: Any, replica: Any) -> tuple[Any, Any]:
        settings = self._settings
        indices, numbers, epochs = tf.unstack(places)
        with tf.name_scope("input"):
            with tf.device("/CPU:0"):  # TensorFlow has no uint8 gather for GPUs; so only batches travel there
                batch, classes = tf.gather(images, indices), tf.gather(labels, indices)
            targets = soft_labels(classes, settings.num_classes, settings.label_smoothing)
        if not settings.augmentations:
            return batch, targets
        with tf.name_scope("augmentation"):
            seed = tf.stack([tf.constant(self._augment_seed, tf.int32), tf.cast(step, tf.int32)])
            if self._replicas > 1:
                seed = tf.random.experimental.stateless_fold_in(seed, replica)
            shown = Shown(numbers, epochs, self._augment_seed)
            return augment(batch, targets, settings.augmentations, seed, shown)

    def _replica_step(self, images: Any, labels: Any, places: Any, step: Any) -> tuple[Any, Any]:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = places if self._replicas == 1 else tf.reshape(places, [_PLACES, self._replicas, -1])[:, replica]
        batch, targets = self._prepare(images, labels, own, step, replica)
        with tf.GradientTape() as tape:
            with tf.name_scope("forward"):
                logits = self._forward(batch)
            with tf.name_scope("cost"):
                loss = tf.reduce_mean(cross_entropy(targets, logits))
                total = tf.add_n([loss, *[tf.cast(one, tf.float32) for one in self._logits.losses]]) / self._replicas
                scaled = self._optimizer.scale_loss(total)
        variables = self._logits.trainable_variables
        with tf.name_scope("backward"):
            gradients = self._scale_biases(tape.gradient(scaled, [one.value for one in variables]), variables)
        if self._replicas == 1:
            # Weights that a bad batch has not touched are what names the layer afterwards.
            tf.cond(tf.math.is_finite(total), lambda: self._apply(gradients, variables), lambda: tf.constant(0))
        else:
            self._apply(gradients, variables)
        right = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        shown = tf.where(tf.math.is_finite(total), loss, total)
        return shown, tf.reduce_mean(tf.cast(right, tf.float32))

    def _scale_biases(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Sequence[Any]:
        scale = self._settings.bias_scale
        if scale == 1:
            return gradients
        pairs = zip(gradients, variables, strict=True)
        return [gradient * scale if one.name in _BIASES else gradient for gradient, one in pairs]

    def _apply(self, gradients: Sequence[Any], variables: Sequence[Any]) -> Any:
        with tf.name_scope("optimizer"):
            self._optimizer.apply(gradients, variables)
        return tf.constant(0)

    def _many(self, images: Any, labels: Any, places: Any, rates: Any, first_step: Any) -> tuple[Any, Any, Any]:
        count = tf.shape(places)[0]
        losses = tf.TensorArray(tf.float32, size=count, element_shape=[])
        accuracies = tf.TensorArray(tf.float32, size=count, element_shape=[])
        done, finite = tf.constant(0), tf.constant(True)
        while tf.logical_and(done < count, finite):
            self._inner.learning_rate.assign(rates[done])
            step = first_step + done
            loss, accuracy = self._strategy.run(self._replica_step, args=(images, labels, places[done], step))
            loss = self._strategy.reduce(tf.distribute.ReduceOp.MEAN, loss, axis=None)
            accuracy = self._strategy.reduce(tf.distribute.ReduceOp.MEAN, accuracy, axis=None)
            self._update_averages(step)
            losses, accuracies = losses.write(done, loss), accuracies.write(done, accuracy)
            finite = tf.math.is_finite(loss)
            done += 1
        return losses.stack(), accuracies.stack(), done

    def _update_averages(self, step: Any) -> None:
        if not self._averages:
            return
        # Early averages would hold the initial weights; Keras and TensorFlow use the same warm-up.
        with tf.name_scope("average"):
            made = tf.cast(step, tf.float32)
            decay = tf.minimum(self._settings.ema, (1.0 + made) / (10.0 + made))
            for average, weight in zip(self._averages, self._weights, strict=True):
                average.assign_sub((average - weight) * (1.0 - decay))


def _places(chunk: Chunk) -> NDArray[np.int32]:
    return np.stack([chunk.indices, chunk.numbers, chunk.epochs], axis=1)
