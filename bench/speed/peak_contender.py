"""The machine's peak as TensorFlow reaches it: multiply-adds a second of a large matrix product."""

import time

import tensorflow as tf

from speed.conversation import serve


class Peak:
    def __init__(self, settings):
        self._size = settings["size"]

    def peak(self, precision):
        one, other = (tf.cast(tf.random.normal((self._size, self._size)), precision) for _ in range(2))
        tf.matmul(one, other).numpy()
        began, count = time.perf_counter(), 0
        while count < 1 or time.perf_counter() - began < 1.0:
            tf.matmul(one, other)[0, 0].numpy()
            count += 1
        return count * self._size**3 / (time.perf_counter() - began)


make = Peak

if __name__ == "__main__":
    serve(make)
