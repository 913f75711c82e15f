"""Looking at a training without changing it: the random states of Python, NumPy, TensorFlow and Keras."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

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
    from keras.src.backend.common import global_state
    from tensorflow.python.eager import context

    python, numpy = random.getstate(), np.random.get_state()
    eager: Any = getattr(context.context(), "_rng", None)
    tensorflow = eager.getstate() if eager is not None else None
    keras_generator = global_state.get_global_attribute("global_seed_generator")
    keras_state = keras_generator.state.numpy() if keras_generator is not None else None
    try:
        yield
    finally:
        if not in_fit:
            random.setstate(python)
            np.random.set_state(numpy)
        if eager is not None:
            eager.setstate(tensorflow)
        if keras_generator is not None:
            keras_generator.state.assign(keras_state)
        elif global_state.get_global_attribute("global_seed_generator") is not None:
            # Made by a probe: without the doctor it would be made later, from another draw.
            global_state.set_global_attribute("global_seed_generator", None)
