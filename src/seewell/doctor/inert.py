"""Looking at a training without changing it: the random states of Python, NumPy, TensorFlow and Keras."""

from collections.abc import Iterator
from contextlib import contextmanager

from seewell.seeds import RandomStates

__all__ = ["untouched"]


@contextmanager
def untouched(*, in_fit: bool = False) -> Iterator[None]:
    """Put back, at the end, the next number that Python, NumPy, TensorFlow and Keras would draw.

    The model's own seed generators and moving averages are not this function's
    business: probes run in a stateless scope, where assignments go nowhere.

    Args:
        in_fit: `fit` is running: leave Python's and NumPy's states alone. Keras shuffles a
            `PyDataset` with Python's `random` in a thread of its own; putting back what it drew
            meanwhile would give it the same order twice. Probes in `fit` draw from neither.
    """
    states = RandomStates()
    try:
        yield
    finally:
        states.put_back(python_and_numpy=not in_fit)
