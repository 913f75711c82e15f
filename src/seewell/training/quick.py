"""The recipe "quick": network, batch, length and the rest, from the data and the processor or as measured."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seewell.config import TrainConfig
from seewell.training.estimates import DataFacts, expected_seconds_an_image
from seewell.training.precision import Hardware

__all__ = ["Candidate", "enough_epochs", "is_quick", "quick_settings", "quick_widths"]

_MINUTE = 60.0
_FEWEST_UPDATES = 200


@dataclass(frozen=True)
class Candidate:
    """What "quick" may choose by measuring; each is taken only where the user left it open.

    Attributes:
        widths: Filters of each block of the convnet.
        batch_size: Images in an update.
        precision: "float32", "bfloat16" or "float16".
    """

    widths: tuple[int, ...]
    batch_size: int
    precision: str


def is_quick(config: TrainConfig) -> bool:
    """Whether the plan chooses network, batch size, length and schedule."""
    return config.recipe == "quick" or (config.network is None and config.optimizer is None)


def quick_widths(facts: DataFacts) -> tuple[tuple[int, ...], ...]:
    """The convnets that "quick" chooses from, the widest first: filters of each block."""
    if facts.height * facts.width <= 16 * 16:
        return (64, 128), (16, 32, 64)
    wide: tuple[tuple[int, ...], ...] = ((64, 128, 256), (32, 64, 128))
    return (*(wide[1:] if facts.channels == 1 else wide), (16, 32, 64))


def enough_epochs(facts: DataFacts) -> float:
    """Epochs without which "quick" takes a narrower network: 15 of a small set, 4 of a large one."""
    return min(15.0, max(4.0, 60_000 / facts.images))


def quick_settings(
    facts: DataFacts, hardware: Hardware, precision: str, batch_size: int | None, candidate: Candidate | None
) -> Mapping[str, tuple[Any, str]]:
    """What "quick" proposes: the most out of a minute, or out of the time that candidates were measured for.

    Args:
        facts: Of the data.
        hardware: Of the machine.
        precision: "float32", "bfloat16" or "float16".
        batch_size: As the user gave it, or None.
        candidate: What was measured to be best; None estimates.

    Returns:
        Setting → value and reason.
    """
    grey = facts.channels == 1
    batch = batch_size or min(facts.images, 64 if facts.images < 5_000 else 100 if facts.images < 20_000 else 250)
    why_width = "as wide as a minute allows; BatchNorm allows a high learning rate"
    why_batch = f"for {facts.images:,} training images"
    if candidate is not None:
        why_width = "as wide as the time allows, measured; BatchNorm allows a high learning rate"
        why_batch = why_batch if batch == candidate.batch_size else "measured: more images a second than smaller ones"
        batch = batch_size or candidate.batch_size
    for widths in quick_widths(facts) if candidate is None or not candidate.widths else [candidate.widths]:
        affordable = _affordable_epochs(facts, widths, hardware, precision)
        if affordable >= enough_epochs(facts):
            break
    # A network learns little in fewer updates, however many the images and however large.
    least = math.ceil(_FEWEST_UPDATES * batch / facts.images)
    epochs = max(float(least), min(40.0, float(round(affordable))))
    where = f"on {hardware.cores} cores in {precision}"
    why_epochs = f"what fits into about a minute {where}; at most 40, at least {_FEWEST_UPDATES} updates"
    if least > affordable:
        taken = 0.75 * _MINUTE * epochs / affordable
        why_epochs = f"at least {_FEWEST_UPDATES} updates, expected to take about {taken:,.0f} s {where}"
    spoken = f"{facts.images:,} images of {facts.height}×{facts.width}×{facts.channels}"
    return {
        "network": ("convnet", f"learns fast on {spoken}"),
        "network_arguments": (
            {"widths": "-".join(map(str, widths)), "normalization": "batch"},
            why_width,
        ),
        "optimizer": ("adam", "reaches a good network in few epochs"),
        "learning_rate": (3e-3, "the peak of a one-cycle schedule stands above Adam's usual 0.001"),
        "preprocess": ("scale", "grey values in [0, 1]") if grey else ("per-channel", "each colour centred and scaled"),
        "schedule": ("one-cycle", "ends on time at a low rate"),
        "warmup": (0.0, "one-cycle rises by itself"),
        "batch_size": (batch, why_batch),
        "epochs": (epochs, why_epochs),
        "augment": (
            ("shift", "rotate") if grey else ("flip", "shift"),
            "small shifts and turns keep a grey image's class" if grey else "photographs keep their class mirrored",
        ),
        "l2": (0.0, "augmentation and averaging regularize already"),
        "dropout": (0.2, "a little, before the last layer"),
        "label_smoothing": (0.05, "a little, against overconfidence"),
        "ema": (0.99, "the averaged weights are steadier on validation"),
    }


def _affordable_epochs(facts: DataFacts, widths: tuple[int, ...], hardware: Hardware, precision: str) -> float:
    """Epochs of the convnet in three quarters of a minute, which leaves room for a slower or busy machine."""
    return 0.75 * _MINUTE / (expected_seconds_an_image(facts, widths, hardware, precision) * facts.images)
