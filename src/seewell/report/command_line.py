"""The command that repeats a run, or changes one thing about it; pure functions from settings to text."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from seewell.config import TrainConfig

__all__ = ["automatic_settings", "changed_command", "command_of", "command_of_run"]

_SAID_BY_NOTHING = {"weight_decay": 0.0}
"""What an open setting becomes without being listed as a choice."""

_EXCLUSIVE = {
    "--epochs": ("--epochs", "--steps"),
    "--steps": ("--epochs", "--steps"),
    "--optimizer": ("--optimizer", "--bias-learning-rate", "--momentum", "--weight-decay"),
}
"""Options that others take the place of: another optimizer has settings of its own."""


def command_of(config: Mapping[str, Any], source: str, *, defaults: Mapping[str, Any] | None = None) -> str:
    """The ``seewell train`` command line for settings.

    Args:
        config: Settings as ``run.json`` holds them (`TrainConfig.to_dict`).
        source: A catalogue name or a path.
        defaults: Settings that need not be said; the defaults of `TrainConfig` where not given.

    Returns:
        One line, every word quoted for a POSIX shell.

    Example:
        >>> command_of({"network": "convnet", "network_arguments": {"widths": "64-128"}, "seed": 0}, "my digits")
        "seewell train 'my digits' --network convnet:widths=64-128"
    """
    words = ["seewell", "train", *_source_words(source)]
    for option, value in _options(config, TrainConfig().to_dict() if defaults is None else defaults):
        words += [option, value]
    return shlex.join(words)


def changed_command(
    config: Mapping[str, Any], source: str, option: str, *, defaults: Mapping[str, Any] | None = None
) -> str:
    """The command of `command_of` with an option that replaces what it names.

    Args:
        config: Settings of the run.
        source: A catalogue name or a path.
        option: One or more options with values, such as ``"--augment flip,shift"``.
        defaults: See `command_of`.

    Example:
        >>> changed_command({"epochs": 5, "dropout": 0.5}, "digits", "--epochs 10")
        'seewell train digits --dropout 0.5 --epochs 10'
    """
    added = shlex.split(option)
    replaced = {name for word in added for name in _EXCLUSIVE.get(word, (word,)) if word.startswith("--")}
    words = ["seewell", "train", *_source_words(source)]
    for name, value in _options(config, TrainConfig().to_dict() if defaults is None else defaults):
        if name not in replaced:
            words += [name, value]
    return shlex.join(words + added)


def command_of_run(info: Mapping[str, Any], *, option: str = "", defaults: Mapping[str, Any] | None = None) -> str:
    """The command that repeats a run on the same data and the same kind of machine.

    Settings that seewell chose itself are left out (it chooses them again), and
    so are those that the run's recipe says.

    Args:
        info: The contents of ``run.json``.
        option: Options that replace or extend the run's own; may be empty. An option that
            begins with ``--resume`` goes on with the run instead of beginning anew.
        defaults: Settings that need not be said, in place of the recipe's.
    """
    if isinstance(info.get("adopted"), dict) and not option:
        return str(info["adopted"].get("command", "seewell adopt PATH"))
    source = str((info.get("dataset") or {}).get("source", "SOURCE"))
    if option.startswith("--resume"):
        return f"seewell train {option}"
    automatic = automatic_settings(info)
    config = {name: value for name, value in (info.get("config") or {}).items() if name not in automatic}
    recipe = config.get("recipe")
    if defaults is None and recipe is not None:
        defaults = _recipe_defaults(str(recipe))
        if defaults is None or (recipe == "quick" and {"network", "optimizer"} <= automatic):
            del config["recipe"]
    return changed_command(config, source, option, defaults=defaults)


def automatic_settings(info: Mapping[str, Any]) -> frozenset[str]:
    """The names of the settings that seewell chose itself in a run, by ``run.json``'s list of choices."""
    choices = info.get("choices") or []
    return frozenset(str(choice["setting"]) for choice in choices if choice.get("reason") != "asked for")


def _recipe_defaults(name: str) -> dict[str, Any] | None:
    """What a recipe says, over the defaults; None for a recipe that is not one of ours (a file, perhaps gone)."""
    from seewell.training.recipes import list_recipes, load_recipe

    if name not in list_recipes():
        return None
    return {**TrainConfig().to_dict(), **load_recipe(name), "recipe": None}


def _source_words(source: str) -> list[str]:
    return ["--", source] if source.startswith("-") else [source]


def _options(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs = []
    for name, value in config.items():
        if name == "network_arguments" or value is None or _SAID_BY_NOTHING.get(name) == value:
            continue
        if name == "network":
            arguments = config.get("network_arguments") or {}
            if value == defaults.get("network") and arguments == (defaults.get("network_arguments") or {}):
                continue
            listed = ",".join(f"{key}={_text(one)}" for key, one in arguments.items())
            pairs.append(("--network", f"{value}:{listed}" if listed else str(value)))
        elif _plain(value) != _plain(defaults.get(name)):
            joint = "x" if name == "image_size" else ","
            pairs.append((f"--{name.replace('_', '-')}", _text(value, joint)))
    return pairs


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any, joint: str = "-") -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return joint.join(_text(one) for one in value) or "none"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
