"""Batches of a `tf.data.Dataset` or a `PyDataset`, read so that what training reads later is the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.probes.pipelines import length, picked, shuffle_buffer

__all__ = ["Reading", "read_batches"]

_PASSED_OVER = ("Prefetch", "Repeat", "Cache", "Options", "Take", "Skip", "AssertCardinality", "Model")
_ENOUGH = 0.5
"""Share of the images that a shuffle's buffer must hold for sorted images to come out mixed."""
_RUN = 8
"""Images read in a row where their order counts."""


@dataclass(frozen=True, eq=False)
class Reading:
    """Batches that were asked for.

    Attributes:
        batches: Pairs of images and labels.
        complete: Whether they are all there are; None where that shows only at their end.
        mixed: Training sees the images in random order, though these come from the beginning and in their own.
    """

    batches: Iterator[tuple[Any, Any]]
    complete: bool | None
    mixed: bool = False


def read_batches(data: Any, most: int) -> Reading | None:
    """Some batches of a data set, from all over it where its elements can be looked up.

    Iterating a data set that shuffles moves its shuffle on: training would then
    see another order. Such a data set is read below its shuffle, with the
    mappings and batches that stand above it made anew. Where the shuffle's
    buffer holds half of the images or more, images are drawn at random from all
    of them; where it does not, they come in runs, in their own order. Variables
    that a mapping changes (seed generators) get their values back.

    Args:
        data: A `tf.data.Dataset` or a `keras.utils.PyDataset`.
        most: How many batches to read at most.

    Returns:
        The batches, or None where the data set cannot be read without changing it.
    """
    import keras
    import tensorflow as tf

    if isinstance(data, keras.utils.PyDataset):
        count = data.num_batches
        spread = range(most) if count is None else _spread(count, min(most, count), 1)
        return Reading((_pair(data[int(index)]) for index in spread), count is not None and count <= most)
    chain = _chain(data)
    at = next((index for index, node in enumerate(chain) if _batches(node)), None)
    below = None if at is None else chain[at]._inputs()[0]
    count = None if below is None else length(below)
    buffer = 0 if below is None else shuffle_buffer(below)
    mixed = buffer > 0 and (count is None or buffer >= _ENOUGH * count)
    if at is not None and count:
        wanted = min(count, most * int(chain[at]._batch_size))
        if mixed:
            rows = np.random.default_rng(0).permutation(count)[:wanted].astype(np.int64)
        else:
            rows = _spread(count, wanted, _RUN)
        some = picked(below, rows)
        source = None if some is None else _above(some, chain[: at + 1], tf)
        if source is not None:
            return Reading(_read(source, data, most), wanted == count)
    source = _without_shuffle(data, tf)
    return None if source is None else Reading(_read(source, data, most), None, mixed)


def _spread(count: int, wanted: int, run: int) -> npt.NDArray[np.int64]:
    """Numbers below ``count`` in runs that lie evenly over them; all where all are wanted."""
    if wanted >= count:
        return np.arange(count, dtype=np.int64)
    starts = np.linspace(0, count - run, max(1, wanted // run)).round().astype(np.int64)
    return np.unique(starts[:, None] + np.arange(run, dtype=np.int64))


def _batches(node: Any) -> bool:
    return "Batch" in type(node).__name__ and hasattr(node, "_batch_size")


def _pair(element: Any) -> tuple[Any, Any]:
    if not isinstance(element, list | tuple):
        raise TypeError(f"an element is no pair but of type {type(element).__name__}")
    return element[0], element[1]


def _read(source: Any, data: Any, most: int) -> Iterator[tuple[Any, Any]]:
    variables = _variables(data)
    before = [variable.numpy() for variable in variables]
    try:
        for element in source.take(most):
            yield _pair(element)
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _without_shuffle(data: Any, tf: Any) -> Any | None:
    """The same pipeline without its shuffles and caches; the data set itself where it has none."""
    chain = _chain(data)
    if not any("Shuffle" in type(node).__name__ or "Cache" in type(node).__name__ for node in chain):
        return data
    bottom = max(
        index for index, node in enumerate(chain) if any(w in type(node).__name__ for w in ("Shuffle", "Cache"))
    )
    inputs = chain[bottom]._inputs()
    if len(inputs) != 1 or _holds_shuffle(inputs[0]):
        return None
    return _above(inputs[0], chain[:bottom], tf)


def _above(source: Any, nodes: list[Any], tf: Any) -> Any | None:
    """The mappings and batches of a chain, the last first, made anew over another source."""
    for node in reversed(nodes):
        name = type(node).__name__
        if _batches(node):
            source = source.batch(tf.cast(node._batch_size, tf.int64))
        elif "Map" in name and "Flat" not in name and hasattr(node, "_map_func"):
            source = source.map(node._map_func._func)
        elif "Shuffle" not in name and not any(word in name for word in _PASSED_OVER):
            return None
    return source


def _chain(data: Any) -> list[Any]:
    """The data set and what it is made from, as long as each is made from one other."""
    chain = [data]
    while len(inputs := chain[-1]._inputs()) == 1:
        chain.append(inputs[0])
    return chain


def _holds_shuffle(data: Any) -> bool:
    return "Shuffle" in type(data).__name__ or any(_holds_shuffle(one) for one in data._inputs())


def _variables(data: Any) -> list[Any]:
    """The variables that the pipeline's mappings hold."""
    found = list(getattr(getattr(getattr(data, "_map_func", None), "function", None), "variables", ()) or ())
    for one in data._inputs():
        found += _variables(one)
    return found
