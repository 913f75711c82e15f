"""A `tf.data` pipeline made anew over some of its elements, without its shuffles and caches."""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["length", "picked", "shuffle_buffer"]

_SAME = ("Prefetch", "Repeat", "Cache", "Options", "AssertCardinality", "Model", "Shuffle")
"""What gives the elements of its input, in whatever order, one for one."""

Rows = npt.NDArray[np.int64]


def length(data: Any) -> int | None:
    """How many different elements a data set gives, repetitions aside; None where that is not known."""
    inputs, kind = data._inputs(), type(data).__name__
    if len(inputs) == 1 and ("Repeat" in kind or "Shuffle" in kind or _is_map(data)):
        return length(inputs[0])
    count = int(data.cardinality())
    if count >= 0:
        return count
    if len(inputs) == 1 and any(word in kind for word in _SAME):
        return length(inputs[0])
    return None


def shuffle_buffer(data: Any) -> int:
    """The largest buffer of the shuffles that a data set's elements pass through; 0 without any."""
    largest = 0
    while True:
        if "Shuffle" in type(data).__name__ and hasattr(data, "_buffer_size"):
            size = int(np.asarray(data._buffer_size))
            largest = max(largest, size if size > 0 else np.iinfo(np.int64).max)  # Keras and tf.data: all there are
        inputs = data._inputs()
        if len(inputs) != 1:
            return largest
        data = inputs[0]


def picked(data: Any, rows: Rows) -> Any | None:
    """A data set of some elements, in the order asked for.

    What the pipeline does to an element is done again; what it starts from is
    looked up, so that nothing but these elements is read.

    Args:
        data: A data set of single images.
        rows: Numbers of elements, as if nothing were shuffled.

    Returns:
        The data set, or None where elements cannot be looked up by number.
    """
    import tensorflow as tf

    inputs, kind = data._inputs(), type(data).__name__
    if "TensorSlice" in kind and hasattr(data, "_tensors"):
        return _slices(data, rows)
    if "Range" in kind and hasattr(data, "_start"):
        return tf.data.Dataset.from_tensor_slices(data._start + data._step * tf.cast(rows, data._start.dtype))
    if "Zip" in kind and isinstance(data._datasets, list | tuple):
        if any(shuffle_buffer(one) > 0 for one in data._datasets):
            return None  # parts that are shuffled each for itself give other pairs
        parts = [picked(one, rows) for one in data._datasets]
        return None if any(one is None for one in parts) else tf.data.Dataset.zip(tuple(parts))
    if len(inputs) != 1:
        return None
    if _is_map(data):
        below = picked(inputs[0], rows)
        return None if below is None else below.map(data._map_func._func)
    if "Skip" in kind and int(data._count) >= 0:
        return picked(inputs[0], rows + int(data._count))
    if "Shard" in kind and hasattr(data, "_num_shards"):
        return picked(inputs[0], rows * int(data._num_shards) + int(data._index))
    if "Take" in kind or any(word in kind for word in _SAME):
        return picked(inputs[0], rows)
    return None


def _slices(data: Any, rows: Rows) -> Any | None:
    import tensorflow as tf

    tensors = list(data._tensors)
    if any(tensor.dtype == tf.variant for tensor in tensors):
        return None
    chosen = [tf.gather(tensor, rows) for tensor in tensors]
    return tf.data.Dataset.from_tensor_slices(tf.nest.pack_sequence_as(data.element_spec, chosen))


def _is_map(data: Any) -> bool:
    kind = type(data).__name__
    return "Map" in kind and "Flat" not in kind and hasattr(data, "_map_func")
