"""What the machine could do at best: a large matrix product."""

import time
from typing import Any

__all__ = ["peak_multiply_adds"]

_SIDES = (1024, 2048, 4096)
_LONGEST = 0.15


def peak_multiply_adds(precision: str, *, seconds: float = 0.6) -> float:
    """Multiply-adds a second of a large square matrix product, the best of several.

    This is the yardstick of what a training reaches: nothing but products, no
    memory to wait for. On several GPUs, all of them count.

    Args:
        precision: "float32", "bfloat16" or "float16", as the training computes its products in.
        seconds: About how long to measure.

    Returns:
        Multiplications, each with an addition, a second.
    """
    import tensorflow as tf

    dtype = tf.dtypes.as_dtype(precision)
    product = tf.function(lambda a, b: tf.linalg.matmul(a, b)[0, 0])
    rate = 0.0
    began = time.perf_counter()
    for side in _SIDES:
        factor = tf.cast(tf.fill([side, side], 1.0 / side), dtype)
        once = _seconds(product, factor)  # traces and warms up
        best = once
        while time.perf_counter() - began < seconds * (_SIDES.index(side) + 1) / len(_SIDES):
            best = min(best, _seconds(product, factor))
        rate = max(rate, side**3 / best)
        if best * 8 > _LONGEST:
            break
    return rate * max(1, len(tf.config.list_logical_devices("GPU")))


def _seconds(product: Any, factor: Any) -> float:
    clock = time.perf_counter()
    product(factor, factor).numpy()
    return time.perf_counter() - clock
