"""Residual networks (He et al. 2015, "Deep Residual Learning for Image Recognition")."""

from dataclasses import dataclass
from typing import Any

import keras

from seewell.networks.arguments import argument, choice
from seewell.networks.layers import Settings, add_logits, convolution, normalization, relu, require_size, side

__all__ = ["ResNet18Arguments", "ResNet20Arguments", "build_resnet18", "build_resnet20"]

SMALL_IMAGE = 64
"""Up to this many pixels a side, ``stem=auto`` takes the CIFAR stem: the other would leave 2x2 of 64x64."""


@dataclass(frozen=True)
class ResNet20Arguments:
    """``resnet20`` takes no arguments."""


@dataclass(frozen=True)
class ResNet18Arguments:
    """Arguments of ``resnet18``."""

    stem: str = argument(
        "auto",
        choice("auto", "imagenet", "cifar"),
        "imagenet: 7x7 step 2 and a 3x3 pool step 2; cifar: 3x3 step 1, no pool; "
        f"auto: cifar where a side is at most {SMALL_IMAGE} pixels",
    )


def build_resnet20(x: Any, num_classes: int, settings: Settings, arguments: ResNet20Arguments) -> Any:
    """Section 4.2: 3x3 with 16 filters, three stages of three blocks (16, 32, 64), global average, logits.

    Shortcuts have no weights (option A): where a stage begins, every second
    pixel is taken and the new channels are zeros.

    Raises:
        NetworkError: A side has fewer than 4 pixels.
    """
    require_size(x, 4, settings, why="its stages shrink an image 4 times")
    x = _unit(x, 16, name="conv1", settings=settings)
    for stage, filters in enumerate((16, 32, 64), start=1):
        for block in (1, 2, 3):
            x = _block(
                x, filters, f"stage{stage}_block{block}", settings, halve=stage > 1 and block == 1, project=False
            )
    return add_logits(keras.layers.GlobalAveragePooling2D(name="global_pool")(x), num_classes, settings=settings)


def build_resnet18(x: Any, num_classes: int, settings: Settings, arguments: ResNet18Arguments) -> Any:
    """Table 1, 18 layers: a stem, four stages of two blocks (64, 128, 256, 512), global average, logits.

    Where a stage begins, the shortcut is a 1x1 convolution with step 2 (option B).

    Raises:
        NetworkError: A side has fewer pixels than the total step (8, or 32 with the ImageNet stem).
    """
    stem = arguments.stem
    if stem == "auto":
        stem = "cifar" if min(side(x)) <= SMALL_IMAGE else "imagenet"
    step = 8 if stem == "cifar" else 32
    require_size(
        x,
        step,
        settings,
        why=f"with stem={stem} it shrinks an image {step} times",
        fix="use stem=cifar" if stem == "imagenet" and min(side(x)) >= 8 else "",
    )
    if stem == "cifar":
        x = _unit(x, 64, name="conv1", settings=settings)
    else:
        x = _unit(x, 64, name="conv1", settings=settings, kernel=7, stride=2)
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    for stage, filters in enumerate((64, 128, 256, 512), start=1):
        for block in (1, 2):
            halve = stage > 1 and block == 1
            x = _block(x, filters, f"stage{stage}_block{block}", settings, halve=halve, project=True)
    return add_logits(keras.layers.GlobalAveragePooling2D(name="global_pool")(x), num_classes, settings=settings)


def _unit(x: Any, filters: int, *, name: str, settings: Settings, kernel: int = 3, stride: int = 1) -> Any:
    """Convolution without bias, BatchNorm, ReLU."""
    x = convolution(x, filters, name=name, settings=settings, kernel=kernel, stride=stride, bias=False)
    return relu(normalization(x, name=name), name=name)


def _block(x: Any, filters: int, name: str, settings: Settings, *, halve: bool, project: bool) -> Any:
    """Two 3x3 convolutions beside a shortcut; the sum goes through the last ReLU."""
    stride = 2 if halve else 1
    shortcut = x
    if halve and project:
        shortcut = convolution(
            x, filters, name=f"{name}_shortcut", settings=settings, kernel=1, stride=stride, bias=False
        )
        shortcut = normalization(shortcut, name=f"{name}_shortcut")
    elif halve:
        shortcut = _subsample(x, filters, f"{name}_shortcut")
    y = _unit(x, filters, name=f"{name}_conv1", settings=settings, stride=stride)
    y = convolution(y, filters, name=f"{name}_conv2", settings=settings, bias=False)
    y = normalization(y, name=f"{name}_conv2")
    return relu(keras.layers.Add(name=f"{name}_add")([y, shortcut]), name=name)


def _subsample(x: Any, filters: int, name: str) -> Any:
    """Every second pixel, and zeros for the channels that come new: half of them before, half after.

    No stock layer pads channels, so they become a third spatial axis for a moment.
    """
    x = keras.layers.MaxPooling2D(1, strides=2, name=name)(x)
    height, width = side(x)
    before = (filters - int(x.shape[-1])) // 2
    after = filters - int(x.shape[-1]) - before
    x = keras.layers.Reshape((height, width, int(x.shape[-1]), 1), name=f"{name}_unfold")(x)
    x = keras.layers.ZeroPadding3D(((0, 0), (0, 0), (before, after)), name=f"{name}_zeros")(x)
    return keras.layers.Reshape((height, width, filters), name=f"{name}_fold")(x)
