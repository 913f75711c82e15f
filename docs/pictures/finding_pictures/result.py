"""What the trained network shows."""

import keras
import numpy as np

from finding_pictures import drawing as d
from finding_pictures import trainings as t


def regularization_too_strong():
    courses = [
        t.train(t.network(kernel_regularizer=keras.regularizers.L2(one)), keras.optimizers.Adam(1e-3))
        for one in (5e-4, 1.0)
    ]
    figure, (left, right) = d.canvas("The penalty on the weights outweighs the images")
    labels = ("L2 of 0.0005", "L2 of 1")
    d.curves(left, courses[0].losses, courses[1].losses, labels, title="cost without the penalty")
    d.name(right, "first layer's weights after 200 updates", "weight", "share")
    for course, label, colour in zip(courses, labels, (d.HEALTHY, d.FAULT), strict=True):
        kernel = np.asarray(course.model.get_layer("fc1").kernel).ravel()
        heights, edges = np.histogram(kernel, bins=41, range=(-0.4, 0.4))
        right.stairs(heights / kernel.size, edges, fill=True, color=colour, alpha=0.75, label=label)
    right.set_yscale("log")
    d.legend(right)
    return figure


def _gaps(title, sets, words, steps=300):
    """Training and validation accuracy over the updates, twice."""
    _, (vx, vy) = t.digits()
    every = steps // 30
    figure, cells = d.canvas(title, sharey=True)
    for axes, (model, rows, rate), word, colour in zip(cells, sets, words, (d.HEALTHY, d.FAULT), strict=True):
        (x, y), _ = t.digits()
        x, y = x[:rows], y[:rows]

        def look(model, x=x, y=y):
            return t.accuracy(model, x, y), t.accuracy(model, vx, vy)

        course = t.train(model, keras.optimizers.Adam(rate), x=x, y=y, steps=steps, watch=look, every=every)
        watched = np.array([*course.watched, look(course.model)])
        updates = every * np.arange(len(watched))
        axes.plot(updates, watched[:, 0], color=d.SOFT, lw=1.4, ls="--", label="training images")
        axes.plot(updates, watched[:, 1], color=colour, lw=1.8, label="validation images")
        axes.fill_between(updates, watched[:, 1], watched[:, 0], color=colour, alpha=0.15)
        d.name(axes, f"{word}: {watched[-1, 0]:.1%} and {watched[-1, 1]:.1%}", "updates", "accuracy")
        axes.set_ylim(0, 1.02)
        d.legend(axes, loc="lower right")
    return figure


def high_variance():
    sets = [(t.network((64, 64)), 1200, 3e-3), (t.network((64, 64)), 60, 3e-3)]
    return _gaps("Sixty images learned by heart", sets, ("1,200 images", "60 images"))


def high_bias():
    sets = [(t.network(), 1200, 3e-3), (t.network((2,)), 1200, 3e-3)]
    return _gaps("Two hidden units cannot tell ten digits apart", sets, ("32 and 32 units", "2 units"), steps=1200)


def undertrained():
    _, (vx, vy) = t.digits()
    figure, (axes,) = d.canvas("Stopped while the cost was still falling", columns=1)
    course = t.train(
        t.network(), keras.optimizers.Adam(1e-3), steps=400, watch=lambda m: float(t.mean_cost(vy, m(vx))), every=5
    )
    d.name(axes, "validation cost", "updates", "cost")
    stop = 12
    axes.plot(5 * np.arange(len(course.watched)), course.watched, color=d.HEALTHY, lw=1.6, label="400 updates")
    axes.plot(5 * np.arange(stop + 1), course.watched[: stop + 1], color=d.FAULT, lw=3, label=f"{5 * stop} updates")
    axes.scatter([5 * stop], [course.watched[stop]], color=d.FAULT, zorder=3)
    d.legend(axes)
    return figure


def overconfident():
    (x, y), (vx, vy) = t.digits()
    figure, cells = d.canvas("How often it is right when it says how sure it is", sharey=True)
    for axes, rows, colour in zip(cells, (1200, 60), (d.HEALTHY, d.FAULT), strict=True):
        course = t.train(t.network(), keras.optimizers.Adam(3e-3), x=x[:rows], y=y[:rows], steps=600)
        guess = t.probabilities(course.model, vx)
        sure, right = guess.max(axis=1), guess.argmax(axis=1) == vy
        place = np.minimum((sure * 5).astype(int), 4)
        for one in range(5):
            inside = place == one
            if inside.sum() >= 5:
                axes.bar(sure[inside].mean(), right[inside].mean(), 0.12, color=colour)
        axes.plot([0, 1], [0, 1], color=d.INK, lw=0.9, ls=(0, (3, 3)))
        told = f"{rows:,} images: sure {sure.mean():.1%}, right {right.mean():.1%}"
        d.name(axes, told, "probability of its answer", "share right")
        axes.set(xlim=(0, 1.08), ylim=(0, 1.02))
    return figure


def weak_class():
    (x, y), (vx, vy) = t.digits()
    eights = np.flatnonzero(y == 8)
    rows = np.random.default_rng(6).permutation(np.concatenate([np.flatnonzero(y != 8), eights[:20]]))
    course = t.train(t.network(), keras.optimizers.Adam(1e-3), x=x[rows], y=y[rows], steps=500)
    figure, (left, right) = d.canvas("Good on average, poor on the 8, of which it saw twenty images")
    found = t.by_class(course.model, vx, vy)
    d.name(left, f"accuracy by class; overall {t.accuracy(course.model, vx, vy):.0%}", "class", "accuracy")
    d.bars(left, found, marked=(8,))
    d.name(right, "what eights are called", "class", "share of the answers")
    d.bars(right, t.called(course.model, vx[vy == 8]), marked=[one for one in range(10) if one != 8])
    return figure
