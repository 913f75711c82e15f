"""What is seen while the network trains."""

import keras
import numpy as np

from finding_pictures import drawing as d
from finding_pictures import trainings as t


def gradient_exploding():
    (x, y), _ = t.digits()
    starts = ("he_normal", keras.initializers.RandomNormal(stddev=1.0, seed=1))
    rows = []
    for start in starts:
        rms, sizes = t.slopes(t.network((32,) * 7, kernel_initializer=start), x[:200], y[:200])
        rows.append([rms[layer] / sizes[layer] for layer in rms])
    figure, (axes,) = d.canvas("A gradient far larger than the weights that it is to change", columns=1)
    d.name(axes, "gradient over weights by layer, at the start", "layer", "ratio (root mean squares)")
    d.twins(axes, range(1, 9), *rows, ("He", "normal, σ = 1"), log=True)
    return figure


def gradient_vanishing():
    (x, y), _ = t.digits()
    figure, (axes,) = d.canvas("The first layers hear nothing of the cost", columns=1)
    rows = []
    for activation in ("relu", "sigmoid"):
        model = t.network(
            (32,) * 7, activation, kernel_initializer="he_normal" if activation == "relu" else "glorot_uniform"
        )
        rms, _ = t.slopes(model, x[:200], y[:200])
        rows.append([one / max(rms.values()) for one in rms.values()])
    d.name(axes, "gradient by layer over the largest, at the start", "layer", "ratio (root mean squares)")
    d.twins(axes, range(1, 9), *rows, ("ReLU", "sigmoid"), log=True)
    return figure


def dead_units():
    (x, _), _ = t.digits()
    figure, cells = d.canvas("Black: a unit that answers. Dead ones never do")
    for axes, rate, colour in zip(cells, (1e-3, 0.1), (d.HEALTHY, d.FAULT), strict=True):
        course = t.train(t.network((64, 64)), keras.optimizers.Adam(rate), steps=100)
        active = t.values(course.model, x)["fc2"] > 0
        axes.imshow(active[:120].T, cmap="gray_r", aspect="auto", interpolation="nearest")
        axes.spines[:].set_visible(True)
        dead = float((~active.any(axis=0)).mean())
        d.name(axes, f"Adam at {rate:g}: {dead:.0%} dead", "image", "unit of the second layer, after 100 updates")
        axes.title.set_color(colour)
    return figure


def saturated_units():
    (x, _), _ = t.digits()
    figure, cells = d.canvas("tanh units at their limits, where the slope is almost zero")
    starts = ("glorot_uniform", keras.initializers.RandomNormal(stddev=1.0, seed=1))
    for axes, start, word, colour in zip(cells, starts, ("Xavier", "normal, σ = 1"), (d.HEALTHY, d.FAULT), strict=True):
        values = t.values(t.network((64, 64), "tanh", kernel_initializer=start), x[:200])["fc2"]
        d.histogram(axes, values, colour)
        for bend in (-2, 2):
            axes.axvline(bend, color=d.INK, lw=0.9, ls=(0, (3, 3)))
        d.name(axes, f"{word}: {np.mean(np.abs(values) > 2):.0%} beyond ±2", "value before tanh, second layer", "share")
    return figure


def saturated_output():
    (x, y), _ = t.digits()
    figure, cells = d.canvas("Before the first update, the network is already sure", sharey=True)
    starts = ("glorot_uniform", keras.initializers.RandomNormal(stddev=1.0, seed=1))
    for axes, start, word, colour in zip(cells, starts, ("Xavier", "normal, σ = 1"), (d.HEALTHY, d.FAULT), strict=True):
        model = t.network(kernel_initializer=start)
        d.histogram(axes, t.probabilities(model, x).max(axis=1), colour, bins=25, span=(0, 1))
        cost = float(t.mean_cost(y, model(x)))
        d.name(axes, f"{word}: cost {cost:.3g} (ln 10 = 2.3)", "probability of the surest class", "share of images")
    return figure


def non_finite_loss():
    def cost(y, outputs):
        chosen = keras.ops.take_along_axis(keras.ops.softmax(outputs), y[:, None], axis=1)
        return -keras.ops.mean(keras.ops.log(chosen))

    rates = (0.1, 20.0)
    good, bad = (t.train(t.network(), keras.optimizers.SGD(rate), cost=cost, steps=60) for rate in rates)
    first = int(np.flatnonzero(~np.isfinite(bad.losses))[0])
    figure, (axes,) = d.canvas("A probability of 0, and its logarithm ends the training", columns=1)
    d.name(axes, "cost of the batches", "updates", "cost")
    for course, rate, colour in zip((good, bad), rates, (d.HEALTHY, d.FAULT), strict=True):
        axes.plot(course.losses, color=colour, lw=1.6, marker="." if course is bad else "", label=f"SGD at {rate:g}")
    axes.axvline(first, color=d.FAULT, lw=1, ls=":")
    axes.text(first + 0.7, axes.get_ylim()[1] * 0.6, f"not finite from update {first} on", fontsize=9, color=d.FAULT)
    d.legend(axes)
    return figure


def loss_stagnant():
    bad = t.train(t.network(bias_initializer=keras.initializers.Constant(-20.0)), keras.optimizers.Adam(1e-3))
    figure, (axes,) = d.canvas("The cost stays where guessing is: all units are dead", columns=1)
    d.curves(axes, t.healthy().losses, bad.losses, ("biases start at 0", "biases start at −20"))
    axes.set_ylim(0, None)
    return figure


def loss_diverging():
    def least_squares(y, outputs):
        return keras.ops.mean(keras.ops.square(outputs - keras.ops.one_hot(y, 10)))

    rates = (0.3, 3.0)
    good, bad = (t.train(t.network(()), keras.optimizers.SGD(one), cost=least_squares, steps=20) for one in rates)
    figure, (axes,) = d.canvas("The cost rises, and goes on rising", columns=1)
    d.curves(axes, good.losses, bad.losses, [f"SGD at {one:g}" for one in rates], log=True, chance=False)
    return figure


def loss_oscillating():
    rates = (0.1, 3.0)
    good, bad = (
        t.train(t.network((64,), "tanh"), keras.optimizers.SGD(rate, momentum=0.9), batch=25) for rate in rates
    )
    figure, (axes,) = d.canvas("The cost jumps up and down", columns=1)
    d.name(axes, "cost of the batches, mean of three", "updates", "cost")
    for course, rate, colour in zip((good, bad), rates, (d.HEALTHY, d.FAULT), strict=True):
        axes.plot(d.smooth(course.losses, 3), color=colour, lw=1.3, label=f"SGD at {rate:g}")
    axes.set_yscale("log")
    d.legend(axes)
    return figure
