"""The recipe "quick": network, batch, length and the rest, from the data and the processor or as measured."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seewell.config import TrainConfig
from seewell.networks.arguments import read_arguments
from seewell.networks.speed import SpeedArguments
from seewell.training.estimates import DataFacts, as_seen, expected_seconds_an_image
from seewell.training.precision import Hardware
from seewell.training.speed import batch_of_speed, recipe_of_speed

__all__ = ["Candidate", "enough_epochs", "is_quick", "quick_network", "quick_settings", "quick_widths"]

_MINUTE = 60.0
_SHARE = 0.75
"""Of the minute, what is planned for: the rest is room for a slower or busy machine."""
_FEWEST_UPDATES = 200
_SPEED_BLOCKS = 3
_SPEED_BATCH = {1: 200, 3: 500}
"""Images in a batch, by channels: for photographs a quarter of the published, so that a minute has updates enough."""


@dataclass(frozen=True)
class Candidate:
    """What "quick" may choose by measuring; each is taken only where the user left it open.

    Attributes:
        widths: Filters of each block.
        batch_size: Images in an update.
        precision: "float32", "bfloat16" or "float16".
    """

    widths: tuple[int, ...]
    batch_size: int
    precision: str


def is_quick(config: TrainConfig) -> bool:
    """Whether the plan chooses network, batch size, length and schedule."""
    return config.recipe == "quick" or (config.network is None and config.optimizer is None)


def quick_network(facts: DataFacts, config: TrainConfig) -> str:
    """The network that "quick" takes where none is named: "speed" for small images, else "convnet".

    "speed" goes with Muon at rates of its own: where another optimizer, a rate or other arguments are asked for, the
    convnet is what these were meant for.

    Args:
        facts: Of the data, of the size that the network sees.
        config: As the user gave it.
    """
    if config.network in ("speed", "convnet"):
        return config.network
    small = 16 * 16 < facts.height * facts.width <= 64 * 64 and min(facts.height, facts.width) > 2**_SPEED_BLOCKS
    own = config.optimizer in (None, "muon") and config.learning_rate is None and config.momentum is None
    known = {field.name for field in dataclasses.fields(SpeedArguments)}
    return "speed" if small and own and config.network is None and known >= set(config.network_arguments) else "convnet"


def quick_widths(facts: DataFacts, network: str) -> tuple[tuple[int, ...], ...]:
    """The widths that "quick" chooses from, the widest first: filters of each block.

    Args:
        facts: Of the data.
        network: As `quick_network` gives it.
    """
    if network == "speed":
        wide = () if facts.channels == 1 else ((64, 256, 256), (64, 128, 256))
        return (*wide, (32, 64, 128), (16, 32, 64))
    if facts.height * facts.width <= 16 * 16:
        return (64, 128), (16, 32, 64)
    both: tuple[tuple[int, ...], ...] = ((64, 128, 256), (32, 64, 128))
    return (*(both[1:] if facts.channels == 1 else both), (16, 32, 64))


def enough_epochs(facts: DataFacts, network: str) -> float:
    """Epochs without which "quick" takes a narrower network: fewer of a large set, fewer of "speed"."""
    if network == "speed":
        return min(8.0, max(3.0, 30_000 / facts.images))
    return min(15.0, max(4.0, 60_000 / facts.images))


def quick_settings(
    facts: DataFacts, hardware: Hardware, precision: str, config: TrainConfig, candidate: Candidate | None
) -> Mapping[str, tuple[Any, str]]:
    """What "quick" proposes: the most out of a minute, or out of the time that candidates were measured for.

    Args:
        facts: Of the data.
        hardware: Of the machine.
        precision: "float32", "bfloat16" or "float16".
        config: As the user gave it.
        candidate: What was measured to be best; None estimates.

    Returns:
        Setting → value and reason.
    """
    facts = as_seen(facts, config)
    network = quick_network(facts, config)
    open_widths = _open_widths(facts, config, network)
    batch, why_batch = _batch(facts, hardware, network, open_widths)
    batch = config.batch_size or batch
    why_width = "as wide as a minute allows"
    if candidate is not None:
        why_width = "as wide as the time allows, measured"
        why_batch = why_batch if batch == candidate.batch_size else "measured: more images a second than smaller ones"
        batch = config.batch_size or candidate.batch_size
    if candidate is not None and candidate.widths:
        open_widths = (candidate.widths,)
    for widths in open_widths:
        an_image = expected_seconds_an_image(facts, widths, hardware, precision, network)
        affordable = _SHARE * _MINUTE / (an_image * facts.images)
        if affordable >= enough_epochs(facts, network):
            break
    # A network learns little in fewer updates, however many the images and however large.
    least = math.ceil(_FEWEST_UPDATES * batch / facts.images)
    epochs = max(float(least), min(40.0, float(round(affordable))))
    spoken = f"{facts.images:,} images of {facts.height}×{facts.width}×{facts.channels}"
    return {
        "network": (network, f"learns fast on {spoken}"),
        "batch_size": (batch, why_batch),
        "epochs": (epochs, _why_epochs(hardware, precision, affordable=affordable, least=least, epochs=epochs)),
        **(_of_speed(facts, widths, why_width, batch) if network == "speed" else _of_convnet(facts, widths, why_width)),
    }


def _open_widths(facts: DataFacts, config: TrainConfig, network: str) -> tuple[tuple[int, ...], ...]:
    """What may be chosen from: only what "speed" has by itself or was given, where it was named."""
    if config.network == "speed":
        given = read_arguments(SpeedArguments, config.network_arguments, network="speed")
        return (tuple(given.widths),)
    return quick_widths(facts, network)


def _batch(facts: DataFacts, hardware: Hardware, network: str, widths: tuple[tuple[int, ...], ...]) -> tuple[int, str]:
    why = f"for {facts.images:,} training images"
    if network == "speed":
        most = _SPEED_BATCH[1 if facts.channels == 1 else 3]
        return batch_of_speed(facts, hardware, most, filters=widths[0][0], why=why)
    return min(facts.images, 64 if facts.images < 5_000 else 100 if facts.images < 20_000 else 250), why


def _of_speed(facts: DataFacts, widths: tuple[int, ...], why_width: str, batch: int) -> Mapping[str, tuple[Any, str]]:
    grey = facts.channels == 1
    return {
        "network_arguments": ({"widths": "-".join(map(str, widths))}, why_width),
        **recipe_of_speed(batch),
        "label_smoothing": (0.1 if grey else 0.2, "against overconfidence"),
        "warmup": (0.0, "Muon's first updates need none"),
        "augment": (
            ("shift=2",) if grey else ("alternating-flip", "shift-reflect=2"),
            "small shifts keep an image's class" if grey else "photographs keep their class mirrored",
        ),
        "l2": (0.0, "filters of norm 1 need no penalty"),
        "dropout": (0.0, "augmentation and smoothed labels regularize already"),
        "ema": (0.0, "the rate ends at 0, which averages too"),
    }


def _of_convnet(facts: DataFacts, widths: tuple[int, ...], why_width: str) -> Mapping[str, tuple[Any, str]]:
    grey = facts.channels == 1
    return {
        "network_arguments": (
            {"widths": "-".join(map(str, widths)), "normalization": "batch"},
            f"{why_width}; BatchNorm allows a high learning rate",
        ),
        "optimizer": ("adam", "reaches a good network in few epochs"),
        "learning_rate": (3e-3, "the peak of a one-cycle schedule stands above Adam's usual 0.001"),
        "preprocess": ("scale", "grey values in [0, 1]") if grey else ("per-channel", "each colour centred and scaled"),
        "schedule": ("one-cycle", "ends on time at a low rate"),
        "warmup": (0.0, "one-cycle rises by itself"),
        "augment": (
            ("shift", "rotate") if grey else ("flip", "shift"),
            "small shifts and turns keep a grey image's class" if grey else "photographs keep their class mirrored",
        ),
        "l2": (0.0, "augmentation and averaging regularize already"),
        "dropout": (0.2, "a little, before the last layer"),
        "label_smoothing": (0.05, "a little, against overconfidence"),
        "ema": (0.99, "the averaged weights are steadier on validation"),
    }


def _why_epochs(hardware: Hardware, precision: str, *, affordable: float, least: int, epochs: float) -> str:
    where = f"on {hardware.cores} cores in {precision}"
    if least > affordable:
        taken = _SHARE * _MINUTE * epochs / affordable
        return f"at least {_FEWEST_UPDATES} updates, expected to take about {taken:,.0f} s {where}"
    return f"what fits into about a minute {where}; at most 40, at least {_FEWEST_UPDATES} updates"
