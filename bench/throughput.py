"""Training throughput of seewell's step beside plain Keras `model.fit`, on the same network and machine.

    .venv/bin/python bench/throughput.py [--rounds 5] [--networks convnet,vgg-small] [--batch-size 100] [--out FILE]

Every round times each contender once, in turn, after a warm-up; ratios are taken
within a round, so that a noisy machine disturbs them little. What is timed is the
whole call, `fit` or ours, that makes `--steps` updates. The networks are
built by the same call, from the same seed; the images are random bytes, which
cost the same as real ones. Prints images a second (median of the rounds) and the
ratio to Keras in mixed_bfloat16 with its 95 % t interval on the logarithm.
"""

import argparse
import json
import math
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from scipy.stats import t as student

from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder
from seewell.networks.registry import build_network
from seewell.training.plan import DataFacts, resolve
from seewell.training.precision import detect_hardware, policy_name
from seewell.training.trainee import make_trainee

SHAPES = {"convnet": (28, 28, 1), "vgg-small": (32, 32, 3), "resnet20": (32, 32, 3), "fully-connected": (28, 28, 1)}


def images_and_labels(shape, count):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, *shape), dtype=np.uint8), rng.integers(0, 10, count).astype(np.int64)


class Seewell:
    """Our compiled step, as the loop calls it: several updates a call."""

    def __init__(self, network, precision, batch_size, steps):
        shape = SHAPES[network]
        self.images, self.labels = images_and_labels(shape, 2000)
        self.name = f"seewell {precision}"
        config = TrainConfig(network=network, optimizer="adam", batch_size=batch_size, precision=precision, steps=steps)
        plan = resolve(config, DataFacts(len(self.images), *shape, 10), detect_hardware())
        self.trainee = make_trainee(plan.config, shape, 10, None, tf.distribute.get_strategy())
        self.order = BatchOrder(len(self.images), batch_size, 0)
        self.tensors = tf.constant(self.images), tf.constant(self.labels.astype(np.int32))
        self.rates = np.full(steps, 1e-4, np.float32)
        self.steps, self.made = steps, 0
        self._call(2)

    def _call(self, steps):
        chunk = self.order.chunk(self.made, steps, *self.tensors)
        self.trainee.steps.run(chunk, self.rates[:steps])
        self.made += steps

    def seconds(self):
        began = time.perf_counter()
        self._call(self.steps)
        return time.perf_counter() - began


class KerasFit:
    """The same network through `compile` and `fit` on arrays, as Keras's guides show it."""

    def __init__(self, network, precision, batch_size, steps):
        shape = SHAPES[network]
        images, labels = images_and_labels(shape, batch_size * steps)
        self.name = f"Keras fit {precision}"
        keras.utils.set_random_seed(0)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy_name(precision))
        self.model = build_network(network, input_shape=shape, num_classes=10)
        self.model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
        keras.config.set_dtype_policy(before)
        self.data, self.batch_size = (images, labels), batch_size
        warm = slice(0, 2 * batch_size)
        self.model.fit(images[warm], labels[warm], batch_size=batch_size, verbose=0)

    def seconds(self):
        began = time.perf_counter()
        self.model.fit(*self.data, batch_size=self.batch_size, epochs=1, verbose=0)
        return time.perf_counter() - began


def ratio_interval(ratios):
    logs = [math.log(one) for one in ratios]
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(mean), None, None
    half = student.ppf(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def measure(network, batch_size, steps, rounds):
    contenders = [
        make(network, precision, batch_size, steps)
        for precision in ("float32", "bfloat16")
        for make in (Seewell, KerasFit)
    ]
    speeds = {one.name: [] for one in contenders}
    for _ in range(rounds + 1):
        for one in contenders:
            speeds[one.name].append(batch_size * steps / one.seconds())
    speeds = {name: values[1:] for name, values in speeds.items()}  # the first round only warms up
    base = speeds["Keras fit bfloat16"]
    rows = []
    for name, values in speeds.items():
        ratio, low, high = ratio_interval([a / b for a, b in zip(values, base, strict=True)])
        rows.append({"name": name, "images_per_second": values, "ratio": ratio, "low": low, "high": high})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--networks", default="convnet,vgg-small")
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--steps", type=int, default=50, help="updates in each timing")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    hardware = detect_hardware()
    print(f"{hardware.processor}, {hardware.cores} cores, batch {given.batch_size}, {given.rounds} rounds")
    result = {"processor": hardware.processor, "cores": hardware.cores, "batch_size": given.batch_size, "networks": {}}
    for network in given.networks.split(","):
        rows = measure(network, given.batch_size, given.steps, given.rounds)
        result["networks"][network] = rows
        print(f"\n{network}, {'x'.join(map(str, SHAPES[network]))}")
        for row in rows:
            median = statistics.median(row["images_per_second"])
            interval = "" if row["low"] is None else f" ({row['low']:.2f} to {row['high']:.2f})"
            print(f"  {row['name']:<20} {median:8.0f} images/s   {row['ratio']:.2f} x Keras fit bfloat16{interval}")
    if given.out:
        given.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
