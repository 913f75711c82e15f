"""VGG-16 as published (Simonyan and Zisserman 2015, column D) and the smaller one of LTFN 8."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from seewell.networks.layers import Settings, add_logits, convolution, fully_connected, relu, require_size, side
from seewell.networks.preprocessing import centred_padding

__all__ = ["VggArguments", "build_vgg16", "build_vgg_small"]

# One tuple a block: the filters of its 3x3 convolutions.
_VGG16 = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_HIDDEN = 4096
_VGG_SMALL = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))


@dataclass(frozen=True)
class VggArguments:
    """The VGG networks take no arguments."""


def build_vgg16(x: Any, num_classes: int, settings: Settings, arguments: VggArguments) -> Any:
    """13 convolutions in five blocks, then 4,096, 4,096 and the logits."""
    return _build(x, num_classes, settings, filters=_VGG16, hidden=(_HIDDEN, _HIDDEN))


def build_vgg_small(x: Any, num_classes: int, settings: Settings, arguments: VggArguments) -> Any:
    """Ten convolutions in four blocks, then 4,096 and the logits: LTFN 8's network for MNIST and CIFAR-10."""
    return _build(x, num_classes, settings, filters=_VGG_SMALL, hidden=(_HIDDEN,))


def _build(
    x: Any, num_classes: int, settings: Settings, *, filters: Sequence[Sequence[int]], hidden: Sequence[int]
) -> Any:
    step = 2 ** len(filters)
    require_size(x, step // 2, settings, why=f"its {len(filters)} pools shrink an image {step} times")
    height, width = (-(-size // step) * step for size in side(x))
    x = centred_padding(x, height, width, name="pad_to_stride")
    for number, block in enumerate(filters, start=1):
        for index, depth in enumerate(block, start=1):
            name = f"conv{number}_{index}"
            x = relu(convolution(x, depth, name=name, settings=settings), name=name)
        x = keras.layers.MaxPooling2D(2, strides=2, name=f"pool{number}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(hidden, start=1):
        x = fully_connected(x, units, name=f"fc{index}", settings=settings)
    return add_logits(x, num_classes, settings=settings)
