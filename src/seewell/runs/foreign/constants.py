"""The values of ``Const`` nodes, decoded only where they are needed and never larger than the file accounts for."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.runs.foreign.graph import Graph, Node
from seewell.runs.gates.refusal import refusal

__all__ = ["Constants"]

_FREE = 64 * 2**20
_FACTOR = 4


class Constants:
    """Reads constants of a graph.

    A constant may be written as one value and a shape, so a small file can
    declare a huge one: all that are read may together take four times the
    file's size and 64 MB.

    Args:
        graph: The graph, for its size and its name.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._left = _FREE + _FACTOR * graph.size

    def read(self, node: Node) -> NDArray[Any] | None:
        """The array of a ``Const`` node; texts come as an array of bytes objects; None where it is none.

        Raises:
            FormatError: The constant declares more than the file can account for.
        """
        import tensorflow as tf

        tensor = node.attributes["value"].tensor if "value" in node.attributes else None
        if tensor is None or tensor.tensor_shape.unknown_rank:
            return None
        shape = [one.size for one in tensor.tensor_shape.dim]
        try:
            dtype = np.dtype(tf.as_dtype(tensor.dtype).as_numpy_dtype)
        except (TypeError, KeyError):
            return None
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=1) < 0 or size > self._left:
            raise refusal(
                self._graph.path,
                f'the constant "{node.name}" declares the shape {shape}, more than the file can hold.',
                expected=f"constants of at most {_FACTOR} times the file's size",
            )
        self._left -= size
        try:
            return np.asarray(tf.make_ndarray(tensor))
        except (ValueError, TypeError) as problem:
            raise refusal(
                self._graph.path,
                f'the constant "{node.name}" does not hold what its shape says.',
                expected="as many values as its shape has",
                fix="copy the file again",
            ) from problem
