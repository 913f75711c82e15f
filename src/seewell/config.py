"""The settings of a training: one frozen dataclass, the one source of every default.

A setting that is None is chosen when the data and the machine are known
(`seewell.training.plan`), and the choice is recorded with its reason. Valid
names come in as arguments: this leaf knows no network and no optimizer.
"""

import dataclasses
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seewell.errors import ConfigError, unknown_name

__all__ = ["OPTIMIZERS_OWN", "PRECISIONS", "TEXTS", "TrainConfig", "check_names", "config_from_dict", "load_toml"]

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides a training, besides the data and the machine.

    Attributes:
        recipe: The recipe's name that the settings came from; a label only.
        network: An architecture's name; None lets the plan choose network, batch size, length and schedule.
        network_arguments: The architecture's own arguments, such as ``{"widths": "64-128"}``.
        preprocess: Value rule and geometry inside the network, such as "scale" or "pad=32x32,mean-image".
        image_size: Height and width to which image files are decoded; None keeps equal sizes as they are.
        initializer: "default" (He before ReLU, Xavier before softmax), "normal", "small-normal", "xavier", "he".
        optimizer: "sgd", "momentum", "nesterov", "muon", "adam", "adamw" or "rmsprop".
        learning_rate: The schedule's highest rate; None takes the optimizer's own default.
        bias_learning_rate: The highest rate of biases, BatchNorm's among them (SGD and its kin, Muon); None
            takes that of all weights.
        momentum: Share of its velocity that an update keeps, in [0, 1) (momentum, Nesterov, Muon).
        weight_decay: Decoupled decay (AdamW, Muon), a fraction of the weights per unit of learning rate.
        schedule: "constant", "linear", "cosine", "one-cycle" or "steps".
        warmup: Fraction of the updates over which the rate rises from 0, in [0, 1).
        epochs: Passes over the training split. Give this or `steps`.
        steps: Number of updates.
        time: Instead of these: what the training may take on this machine from when the images are read, such as
            "60s" or "10m". What fits is measured and planned before the first update.
        batch_size: Images in one update.
        augment: Names of augmentations, applied in this order, in training only.
        l2: Factor of the squared kernels added to the cost (0.5 is not included).
        dropout: Share of units left out before each fully connected layer, in [0, 1).
        label_smoothing: Share of each label spread evenly over all classes, in [0, 1).
        ema: Decay of the moving average of the weights, in [0, 1); 0 keeps none.
        precision: "auto", "float32", "bfloat16" or "float16" (mixed: variables stay float32).
        seed: Decides initial weights, order, dropout and augmentation, never the splits.
        split_seed: Decides which images are validation, where the source does not say.
        validation_fraction: Share of the training images held out, where the source has no validation split.
        early_stop: Stop after so many validations without a better accuracy; None never does.
        target_error: The error that could be reached at best (human or Bayes error), in [0, 1).
        checkpoint_every: "epoch", a number of updates ("500"), or minutes or seconds ("10m", "30s").
        keep_last: How many of the latest checkpoints stay besides the best.
        keep_every: Also the first checkpoint at or after each multiple of so many updates stays; None for none.
        shard_size: The most that one file of a checkpoint holds, such as "500MB"; None takes 2 GB.
        only: Layers by name, such as "conv*": checkpoints hold their weights alone; no training goes on from these.

    Example:
        >>> TrainConfig(network="convnet", optimizer="adam", epochs=5).batch_size is None
        True
    """

    recipe: str | None = None
    network: str | None = None
    network_arguments: Mapping[str, Any] = field(default_factory=dict)
    preprocess: str | None = None
    image_size: tuple[int, int] | None = None
    initializer: str = "default"
    optimizer: str | None = None
    learning_rate: float | None = None
    bias_learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    schedule: str | None = None
    warmup: float | None = None
    epochs: float | None = None
    steps: int | None = None
    time: str | None = None
    batch_size: int | None = None
    augment: tuple[str, ...] | None = None
    l2: float | None = None
    dropout: float | None = None
    label_smoothing: float | None = None
    ema: float | None = None
    precision: str = "auto"
    seed: int = 0
    split_seed: int = 0
    validation_fraction: float = 0.1
    early_stop: int | None = None
    target_error: float = 0.0
    checkpoint_every: str = "epoch"
    keep_last: int = 3
    keep_every: int | None = None
    shard_size: str | None = None
    only: str | None = None

    def __post_init__(self) -> None:
        _check_types(self)
        _check_ranges(self)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values, ready for JSON, in the order of the fields."""
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}
        values["network_arguments"] = dict(self.network_arguments)
        values["augment"] = None if self.augment is None else list(self.augment)
        values["image_size"] = None if self.image_size is None else list(self.image_size)
        return values

    def changed(self, **changes: Any) -> "TrainConfig":
        """A copy with some settings changed, checked like a new one.

        Raises:
            ConfigError: A name or a value is wrong.
        """
        return config_from_dict({**self.to_dict(), **changes})


_INTEGERS = ("steps", "batch_size", "seed", "split_seed", "early_stop", "keep_last", "keep_every")
TEXTS = (
    "recipe",
    "network",
    "preprocess",
    "initializer",
    "optimizer",
    "schedule",
    "time",
    "precision",
    "checkpoint_every",
    "shard_size",
    "only",
)
"""The settings that are texts."""

OPTIMIZERS_OWN = ("bias_learning_rate", "momentum", "weight_decay")
"""Settings that mean something for some optimizers only."""

_NUMBERS = (
    "learning_rate",
    "bias_learning_rate",
    "momentum",
    "weight_decay",
    "warmup",
    "epochs",
    "l2",
    "dropout",
    "label_smoothing",
    "ema",
    "validation_fraction",
    "target_error",
)
_OPTIONAL = frozenset(one.name for one in dataclasses.fields(TrainConfig) if one.default is None)

_FRACTIONS = ("momentum", "dropout", "label_smoothing", "ema", "warmup", "target_error")
_POSITIVE = ("learning_rate", "epochs", "steps", "batch_size", "early_stop", "keep_last", "keep_every")
_LARGEST = 3e38
_NOT_NEGATIVE = ("bias_learning_rate", "l2", "weight_decay", "seed", "split_seed")


def _option(name: str) -> str:
    return f'"{name}" (--{name.replace("_", "-")})'


def _check_types(config: TrainConfig) -> None:
    kinds: tuple[tuple[tuple[str, ...], tuple[type, ...], str], ...] = (
        (_INTEGERS, (int,), "a whole number"),
        (TEXTS, (str,), "a text"),
        (_NUMBERS, (int, float), "a number"),
    )
    for names, types, expected in kinds:
        for name in names:
            value = getattr(config, name)
            if value is None and name in _OPTIONAL:
                continue
            if not isinstance(value, types) or isinstance(value, bool):
                raise ConfigError(
                    f"the setting {_option(name)} is {value!r}.",
                    expected=expected,
                    fix="change the value; `seewell train --help` describes each setting",
                )
    lists: tuple[tuple[str, type, str], ...] = (
        ("augment", str, 'a list of texts, such as ["flip", "shift=2"]'),
        ("image_size", int, "height and width as whole numbers, such as [64, 64]"),
    )
    for name, kind, expected in lists:
        value = getattr(config, name)
        if value is not None and not (isinstance(value, tuple | list) and all(type(one) is kind for one in value)):
            raise ConfigError(f"the setting {_option(name)} is {value!r}.", expected=expected, fix="change the value")
    if not isinstance(config.network_arguments, Mapping):
        raise ConfigError(
            f'the setting "network_arguments" is {config.network_arguments!r}.',
            expected="a table of names and values",
            fix='for example network_arguments = { widths = "64-128" }',
        )


def _check_ranges(config: TrainConfig) -> None:
    def refuse(name: str, expected: str) -> ConfigError:
        return ConfigError(
            f"the setting {_option(name)} is {getattr(config, name)!r}.", expected=expected, fix="change the value"
        )

    for name in _FRACTIONS:
        value = getattr(config, name)
        if value is not None and not 0 <= value < 1:
            raise refuse(name, "a fraction from 0 to below 1")
    for name in _POSITIVE:
        value = getattr(config, name)
        if value is not None and not 0 < value <= _LARGEST:
            raise refuse(name, "a number above 0 that float32 can hold")
    for name in _NOT_NEGATIVE:
        value = getattr(config, name)
        if value is not None and not 0 <= value <= _LARGEST:
            raise refuse(name, "a number that float32 can hold, 0 or more")
    if config.seed >= 2**32:
        raise refuse("seed", "a whole number below 2**32")
    if not 0 < config.validation_fraction < 1:
        raise refuse("validation_fraction", "a fraction above 0 and below 1")
    lengths = [name for name in ("epochs", "steps", "time") if getattr(config, name) is not None]
    if len(lengths) > 1:
        told = " and ".join(f"{name} ({getattr(config, name)})" for name in lengths)
        raise ConfigError(
            f"both {told} are given." if len(lengths) == 2 else f"{told} are given.",
            expected="one of them, or none",
            fix="leave out " + " or ".join(f"--{name}" for name in lengths),
        )
    if config.precision not in PRECISIONS:
        raise unknown_name("precision", config.precision, PRECISIONS)
    if config.image_size is not None and (len(config.image_size) != 2 or min(config.image_size) < 1):
        raise refuse("image_size", "height and width, both 1 or more, such as 64x64")


def check_names(kind: str, given: str | None, valid: Collection[str]) -> None:
    """Refuse a name that does not exist, with the nearest one that does.

    Raises:
        ConfigError: ``given`` is neither None nor one of ``valid``.
    """
    if given is not None and given not in valid:
        raise unknown_name(kind, given, valid)


def config_from_dict(values: Mapping[str, Any]) -> TrainConfig:
    """Settings from plain values, as a TOML file or ``run.json`` holds them.

    Args:
        values: Names and values; names left out keep their defaults.

    Raises:
        ConfigError: A name is unknown (with the nearest right one) or a value is wrong.

    Example:
        >>> config_from_dict({"network": "convnet", "augment": ["flip"]}).augment
        ('flip',)
    """
    names = [one.name for one in dataclasses.fields(TrainConfig)]
    for name in values:
        if name not in names:
            raise unknown_name("setting", name, names)
    kept = dict(values)
    for name in ("augment", "image_size"):
        value = kept.get(name)
        if isinstance(value, str) or (value is not None and not isinstance(value, list | tuple)):
            raise ConfigError(
                f"the setting {_option(name)} is {value!r}.", expected="a list", fix=f'for example {name} = ["flip"]'
            )
        if value is not None:
            kept[name] = tuple(value)
    return TrainConfig(**kept)


def load_toml(text: str, *, file: str) -> dict[str, Any]:
    """The settings that a recipe's TOML text holds, not yet checked.

    Args:
        text: The file's text.
        file: Its name, for the message.

    Raises:
        ConfigError: The text is not TOML; says line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ConfigError(
            f"the recipe {Path(file).name} is not TOML: {problem}.",
            expected='lines such as: network = "convnet"',
            fix="mend the line named above",
            details={"file": file},
        ) from problem
