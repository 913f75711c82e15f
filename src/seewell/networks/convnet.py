"""The convolutional network of LTFN 5: 64-64-pool-128-128-pool-softmax."""

from dataclasses import dataclass
from typing import Any

import keras

from seewell.networks.arguments import argument, blocks, choice, integer
from seewell.networks.layers import Settings, add_logits, convolution, normalization, relu, require_size

__all__ = ["ConvNetArguments", "build"]


@dataclass(frozen=True)
class ConvNetArguments:
    """Arguments of ``convnet``."""

    widths: tuple[tuple[int, ...], ...] = argument(
        ((64,), (128,)),
        blocks,
        "filters: one number a block (64-128), or each convolution with a slash between blocks (64-64/128-128)",
    )
    convolutions: int = argument(2, integer(1, 16), "convolutions in a block where widths gives one number a block")
    kernel: int = argument(3, integer(1, 31), "height and width of every kernel")
    stride: int = argument(1, integer(1, 8), "step of the first convolution, conv1_1; the others step by 1")
    padding: str = argument("same", choice("same", "valid"), "same: zeros around; valid: none, so the maps shrink")
    pooling: str = argument(
        "max",
        choice("max", "average", "none"),
        "end of a block: max or average over 2x2, or none: its last convolution steps by 2",
    )
    normalization: str = argument(
        "none", choice("none", "batch"), "batch: BatchNorm between convolution and ReLU, in place of the bias"
    )

    def filters(self) -> tuple[tuple[int, ...], ...]:
        """The filters of each convolution of each block."""
        if all(len(block) == 1 for block in self.widths):
            return tuple(block * self.convolutions for block in self.widths)
        return self.widths


def build(x: Any, num_classes: int, settings: Settings, arguments: ConvNetArguments) -> Any:
    """Blocks of convolutions with ReLU, each ended by a pool, then the logits.

    Pools cover 2x2 and step by 2; at an odd size the last row and column are
    pooled alone, so that no pixel is lost.

    Raises:
        NetworkError: The images are too small for that many pools, or for VALID padding.
    """
    total = arguments.stride * 2 ** len(arguments.widths)
    require_size(
        x,
        total,
        settings,
        why=f"{len(arguments.widths)} blocks and stride={arguments.stride} shrink them {total} times",
        fix=f"use fewer widths or stride=1, or enlarge the images with --preprocess resize={total}x{total} (or larger)",
    )
    for number, block in enumerate(arguments.filters(), start=1):
        for index, filters in enumerate(block, start=1):
            name = f"conv{number}_{index}"
            stride = arguments.stride if (number, index) == (1, 1) else 1
            if arguments.pooling == "none" and index == len(block):
                stride *= 2
            x = convolution(
                x,
                filters,
                name=name,
                settings=settings,
                kernel=arguments.kernel,
                stride=stride,
                padding=arguments.padding,
                bias=arguments.normalization == "none",
            )
            if arguments.normalization == "batch":
                x = normalization(x, name=name)
            x = relu(x, name=name)
        x = _pool(x, arguments.pooling, f"pool{number}")
    return add_logits(keras.layers.Flatten(name="flatten")(x), num_classes, settings=settings)


def _pool(x: Any, pooling: str, name: str) -> Any:
    if pooling == "max":
        return keras.layers.MaxPooling2D(2, strides=2, padding="same", name=name)(x)
    if pooling == "average":
        return keras.layers.AveragePooling2D(2, strides=2, padding="same", name=name)(x)
    return x
