"""From the options of a command to the settings of a training."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seewell.config import TrainConfig

__all__ = ["config_from_options", "split_names"]


def config_from_options(recipe: str | None, network: str | None, options: dict[str, Any]) -> "TrainConfig":
    """Options over the recipe's settings; without a recipe, a network or optimizer takes its own defaults.

    Args:
        recipe: A recipe's name or file.
        network: NAME or NAME:argument=value,….
        options: The settings that were given, by name.

    Raises:
        ConfigError: A name or a value is wrong.
        NetworkError: ``network`` cannot be read.
    """
    from seewell.config import config_from_dict
    from seewell.training.recipes import load_recipe

    named = network is not None or "optimizer" in options
    settings: dict[str, Any] = load_recipe(recipe or "quick") if recipe or not named else {"network": "convnet"}
    if network is not None:
        from seewell.networks.arguments import parse_network

        name, arguments = parse_network(network)
        settings |= {"network": name, "network_arguments": arguments}
    if "steps" in options and "epochs" not in options:
        settings.pop("epochs", None)
    if "epochs" in options and "steps" not in options:
        settings.pop("steps", None)
    return config_from_dict(settings | options)


def split_names(text: str) -> list[str]:
    """Names joined by commas; "none" is none.

    Example:
        >>> split_names("flip, shift=2"), split_names("none")
        (['flip', 'shift=2'], [])
    """
    return [] if text.strip() in ("none", "") else [one.strip() for one in text.split(",")]
