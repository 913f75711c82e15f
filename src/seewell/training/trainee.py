"""The network under training with all that belongs to it: optimizer, moving average, compiled step."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import keras

from seewell.config import TrainConfig
from seewell.data.augmentation import parse_augmentation
from seewell.networks.preprocessing import Statistics
from seewell.networks.registry import build_network
from seewell.runs.checkpoint import Checkpoint
from seewell.runs.gate import load_network
from seewell.runs.weights import (
    AVERAGE,
    arrays_of,
    assign,
    check_fits,
    judged_weights,
    model_variables,
    optimizer_variables,
)
from seewell.seeds import seed_everything
from seewell.training.optimizers import make_optimizer
from seewell.training.precision import policy_name
from seewell.training.step import CompiledSteps, StepSettings

__all__ = ["Trainee", "bias_scale", "build_for", "make_trainee"]


@dataclass(frozen=True)
class Trainee:
    """What the loop trains.

    Attributes:
        model: The network, in the training's precision.
        average: A copy that holds the moving average of its weights, or None.
        optimizer: A Keras optimizer whose variables exist.
        steps: The compiled updates.
    """

    model: keras.Model
    average: keras.Model | None
    optimizer: Any
    steps: CompiledSteps

    @property
    def judged(self) -> keras.Model:
        """The network that validation looks at and that is kept: the moving average where there is one."""
        return self.model if self.average is None else self.average

    def capture(self, step: int, state: Mapping[str, Any], only: str | None = None) -> Checkpoint:
        """Everything that resumption needs, as references to the present values.

        Args:
            step: Updates made.
            state: Of the loop.
            only: Layers by name, such as "conv*": their weights alone, from which no training can go on.
        """
        if only is not None:
            part = {k: v for k, v in model_variables(self.judged).items() if fnmatchcase(k.partition("/")[0], only)}
            return Checkpoint(step, arrays_of(part), {}, state, only)
        optimizer = arrays_of(self._optimizer_variables())
        if self.average is not None:
            averages = arrays_of(model_variables(self.average))
            optimizer |= {AVERAGE + name: value for name, value in averages.items()}
        return Checkpoint(step, arrays_of(model_variables(self.model)), optimizer, state)

    def check(self, checkpoint: Checkpoint) -> None:
        """Refuse a checkpoint of another network or optimizer.

        Raises:
            RunError: Names or shapes differ; lists them.
        """
        check_fits(model_variables(self.model), checkpoint.weights)
        check_fits(self._optimizer_variables(), checkpoint.optimizer)
        if self.average is not None:
            check_fits(model_variables(self.average), judged_weights(checkpoint))

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take over every value of a checkpoint.

        Raises:
            RunError: Names or shapes differ; names the first layer concerned.
        """
        assign(model_variables(self.model), checkpoint.weights)
        assign(self._optimizer_variables(), checkpoint.optimizer)
        if self.average is not None:
            assign(model_variables(self.average), judged_weights(checkpoint))

    def _optimizer_variables(self) -> dict[str, Any]:
        return optimizer_variables(self.optimizer)


def build_for(
    config: TrainConfig,
    image_shape: tuple[int, int, int],
    num_classes: int,
    statistics: Statistics | None,
    precision: str = "float32",
) -> keras.Model:
    """The network that a resolved configuration describes, in a precision; Keras's own policy stays as it was."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy_name(precision))
    try:
        return _build(config, image_shape, num_classes, statistics)
    finally:
        keras.config.set_dtype_policy(before)


def _build(
    config: TrainConfig, image_shape: tuple[int, int, int], num_classes: int, statistics: Statistics | None
) -> keras.Model:
    return build_network(
        config.network or "",
        input_shape=image_shape,
        num_classes=num_classes,
        preprocess=config.preprocess or "scale",
        statistics=statistics,
        initializer=config.initializer,
        l2=config.l2 or 0.0,
        dropout=config.dropout or 0.0,
        arguments=config.network_arguments,
    )


def bias_scale(config: TrainConfig) -> float:
    """How many times the learning rate biases have."""
    if config.bias_learning_rate is None or not config.learning_rate:
        return 1.0
    return config.bias_learning_rate / config.learning_rate


def make_trainee(
    config: TrainConfig,
    image_shape: tuple[int, int, int],
    num_classes: int,
    statistics: Statistics | None,
    strategy: Any,
    *,
    kept: Path | None = None,
) -> Trainee:
    """Seed everything, build network and optimizer under a strategy, and prepare the compiled step.

    Args:
        config: With nothing left open (see `seewell.training.plan.resolve`).
        image_shape: Height, width, channels.
        num_classes: K.
        statistics: Of the training split; needed by some preprocessing.
        strategy: A ``tf.distribute.Strategy``.
        kept: The ``network.keras`` to train, for a run that was adopted: no name builds its network.

    Returns:
        The trainee, at step 0.
    """

    def build(known: Statistics | None) -> keras.Model:
        if kept is not None:
            return load_network(kept)
        return build_for(config, image_shape, num_classes, known, config.precision)

    seed_everything(config.seed)
    with strategy.scope():
        model = build(statistics)
        average = build(None if statistics is None else statistics.without_sample()) if config.ema else None
        optimizer = make_optimizer(
            config.optimizer or "",
            learning_rate=config.learning_rate or 0.0,
            momentum=config.momentum,
            weight_decay=config.weight_decay or 0.0,
            precision=config.precision,
        )
        optimizer.build(model.trainable_variables)
    if average is not None:
        average.set_weights(model.get_weights())
    settings = StepSettings(
        num_classes=num_classes,
        label_smoothing=config.label_smoothing or 0.0,
        augmentations=tuple(parse_augmentation(one) for one in config.augment or ()),
        ema=config.ema or 0.0,
        seed=config.seed,
        batch_size=config.batch_size or 1,
        bias_scale=bias_scale(config),
    )
    return Trainee(model, average, optimizer, CompiledSteps(model, average, optimizer, settings, strategy))
