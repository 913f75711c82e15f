"""Operations on values that are known, computed with NumPy: shapes, and arithmetic on weights."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.runs.foreign.graph import Node

__all__ = ["MOST_VALUES", "fold", "strided_places"]

Array = NDArray[Any]
MOST_VALUES = 2**27
"""Values that one folded tensor may have (512 MB in float32)."""

_BINARY: Mapping[str, Callable[[Array, Array], Array]] = {
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Pow": np.power,
    "SquaredDifference": lambda a, b: np.square(a - b),
    "Less": np.less,
    "LessEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterEqual": np.greater_equal,
    "Equal": np.equal,
    "NotEqual": np.not_equal,
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
    "FloorDiv": np.floor_divide,
    "FloorMod": np.mod,
    "RealDiv": np.divide,
}
_UNARY: Mapping[str, Callable[[Array], Array]] = {
    "Neg": np.negative,
    "Sqrt": np.sqrt,
    "Rsqrt": lambda a: np.reciprocal(np.sqrt(a)),
    "Square": np.square,
    "Reciprocal": np.reciprocal,
    "Inv": np.reciprocal,
    "Exp": np.exp,
    "Log": np.log,
    "Abs": np.abs,
    "Floor": np.floor,
    "Ceil": np.ceil,
    "LogicalNot": np.logical_not,
    "ZerosLike": np.zeros_like,
    "OnesLike": np.ones_like,
}
_REDUCING: Mapping[str, Callable[..., Any]] = {
    "Sum": np.sum,
    "Prod": np.prod,
    "Max": np.max,
    "Min": np.min,
    "Mean": np.mean,
    "All": np.all,
    "Any": np.any,
}


def fold(node: Node, values: list[Array]) -> list[Array] | None:
    """The outputs of an operation whose inputs are all known.

    Args:
        node: The operation.
        values: Its inputs.

    Returns:
        Its outputs, or None where it is not among those that are folded, does
        not fit its inputs, or would give more than `MOST_VALUES` values.
    """
    if any(one.dtype == object for one in values):
        return None
    try:
        with np.errstate(all="ignore"):
            found = _fold(node, values)
    except (ValueError, TypeError, IndexError, OverflowError, ZeroDivisionError):
        return None
    return found


def _fold(node: Node, values: list[Array]) -> list[Array] | None:
    op = node.op
    if op in _BINARY and len(values) == 2:
        a, b = values
        if math.prod(np.broadcast_shapes(a.shape, b.shape)) > MOST_VALUES:
            return None
        found = np.asarray(_BINARY[op](a, b))
        return [found if found.dtype == bool else found.astype(a.dtype)]
    if op in _UNARY and len(values) == 1:
        return [np.asarray(_UNARY[op](values[0]), dtype=None if op == "LogicalNot" else values[0].dtype)]
    if op in _REDUCING and len(values) == 2:
        axes = tuple(int(one) for one in values[1].ravel())
        found = _REDUCING[op](values[0], axis=axes, keepdims=node.flag("keep_dims"))
        return [np.asarray(found, dtype=values[0].dtype)]
    shaped = _SHAPING.get(op)
    return None if shaped is None else shaped(node, values)


def _div(node: Node, values: list[Array]) -> list[Array]:
    a, b = values
    whole = np.issubdtype(a.dtype, np.integer)
    return [np.asarray(np.trunc(a / b) if whole else np.divide(a, b)).astype(a.dtype)]


def _cast(node: Node, values: list[Array]) -> list[Array] | None:
    try:
        return [values[0].astype(np.dtype(node.dtype("DstT")))]
    except TypeError:
        return None


def _squeeze(node: Node, values: list[Array]) -> list[Array]:
    axes = node.wholes("squeeze_dims")
    return [np.squeeze(values[0], axis=axes or None)]


def _concat(node: Node, values: list[Array]) -> list[Array]:
    *parts, axis = values if node.op == "ConcatV2" else [*values[1:], values[0]]
    return [np.concatenate([one for one in parts if one.size or one.ndim], axis=int(axis))]


def _unpack(node: Node, values: list[Array]) -> list[Array]:
    axis = node.whole("axis")
    return [np.take(values[0], place, axis=axis) for place in range(values[0].shape[axis])]


def _fill(node: Node, values: list[Array]) -> list[Array] | None:
    shape = tuple(int(one) for one in values[0].ravel())
    return None if min(shape, default=1) < 0 or math.prod(shape) > MOST_VALUES else [np.full(shape, values[1])]


def _range(node: Node, values: list[Array]) -> list[Array] | None:
    start, stop, step = (float(one) for one in values)
    if abs((stop - start) / step) > MOST_VALUES:
        return None
    return [np.arange(start, stop, step).astype(values[0].dtype)]


def _tile(node: Node, values: list[Array]) -> list[Array] | None:
    times = tuple(int(one) for one in values[1].ravel())
    too_many = min(times, default=1) < 0 or math.prod(times) * values[0].size > MOST_VALUES
    return None if too_many else [np.tile(values[0], times)]


def _broadcast(node: Node, values: list[Array]) -> list[Array] | None:
    shape = tuple(int(one) for one in values[1].ravel())
    too_many = min(shape, default=1) < 0 or math.prod(shape) > MOST_VALUES
    return None if too_many else [np.broadcast_to(values[0], shape)]


def _slice(node: Node, values: list[Array]) -> list[Array]:
    places = []
    for start, size, side in zip(values[1].ravel(), values[2].ravel(), values[0].shape, strict=True):
        places.append(slice(int(start), side if size < 0 else int(start) + int(size)))
    return [values[0][tuple(places)]]


def strided_places(node: Node, begin: Array, end: Array, strides: Array) -> tuple[Any, ...] | None:
    """What a StridedSlice means, as indices of an array; None for forms that are not read."""
    if node.whole("new_axis_mask") or node.whole("ellipsis_mask"):
        return None
    places: list[Any] = []
    for axis, (start, stop, step) in enumerate(zip(begin.ravel(), end.ravel(), strides.ravel(), strict=True)):
        if node.whole("shrink_axis_mask") >> axis & 1:
            places.append(int(start))
            continue
        low = None if node.whole("begin_mask") >> axis & 1 else int(start)
        high = None if node.whole("end_mask") >> axis & 1 else int(stop)
        places.append(slice(low, high, int(step)))
    return tuple(places)


def _strided(node: Node, values: list[Array]) -> list[Array] | None:
    places = strided_places(node, *values[1:])
    return None if places is None else [np.asarray(values[0][places])]


_SHAPING: Mapping[str, Callable[[Node, list[Array]], list[Array] | None]] = {
    "Div": _div,
    "Cast": _cast,
    "Squeeze": _squeeze,
    "Concat": _concat,
    "ConcatV2": _concat,
    "Unpack": _unpack,
    "Fill": _fill,
    "Range": _range,
    "Tile": _tile,
    "BroadcastTo": _broadcast,
    "Slice": _slice,
    "StridedSlice": _strided,
    "Reshape": lambda node, v: [v[0].reshape([int(one) for one in v[1].ravel()])],
    "ExpandDims": lambda node, v: [np.expand_dims(v[0], int(v[1]))],
    "Transpose": lambda node, v: [np.transpose(v[0], [int(one) for one in v[1].ravel()])],
    "Pack": lambda node, v: [np.stack(v, axis=node.whole("axis"))],
    "Shape": lambda node, v: [np.array(v[0].shape, np.int32)],
    "Size": lambda node, v: [np.array(v[0].size, np.int32)],
    "Rank": lambda node, v: [np.array(v[0].ndim, np.int32)],
    "Select": lambda node, v: [np.where(*v)],
    "SelectV2": lambda node, v: [np.where(*v)],
    "GatherV2": lambda node, v: [np.take(v[0], v[1].astype(int), axis=int(v[2]))],
}
