"""What is wrong with the layers."""

import keras
import numpy as np

from finding_pictures import drawing as d
from finding_pictures import trainings as t

L = keras.layers


def _adam():
    return keras.optimizers.Adam(1e-3)


def _on_probabilities(y, outputs):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y, keras.ops.copy(outputs), from_logits=False))


def _answers(axes, healthy, fault, labels, title):
    d.name(axes, title, "class", "output")
    d.twins(axes, range(10), healthy, fault, labels)
    axes.axhline(0, color=d.SOFT, lw=0.8)


def output_activation_missing():
    (x, _), _ = t.digits()
    bare = t.network()
    whole = t.network(head=[L.Softmax()])
    figure, (left, right) = d.canvas("The loss takes plain numbers for probabilities")
    _answers(
        left,
        np.asarray(whole(x[:1]))[0],
        np.asarray(bare(x[:1]))[0],
        ("softmax", "none"),
        "outputs for one image at the start",
    )
    good = t.train(whole, _adam(), cost=_on_probabilities)
    bad = t.train(bare, _adam(), cost=_on_probabilities)
    d.accuracies(right, good.accuracies, bad.accuracies, ("softmax", "none"))
    return figure


def output_activation_doubled():
    (x, _), _ = t.digits()
    good = t.train(t.network(head=[L.Softmax()]), _adam(), cost=_on_probabilities)
    bad = t.train(t.network(head=[L.Softmax(), L.Softmax()]), _adam(), cost=_on_probabilities)
    figure, (left, right) = d.canvas("Softmax of softmax can never be sure")
    labels = ("once", "twice")
    _answers(
        left,
        np.asarray(good.model(x[:1]))[0],
        np.asarray(bad.model(x[:1]))[0],
        labels,
        "answers to one image, 200 updates",
    )
    d.curves(right, good.losses, bad.losses, labels)
    return figure


def output_activation_wrong():
    (x, _), _ = t.digits()
    good = t.train(t.network(head=[L.Softmax()]), _adam(), cost=_on_probabilities)
    bad = t.train(t.network(head=[L.ReLU()]), _adam(), cost=_on_probabilities)
    figure, (left, right) = d.canvas("ReLU at the end: no probabilities, and zeros that cannot learn")
    labels = ("softmax", "ReLU")
    _answers(
        left,
        np.asarray(good.model(x[:1]))[0],
        np.asarray(bad.model(x[:1]))[0],
        labels,
        "answers to one image, 200 updates",
    )
    d.accuracies(right, good.accuracies, bad.accuracies, labels)
    return figure


def output_size_mismatch():
    import tensorflow as tf

    _, (vx, vy) = t.digits()

    def cost(y, outputs):
        # One-hot rows of nine: a nine becomes a row of zeros.
        return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(tf.one_hot(y, 9), outputs))

    course = t.train(t.network(outputs=9), _adam(), cost=cost)
    figure, (left, right) = d.canvas("Nine outputs for ten classes: a nine can never be the answer")
    d.name(left, "accuracy on validation images", "class", "accuracy")
    d.twins(
        left,
        range(10),
        t.by_class(t.healthy().model, vx, vy),
        t.by_class(course.model, vx, vy),
        ("10 outputs", "9 outputs"),
    )
    d.name(right, "what nines are called, with 9 outputs", "class", "share of the answers")
    d.bars(right, t.called(course.model, vx[vy == 9]), marked=range(10))
    return figure


def hidden_activation_missing():
    _, (vx, _) = t.digits()
    courses = [t.train(t.network(activation=name), _adam(), steps=600) for name in ("relu", None)]
    figure, cells = d.canvas("Without a nonlinearity, three layers are one matrix")
    for axes, course, word, colour in zip(
        cells, courses, ("ReLU between", "nothing between"), (d.HEALTHY, d.FAULT), strict=True
    ):
        logits = np.asarray(course.model(vx)).astype(float)
        design = np.column_stack([vx.reshape(len(vx), -1), np.ones(len(vx))])
        one = design @ np.linalg.lstsq(design, logits, rcond=None)[0]
        off = np.abs(one - logits).max()
        axes.plot(logits.ravel(), one.ravel(), ".", ms=1.5, color=colour)
        reach = [logits.min(), logits.max()]
        axes.plot(reach, reach, color=d.INK, lw=0.8)
        d.name(axes, f"{word}: off by at most {off:.1g}", "output of the three layers", "of the best single matrix")
    return figure


def hidden_activation_saturating():
    (x, y), _ = t.digits()
    models = [t.network((32,) * 5, name) for name in ("relu", "sigmoid")]
    figure, (left, right) = d.canvas("Five sigmoid layers: each lets less of the slope through")
    sizes = [t.slopes(model, x[:200], y[:200])[0] for model in models]
    d.name(left, "size of the gradient by layer, at the start", "", "root mean square")
    d.twins(left, range(1, 7), list(sizes[0].values()), list(sizes[1].values()), ("ReLU", "sigmoid"), log=True)
    good, bad = (t.train(model, keras.optimizers.SGD(0.1)) for model in models)
    d.curves(right, good.losses, bad.losses, ("ReLU", "sigmoid"), title="cost, SGD at 0.1")
    return figure


def init_constant():
    figure, cells = d.canvas("Units that start equal stay equal")
    for axes, start, word in zip(cells, ("glorot_uniform", "ones"), ("drawn at random", "all ones"), strict=True):
        course = t.train(t.network((32,), kernel_initializer=start), _adam())
        kernel = np.asarray(course.model.get_layer("fc1").kernel).T
        reach = np.abs(kernel - kernel.mean()).max()
        axes.imshow(
            kernel - kernel.mean(), cmap="PuOr_r", vmin=-reach, vmax=reach, aspect="auto", interpolation="nearest"
        )
        different = len(np.unique(np.round(kernel, 4), axis=0))
        axes.spines[:].set_visible(False)
        d.name(axes, f"{word}: {different} kinds of unit among 32", "pixel", "unit, after 200 updates")
    return figure


def _deviations(title, start, word, *, rate):
    (x, _), _ = t.digits()
    starts = ("he_normal", start)
    models = [t.network((32,) * 4, kernel_initializer=one) for one in starts]
    sizes = [[float(one.std()) for one in t.values(model, x[:200]).values()] for model in models]
    figure, (left, right) = d.canvas(title)
    d.name(left, "deviation of the values by layer, at the start", "", "standard deviation")
    d.twins(left, range(1, 6), *sizes, ("He", word), log=True)
    good, bad = (t.train(model, keras.optimizers.SGD(rate)) for model in models)
    d.curves(right, good.losses, bad.losses, ("He", word), title=f"cost, SGD at {rate:g}", log=max(bad.losses) > 50)
    return figure


def init_too_large():
    start = keras.initializers.RandomNormal(stddev=1.0, seed=1)
    return _deviations("Weights too large: values grow from layer to layer", start, "normal, σ = 1", rate=0.01)


def init_too_small():
    start = keras.initializers.RandomNormal(stddev=0.01, seed=1)
    return _deviations("Weights too small: values fade from layer to layer", start, "normal, σ = 0.01", rate=0.1)


def train_eval_mismatch():
    _, (vx, vy) = t.digits()

    def model(momentum):
        keras.utils.set_random_seed(0)
        layers = [L.Conv2D(16, 3), L.BatchNormalization(momentum=momentum), L.ReLU(), L.Flatten(), L.Dense(10)]
        return keras.Sequential([keras.Input((8, 8, 1)), *layers])

    def look(model):
        inference = float((np.asarray(model(vx, training=False)).argmax(axis=1) == vy).mean())
        # Batch statistics, without moving the averages.
        with keras.StatelessScope():
            training = float((np.asarray(model(vx, training=True)).argmax(axis=1) == vy).mean())
        return training, inference

    figure, cells = d.canvas("BatchNorm's averages lag behind: trained, yet useless when used", sharey=True)
    for axes, momentum, colour in zip(cells, (0.9, 0.9999), (d.HEALTHY, d.FAULT), strict=True):
        rate = keras.optimizers.SGD(0.3, momentum=0.9)
        watched = np.array(t.train(model(momentum), rate, steps=120, every=4, watch=look).watched)
        updates = 4 * np.arange(len(watched))
        axes.plot(updates, watched[:, 0], color=d.SOFT, lw=1.4, ls="--", label="in training mode")
        axes.plot(updates, watched[:, 1], color=colour, lw=1.8, label="in use")
        d.name(axes, f"momentum {momentum:g}", "updates", "validation accuracy")
        axes.set_ylim(0, 1.02)
        d.legend(axes, loc="lower right")
    return figure
