"""What was left open is chosen here, from the data and the processor alone, each choice with its reason."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from seewell.config import OPTIMIZERS_OWN, TrainConfig, check_names
from seewell.data.augmentation import parse_augmentation
from seewell.errors import ConfigError
from seewell.networks.arguments import read_arguments
from seewell.networks.initializers import list_initializers
from seewell.networks.preprocessing import parse_preprocess
from seewell.networks.registry import architecture, list_networks
from seewell.runs.tensorfile import read_size
from seewell.training.estimates import DataFacts, products_per_second
from seewell.training.optimizers import (
    DECAYING,
    LINEAR_IN_GRADIENT,
    default_learning_rate,
    default_momentum,
    list_optimizers,
)
from seewell.training.pacing import checkpoint_interval
from seewell.training.precision import Choice, Hardware, choose_precision
from seewell.training.quick import Candidate, is_quick, quick_settings
from seewell.training.schedules import list_schedules
from seewell.training.speed import speed_settings
from seewell.training.timing import TimePlan, read_time

__all__ = ["Plan", "check_config", "expected_seconds", "planned_steps", "resolve", "with_steps"]

_MOST_UPDATES = 2**31 - 1
_ADAMW_DECAY = 0.01


@dataclass(frozen=True)
class Plan:
    """A configuration with nothing left open.

    Attributes:
        config: Every setting has a value but one of ``epochs`` and ``steps``.
        total_steps: Updates to make.
        choices: What was chosen automatically, and why.
        schedule_start: The update at which the schedule of learning rates begins; not 0 only where a finished
            training goes on.
    """

    config: TrainConfig
    total_steps: int
    choices: tuple[Choice, ...]
    schedule_start: int = 0


def check_config(config: TrainConfig) -> None:
    """Refuse names and values that do not exist, before any data is read.

    Raises:
        ConfigError: Names the setting, what there is, and the nearest right name.
        NetworkError: The architecture has no such argument, or the argument no such value.
    """
    check_names("network", config.network, list_networks())
    check_names("optimizer", config.optimizer, list_optimizers())
    check_names("schedule", config.schedule, list_schedules())
    check_names("initializer", config.initializer, ("default", *list_initializers()))
    if config.network is not None:
        read_arguments(architecture(config.network).arguments_type, config.network_arguments, network=config.network)
    if config.preprocess is not None:
        parse_preprocess(config.preprocess)
    for text in config.augment or ():
        parse_augmentation(text)
    checkpoint_interval(config.checkpoint_every)
    if config.time is not None:
        read_time(config.time)
    if config.shard_size is not None:
        read_size(config.shard_size)
    _check_optimizer(config)


def _check_optimizer(config: TrainConfig) -> None:
    """Refuse settings that the optimizer would drop in silence."""
    name = config.optimizer
    if name is None:
        return
    if config.weight_decay and name not in DECAYING:
        raise ConfigError(
            f'the optimizer "{name}" has no weight decay of its own.',
            expected=f"weight_decay with one of the optimizers {', '.join(DECAYING)}",
            fix="--optimizer adamw, or --l2 for a penalty in the cost",
        )
    if config.bias_learning_rate is not None and name not in LINEAR_IN_GRADIENT:
        raise ConfigError(
            f'the optimizer "{name}" gives biases no learning rate of their own.',
            expected=f"bias_learning_rate with one of the optimizers {', '.join(LINEAR_IN_GRADIENT)}",
            fix="leave out --bias-learning-rate: this optimizer sizes each step by itself",
        )
    if config.momentum is not None and default_momentum(name) is None:
        having = [one for one in list_optimizers() if default_momentum(one) is not None]
        raise ConfigError(
            f'the optimizer "{name}" has no momentum to set.',
            expected=f"momentum with one of the optimizers {', '.join(having)}",
            fix="--optimizer nesterov, or leave out --momentum",
        )


_PLAIN: Mapping[str, tuple[Any, str]] = {
    "optimizer": ("adam", "the default of a named network"),
    "preprocess": ("scale", "the default of a named network"),
    "schedule": ("constant", "the default of a named network"),
    "warmup": (0.0, "the default of a named network"),
    "epochs": (10, "the default of a named network"),
    "augment": ((), "none asked for"),
    "l2": (0.0, "none asked for"),
    "dropout": (0.0, "none asked for"),
    "label_smoothing": (0.0, "none asked for"),
    "ema": (0.0, "none asked for"),
}

_RESIDUAL = "He et al. 2015, section 4.2"
_OWN: Mapping[str, Mapping[str, tuple[Any, str]]] = {
    name: {
        "optimizer": ("momentum", _RESIDUAL),
        "learning_rate": (0.1, _RESIDUAL),
        "schedule": ("cosine", "reaches a low rate in any number of epochs"),
        "warmup": (0.05, "a rate of 0.1 is high for the first updates"),
        "preprocess": ("per-channel", "what residual networks are usually given"),
        "batch_size": (128, _RESIDUAL),
        "l2": (5e-5, f"{_RESIDUAL}: weight decay 1e-4, as the cost's gradient has it"),
    }
    for name in ("resnet20", "resnet18")
}


def resolve(config: TrainConfig, facts: DataFacts, hardware: Hardware, *, candidate: Candidate | None = None) -> Plan:
    """Choose everything that the configuration leaves open.

    Args:
        config: As the user gave it.
        facts: Of the data.
        hardware: Of the machine.
        candidate: What "quick" is to take instead of its own estimate.

    Returns:
        The complete configuration, its length in updates, and the choices with their reasons. Where a time is given,
        the length is what it would be without; `with_steps` puts what was measured in its place.

    Raises:
        ConfigError: A name does not exist, or settings do not go together.
    """
    check_config(config)
    precision = choose_precision(config.precision, hardware)
    if candidate is not None and config.precision == "auto" and candidate.precision != precision.value:
        precision = Choice("precision", candidate.precision, "measured: faster here than the others")
    choices = [precision]
    values = {**config.to_dict(), "precision": precision.value, "time": None}
    if is_quick(config):
        values["recipe"] = "quick"
        proposals: Mapping[str, tuple[Any, str]] = quick_settings(
            facts, hardware, str(precision.value), config, candidate
        )
    else:
        batch = min(100, facts.images)
        proposals = {**_PLAIN, "batch_size": (batch, "the series' batch size, or all images where there are fewer")}
        own = (
            speed_settings(facts, hardware, config) if config.network == "speed" else _OWN.get(config.network or "", {})
        )
        proposals |= {"network": ("convnet", "the series' network"), **own}
    own_rate = config.optimizer is None or config.optimizer == proposals["optimizer"][0]
    for setting, (value, reason) in proposals.items():
        if setting in ("learning_rate", *OPTIMIZERS_OWN) and not own_rate:
            continue
        if setting == "epochs" and config.steps is not None:  # a time that was given takes its place later
            continue
        if setting == "network_arguments" and config.network is not None:
            continue
        if values.get(setting) in (None, {}):
            values[setting] = value
            choices.append(Choice(setting, value, reason))
    if values["learning_rate"] is None:
        values["learning_rate"] = default_learning_rate(values["optimizer"])
        choices.append(
            Choice("learning_rate", values["learning_rate"], f'the default of the optimizer "{values["optimizer"]}"')
        )
    usual = default_momentum(values["optimizer"])
    if values["momentum"] is None and usual is not None:
        values["momentum"] = usual
        choices.append(Choice("momentum", usual, f'the default of the optimizer "{values["optimizer"]}"'))
    if values["weight_decay"] is None:
        values["weight_decay"] = _ADAMW_DECAY if values["optimizer"] == "adamw" else 0.0
        if values["weight_decay"]:
            choices.append(Choice("weight_decay", _ADAMW_DECAY, "Loshchilov & Hutter 2019 found a hundredth useful"))
    if isinstance(values["augment"], tuple):
        values["augment"] = list(values["augment"])
    complete = config.changed(**{key: values[key] for key in values})
    check_config(complete)
    return Plan(complete, planned_steps(complete, facts.images), tuple(choices))


def with_steps(plan: Plan, timed: TimePlan) -> Plan:
    """The plan with the number of updates that fits into a given time."""
    reason = f"what fits into {timed.asked} on this machine: {timed.pace.update * 1000:.3g} ms an update were measured"
    choices = [choice for choice in plan.choices if choice.setting not in ("epochs", "steps")]
    config = plan.config.changed(epochs=None, steps=timed.steps)
    return replace(
        plan, config=config, total_steps=timed.steps, choices=(*choices, Choice("steps", timed.steps, reason))
    )


def expected_seconds(plan: Plan, multiply_adds: float, hardware: Hardware) -> float:
    """About how long the updates of a plan take; rather too long than too short.

    Args:
        plan: What is to be done.
        multiply_adds: Of the network, on one image.
        hardware: Of the machine.
    """
    images = plan.total_steps * (plan.config.batch_size or 1)
    return 3 * multiply_adds * images / products_per_second(hardware, plan.config.precision)


def planned_steps(config: TrainConfig, images: int) -> int:
    """The updates that ``epochs`` or ``steps`` of a complete configuration make.

    Args:
        config: With a batch size.
        images: Number of training images.

    Raises:
        ConfigError: The batch is larger than the training split, or there are too many updates.
    """
    batch_size = config.batch_size or 1
    if batch_size > images:
        raise ConfigError(
            f"a batch of {batch_size:,} images is more than the {images:,} training images.",
            expected=f"at most {images:,}",
            fix=f"--batch-size {min(100, images)}",
        )
    wanted = config.steps if config.steps is not None else (config.epochs or 0) * images / batch_size
    if wanted > _MOST_UPDATES:
        raise ConfigError(
            f"{wanted:.3g} updates are more than anybody can wait for.",
            expected=f"at most {_MOST_UPDATES:,}",
            fix="fewer --epochs or --steps",
        )
    return max(1, math.ceil(wanted - 1e-9))
