"""Operations that move values of an image without changing them: reshape, pad, crop, pool, transpose."""

import math
from collections.abc import Sequence
from typing import Any

from seewell.runs.foreign.fold import strided_places
from seewell.runs.foreign.graph import Node
from seewell.runs.foreign.values import BATCH, Data, Known, Step

__all__ = ["UntranslatableError", "crop", "expand", "pad", "pool", "reshape", "squeeze", "strided_crop", "transpose"]


class UntranslatableError(Exception):
    """An operation, as it is used here, has no counterpart among the layers; the text says why."""


def window(sides: Sequence[int], sizes: Sequence[int], steps: Sequence[int], padding: str) -> tuple[int, ...]:
    """Height and width after a window of ``sizes`` went over ``sides`` in ``steps``.

    Raises:
        UntranslatableError: The window is larger than the image.
    """
    if padding == "SAME":
        found = tuple(-(-side // step) for side, step in zip(sides, steps, strict=True))
    else:
        found = tuple((side - size) // step + 1 for side, size, step in zip(sides, sizes, steps, strict=True))
    if min(found) < 1:
        raise UntranslatableError(f"a window of {tuple(sizes)} does not fit into {tuple(sides)}")
    return found


def spatial(node: Node, name: str, default: tuple[int, ...] = (1, 1, 1, 1)) -> tuple[int, int]:
    """The two middle numbers of an attribute such as strides=[1, 2, 2, 1].

    Raises:
        UntranslatableError: Channels come first, or batch or channels are stepped over.
    """
    if node.text("data_format", "NHWC") != "NHWC":
        raise UntranslatableError("channels come first in it; only channels last is read")
    four = node.wholes(name) or default
    if len(four) != 4 or four[0] != 1 or four[3] != 1 or min(four) < 1:
        raise UntranslatableError(f"its {name} are {four}")
    return four[1], four[2]


def image(data: Data) -> tuple[int, int, int]:
    """Height, width and channels of what an operation on images takes.

    Raises:
        UntranslatableError: It does not take images.
    """
    shape = data.step.shape
    if len(shape) != 3:
        raise UntranslatableError(f"it takes values of shape {shape} for each image, not height, width and channels")
    return shape[0], shape[1], shape[2]


def pool(node: Node, data: Data, kind: str) -> Data:
    """Max or average pooling."""
    height, width, channels = image(data)
    sizes, steps = spatial(node, "ksize"), spatial(node, "strides")
    padding = node.text("padding")
    if padding not in ("SAME", "VALID"):
        raise UntranslatableError(f"its padding is {padding}")
    shape = (*window((height, width), sizes, steps, padding), channels)
    settings = {"size": sizes, "strides": steps, "padding": padding.lower()}
    return Data(Step(kind, (data.step,), shape, node.name, settings))


def reshape(node: Node, data: Data, target: Known) -> Data:
    """Another shape for each image; the batch stays."""
    first, *rest = [int(one) for one in target.array.ravel()] or [0]
    size = math.prod(data.step.shape)
    open_sides = [place for place, one in enumerate(rest) if one == -1]
    if len(open_sides) == 1 and first != -1:
        others = math.prod(one for one in rest if one != -1)
        rest[open_sides[0]] = size // others if others > 0 and size % others == 0 else 0
    if not rest or min(rest) < 1 or math.prod(rest) != size or (first < 1 and first not in (-1, BATCH)):
        raise UntranslatableError(f"it gives {data.step.shape} another number of values than each image has")
    return _shaped(node, data, tuple(rest))


def squeeze(node: Node, data: Data) -> Data:
    """Sides of 1 left out."""
    rank = len(data.step.shape) + 1
    given = [axis % rank for axis in node.wholes("squeeze_dims")]
    axes = given or [axis + 1 for axis, side in enumerate(data.step.shape) if side == 1]
    if 0 in axes or any(data.step.shape[axis - 1] != 1 for axis in axes):
        raise UntranslatableError("it leaves out a side that is not 1")
    return _shaped(node, data, tuple(side for axis, side in enumerate(data.step.shape) if axis + 1 not in axes))


def expand(node: Node, data: Data, axis: Known) -> Data:
    """A side of 1 put in."""
    rank = len(data.step.shape) + 1
    place = int(axis.array) % (rank + 1)
    if place == 0:
        raise UntranslatableError("it puts a side before the batch")
    shape = list(data.step.shape)
    shape.insert(place - 1, 1)
    return _shaped(node, data, tuple(shape))


def transpose(node: Node, data: Data, order: Known) -> Data:
    """Sides in another order."""
    places = [int(one) for one in order.array.ravel()]
    if sorted(places) != list(range(len(data.step.shape) + 1)) or places[0] != 0:
        raise UntranslatableError(f"it moves the batch: {places}")
    if places == sorted(places):
        return data
    shape = tuple(data.step.shape[place - 1] for place in places[1:])
    return Data(Step("permute", (data.step,), shape, node.name, {"order": tuple(places[1:])}))


def pad(node: Node, data: Data, paddings: Known, value: Known | None) -> Data:
    """Zeros around each image."""
    height, width, channels = image(data)
    rows = [(int(low), int(high)) for low, high in paddings.array.reshape(-1, 2)]
    if len(rows) != 4 or any(rows[0]) or any(rows[3]) or min(map(min, rows)) < 0:
        raise UntranslatableError(f"it pads other sides than height and width: {rows}")
    if value is not None and float(value.array) != 0:
        raise UntranslatableError(f"it pads with {float(value.array):g}; only zeros are read")
    return padded(node, data, (rows[1], rows[2]), (height + sum(rows[1]), width + sum(rows[2]), channels))


def padded(node: Node, data: Data, rows: Any, shape: tuple[int, int, int]) -> Data:
    """Padding as it is known; nothing is nothing."""
    if not any(map(any, rows)):
        return data
    return Data(Step("pad", (data.step,), shape, node.name, {"padding": rows}))


def crop(node: Node, data: Data, begin: Known, size: Known) -> Data:
    """A part of each image, by Slice."""
    places = []
    for start, length in zip(begin.array.ravel(), size.array.ravel(), strict=True):
        places.append(slice(int(start), None if int(length) in (-1, BATCH) else int(start) + int(length)))
    return _cut(node, data, places)


def strided_crop(node: Node, data: Data, begin: Known, end: Known, strides: Known) -> Data:
    """A part of each image, by StridedSlice."""
    places = strided_places(node, begin.array, end.array, strides.array)
    if places is None or not all(isinstance(one, slice) and one.step in (None, 1) for one in places):
        raise UntranslatableError("it takes single rows, channels or every other one")
    missing = len(data.step.shape) + 1 - len(places)
    return _cut(node, data, [*places, *[slice(None)] * missing])


def _cut(node: Node, data: Data, places: list[Any]) -> Data:
    shape = data.step.shape
    if len(places) != len(shape) + 1 or places[0].start not in (None, 0) or places[0].stop not in (None, BATCH):
        raise UntranslatableError("it takes a part of the batch")
    ranges = [range(side)[place] for side, place in zip(shape, places[1:], strict=True)]
    kept = tuple(len(one) for one in ranges)
    if kept == shape:
        return data
    if len(shape) != 3 or kept[2] != shape[2] or min(kept) < 1:
        raise UntranslatableError("it takes a part of other sides than height and width")
    rows = tuple((one.start, side - one.stop) for one, side in zip(ranges[:2], shape[:2], strict=True))
    return Data(Step("crop", (data.step,), kept, node.name, {"cropping": rows}))


def _shaped(node: Node, data: Data, shape: tuple[int, ...]) -> Data:
    if shape == data.step.shape:
        return data
    if not shape:
        raise UntranslatableError("it leaves one number for each image")
    kind = "flatten" if len(shape) == 1 else "reshape"
    return Data(Step(kind, (data.step,), shape, node.name))
