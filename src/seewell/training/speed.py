"""The network "speed" with nothing else said: batch, length and rates of the biases, from the data and the machine."""

import math
from collections.abc import Mapping
from typing import Any

from seewell.config import TrainConfig
from seewell.networks.arguments import read_arguments
from seewell.networks.preprocessing import parse_preprocess
from seewell.networks.registry import architecture
from seewell.training.estimates import DataFacts
from seewell.training.precision import Hardware

__all__ = ["recipe_of_speed", "speed_settings"]

_SOURCE = "Jordan 2024, arXiv:2404.00498, and its successor with Muon"
_MOST = {1: 200, 3: 2000}
"""Images in a batch, by channels: the published 2,000 for photographs; gray digits are learned in fewer updates."""
_BATCHES_AN_EPOCH = 20
_SMALLEST = 16
"""BatchNorm needs some images to know a mean from."""
_EPOCHS = 8
_FEWEST_UPDATES = 180
"""As many as the published 8 epochs are of CIFAR-10's 45,000 training images."""
_BIAS_RATE_AN_IMAGE = 0.053
"""Published for a cost that is the sum over the batch; ours is its mean, so the batch size multiplies it."""
_MEMORY_SHARE = 3
_COPIES = 8
"""A batch's memory over that of one layer at full size with the first block's filters, as seen in training."""


def speed_settings(facts: DataFacts, hardware: Hardware, config: TrainConfig) -> Mapping[str, tuple[Any, str]]:
    """What the network "speed" is trained with where nothing is said.

    Args:
        facts: Of the data.
        hardware: Of the machine; its memory limits the batch.
        config: As the user gave it.

    Returns:
        Setting → value and reason.
    """
    batch, why_batch = _batch(facts, hardware, config)
    batch = config.batch_size or batch
    epochs = max(_EPOCHS, math.ceil(_FEWEST_UPDATES * batch / facts.images))
    why_epochs = _SOURCE if epochs == _EPOCHS else f"at least {_FEWEST_UPDATES} updates"
    return {
        **recipe_of_speed(batch),
        "label_smoothing": (0.2, _SOURCE),
        "batch_size": (batch, why_batch),
        "epochs": (epochs, why_epochs),
    }


def recipe_of_speed(batch: int) -> Mapping[str, tuple[Any, str]]:
    """How the network is trained with batches of a size: optimizer, rates, schedule and preprocessing."""
    return {
        "optimizer": ("muon", _SOURCE),
        "learning_rate": (0.24, _SOURCE),
        "bias_learning_rate": (
            round(_BIAS_RATE_AN_IMAGE * min(batch, _MOST[3]), 6),
            f"{_SOURCE}: {_BIAS_RATE_AN_IMAGE} for each of {min(batch, _MOST[3]):,} images in a batch",
        ),
        "momentum": (0.6, _SOURCE),
        "schedule": ("linear", _SOURCE),
        "preprocess": ("per-channel", _SOURCE),
    }


def _batch(facts: DataFacts, hardware: Hardware, config: TrainConfig) -> tuple[int, str]:
    published = _MOST[1 if facts.channels == 1 else 3]
    by_data = max(_SMALLEST, facts.images // _BATCHES_AN_EPOCH)
    size = min(published, by_data, facts.images)
    why = _SOURCE if size == published else f"{_BATCHES_AN_EPOCH} updates an epoch of {facts.images:,} images"
    fitting = hardware.memory // (_MEMORY_SHARE * _bytes_an_image(facts, config)) if hardware.memory else size
    if fitting < size:
        size, why = max(1, fitting), f"what a third of this machine's memory holds ({hardware.memory / 2**30:.3g} GiB)"
    return _even(size), why


def _bytes_an_image(facts: DataFacts, config: TrainConfig) -> int:
    """About what an image takes in training: float32 values of the first block, which is the widest in memory."""
    geometry = parse_preprocess(config.preprocess or "scale")
    height, width = (geometry.height, geometry.width) if geometry.geometry else (facts.height, facts.width)
    arguments = read_arguments(architecture("speed").arguments_type, config.network_arguments, network="speed")
    return height * width * int(arguments.widths[0]) * 4 * _COPIES


def _even(size: int) -> int:
    """A little fewer, of a number that halves and reads well.

    Example:
        >>> [_even(one) for one in (2000, 617, 75, 1)]
        [2000, 610, 74, 1]
    """
    unit = 10 ** max(0, len(str(size)) - 2) if size >= 100 else 2
    return max(1, size - size % unit)
