"""The network of "94 % on CIFAR-10 in 3.29 seconds" (Jordan 2024, arXiv:2404.00498), for any small images."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from seewell.networks.arguments import argument, choice, integer, widths
from seewell.networks.layers import Settings, add_logits, relu, require_size
from seewell.networks.whitening import patch_basis, patch_covariance, whitening_filters

__all__ = ["SpeedArguments", "build", "fit"]

_PATCH = 2
_WHITEN = "whiten"
_FIT_IMAGES = 200
_FIT_BYTES = 2**25
"""Of float32 patches, which hold each pixel of a few images four times."""


@dataclass(frozen=True)
class SpeedArguments:
    """Arguments of ``speed``."""

    widths: tuple[int, ...] = argument((64, 256, 256), widths, "filters of each block, such as 64-256-256")
    convolutions: int = argument(2, integer(1, 8), "3x3 convolutions in a block")
    activation: str = argument("relu", choice("relu", "gelu", "silu"), "nonlinearity: relu, gelu or silu")
    whiten: str = argument(
        "true",
        choice("true", "false"),
        "true: the first convolution is fixed and whitens 2x2 patches of the training images; false: it is learned",
    )
    pooling: str = argument(
        "between",
        choice("between", "end", "stride"),
        "2x2 max pool after a block's first convolution, at its end, or none: its first convolution steps by 2",
    )
    constraint: str = argument(
        "unit-norm", choice("none", "unit-norm"), "unit-norm: each 3x3 filter is scaled to norm 1 after each update"
    )
    divisor: int = argument(3, integer(1, 4096), "the features are divided by it before the last layer")


def build(x: Any, num_classes: int, settings: Settings, arguments: SpeedArguments) -> Any:
    """Whitening, then blocks of 3x3 convolutions with BatchNorm, global max pool, logits without bias.

    BatchNorm has no scale and a momentum of 0.6 (which PyTorch counts as 0.4). Its epsilon is the other networks'
    1e-5: the paper has 1e-12, and cuDNN takes none that small.

    Raises:
        NetworkError: The images are too small for that many blocks.
    """
    total = 2 ** len(arguments.widths) + _PATCH - 1
    require_size(
        x,
        total,
        settings,
        why=f"{len(arguments.widths)} blocks shrink them {2 ** len(arguments.widths)} times, after 2x2 patches",
        fix=f"use fewer widths, or enlarge the images with --preprocess resize={total}x{total} (or larger)",
    )
    x = _activation(_first(x, settings, arguments), _WHITEN, arguments)
    for number, filters in enumerate(arguments.widths, start=1):
        for index in range(1, arguments.convolutions + 1):
            name, begins = f"conv{number}_{index}", index == 1
            x = _convolution(x, filters, name, settings, arguments, halve=begins and arguments.pooling == "stride")
            if begins and arguments.pooling == "between":
                x = _pool(x, number)
            x = _normalization(x, name)
            x = _activation(x, name, arguments)
        if arguments.pooling == "end":
            x = _pool(x, number)
    x = keras.layers.GlobalMaxPooling2D(name="global_pool")(x)
    x = keras.layers.Rescaling(1.0 / arguments.divisor, name="divide")(x)
    return add_logits(x, num_classes, settings=settings, bias=False)


def fit(network: keras.Model, images: npt.NDArray[np.uint8]) -> None:
    """Make the first convolution whiten the patches of these images, as the network's preprocessing leaves them.

    Args:
        network: Built by `build`; one with ``whiten=false`` stays as it is.
        images: uint8 (N, H, W, C), of the training split.
    """
    layer = network.get_layer(_WHITEN)
    if layer.trainable:
        return
    seen = keras.Model(network.input, layer.input)
    height, width, channels = layer.input.shape[1:]
    most = min(_FIT_IMAGES, max(1, _FIT_BYTES // (height * width * channels * 4 * _PATCH**2)))
    parts = [images[start : start + most] for start in range(0, len(images), most)]
    moments = [patch_covariance(np.asarray(seen(part)), _PATCH) * len(part) for part in parts]
    _set_filters(layer, whitening_filters(np.sum(moments, axis=0) / len(images)))


def _first(x: Any, settings: Settings, arguments: SpeedArguments) -> Any:
    channels, learned = int(x.shape[3]), arguments.whiten == "false"
    filters = 2 * channels * _PATCH**2
    kernel = settings.kernel("relu") if learned else {"kernel_initializer": "zeros"}
    layer = keras.layers.Conv2D(filters, _PATCH, use_bias=False, trainable=learned, name=_WHITEN, **kernel)
    x = layer(x)
    if not learned:
        _set_filters(layer, patch_basis(_PATCH, channels))
    return x


def _set_filters(layer: Any, filters: npt.NDArray[np.float32]) -> None:
    layer.kernel.assign(filters.reshape(layer.kernel.shape))


def _convolution(x: Any, filters: int, name: str, settings: Settings, arguments: SpeedArguments, *, halve: bool) -> Any:
    unit = keras.constraints.UnitNorm(axis=(0, 1, 2)) if arguments.constraint == "unit-norm" else None
    layer = keras.layers.Conv2D(
        filters,
        3,
        strides=2 if halve else 1,
        padding="same",
        use_bias=False,
        kernel_constraint=unit,
        name=name,
        **settings.kernel("relu"),
    )
    return layer(x)


def _normalization(x: Any, name: str) -> Any:
    return keras.layers.BatchNormalization(momentum=0.6, epsilon=1e-5, scale=False, name=f"{name}_norm")(x)


def _activation(x: Any, name: str, arguments: SpeedArguments) -> Any:
    kind = arguments.activation
    return relu(x, name=name) if kind == "relu" else keras.layers.Activation(kind, name=f"{name}_{kind}")(x)


def _pool(x: Any, number: int) -> Any:
    return keras.layers.MaxPooling2D(2, strides=2, name=f"pool{number}")(x)
