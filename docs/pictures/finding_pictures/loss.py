"""What is wrong with the loss or the optimizer."""

import keras
import numpy as np
import tensorflow as tf

from finding_pictures import drawing as d
from finding_pictures import trainings as t


def loss_unsuitable():
    def squared(y, outputs):
        return tf.reduce_mean(tf.square(tf.nn.softmax(outputs) - tf.one_hot(y, 10)))

    figure, (left, right) = d.canvas("Squared error: the slopes are small exactly where the network is wrong")
    (x, y), _ = t.digits()
    model = t.network()
    rows = []
    for cost in (t.mean_cost, squared):
        with tf.GradientTape() as tape:
            value = cost(y[:200], model(x[:200]))
        slopes = tape.gradient(value, [model.get_layer(name).kernel.value for name in ("fc1", "fc2", "logits")])
        rows.append([float(tf.sqrt(tf.reduce_mean(tf.square(slope)))) for slope in slopes])
    labels = ("cross-entropy", "squared error")
    d.name(left, "size of the gradient by layer, at the start", "", "root mean square")
    d.twins(left, ("fc1", "fc2", "logits"), *rows, labels, log=True)
    good = t.train(model, keras.optimizers.SGD(0.1))
    bad = t.train(t.network(), keras.optimizers.SGD(0.1), cost=squared)
    d.accuracies(right, good.accuracies, bad.accuracies, labels, "accuracy of the batches, SGD at 0.1")
    return figure


def loss_sign_flipped():
    bad = t.train(t.network(), keras.optimizers.Adam(1e-3), cost=lambda y, outputs: -t.mean_cost(y, outputs))
    figure, (left, right) = d.canvas("Each update climbs instead of descending")
    labels = ("as it should be", "sign flipped")
    good = t.healthy()
    d.curves(left, good.losses, [-one for one in bad.losses], labels, title="cross-entropy of the batches", log=True)
    d.accuracies(right, good.accuracies, bad.accuracies, labels)
    return figure


def loss_not_averaged():
    def summed(y, outputs):
        return tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(y, outputs))

    (x, y), _ = t.digits()
    model = t.network()
    sizes = (10, 20, 50, 100, 200)
    rows = []
    for cost in (t.mean_cost, summed):
        found = []
        for size in sizes:
            with tf.GradientTape() as tape:
                value = cost(y[:size], model(x[:size]))
            found.append(float(tf.norm(tape.gradient(value, model.get_layer("fc1").kernel.value))))
        rows.append(found)
    labels = ("mean", "sum")
    figure, (left, right) = d.canvas("Summed over the batch, the steps grow with its size")
    d.name(left, "length of the first layer's gradient", "images in the batch", "")
    d.twins(left, sizes, *rows, labels, log=True)
    good = t.train(t.network(), keras.optimizers.SGD(0.3))
    bad = t.train(t.network(), keras.optimizers.SGD(0.3), cost=summed)
    mean = [one / 50 for one in bad.losses]
    d.curves(right, good.losses, mean, labels, title="cost of an image, SGD at 0.3", log=np.nanmax(mean) > 10)
    return figure


def _rates(title, good_rate, bad_rate):
    def kernels(model):
        return [np.asarray(variable.value).copy() for variable in model.trainable_variables if len(variable.shape) == 2]

    figure, (left, right) = d.canvas(title)
    labels = (f"Adam at {good_rate:g}", f"Adam at {bad_rate:g}")
    courses = [
        t.train(t.network(), keras.optimizers.Adam(rate), watch=kernels, every=1) for rate in (good_rate, bad_rate)
    ]
    d.curves(left, courses[0].losses, courses[1].losses, labels, log=max(courses[1].losses) > 20)
    d.name(right, "an update over the weights", "updates", "ratio (root mean squares)")
    for course, label, colour in zip(courses, labels, (d.HEALTHY, d.FAULT), strict=True):
        pairs = zip(course.watched, course.watched[1:], strict=False)
        ratios = [float(np.linalg.norm(now[0] - was[0]) / np.linalg.norm(was[0])) for was, now in pairs]
        right.plot(ratios, color=colour, lw=1.4, label=label)
    right.axhline(1e-3, color=d.SOFT, lw=0.9, ls=(0, (3, 3)), label="0.001: usual")
    right.set_yscale("log")
    d.legend(right)
    return figure


def learning_rate_too_high():
    return _rates("Steps longer than the valley is wide", 1e-3, 1.0)


def learning_rate_too_low():
    return _rates("Steps so short that the weights stay where they began", 1e-3, 1e-7)


def optimizer_unstable():
    def size(model):
        return float(np.sqrt(np.mean(np.square(np.asarray(model.get_layer("fc1").kernel)))))

    courses = [
        t.train(t.network(), keras.optimizers.SGD(0.1, momentum=one), steps=300, watch=size) for one in (0.9, 0.999)
    ]
    labels = ("momentum 0.9", "momentum 0.999")
    figure, (left, right) = d.canvas("A velocity that hardly fades shoots past every valley")
    d.curves(left, courses[0].losses, courses[1].losses, labels, log=max(courses[1].losses) > 10)
    d.name(right, "size of the first layer's weights", "updates", "root mean square")
    for course, label, colour in zip(courses, labels, (d.HEALTHY, d.FAULT), strict=True):
        right.plot(10 * np.arange(len(course.watched)), course.watched, color=colour, lw=1.6, label=label)
    d.legend(right)
    return figure
