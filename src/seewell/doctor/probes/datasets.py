"""Batches of a `tf.data.Dataset` or a `PyDataset`, read so that what training reads later is the same."""

from collections.abc import Iterator
from typing import Any

__all__ = ["first_batches"]

_PASSED_OVER = ("Prefetch", "Repeat", "Cache", "Options", "Take", "Skip", "AssertCardinality", "Model")


def first_batches(data: Any, most: int) -> Iterator[tuple[Any, Any]] | None:
    """The first batches of a data set.

    Iterating a data set that shuffles moves its shuffle on: training would then
    see another order. Such a data set is read below its shuffle, with the
    mappings and batches that stand above it made anew. Variables that a mapping
    changes (seed generators) get their values back.

    Args:
        data: A `tf.data.Dataset` or a `keras.utils.PyDataset`.
        most: How many batches to read at most.

    Returns:
        Pairs of images and labels as arrays, or None where the data set cannot
        be read without changing it.
    """
    import keras
    import tensorflow as tf

    if isinstance(data, keras.utils.PyDataset):
        return (_pair(data[index]) for index in range(min(most, data.num_batches or most)))
    source = _without_shuffle(data, tf)
    if source is None:
        return None
    return _read(source, data, most)


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
    source = inputs[0]
    for node in reversed(chain[:bottom]):
        name = type(node).__name__
        if "Batch" in name and hasattr(node, "_batch_size"):
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
