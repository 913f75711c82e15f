"""How far weights move, on kernels whose values are known."""

import keras
import numpy as np

from seewell.doctor.probes.weights import WeightWatch


def test_a_kernel_that_starts_at_zero_says_nothing_of_the_size_of_steps() -> None:
    layer = keras.layers.Dense(2, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((3,)), layer])
    watch = WeightWatch(model)
    for value in (0.001, 0.002):
        watch.mark()
        layer.kernel.assign(np.full((3, 2), value, "float32"))
        watch.measure()
    (change,) = watch.changes()
    assert (change.first, change.largest, change.growth) == (0.0, 0.0, 1.0)
