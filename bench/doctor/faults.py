"""The injector: each kind of fault, what it does to a healthy training, and the causes that name it rightly."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from images import CLASSES

from networks import NORMED

L = keras.layers
PLAIN = ("mlp", "convnet", "vgg", "strided", "lenet", "inception", "deep")
COLOUR = ("cifar10",)
ANY = ("digits", "mnist", "fashion-mnist", "cifar10")


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: Its name.
        codes: The findings that name its cause.
        inject: Changes a job.
        setup: Settings that the training, and its healthy twin, must have for the fault to be able to show.
        networks: Where it can hurt.
        data: On which sets.
    """

    name: str
    codes: tuple[str, ...]
    inject: Callable[[Any], None]
    setup: dict[str, Any]
    networks: tuple[str, ...] | None = None
    data: tuple[str, ...] = ("digits", "mnist", "cifar10")


FAULTS: dict[str, Fault] = {}


def fault(name, *codes, networks=None, data=("digits", "mnist", "cifar10"), **setup):
    def keep(inject):
        FAULTS[name] = Fault(name, codes, inject, setup, networks, data)
        return inject

    return keep


def then(outer, inner):
    return lambda a: outer(inner(a))


SGD = {"optimizer": "sgd", "rate": 0.05, "scaling": "unit"}

# ------------------------------------------------------------------ data


@fault("raw pixels, SGD", "input-range-too-large", networks=PLAIN, **SGD)
def _(job):
    job.scale = lambda a: a


@fault("raw pixels, momentum", "input-range-too-large", networks=PLAIN, optimizer="momentum", rate=0.02, scaling="unit")
def _(job):
    job.scale = lambda a: a


@fault("16-bit pixels", "input-range-too-large", networks=PLAIN, scaling="unit")
def _(job):
    job.scale = lambda a: a * 257


@fault(
    "Rescaling left out of the network",
    "input-range-too-large",
    networks=PLAIN,
    scaling="rescaling-inside",
    optimizer="momentum",
    rate=0.02,
)
def _(job):
    job.parts.front = [layer for layer in job.parts.front if not isinstance(layer, L.Rescaling)]


@fault(
    "Normalization not adapted",
    "input-range-too-large",
    networks=PLAIN,
    scaling="normalization-inside",
    optimizer="sgd",
    rate=0.03,
)
def _(job):
    job.parts.front[0] = L.Normalization(axis=-1, mean=0.0, variance=1.0)


@fault("divided by 255 twice in the data", "input-range-too-small", networks=PLAIN, **SGD)
def _(job):
    job.scale = then(lambda a: a / 255, job.scale)


@fault(
    "divided by 255 in data and network",
    "input-range-too-small",
    networks=PLAIN,
    optimizer="momentum",
    rate=0.01,
    scaling="rescaling-inside",
)
def _(job):
    job.scale = lambda a: a / 255


@fault("integer division to zero", "input-range-too-small", data=("digits", "mnist", "cifar10"))
def _(job):
    job.scale = lambda a: np.floor(a / 256)


@fault("NaN in a few images", "non-finite-input")
def _(job):
    job.x[::40, 2, 2] = np.nan


@fault("one infinite pixel", "non-finite-input")
def _(job):
    job.x[::60, 3, 3] = np.inf


@fault("a constant image divided by its deviation", "non-finite-input", scaling="unit")
def _(job):
    job.x[::30] = 7.0
    old = job.scale
    with np.errstate(all="ignore"):
        job.scale = lambda a: (lambda v: (v - v.mean((1, 2, 3), keepdims=True)) / v.std((1, 2, 3), keepdims=True))(
            old(a).astype("float32")
        )


@fault("labels shuffled without the images", "labels-wrong")
def _(job):
    job.y = job.rng.permutation(job.y)


@fault("labels off by one row", "labels-wrong")
def _(job):
    job.y = np.roll(job.y, 1)


@fault("labels numbered from 1", "output-size-mismatch", "labels-wrong", labels="sparse")
def _(job):
    job.y, job.vy = job.y + 1, job.vy + 1


@fault("half the labels drawn at random", "label-noise", "labels-wrong", data=("digits", "mnist", "fashion-mnist"))
def _(job):
    for name in ("y", "vy"):
        labels = getattr(job, name).copy()
        bad = job.rng.random(len(labels)) < 0.5
        labels[bad] = job.rng.integers(0, CLASSES, bad.sum())
        setattr(job, name, labels)


@fault("two of five labels replaced by the next class", "label-noise", data=("digits", "mnist", "fashion-mnist"))
def _(job):
    for name in ("y", "vy"):
        labels = getattr(job, name).copy()
        bad = job.rng.random(len(labels)) < 0.4
        labels[bad] = (labels[bad] + 1) % CLASSES
        setattr(job, name, labels)


def _few(job, common, each):
    """Keeps the images of one class, and a few of every other."""
    kept = job.y == common
    for number in range(CLASSES):
        kept[np.flatnonzero(job.y == number)[:each]] = True
    job.x, job.y = job.x[kept], job.y[kept]


@fault(
    "one class and two images of each other", "class-imbalance", count=3000, data=("mnist", "fashion-mnist", "cifar10")
)
def _(job):
    _few(job, 0, 2)


@fault(
    "a class of a hundred and fifty images, four of each other",
    "class-imbalance",
    count=4000,
    data=("mnist", "fashion-mnist", "cifar10"),
)
def _(job):
    _few(job, 1, 4)


@fault("three classes left out of training", "class-missing", "train-test-shift")
def _(job):
    kept = job.y < 7
    job.x, job.y = job.x[kept], job.y[kept]


@fault("one class left out of training, in validation", "class-missing", "train-test-shift", "weak-class")
def _(job):
    kept = job.y != 4
    job.x, job.y = job.x[kept], job.y[kept]


@fault("validation not scaled", "train-test-shift", networks=PLAIN, scaling="unit")
def _(job):
    job.held_scale = lambda a: a


@fault("validation inverted", "train-test-shift", data=("mnist", "fashion-mnist", "digits"), scaling="unit")
def _(job):
    job.held_scale = lambda a: job.scale(255 - a)


@fault("validation scaled twice", "train-test-shift", scaling="unit")
def _(job):
    job.held_scale = lambda a: job.scale(a) / 255


@fault("validation scaled to [-1, 1], training to [0, 1]", "train-test-shift", scaling="unit")
def _(job):
    job.held_scale = lambda a: a / 127.5 - 1


@fault("validation from the last classes only", "train-test-shift", "class-missing", "ordered-batches")
def _(job):
    seen, held = job.y < 7, job.vy >= 7
    job.x, job.y = job.x[seen], job.y[seen]
    job.vx, job.vy = job.vx[held], job.vy[held]


@fault("sorted by class, not shuffled", "ordered-batches", feed="arrays")
def _(job):
    order = np.argsort(job.y, kind="stable")
    job.x, job.y = job.x[order], job.y[order]
    job.feed = "ordered"


@fault("sorted by class in two passes", "ordered-batches", feed="arrays")
def _(job):
    half = len(job.y) // 2
    order = np.concatenate([np.argsort(job.y[:half], kind="stable"), half + np.argsort(job.y[half:], kind="stable")])
    job.x, job.y = job.x[order], job.y[order]
    job.feed = "ordered"


@fault("validation images copied from training", "train-test-leak", data=("cifar10", "fashion-mnist"), epochs=8)
def _(job):
    job.vx, job.vy = job.x[: len(job.vy)].copy(), job.y[: len(job.vy)].copy()


@fault("brightness added as if images ran to 255", "augmentation-harmful", scaling="unit", augment="")
def _(job):
    job.parts.front.append(L.RandomBrightness(0.8, value_range=(0, 255), seed=1))


@fault("moved by up to nine tenths", "augmentation-harmful", scaling="unit", augment="")
def _(job):
    job.parts.front.append(L.RandomTranslation(0.9, 0.9, fill_mode="constant", seed=1))


@fault("noise ten times the image", "augmentation-harmful", scaling="unit", augment="")
def _(job):
    job.parts.front += [
        L.GaussianNoise(1.0, seed=number) for number in range(12)
    ]  # 3.5 in all; one layer takes 1 at most


@fault("turned, zoomed and cut beyond recognition", "augmentation-harmful", scaling="unit", augment="")
def _(job):
    job.parts.front += [
        L.RandomZoom((-0.95, -0.85), fill_mode="constant", seed=2),
        L.RandomRotation(0.5, fill_mode="constant", seed=1),
    ]


@fault("all training images the same", "input-range-too-small", "labels-wrong")
def _(job):
    job.x[:] = job.x[0]


@fault("training images all black but a few", "input-range-too-small", "labels-wrong", scaling="unit")
def _(job):
    job.x[job.rng.random(len(job.x)) < 0.98] = 0.0


# ------------------------------------------------------------------ structure


@fault("no softmax, categorical cross-entropy", "output-activation-missing", labels="one-hot", head="softmax")
def _(job):
    job.parts.ends = (None,)


@fault("no softmax, sparse cross-entropy", "output-activation-missing", labels="sparse", head="softmax")
def _(job):
    job.parts.ends = (None,)


@fault("no sigmoid, binary cross-entropy", "output-activation-missing", balance="two", head="softmax")
def _(job):
    job.parts.ends = (None,)


@fault("softmax twice", "output-activation-doubled", head="softmax", optimizer="sgd", rate=0.05)
def _(job):
    job.parts.ends = ("softmax", "softmax")


@fault(
    "softmax, a cast, and from_logits",
    "output-activation-doubled",
    head="logits",
    labels="sparse",
    optimizer="sgd",
    rate=0.05,
)
def _(job):
    job.parts.ends = ("softmax", L.Rescaling(1.0))


@fault(
    "sigmoid, then from_logits",
    "output-activation-doubled",
    "output-activation-wrong",
    head="logits",
    labels="one-hot",
    optimizer="sgd",
    rate=0.05,
)
def _(job):
    job.parts.ends = ("sigmoid", L.Rescaling(1.0))


@fault("relu at the end", "output-activation-wrong", head="softmax")
def _(job):
    job.parts.ends = ("relu",)


@fault("relu before softmax", "output-activation-wrong", head="softmax", start="new")
def _(job):
    job.parts.ends = ("relu", "softmax")
    job.parts.last_initializer = keras.initializers.RandomNormal(-0.05, 0.05, seed=1)


@fault("tanh at the end", "output-activation-wrong", head="softmax")
def _(job):
    job.parts.ends = ("tanh",)


@fault("softmax over the batch", "output-activation-wrong", head="softmax")
def _(job):
    job.parts.ends = (L.Softmax(axis=0),)


@fault("softmax on a single output", "output-activation-wrong", balance="two", head="softmax")
def _(job):
    job.parts.ends = ("softmax",)


@fault("one output too few", "output-size-mismatch", labels="sparse")
def _(job):
    job.parts.outputs = CLASSES - 1


@fault("half the outputs", "output-size-mismatch", labels="sparse", head="softmax")
def _(job):
    job.parts.outputs = CLASSES // 2


@fault(
    "one output for ten classes",
    "output-size-mismatch",
    "output-activation-wrong",
    "loss-unsuitable",
    labels="sparse",
    head="softmax",
)
def _(job):
    job.parts.outputs = 1


@fault(
    "no activation between layers",
    "hidden-activation-missing",
    networks=("mlp", "convnet", "vgg", "strided", "deep", "lenet"),
    data=("cifar10", "mnist"),
    pools="average",
    optimizer="adam",
)
def _(job):
    job.parts.activation = None


@fault(
    "linear hidden layers",
    "hidden-activation-missing",
    networks=("mlp", "deep", "strided"),
    data=("cifar10", "fashion-mnist", "mnist"),
    pools="average",
)
def _(job):
    job.parts.activation = "linear"


@fault(
    "sigmoid in every layer",
    "hidden-activation-saturating",
    networks=("convnet", "vgg", "deep"),
    optimizer="sgd",
    rate=0.05,
)
def _(job):
    job.parts.activation = "sigmoid"


@fault(
    "sigmoid in every layer, Adam",
    "hidden-activation-saturating",
    networks=("convnet", "vgg", "deep", "inception"),
    optimizer="adam",
    data=("cifar10", "mnist"),
)
def _(job):
    job.parts.activation = "sigmoid"


@fault(
    "tanh driven into its limits",
    "init-too-large",
    "saturated-units",
    networks=("mlp", "deep", "vgg", "lenet"),
    optimizer="sgd",
    rate=0.02,
    activation="relu",
)
def _(job):
    job.parts.activation = "tanh"
    job.parts.initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=3)
    job.parts.last_initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=4)


@fault("all weights zero", "init-constant", networks=PLAIN)
def _(job):
    job.parts.initializer = "zeros"
    job.parts.last_initializer = "zeros"


@fault("all weights one", "init-constant", networks=PLAIN)
def _(job):
    job.parts.initializer = "ones"


@fault("all weights 0.05", "init-constant", networks=PLAIN)
def _(job):
    job.parts.initializer = keras.initializers.Constant(0.05)


@fault("normal weights of deviation 1", "init-too-large", networks=PLAIN, optimizer="sgd", rate=0.02)
def _(job):
    job.parts.initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=3)
    job.parts.last_initializer = keras.initializers.RandomNormal(0.0, 1.0, seed=4)


@fault("uniform weights from -1 to 1", "init-too-large", networks=PLAIN, optimizer="adam")
def _(job):
    job.parts.initializer = keras.initializers.RandomUniform(-1, 1, seed=3)
    job.parts.last_initializer = keras.initializers.RandomUniform(-1, 1, seed=4)


@fault("variance scaling of 50", "init-too-large", networks=PLAIN, optimizer="momentum", rate=0.01)
def _(job):
    job.parts.initializer = keras.initializers.VarianceScaling(50.0, seed=3)


@fault(
    "normal weights of deviation 0.001",
    "init-too-small",
    networks=("convnet", "vgg", "lenet", "inception", "deep"),
    optimizer="sgd",
    rate=0.02,
)
def _(job):
    job.parts.initializer = keras.initializers.RandomNormal(0.0, 0.001, seed=3)


@fault(
    "He weights times 0.01",
    "init-too-small",
    networks=("convnet", "vgg", "strided", "lenet", "inception", "deep"),
    optimizer="momentum",
    rate=0.01,
)
def _(job):
    job.parts.initializer = keras.initializers.VarianceScaling(2e-4, seed=3)
    job.parts.last_initializer = keras.initializers.VarianceScaling(1e-4, seed=3)


@fault("every layer frozen", "loss-stagnant", "init-constant")
def _(job):
    job.parts.frozen = -1


@fault("biases at -10", "dead-units", networks=PLAIN)
def _(job):
    job.parts.bias = keras.initializers.Constant(-10.0)


@fault(
    "negative weights before ReLU",
    "dead-units",
    networks=("mlp", "convnet", "vgg", "strided", "lenet", "deep"),
    scaling="unit",
)
def _(job):
    job.parts.initializer = keras.initializers.RandomUniform(-0.3, -0.05, seed=3)


@fault("BatchNorm whose averages never move", "train-eval-mismatch", networks=("resnet", "bnconv", "separable"))
def _(job):
    job.parts.momentum = 1.0


@fault(
    "BatchNorm with batches of 2",
    "train-eval-mismatch",
    "learning-rate-too-high",
    networks=("resnet", "bnconv", "separable"),
    data=("digits", "mnist"),
    optimizer="momentum",
    rate=0.02,
)
def _(job):
    job.fit["batch_size"] = 1
    job.fit["epochs"] = 1


# ------------------------------------------------------------------ loss and optimizer


def _sparse(labels):
    return keras.ops.cast(keras.ops.reshape(labels, (-1,)), "int32")


def flipped(labels, outputs):
    return -keras.losses.sparse_categorical_crossentropy(_sparse(labels), outputs)


def mean_log_likelihood(labels, outputs):
    right = keras.ops.sum(labels * outputs, axis=-1)
    return keras.ops.log(right + 1e-7)


def summed(labels, outputs):
    return keras.ops.sum(keras.losses.categorical_crossentropy(labels, outputs))


def naked_log(labels, outputs):
    return -keras.ops.sum(labels * keras.ops.log(outputs) + (1 - labels) * keras.ops.log(1 - outputs), axis=-1)


@fault("squared error, small rate", "loss-unsuitable", labels="one-hot", head="softmax", optimizer="sgd", rate=0.02)
def _(job):
    job.loss = "mse"


@fault("absolute error", "loss-unsuitable", labels="one-hot", head="softmax", optimizer="adam")
def _(job):
    job.loss = "mae"


@fault("squared error on class numbers", "loss-unsuitable", "output-size-mismatch", labels="sparse", head="softmax")
def _(job):
    job.loss = "mse"
    job.parts.outputs, job.parts.ends = 1, (None,)


@fault(
    "binary cross-entropy over softmax", "loss-unsuitable", labels="one-hot", head="softmax", optimizer="sgd", rate=0.02
)
def _(job):
    job.loss = "binary_crossentropy"


@fault("hinge loss on 0 and 1", "loss-unsuitable", labels="one-hot", head="softmax")
def _(job):
    job.loss = "hinge"


@fault("categorical loss with class numbers", "loss-unsuitable", labels="sparse", head="softmax")
def _(job):
    job.loss = "categorical_crossentropy"


@fault("sparse loss with one-hot rows", "loss-unsuitable", labels="one-hot", head="softmax")
def _(job):
    job.loss = "sparse_categorical_crossentropy"


@fault("sign of the loss flipped", "loss-sign-flipped", labels="sparse", head="softmax")
def _(job):
    job.loss = flipped


@fault("likelihood instead of its negative", "loss-sign-flipped", labels="one-hot", head="softmax")
def _(job):
    job.loss = mean_log_likelihood


@fault("negative learning rate", "loss-sign-flipped", optimizer="sgd")
def _(job):
    rate = job.setup.rate
    job.optimizer = lambda: keras.optimizers.SGD(-rate)


@fault(
    "summed over the batch",
    "loss-not-averaged",
    labels="sparse",
    head="softmax",
    networks=PLAIN,
    optimizer="momentum",
    rate=0.02,
)
def _(job):
    job.loss = keras.losses.SparseCategoricalCrossentropy(reduction="sum")


@fault(
    "own loss, summed",
    "loss-not-averaged",
    labels="one-hot",
    head="softmax",
    networks=PLAIN,
    optimizer="sgd",
    rate=0.08,
)
def _(job):
    job.loss = summed


@fault(
    "logarithm of zero",
    "non-finite-loss",
    "loss-unsuitable",
    "learning-rate-too-high",
    labels="one-hot",
    head="softmax",
    optimizer="adam",
    rate=3e-3,
    epochs=8,
)
def _(job):
    job.loss = naked_log


def _rate(factory):
    def inject(job):
        job.optimizer = factory

    return inject


FAULTS_OF_RATE = {
    "Adam at 1": (("learning-rate-too-high",), lambda: keras.optimizers.Adam(1.0), {"optimizer": "adam"}),
    "Adam at 0.1": (("learning-rate-too-high",), lambda: keras.optimizers.Adam(0.1), {"optimizer": "adam"}),
    "RMSprop at 0.1": (("learning-rate-too-high",), lambda: keras.optimizers.RMSprop(0.1), {"optimizer": "rmsprop"}),
    "SGD at 20": (("learning-rate-too-high",), lambda: keras.optimizers.SGD(20.0), {"optimizer": "sgd", "rate": 0.05}),
    "momentum at 3": (("learning-rate-too-high",), lambda: keras.optimizers.SGD(3.0, momentum=0.9), {"optimizer": "momentum", "rate": 0.02}),
    "Adam at 1e-7": (("learning-rate-too-low",), lambda: keras.optimizers.Adam(1e-7), {"optimizer": "adam"}),
    "Adam at 3e-6": (("learning-rate-too-low",), lambda: keras.optimizers.Adam(3e-6), {"optimizer": "adam"}),
    "SGD at 1e-6": (("learning-rate-too-low",), lambda: keras.optimizers.SGD(1e-6), {"optimizer": "sgd", "rate": 0.05}),
    "SGD at 1e-4": (("learning-rate-too-low",), lambda: keras.optimizers.SGD(1e-4), {"optimizer": "sgd", "rate": 0.05}),
    "Adadelta at its old default": (("learning-rate-too-low",), lambda: keras.optimizers.Adadelta(0.001), {"optimizer": "adadelta", "rate": 1.0}),
    "Adagrad at 1e-5": (("learning-rate-too-low",), lambda: keras.optimizers.Adagrad(1e-5), {"optimizer": "adagrad", "rate": 0.03}),
    "a schedule that is over after ten updates": (("learning-rate-too-low",), lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.05, 1, 0.5)), {"optimizer": "sgd", "rate": 0.05}),
    "a schedule that grows": (("learning-rate-too-high",), lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.01, 10, 1.5)), {"optimizer": "sgd", "rate": 0.05}),
    "momentum 0.9999": (("optimizer-unstable",), lambda: keras.optimizers.SGD(0.02, momentum=0.9999), {"optimizer": "momentum", "rate": 0.01}),
    "beta_1 of 0.9999": (("optimizer-unstable",), lambda: keras.optimizers.Adam(1e-3, beta_1=0.9999), {"optimizer": "adam"}),
    "beta_2 of 0.01": (("optimizer-unstable",), lambda: keras.optimizers.Adam(5e-3, beta_2=0.01), {"optimizer": "adam"}),
    "epsilon of 1000": (("optimizer-unstable", "learning-rate-too-low"), lambda: keras.optimizers.Adam(1e-3, epsilon=1000.0), {"optimizer": "adam"}),
    "gradients cut to 1e-6": (("optimizer-unstable", "learning-rate-too-low"), lambda: keras.optimizers.SGD(0.05, global_clipnorm=1e-6), {"optimizer": "sgd", "rate": 0.05}),
    "weight decay of 30": (("regularization-too-strong",), lambda: keras.optimizers.AdamW(1e-3, weight_decay=300.0), {"optimizer": "adamw"}),
}  # fmt: skip
for _name, (_codes, _make, _setup) in FAULTS_OF_RATE.items():
    fault(_name, *_codes, schedule="", clip=0.0, **_setup)(_rate(_make))

# ------------------------------------------------------------------ regularization and result


@fault("L2 of 3", "regularization-too-strong", l2=0.0, optimizer="adam")
def _(job):
    job.parts.regularizer = keras.regularizers.L2(3.0)


@fault("L1 of 0.1", "regularization-too-strong", l2=0.0, optimizer="sgd", rate=0.02)
def _(job):
    job.parts.regularizer = keras.regularizers.L1(0.1)


@fault(
    "dropout of 0.97",
    "regularization-too-strong",
    networks=("mlp", "convnet", "vgg", "resnet", "lenet", "bnconv", "separable", "inception", "deep"),
)
def _(job):
    job.parts.dropout = 0.97


@fault("sample weights of zero", "loss-stagnant", "loss-unsuitable", feed="arrays", balance="even")
def _(job):
    job.fit["sample_weight"] = np.zeros(len(job.y), "float32")


@fault("sixty training images", "high-variance", data=("cifar10", "fashion-mnist"), epochs=8, optimizer="adam")
def _(job):
    job.x, job.y = job.x[:60], job.y[:60]
    job.fit["epochs"] = 25


@fault("a hundred colour images by heart", "high-variance", data=("cifar10",), epochs=8, optimizer="adam", dropout=0.0)
def _(job):
    job.x, job.y = job.x[:150], job.y[:150]
    job.fit["epochs"] = 25


@fault(
    "one unit in the middle",
    "high-bias",
    networks=("mlp", "vgg", "deep", "lenet", "strided"),
    data=("digits", "mnist"),
    epochs=10,
)
def _(job):
    job.parts.width = 1 if job.setup.network in ("vgg", "strided") else 0.25
    job.parts.width = max(1, int(job.parts.width))
    if job.setup.network in ("mlp", "deep"):
        job.parts.dense = lambda x, units: job.parts.act(L.Dense(1, **job.parts.weights())(x))


@fault("one class mostly labelled as another", "weak-class", "label-noise", data=("digits", "mnist", "fashion-mnist"))
def _(job):
    bad = (job.y == 3) & (job.rng.random(len(job.y)) < 0.9)
    job.y = np.where(bad, 5, job.y)


@fault("a class weighted to nothing", "weak-class", "class-missing", labels="sparse", feed="arrays", balance="even")
def _(job):
    job.fit["class_weight"] = {k: (0.0 if k in (2, 7) else 1.0) for k in range(CLASSES)}


@fault("validation labels shuffled", "train-test-shift", "labels-wrong", "label-noise", "high-variance")
def _(job):
    job.vy = job.rng.permutation(job.vy)


@fault("a few updates in all", "undertrained", "high-bias", "learning-rate-too-low", optimizer="sgd", rate=0.02)
def _(job):
    job.fit["epochs"] = 1
    job.fit["batch_size"] = 256


ALL = FAULTS
UNNORMED = tuple(name for name in PLAIN if name not in NORMED)
