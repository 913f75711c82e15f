"""Named, complete configurations: TOML files whose heads say command, cost and result."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from seewell.config import load_toml
from seewell.errors import ConfigError, unknown_name

__all__ = ["list_recipes", "load_recipe"]


def list_recipes() -> tuple[str, ...]:
    """The names of the recipes that come with seewell."""
    return tuple(sorted(file.name.removesuffix(".toml") for file in files(__name__).iterdir() if _is_recipe(file.name)))


def load_recipe(name: str) -> dict[str, Any]:
    """The settings of a recipe, by name or from a file.

    Args:
        name: One of `list_recipes`, or the path of a ``.toml`` file.

    Returns:
        Names and values for `seewell.config.config_from_dict`, "recipe" among them.

    Raises:
        ConfigError: There is no such recipe or file, or it is not TOML.
    """
    if name.endswith(".toml"):
        path = Path(name)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise ConfigError(
                f"the recipe {path} cannot be read: {problem}.",
                expected="a TOML file with settings",
                fix="check the path, or name one of: " + ", ".join(list_recipes()),
            ) from problem
        return {"recipe": path.stem, **load_toml(text, file=str(path))}
    if name not in list_recipes():
        raise unknown_name("recipe", name, list_recipes())
    text = (files(__name__) / f"{name}.toml").read_text(encoding="utf-8")
    return {"recipe": name, **load_toml(text, file=f"{name}.toml")}


def _is_recipe(name: str) -> bool:
    return name.endswith(".toml")
