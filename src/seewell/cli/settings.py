"""From the options of a command to the settings of a training."""

import math
import tomllib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seewell.errors import ConfigError

if TYPE_CHECKING:
    from seewell.config import TrainConfig

__all__ = ["config_from_options", "read_epochs", "read_overrides", "split_names"]

_LENGTHS = ("epochs", "steps", "time")
"""Settings of which one says how long a training is."""


def config_from_options(recipe: str | None, network: str | None, options: dict[str, Any]) -> "TrainConfig":
    """Options over the recipe's settings; without a recipe, a network or optimizer takes its own defaults.

    Another optimizer than the recipe's takes over neither what only that one has nor its learning rate.

    Args:
        recipe: A recipe's name or file.
        network: NAME or NAME:argument=value,….
        options: The settings that were given, by name.

    Raises:
        ConfigError: A name or a value is wrong.
        NetworkError: ``network`` cannot be read.
    """
    from seewell.config import OPTIMIZERS_OWN, config_from_dict
    from seewell.training.recipes import load_recipe

    named = network is not None or "optimizer" in options
    settings: dict[str, Any] = load_recipe(recipe or "quick") if recipe or not named else {"network": "convnet"}
    if network is not None:
        from seewell.networks.arguments import parse_network

        name, arguments = parse_network(network)
        settings |= {"network": name, "network_arguments": arguments}
    if options.get("optimizer", settings.get("optimizer")) != settings.get("optimizer"):
        # A rate belongs to the optimizer that a recipe names; where it names none, to the recipe itself.
        for name in (*OPTIMIZERS_OWN, *(("learning_rate",) if "optimizer" in settings else ())):
            settings.pop(name, None)
    if {*_LENGTHS} & {*options}:  # an option beats the recipe's length, whichever way it is given
        settings = {name: value for name, value in settings.items() if name not in _LENGTHS}
    return config_from_dict(settings | options)


def split_names(text: str) -> list[str]:
    """Names joined by commas; "none" is none.

    Example:
        >>> split_names("flip, shift=2"), split_names("none")
        (['flip', 'shift=2'], [])
    """
    return [] if text.strip() in ("none", "") else [one.strip() for one in text.split(",")]


def read_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Settings from texts such as "learning_rate=1e-4"; values as in a recipe, texts without quotes, "none" for none.

    Raises:
        ConfigError: There is no "=" in one of them.

    Example:
        >>> read_overrides(["learning-rate=1e-4", "schedule=cosine", "augment=flip,shift"])
        {'learning_rate': 0.0001, 'schedule': 'cosine', 'augment': ['flip', 'shift']}
        >>> read_overrides(["checkpoint_every=500", "steps=500", "early-stop=none"])
        {'checkpoint_every': '500', 'steps': 500, 'early_stop': None}
    """
    found: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise ConfigError(
                f'"{text}" is not KEY=VALUE.',
                expected="a setting and its new value",
                fix="--override learning_rate=1e-4",
            )
        found[name] = split_names(value) if name == "augment" else _value(name, value.strip())
    return found


def _value(name: str, text: str) -> Any:
    from seewell.config import TEXTS

    if text.lower() in ("none", "null"):
        return None
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
    return text if name in TEXTS and not isinstance(value, str) else value


def read_epochs(text: str | None, *, resuming: bool) -> tuple[float | None, float | None]:
    """``--epochs``: a number for a new training, "+N" for a finished one that goes on.

    Returns:
        Epochs of a new training and epochs to add; at most one of them is given.

    Raises:
        ConfigError: It is no number, or not of the kind that is needed.
    """
    if text is None:
        return None, None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    added = text.strip().startswith("+")
    if not math.isfinite(number) or (added and number <= 0):
        raise ConfigError(f'"{text}" is no number of epochs.', expected="a number above 0", fix="--epochs 10")
    if added != resuming:
        raise ConfigError(
            f"--epochs {text} does not go with {'--resume' if resuming else 'a new training'}.",
            expected="--epochs +N, so many more, with --resume" if resuming else "--epochs N; +N goes with --resume",
            fix=f"--epochs +{number:g}, or --override epochs={number:g}" if resuming else f"--epochs {number:g}",
        )
    return (None, number) if added else (number, None)
