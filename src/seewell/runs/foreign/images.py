"""Which raw images fit what a foreign network takes."""

import math

from seewell.data.names import printable
from seewell.errors import ConfigError

__all__ = ["fitting_images"]

ImageShape = tuple[int, int, int]


def fitting_images(
    name: str, sides: tuple[int | None, ...] | None, given: ImageShape | None
) -> tuple[tuple[int, ...], ImageShape]:
    """What a network takes of each image, and the shape of the raw images that are made into that.

    Args:
        name: Of the network's input, for the message.
        sides: What the network takes, without the batch; None in it, or in place of it, where it is open.
        given: The images' shape where the user or a dataset says it.

    Returns:
        The network's shape, such as (784,), and (height, width, channels), such as (28, 28, 1).

    Raises:
        ConfigError: The size is open and was not given, or both contradict.

    Example:
        >>> fitting_images("input", (784,), None)
        ((784,), (28, 28, 1))
    """
    if sides is None or None in sides:
        known = sides or (None, None, None)
        fits = given is not None and all(one in (None, two) for one, two in zip(known, given, strict=False))
        if given is None or len(known) != 3 or not fits:
            raise ConfigError(
                f'the input "{printable(name)}" takes {_text(sides)} and leaves the size of the images open.',
                expected="a size that fits",
                fix="--image-shape HxWxC, such as --image-shape 224x224x3",
            )
        return given, given
    shape = tuple(int(one) for one in sides if one is not None)
    raw = given or _raw(shape)
    if raw is None or math.prod(raw) != math.prod(shape) or (len(shape) == 3 and raw != shape):
        has = f", and the images have {_text(given)}." if given else ", which is no size of images."
        raise ConfigError(
            f'the input "{printable(name)}" takes {_text(shape)}{has}',
            expected="images with as many values, in the same order",
            fix="take images of that size" if given else "--image-shape HxWxC, or another --input",
        )
    return shape, raw


def _text(sides: tuple[int | None, ...] | None) -> str:
    return "any shape" if sides is None else "x".join("?" if one is None else str(one) for one in sides) or "one number"


def _raw(shape: tuple[int, ...]) -> ImageShape | None:
    """Height, width and channels of square images with as many values; there is at most one such shape."""
    if len(shape) == 3:
        return (shape[0], shape[1], shape[2])
    if len(shape) == 2:
        return (shape[0], shape[1], 1)
    for channels in (1, 3):
        side = math.isqrt(math.prod(shape) // channels)
        if side > 0 and side * side * channels == math.prod(shape):
            return (side, side, channels)
    return None
