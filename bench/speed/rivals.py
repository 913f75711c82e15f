"""Who takes part in `time_to_accuracy`, from texts such as "airbench:epochs=4,compile=true"."""

from dataclasses import dataclass
from typing import Any

SOURCES = {
    "cifar10": {
        "targets": (0.7256, 0.85, 0.90, 0.92),
        "augmented_targets": (0.935,),
        "contenders": ("seewell:speed", "seewell:quick", "airbench", "airbench:epochs=4", "keras", "series-vgg"),
    },
    "fashion-mnist": {
        "targets": (0.90, 0.93, 0.94),
        "augmented_targets": (),
        "contenders": ("seewell:speed-gray", "seewell:quick", "airbench:batch=1000", "keras"),
    },
    "mnist": {
        "targets": (0.979, 0.99),
        "augmented_targets": (),
        "contenders": ("seewell:speed-gray", "seewell:quick", "airbench:batch=250,flip=false", "keras", "series-vgg"),
    },
}
"""What is asked for and who takes part by default. A mirrored digit is another digit, so MNIST is not flipped."""

SERIES = {"cifar10": (10_000, 0.7256), "mnist": (1_000, 0.9786)}
"""Updates that the series' VGG was given, and the accuracy (test set) that its author reports: parts 11 and 8."""


@dataclass(frozen=True)
class Rival:
    """One contender.

    Attributes:
        text: As it was asked for; also its name.
        maker: "seewell", "airbench", "keras" or "series-vgg".
        recipe: Of seewell; else empty.
        options: Texts such as "epochs=4", in order.
    """

    text: str
    maker: str
    recipe: str
    options: tuple[str, ...]

    @property
    def module(self):
        return {"seewell": "seewell_training", "airbench": "torch_airbench", "keras": "keras_training"}[self.maker]

    def values(self) -> dict[str, Any]:
        """The options as values; for rivals other than seewell, which reads its own."""
        return {name: _value(value) for name, _, value in (one.partition("=") for one in self.options)}


def parse(text):
    """Read a contender.

    Raises:
        ValueError: No such maker, or an option without a value.

    >>> parse("seewell:speed,epochs=4").recipe
    'speed'
    >>> parse("airbench:compile=true,epochs=4").values()
    {'compile': True, 'epochs': 4}
    """
    maker, _, rest = text.partition(":")
    parts = [one.strip() for one in rest.split(",") if one.strip()]
    recipe = parts.pop(0) if maker == "seewell" and parts else ""
    if maker not in ("seewell", "airbench", "keras", "series-vgg") or (maker == "seewell") != bool(recipe):
        raise ValueError(f'"{text}" is none of: seewell:RECIPE, airbench, keras, series-vgg (then ,NAME=VALUE)')
    if not all("=" in one for one in parts):
        raise ValueError(f'"{text}": an option is NAME=VALUE')
    return Rival(text, maker, recipe, tuple(parts))


def _value(text):
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
