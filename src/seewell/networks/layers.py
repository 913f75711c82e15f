"""The pieces that every architecture is built from: stock Keras layers with the series' conventions.

A convolution or fully connected layer, its BatchNorm and its ReLU are separate
layers, so that the value before the nonlinearity is the output of a layer.
"""

from dataclasses import dataclass
from typing import Any

import keras

from seewell.errors import NetworkError
from seewell.networks.initializers import Before, kernel_initializer

__all__ = ["Settings", "add_logits", "convolution", "fully_connected", "normalization", "relu", "require_size", "side"]

LARGEST_KERNEL = 2**31
"""Weights in one layer above which a network is refused before memory is taken (8 GB in float32)."""


@dataclass(frozen=True)
class Settings:
    """What `build_network` was told that holds for every layer.

    Attributes:
        network: The architecture's name, for messages.
        initializer: One of `list_initializers`.
        l2: Factor of the sum of squared kernel weights that is added to the loss.
        dropout: Share of values set to zero before every fully connected layer in training.
    """

    network: str
    initializer: str = "default"
    l2: float = 0.0
    dropout: float = 0.0

    def kernel(self, before: Before) -> dict[str, Any]:
        """The keyword arguments of a layer that concern its kernel and bias."""
        return {
            "kernel_initializer": kernel_initializer(self.initializer, before=before),
            "kernel_regularizer": keras.regularizers.L2(self.l2) if self.l2 else None,
            "bias_initializer": "zeros",
        }


def side(x: Any) -> tuple[int, int]:
    """Height and width of a batch of images or feature maps (N, H, W, C)."""
    return int(x.shape[1]), int(x.shape[2])


def require_size(x: Any, smallest: int, settings: Settings, *, why: str, fix: str = "") -> None:
    """Refuse feature maps whose height or width is below ``smallest``.

    Raises:
        NetworkError: They are too small; names the size and what would fit.
    """
    height, width = side(x)
    if min(height, width) < smallest:
        raise NetworkError(
            f"images of {height}x{width} are too small for {settings.network}: {why}.",
            expected=f"at least {smallest}x{smallest} pixels",
            fix=fix or f"enlarge the images with --preprocess resize={smallest}x{smallest}, or take a smaller network",
        )


def convolution(
    x: Any,
    filters: int,
    *,
    name: str,
    settings: Settings,
    kernel: int = 3,
    stride: int = 1,
    padding: str = "same",
    bias: bool = True,
) -> Any:
    """A convolution without nonlinearity: kernel x kernel x depth in x ``filters`` weights, one bias a filter.

    Raises:
        NetworkError: With VALID padding the kernel does not fit into the feature map.
    """
    height, width = side(x)
    if padding == "valid" and min(height, width) < kernel:
        raise NetworkError(
            f"{settings.network}: {name} has a {kernel}x{kernel} kernel with VALID padding, "
            f"and feature maps of {height}x{width} come in.",
            expected=f"at least {kernel}x{kernel} at {name}",
            fix="use padding=same, a smaller kernel or stride, fewer convolutions, or larger images "
            "(--preprocess resize=HxW)",
        )
    layer = keras.layers.Conv2D(
        filters, kernel, strides=stride, padding=padding, use_bias=bias, name=name, **settings.kernel("relu")
    )
    return layer(x)


def normalization(x: Any, *, name: str) -> Any:
    """Batch normalization (Ioffe and Szegedy 2015): gamma 1, beta 0, momentum 0.9, epsilon 1e-5."""
    return keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_norm")(x)


def relu(x: Any, *, name: str) -> Any:
    """A ReLU as a layer of its own, named after the layer whose output it takes."""
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def fully_connected(x: Any, units: int, *, name: str, settings: Settings) -> Any:
    """Dropout (where asked for), a fully connected layer and its ReLU."""
    x = _dropout(x, name, settings)
    _refuse_too_large(x, units, name, settings)
    return relu(keras.layers.Dense(units, name=name, **settings.kernel("relu"))(x), name=name)


def add_logits(x: Any, num_classes: int, *, settings: Settings, bias: bool = True) -> Any:
    """Dropout (where asked for) and the last fully connected layer, in float32 under any precision."""
    x = _dropout(x, "logits", settings)
    _refuse_too_large(x, num_classes, "logits", settings)
    kernel = settings.kernel("softmax")
    return keras.layers.Dense(num_classes, use_bias=bias, dtype="float32", name="logits", **kernel)(x)


def _dropout(x: Any, name: str, settings: Settings) -> Any:
    return keras.layers.Dropout(settings.dropout, name=f"{name}_dropout")(x) if settings.dropout else x


def _refuse_too_large(x: Any, units: int, name: str, settings: Settings) -> None:
    size = int(x.shape[-1]) * units
    if size > LARGEST_KERNEL:
        raise NetworkError(
            f"{settings.network}: {name} would have {size:,} weights ({4 * size / 1e9:,.0f} GB in float32).",
            expected=f"at most {LARGEST_KERNEL:,} weights in a layer",
            fix="make the images smaller with --preprocess resize=HxW, or the layer narrower",
        )
