"""Networks by name: what there is, and `build_network`."""

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from seewell.errors import ConfigError, NetworkError, unknown_name
from seewell.networks import convnet, fully_connected, resnet, speed, vgg
from seewell.networks.arguments import argument_defaults, argument_help, read_arguments
from seewell.networks.layers import Settings
from seewell.networks.preprocessing import Statistics, apply, parse_preprocess

__all__ = ["Architecture", "architecture", "build_network", "list_networks"]


@dataclass(frozen=True)
class Architecture:
    """One entry of the registry.

    Attributes:
        name: The name on the command line.
        description: One line.
        reference: The paper or the part of the series.
        example_shape: Height, width and channels that it was published or shown with.
        example_classes: The classes that it was published or shown with.
        arguments_type: Frozen dataclass of its arguments.
        build: From preprocessed images, number of classes, settings and arguments to the logits.
        fit: Sets constants of a built network that are found from images of the training split; None where there
            are none.
    """

    name: str
    description: str
    reference: str
    example_shape: tuple[int, int, int]
    example_classes: int
    arguments_type: type[Any]
    build: Callable[[Any, int, Settings, Any], Any]
    fit: Callable[[keras.Model, npt.NDArray[np.uint8]], None] | None = None

    @property
    def defaults(self) -> Mapping[str, str | int]:
        """The arguments and their defaults, as a user would write them."""
        return argument_defaults(self.arguments_type)

    @property
    def explanations(self) -> Mapping[str, str]:
        """One line of help for each argument."""
        return argument_help(self.arguments_type)


_ARCHITECTURES = {
    entry.name: entry
    for entry in (
        Architecture(
            "fully-connected",
            "hidden layers of 500 and 500 units over the image as one row of numbers",
            "LTFN 3",
            (28, 28, 1),
            10,
            fully_connected.FullyConnectedArguments,
            fully_connected.build,
        ),
        Architecture(
            "convnet",
            "blocks of two 3x3 convolutions (64, 128), each ended by a pool",
            "LTFN 5",
            (28, 28, 1),
            10,
            convnet.ConvNetArguments,
            convnet.build,
        ),
        Architecture(
            "vgg16",
            "13 convolutions, five pools, three fully connected layers, as published",
            "Simonyan and Zisserman 2015, arXiv:1409.1556, column D; LTFN 8",
            (224, 224, 3),
            1000,
            vgg.VggArguments,
            vgg.build_vgg16,
        ),
        Architecture(
            "vgg-small",
            "ten convolutions, four pools, two fully connected layers; small images padded to a multiple of 16",
            "LTFN 8",
            (28, 28, 1),
            10,
            vgg.VggArguments,
            vgg.build_vgg_small,
        ),
        Architecture(
            "resnet20",
            "19 convolutions in residual blocks of 16, 32 and 64 filters with BatchNorm",
            "He et al. 2015, arXiv:1512.03385, section 4.2",
            (32, 32, 3),
            10,
            resnet.ResNet20Arguments,
            resnet.build_resnet20,
        ),
        Architecture(
            "resnet18",
            "17 convolutions in residual blocks of 64 to 512 filters with BatchNorm",
            "He et al. 2015, arXiv:1512.03385, table 1",
            (224, 224, 3),
            1000,
            resnet.ResNet18Arguments,
            resnet.build_resnet18,
        ),
        Architecture(
            "speed",
            "fixed whitening of 2x2 patches, three blocks of two 3x3 convolutions (64, 256, 256) with BatchNorm",
            "Jordan 2024, arXiv:2404.00498, section 3",
            (32, 32, 3),
            10,
            speed.SpeedArguments,
            speed.build,
            speed.fit,
        ),
    )
}


def list_networks() -> tuple[str, ...]:
    """The names that `build_network` accepts, from simple to large.

    Example:
        >>> list_networks()
        ('fully-connected', 'convnet', 'vgg16', 'vgg-small', 'resnet20', 'resnet18', 'speed')
    """
    return tuple(_ARCHITECTURES)


def architecture(name: str) -> Architecture:
    """The registry's entry for ``name``.

    Raises:
        NetworkError: There is no such network.
    """
    if name not in _ARCHITECTURES:
        raise unknown_name("network", name, _ARCHITECTURES, error=NetworkError)
    return _ARCHITECTURES[name]


def build_network(
    name: str,
    *,
    input_shape: Sequence[int],
    num_classes: int,
    preprocess: str = "scale",
    statistics: Statistics | None = None,
    initializer: str = "default",
    l2: float = 0.0,
    dropout: float = 0.0,
    arguments: Mapping[str, object] | None = None,
) -> keras.Model:
    """Build a network that takes raw images and gives class probabilities.

    Preprocessing is part of the network and has no weights. All layers are
    stock Keras layers, so a saved network loads where seewell is not installed.
    It is built under the current Keras dtype policy; preprocessing, logits and
    probabilities are float32 under any. Weights follow
    `keras.utils.set_random_seed`.

    Args:
        name: One of `list_networks`.
        input_shape: Height, width and channels of the images, as they come.
        num_classes: At least 2.
        preprocess: At most one value rule (none, scale, mean-image, per-channel)
            and at most one of resize=HxW, pad=HxW, such as "pad=32x32,scale".
        statistics: From `fit_statistics`, for mean-image, per-channel, and networks with constants that are found
            from the training images (speed).
        initializer: One of `list_initializers`.
        l2: Adds ``l2`` times the sum of squared kernel weights (no biases, no
            BatchNorm) to the model's losses. 0 or more.
        dropout: Share of values dropped before every fully connected layer, in [0, 1).
        arguments: The architecture's own arguments; values may be text.

    Returns:
        A Keras model: input "image" uint8 (N, H, W, C), layer "logits", output
        "probabilities" float32 (N, num_classes).

    Raises:
        NetworkError: An unknown network or argument, or sizes that do not fit.
        ConfigError: Preprocess, initializer, l2 or dropout cannot be used.

    Example:
        >>> network = build_network("convnet", input_shape=(28, 28, 1), num_classes=10)
        >>> network.output_shape
        (None, 10)
    """
    entry = architecture(name)
    shape = _check_shape(input_shape)
    classes = _check_classes(num_classes)
    settings = Settings(
        network=name,
        initializer=initializer,
        l2=_check_factor("l2", l2, high=math.inf),
        dropout=_check_factor("dropout", dropout, high=1.0),
    )
    chosen = read_arguments(entry.arguments_type, arguments, network=name)
    image = keras.Input(shape, dtype="uint8", name="image")
    x = apply(parse_preprocess(preprocess), image, statistics)
    logits = entry.build(x, classes, settings, chosen)
    probabilities = keras.layers.Activation("softmax", dtype="float32", name="probabilities")(logits)
    network = keras.Model(image, probabilities, name=name.replace("-", "_"))
    if entry.fit is not None and statistics is not None and len(statistics.sample):
        entry.fit(network, statistics.sample)
    return network


def _check_shape(given: Sequence[int]) -> tuple[int, int, int]:
    expected = "(height, width, channels), such as (28, 28, 1)"
    shape = tuple(given)
    if len(shape) == 2:
        fix = f"for grey images write input_shape=({shape[0]}, {shape[1]}, 1)"
        raise NetworkError(f"input_shape {shape} has no channels.", expected=expected, fix=fix)
    if len(shape) == 4:
        fix = f"leave out the batch: input_shape={shape[1:]}"
        raise NetworkError(f"input_shape {shape} has four dimensions.", expected=expected, fix=fix)
    if len(shape) != 3 or not all(_is_whole(size) and size >= 1 for size in shape):
        raise NetworkError(
            f"input_shape {shape} is not a size of images.", expected=expected, fix="give three whole numbers above 0"
        )
    height, width, channels = (int(size) for size in shape)
    if height in (1, 3) and channels > 4 and width > 4:
        raise NetworkError(
            f"input_shape {shape} looks like channels first.",
            expected=expected,
            fix=f"write input_shape=({width}, {channels}, {height}) and turn the images with np.moveaxis(x, 1, -1)",
        )
    return height, width, channels


def _check_classes(given: int) -> int:
    if not _is_whole(given) or given < 2:
        raise NetworkError(
            f"a network for {given} classes cannot be built.",
            expected="a whole number, at least 2",
            fix="with one class there is nothing to tell apart: add images of another class",
        )
    return int(given)


def _check_factor(name: str, value: float, *, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < high:
        above = "" if high == math.inf else f" and below {high:g}"
        raise ConfigError(f"{name}={value} cannot be used.", expected=f"a number from 0{above}", fix=f"0 is no {name}")
    return float(value)


def _is_whole(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
