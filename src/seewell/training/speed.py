"""The network "speed" with nothing else said: batch, length and rates of the biases, from the data and the machine."""

import math
from collections.abc import Mapping
from typing import Any

from seewell.config import TrainConfig
from seewell.networks.arguments import read_arguments
from seewell.networks.speed import SpeedArguments
from seewell.training.estimates import DataFacts, as_seen
from seewell.training.precision import Hardware

__all__ = ["batch_of_speed", "recipe_of_speed", "speed_settings"]

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
    arguments = read_arguments(SpeedArguments, config.network_arguments, network="speed")
    seen, most, why = as_seen(facts, config), _MOST[1 if facts.channels == 1 else 3], _SOURCE
    if config.epochs is not None and facts.images * config.epochs < _FEWEST_UPDATES * most:
        most = math.floor(facts.images * config.epochs / _FEWEST_UPDATES)
        why = f"{_FEWEST_UPDATES} updates or a few more"
        if most < _SMALLEST:
            most, why = _SMALLEST, "the fewest images from which BatchNorm knows a mean"
    batch, why_batch = batch_of_speed(seen, hardware, most, filters=arguments.widths[0], why=why)
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


def batch_of_speed(facts: DataFacts, hardware: Hardware, most: int, *, filters: int, why: str) -> tuple[int, str]:
    """How many images an update takes: fewer than ``most`` where there are few images or little memory.

    Args:
        facts: Of the data, of the size that the network sees.
        hardware: Of the machine; its memory limits the batch.
        most: Images in a batch where nothing limits them.
        filters: Of the first block, whose float32 values are the widest in memory.
        why: The reason for ``most``.

    Returns:
        An even number, or 1, and the reason.
    """
    size = min(most, max(_SMALLEST, facts.images // _BATCHES_AN_EPOCH), facts.images)
    why = why if size == most else f"{_BATCHES_AN_EPOCH} updates an epoch of {facts.images:,} images"
    an_image = facts.height * facts.width * filters * 4 * _COPIES
    fitting = hardware.memory // (_MEMORY_SHARE * an_image) if hardware.memory else size
    if fitting < size:
        size, why = max(1, fitting), f"what a third of this machine's memory holds ({hardware.memory / 2**30:.3g} GiB)"
    return _even(size), why


def _even(size: int) -> int:
    """A little fewer, of a number that halves and reads well.

    Example:
        >>> [_even(one) for one in (2000, 617, 75, 1)]
        [2000, 610, 74, 1]
    """
    unit = 10 ** max(0, len(str(size)) - 2) if size >= 100 else 2
    return max(1, size - size % unit)
