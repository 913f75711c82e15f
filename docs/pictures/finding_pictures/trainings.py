"""Tiny trainings on the digits, each update measured."""

from dataclasses import dataclass, field
from functools import cache

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

L = keras.layers
INITIALIZERS = keras.initializers
TRAINING = 1200


@dataclass
class Course:
    """A training: the network afterwards, and each update's cost and accuracy, measured before it."""

    model: keras.Model
    losses: list = field(default_factory=list)
    accuracies: list = field(default_factory=list)
    watched: list = field(default_factory=list)


@cache
def digits():
    """float32 in [0, 1] and labels: 1,200 to learn from, 597 to validate on."""
    data = load_digits()
    order = np.random.default_rng(1).permutation(len(data.target))
    x, y = (data.images[order][..., None] / 16).astype("float32"), data.target[order].astype("int64")
    return (x[:TRAINING], y[:TRAINING]), (x[TRAINING:], y[TRAINING:])


def network(hidden=(32, 32), activation="relu", head=(), outputs=10, seed=0, **kernel):
    """Fully connected layers, their activation in a layer of its own, then plain numbers, then ``head``."""
    keras.utils.set_random_seed(seed)
    layers = [L.Flatten()]
    for place, width in enumerate(hidden, start=1):
        layers += [L.Dense(width, name=f"fc{place}", **kernel)]
        layers += [L.Activation(activation)] if activation else []
    return keras.Sequential([keras.Input((8, 8, 1)), *layers, L.Dense(outputs, name="logits", **kernel), *head])


def mean_cost(y, outputs):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs))


def train(model, optimizer, *, x=None, y=None, steps=200, batch=50, cost=mean_cost, shuffle=True, watch=None, every=10):
    """Train with plain updates; ``watch(model)`` is asked before every tenth."""
    (digits_x, digits_y), _ = digits()
    x, y = digits_x if x is None else x, digits_y if y is None else y
    course = Course(model)
    rng = np.random.default_rng(0)
    optimizer.build(model.trainable_variables)

    @tf.function
    def update(images, labels):
        with tf.GradientTape() as tape:
            outputs = model(images, training=True)
            value = cost(labels, outputs)
            total = value + sum(model.losses) if model.losses else value
        slopes = tape.gradient(total, model.trainable_variables)
        optimizer.apply_gradients(zip(slopes, model.trainable_variables, strict=True))
        hit = tf.equal(tf.argmax(outputs, axis=-1), labels)
        return value, tf.reduce_mean(tf.cast(hit, tf.float32))

    order = np.arange(len(x))
    at = len(x)
    for step in range(steps):
        if watch is not None and step % every == 0:
            course.watched.append(watch(model))
        if at + batch > len(x):
            order, at = (rng.permutation(len(x)) if shuffle else order), 0
        rows = order[at : at + batch]
        value, hits = update(tf.constant(x[rows]), tf.constant(y[rows]))
        course.losses.append(float(value))
        course.accuracies.append(float(hits))
        at += batch
    return course


@cache
def healthy(steps=200):
    """Adam at its usual rate, on images in [0, 1]."""
    return train(network(), keras.optimizers.Adam(1e-3), steps=steps)


def accuracy(model, x, y):
    return float((np.asarray(model(x)).argmax(axis=1) == y).mean())


def probabilities(model, x):
    return np.asarray(tf.nn.softmax(model(x)))


def by_class(model, x, y):
    guess = np.asarray(model(x)).argmax(axis=1)
    return np.array([(guess[y == one] == one).mean() for one in range(10)])


def called(model, x):
    """How often each class is the answer, as shares."""
    return np.bincount(np.asarray(model(x)).argmax(axis=1), minlength=10) / len(x)


def values(model, x):
    """Pre-activations by layer."""
    from seewell.networks.taps import Taps

    return Taps(model).pre_activations(x)


def slopes(model, x, y):
    """Root mean square of each kernel's gradient, and of the kernel."""
    from seewell.networks.taps import Taps

    found = Taps(model).gradients(x, y)
    rms = {layer: float(np.sqrt(np.mean(np.square(slope)))) for layer, slope in found.items()}
    sizes = {layer: float(np.sqrt(np.mean(np.square(np.asarray(model.get_layer(layer).kernel))))) for layer in found}
    return rms, sizes
