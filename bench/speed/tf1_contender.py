"""The series' own way: a TensorFlow 1 graph that is fed NumPy arrays of float32 through `feed_dict`."""

import numpy as np
import tensorflow as tf

from speed.batches import POOL, compared_batches, images_and_labels
from speed.conversation import Timed, serve
from speed.description import read
from speed.tf_network import Tf1Network

v1 = tf.compat.v1


class Program:
    """Placeholders, cost, Adam, probabilities and a session, as each part of the series has them."""

    def __init__(self, folder, rate):
        description, weights = read(folder)
        self.shape, self.classes = tuple(description["shape"]), description["classes"]
        with tf.Graph().as_default():
            self.images = v1.placeholder(tf.float32, [None, *self.shape])
            self.labels = v1.placeholder(tf.float32, [None, self.classes])
            network = Tf1Network(description, weights)
            logits, _ = network(self.images, training=True)
            self.cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(self.labels, logits))
            with v1.control_dependencies(network.updates):
                updated = v1.train.AdamOptimizer(rate).minimize(self.cost)
            with v1.control_dependencies([updated]):
                self.update = tf.group(*network.constrain())
            self.training_answers = tf.nn.softmax(logits)
            _, self.answers = network(self.images, training=False)
            self.session = v1.Session()
            self.session.run(v1.global_variables_initializer())

    def one_hot(self, labels):
        return np.eye(self.classes, dtype=np.float32)[labels]


class Training(Timed):
    """Updates on slices of arrays that were shuffled once; cost and answers are fetched with each."""

    def __init__(self, settings):
        self._program = Program(settings["folder"], 1e-4)
        self._batch_size = settings["batch_size"]
        images, labels = images_and_labels(self._program.shape, max(POOL, self._batch_size), self._program.classes)
        self._images, self._labels = images.astype(np.float32), self._program.one_hot(labels)
        self._made = 0

    def make(self, count):
        program = self._program
        for _ in range(count):
            offset = (self._made * self._batch_size) % max(1, len(self._images) - self._batch_size)
            rows = slice(offset, offset + self._batch_size)
            feed = {program.images: self._images[rows], program.labels: self._labels[rows]}
            program.session.run([program.update, program.cost, program.training_answers], feed)
            self._made += 1


class Inference(Timed):
    """Answers to one batch after the other."""

    def __init__(self, settings):
        self._program = Program(settings["folder"], 1e-4)
        images, _ = images_and_labels(self._program.shape, settings["batch_size"])
        self._images = images.astype(np.float32)

    def make(self, count):
        for _ in range(count):
            self._program.session.run(self._program.answers, {self._program.images: self._images})


class Losses:
    """The losses of the compared batches, one update each."""

    def __init__(self, settings):
        self._settings = settings

    def losses(self):
        settings = self._settings
        program = Program(settings["folder"], settings["rate"])
        batches = compared_batches(program.shape, settings["batch_size"], settings["steps"], program.classes)
        found = []
        for images, labels in zip(*batches, strict=True):
            feed = {program.images: images.astype(np.float32), program.labels: program.one_hot(labels)}
            found.append(float(program.session.run([program.update, program.cost], feed)[1]))
        return found


MAKERS = {"training": Training, "inference": Inference, "losses": Losses}


def make(settings):
    return MAKERS[settings["mode"]](settings)


if __name__ == "__main__":
    serve(make)
