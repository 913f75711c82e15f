"""Who takes part in `time_to_accuracy`, from texts such as "airbench:epochs=4,compile=true"."""

import difflib
from dataclasses import dataclass
from typing import Any

SOURCES = {
    "cifar10": {
        "targets": (0.7256, 0.85, 0.90, 0.92),
        "augmented_targets": (0.935,),
        "contenders": (
            "seewell:speed",
            "seewell:quick",
            "airbench",
            "airbench:compile=true",
            "airbench:epochs=2",
            "airbench:epochs=4",
            "airbench:epochs=6",
            "keras",
            "series-vgg",
        ),
    },
    "fashion-mnist": {
        "targets": (0.90, 0.93, 0.94),
        "augmented_targets": (),
        "contenders": (
            "seewell:speed-gray",
            "seewell:quick",
            "airbench:batch=1000",
            "airbench:batch=1000,compile=true",
            "airbench:batch=1000,epochs=4",
            "keras",
        ),
    },
    "mnist": {
        "targets": (0.9786, 0.979, 0.99),
        "augmented_targets": (),
        "contenders": (
            "seewell:speed-gray",
            "seewell:quick",
            "airbench:batch=250,flip=false",
            "airbench:batch=250,flip=false,compile=true",
            "airbench:batch=250,flip=false,epochs=4",
            "keras",
            "series-vgg",
        ),
    },
}
"""What is asked for and who takes part by default. A mirrored digit is another digit, so MNIST is not flipped."""

SERIES = {
    "cifar10": (10_000, 0.7256, "the series' part 11, on the test set"),
    "mnist": (1_000, 0.9786, "the series' part 8, on the test set; its test loop also ran the optimizer"),
}
"""Updates that the series' VGG was given, the accuracy that its author reports, and where that comes from."""

OPTIONS = {
    "airbench": ("epochs", "batch", "flip", "activation", "compile"),
    "keras": ("epochs", "batch"),
    "series-vgg": (),
}
"""What can be set of each rival; settings of seewell are checked by itself."""


@dataclass(frozen=True)
class Rival:
    """One contender.

    Attributes:
        text: As it was asked for; also its name.
        maker: "seewell", "airbench", "keras" or "series-vgg".
        recipe: Of seewell; else empty.
        options: Texts such as "epochs=4", in order.
        network: Of seewell, instead of the recipe's, as `--network` takes it; else None.
    """

    text: str
    maker: str
    recipe: str
    options: tuple[str, ...]
    network: str | None = None

    @property
    def module(self):
        return {"seewell": "seewell_training", "airbench": "torch_airbench", "keras": "keras_training"}[self.maker]

    def values(self) -> dict[str, Any]:
        """The options as values; for rivals other than seewell, which reads its own."""
        return {name: _value(value) for name, _, value in (one.partition("=") for one in self.options)}


def parse(text):
    """Read a contender.

    Raises:
        ValueError: No such maker, no such option, or an option without a value.

    >>> parse("seewell:speed,epochs=4").recipe
    'speed'
    >>> parse("seewell:speed,network=speed:widths=32-64-128,epochs=4").network
    'speed:widths=32-64-128'
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
    networks = [one for one in parts if maker == "seewell" and one.startswith("network=")]
    if len(networks) > 1:
        raise ValueError(f'"{text}": one network, not {len(networks)}')
    options = tuple(one for one in parts if one not in networks)
    found = Rival(text, maker, recipe, options, networks[0].partition("=")[2] if networks else None)
    if maker != "seewell":
        check_options(maker, found.values())
    return found


def check_options(maker, names):
    """Refuse options that a rival does not have.

    Raises:
        ValueError: Names the one, those that there are, and the nearest.

    >>> check_options("keras", ["epochs"])
    >>> check_options("keras", ["epoch"])
    Traceback (most recent call last):
    ValueError: keras has no option "epoch"; it has: epochs, batch. Did you mean "epochs"?
    """
    known = OPTIONS[maker]
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise ValueError(f'{maker} has no option "{name}"; it has: {", ".join(known) or "none"}.{hint}')


def _value(text):
    if text in ("true", "false"):
        return text == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number
