"""seewell as it is used: the loop's own chunks and compiled step, and the predictor behind `Run.predict`."""

import time

import numpy as np
import tensorflow as tf

from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder, chunks
from seewell.data.dataset import Split
from seewell.networks.arguments import parse_network
from seewell.runs.evaluation import Predictor
from seewell.training.estimates import DataFacts
from seewell.training.pacing import Pacer
from seewell.training.plan import resolve
from seewell.training.precision import detect_hardware
from seewell.training.trainee import make_trainee
from speed.batches import POOL, compared_batches, images_and_labels
from speed.conversation import Timed, serve
from speed.description import assign, build, read

_RATE = 1e-4


def trainee_of(description, batch_size, precision, rate=_RATE, count=POOL):
    """Network, Adam and compiled step, with the described weights' own seed; and its settings."""
    name, arguments = parse_network(description["network"])
    height, width, channels = description["shape"]
    config = TrainConfig(
        network=name,
        network_arguments=arguments,
        preprocess="scale",
        optimizer="adam",
        learning_rate=rate,
        schedule="constant",
        warmup=0.0,
        augment=(),
        l2=0.0,
        dropout=0.0,
        label_smoothing=0.0,
        ema=0.0,
        batch_size=batch_size,
        precision=precision,
        steps=10**9,
    )
    facts = DataFacts(max(count, batch_size), height, width, channels, description["classes"])
    plan = resolve(config, facts, detect_hardware())
    shape = (height, width, channels)
    return make_trainee(plan.config, shape, description["classes"], None, tf.distribute.get_strategy()), plan.config


class Training(Timed):
    """Updates, shared among calls of the compiled step as in a training of many epochs."""

    def __init__(self, settings):
        description, weights = read(settings["folder"])
        batch_size, shape = settings["batch_size"], tuple(description["shape"])
        self._trainee, config = trainee_of(description, batch_size, settings["precision"])
        assign(self._trainee.model, weights)
        images, labels = images_and_labels(shape, max(POOL, batch_size), description["classes"])
        self._pacer = Pacer(10**9, 1e9, None)
        self._made = self._until = 0
        order = BatchOrder(len(images), batch_size, 0)
        self._chunks = chunks(Split(images, labels), order, self._sizes())
        self._rate = config.learning_rate

    def _sizes(self):
        while True:
            size = min(self._pacer.size(self._made), self._until - self._made)
            yield self._made, size

    def make(self, count):
        self._until = self._made + count
        while self._made < self._until:
            chunk = next(self._chunks)
            began = time.perf_counter()
            self._trainee.steps.run(chunk, np.full(chunk.steps, self._rate, np.float32))
            self._pacer.measured(chunk.steps, time.perf_counter() - began)
            self._made += chunk.steps


class Inference(Timed):
    """The kept network, float32, asked for a batch at a time."""

    def __init__(self, settings):
        description, weights = read(settings["folder"])
        model = build(description["network"], tuple(description["shape"]), description["classes"])
        assign(model, weights)
        self._predict = Predictor(model)
        self._images, _ = images_and_labels(description["shape"], settings["batch_size"], description["classes"])

    def make(self, count):
        for _ in range(count):
            self._predict(self._images)


class Losses:
    """The losses of the compared batches, one update each."""

    def __init__(self, settings):
        self._settings = settings

    def losses(self):
        settings = self._settings
        description, weights = read(settings["folder"])
        steps, batch_size = settings["steps"], settings["batch_size"]
        images, labels = compared_batches(description["shape"], batch_size, steps, description["classes"])
        trainee, _ = trainee_of(description, batch_size, "float32", settings["rate"], batch_size * steps)
        assign(trainee.model, weights)
        flat = Split(images.reshape(-1, *description["shape"]), labels.reshape(-1))
        order = _InOrder(len(flat), batch_size, 0)
        chunk = next(chunks(flat, order, iter([(0, steps)])))
        return trainee.steps.run(chunk, np.full(steps, settings["rate"], np.float32)).losses.tolist()


class _InOrder(BatchOrder):
    """The images as they come."""

    def indices(self, first_step, steps):
        start = first_step * self.batch_size
        return np.arange(start, start + steps * self.batch_size, dtype=np.int32).reshape(steps, self.batch_size)


MAKERS = {"training": Training, "inference": Inference, "losses": Losses}


def make(settings):
    return MAKERS[settings["mode"]](settings)


if __name__ == "__main__":
    serve(make)
