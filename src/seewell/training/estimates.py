"""What a training is expected to cost, from the data's shape and the processor, before anything is measured."""

from dataclasses import dataclass, replace

from seewell.config import TrainConfig
from seewell.networks.preprocessing import parse_preprocess
from seewell.training.precision import Hardware

__all__ = ["DataFacts", "as_seen", "expected_seconds_an_image", "products_per_second"]

_SECONDS_A_VALUE = 9e-9


@dataclass(frozen=True)
class DataFacts:
    """What a plan depends on of the data.

    Attributes:
        images: Number of training images.
        height: In pixels.
        width: In pixels.
        channels: 1 or 3.
        classes: K.
    """

    images: int
    height: int
    width: int
    channels: int
    classes: int


def as_seen(facts: DataFacts, config: TrainConfig) -> DataFacts:
    """The data with images of the size to which preprocessing brings them, which the network computes with."""
    chosen = parse_preprocess(config.preprocess or "scale")
    return replace(facts, height=chosen.height, width=chosen.width) if chosen.geometry else facts


def expected_seconds_an_image(
    facts: DataFacts, widths: tuple[int, ...], hardware: Hardware, precision: str, network: str = "convnet"
) -> float:
    """About what an image costs in training with the convnet or with "speed".

    An update costs three forward passes, and for each value between layers the
    same again and again: BatchNorm, ReLU, pooling and their gradients. On two
    cores of an AMD EPYC with AVX-512 bfloat16 that made 2,900 images of 28x28 a
    second with widths of 16-32-64, and about 1,100 with 32-64-128.
    """
    products, values = (_speed_cost if network == "speed" else _convnet_cost)(facts, widths)
    return 3 * products / products_per_second(hardware, precision) + values * _SECONDS_A_VALUE / hardware.cores


def _convnet_cost(facts: DataFacts, widths: tuple[int, ...]) -> tuple[float, float]:
    """Multiply-adds, and values between layers, of the convnet (two 3x3 convolutions a block) on one image."""
    height, width, depth = facts.height, facts.width, facts.channels
    products = values = 0.0
    for filters in widths:
        products += height * width * 9 * (depth * filters + filters * filters)
        values += 2 * height * width * filters
        height, width, depth = max(1, height // 2), max(1, width // 2), filters
    return products, values


def _speed_cost(facts: DataFacts, widths: tuple[int, ...]) -> tuple[float, float]:
    """The same of "speed": 2x2 patches, then two 3x3 convolutions a block with the pool between them."""
    height, width, depth = facts.height - 1, facts.width - 1, 8 * facts.channels
    products, values = height * width * 4.0 * facts.channels * depth, float(height * width * depth)
    for filters in widths:
        products += height * width * 9 * depth * filters
        values += height * width * filters
        height, width, depth = max(1, height // 2), max(1, width // 2), filters
        products += height * width * 9 * filters * filters
        values += 2 * height * width * filters
    return products, values


def products_per_second(hardware: Hardware, precision: str) -> float:
    """Multiply-adds a second that a training step was seen to reach, rounded down."""
    if hardware.gpus:
        return 5e12
    if precision == "bfloat16" and hardware.has_bfloat16:
        return 8e10 * hardware.cores
    return (3e10 if "avx512f" in hardware.flags else 1.5e10) * hardware.cores
