"""A training as a value (`Setup`), and what is made of it before the network is built (`Job`), which faults change."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import keras
import numpy as np
from images import CLASSES, splits

from networks import NORMED, Parts, build

L = keras.layers


@dataclass(frozen=True)
class Setup:
    """One training; the same value gives the same training."""

    data: str = "digits"
    network: str = "convnet"
    seed: int = 0
    count: int = 1000
    scaling: str = "unit"
    labels: str = "sparse"
    head: str = "softmax"
    optimizer: str = "adam"
    rate: float = 1e-3
    batch: int = 32
    epochs: int = 8
    activation: str = "relu"
    precision: str = "float32"
    augment: str = ""
    dropout: float = 0.0
    l2: float = 0.0
    schedule: str = ""
    balance: str = "even"
    smoothing: float = 0.0
    feed: str = "arrays"
    start: str = "new"
    pools: str = "max"
    width: int = 16
    clip: float = 0.0

    def to_dict(self):
        return {k: v for k, v in asdict(self).items() if v != getattr(Setup, k)} | {
            "data": self.data,
            "network": self.network,
        }


@dataclass
class Job:
    """All that a training needs, open to change."""

    setup: Setup
    x: Any
    y: Any
    vx: Any
    vy: Any
    tx: Any
    ty: Any
    parts: Parts
    scale: Callable[[Any], Any]
    optimizer: Callable[[], Any]
    loss: Any
    held_scale: Callable[[Any], Any] | None = None
    encode: Callable[[Any], Any] = lambda y: y
    held_encode: Callable[[Any], Any] | None = None
    feed: str = "arrays"
    fit: dict[str, Any] = field(default_factory=dict)
    rng: Any = None

    @property
    def steps(self):
        return max(1, len(self.y) // self.setup.batch)


OPTIMIZERS = {
    "sgd": lambda rate, **more: keras.optimizers.SGD(rate, **more),
    "momentum": lambda rate, **more: keras.optimizers.SGD(rate, momentum=0.9, **more),
    "nesterov": lambda rate, **more: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, **more),
    "adam": lambda rate, **more: keras.optimizers.Adam(rate, **more),
    "adamw": lambda rate, **more: keras.optimizers.AdamW(rate, weight_decay=1e-3, **more),
    "nadam": lambda rate, **more: keras.optimizers.Nadam(rate, **more),
    "adamax": lambda rate, **more: keras.optimizers.Adamax(rate, **more),
    "rmsprop": lambda rate, **more: keras.optimizers.RMSprop(rate, **more),
    "adagrad": lambda rate, **more: keras.optimizers.Adagrad(rate, **more),
    "adadelta": lambda rate, **more: keras.optimizers.Adadelta(rate, **more),
    "lion": lambda rate, **more: keras.optimizers.Lion(rate, **more),
}
ADAPTIVE = ("adam", "adamw", "nadam", "adamax", "rmsprop", "adagrad", "adadelta", "lion")


def cross_entropy(setup):
    """The loss that fits the setup's labels and head."""
    logits = setup.head == "logits"
    if setup.balance == "two":
        return keras.losses.BinaryCrossentropy(from_logits=logits)
    if setup.labels == "one-hot":
        return keras.losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=setup.smoothing)
    if logits:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return "sparse_categorical_crossentropy"


def scaler(kind, x):
    """The way from pixels (0 to 255) to what is given to `fit`, fitted on the training images."""
    if kind == "unit":
        return lambda a: a / 255
    if kind == "signed":
        return lambda a: a / 127.5 - 1
    if kind == "zscore":
        mean, deviation = x.mean(), x.std()
        return lambda a: (a - mean) / deviation
    if kind == "per-channel":
        mean, deviation = x.mean((0, 1, 2)), x.std((0, 1, 2)) + 1e-6
        return lambda a: (a - mean) / deviation
    if kind == "mean-image":
        mean = x.mean(0)
        return lambda a: a - mean
    if kind == "mean-image-unit":
        mean = x.mean(0)
        return lambda a: (a - mean) / 255
    if kind == "bytes":
        return lambda a: np.round(a).astype("uint8")
    return lambda a: a  # "rescaling-inside", "normalization-inside", "raw"


def prepare(setup):
    """The healthy job of a setup."""
    (x, y), (vx, vy), (tx, ty) = splits(setup.data, setup.count, setup.seed)
    rng = np.random.default_rng([setup.seed, 13])
    parts = Parts(activation=setup.activation, dropout=setup.dropout, pools=setup.pools, width=setup.width)
    if setup.l2:
        parts.regularizer = keras.regularizers.L2(setup.l2)
    x, y = _balanced(setup, x, y, rng)
    if setup.balance == "two":
        y, vy, ty = ((one > 4).astype("int64") for one in (y, vy, ty))
        parts.outputs = 1
    parts.ends = (None,) if setup.head == "logits" else ("sigmoid" if setup.balance == "two" else "softmax",)
    if setup.start == "zero-last":
        parts.last_initializer = "zeros"
    if setup.start == "random-normal":
        parts.initializer = keras.initializers.RandomNormal(stddev=0.05, seed=setup.seed)
    if setup.start == "orthogonal":
        parts.initializer = keras.initializers.Orthogonal(seed=setup.seed)
    if setup.start == "frozen-first":
        parts.frozen = 1
    if setup.scaling in ("rescaling-inside", "bytes"):
        parts.front.append(L.Rescaling(1 / 255))
    if setup.scaling == "normalization-inside":
        layer = L.Normalization(axis=-1)
        layer.adapt(x)
        parts.front.append(layer)
    scale = scaler(setup.scaling, x)
    parts.front += _augmentation(setup)
    classes = 2 if setup.balance == "two" else CLASSES
    encode = (
        (lambda labels: np.eye(classes, dtype="float32")[labels])
        if setup.labels == "one-hot"
        else (lambda labels: labels)
    )
    job = Job(
        setup,
        x,
        y,
        vx,
        vy,
        tx,
        ty,
        parts,
        scale,
        lambda: None,
        cross_entropy(setup),
        encode=encode,
        feed=setup.feed,
        rng=rng,
    )
    job.fit = {"epochs": setup.epochs, "batch_size": setup.batch}
    if setup.balance == "weighted":
        counts = np.bincount(y, minlength=CLASSES)
        job.fit["class_weight"] = {k: len(y) / (CLASSES * max(1, c)) for k, c in enumerate(counts)}
    job.optimizer = _optimizer(setup, job)
    return job


def _balanced(setup, x, y, rng):
    if setup.balance not in ("long-tail", "weighted", "one-rare"):
        return x, y
    shares = np.ones(CLASSES) if setup.balance == "one-rare" else 0.2 ** (np.arange(CLASSES) / (CLASSES - 1))
    if setup.balance == "one-rare":
        shares[3] = 0.2
    kept = rng.random(len(y)) < shares[y]
    return x[kept], y[kept]


def _augmentation(setup):
    unit = setup.scaling in ("unit", "rescaling-inside", "bytes")
    made = {
        "": [],
        "shift": lambda: [L.RandomTranslation(0.1, 0.1, seed=setup.seed)],
        "flip": lambda: [L.RandomFlip("horizontal", seed=setup.seed)],
        "flip-shift": lambda: [
            L.RandomFlip("horizontal", seed=setup.seed),
            L.RandomTranslation(0.1, 0.1, seed=setup.seed + 1),
        ],
        "rotate": lambda: [L.RandomRotation(0.04, seed=setup.seed)],
        "zoom-contrast": lambda: [
            L.RandomZoom(0.1, seed=setup.seed),
            *([L.RandomContrast(0.2, value_range=(0, 1), seed=setup.seed)] if unit else []),
        ],
        "brightness": lambda: [L.RandomBrightness(0.15, value_range=(0, 1), seed=setup.seed)] if unit else [],
        "noise": lambda: [L.GaussianNoise(0.05, seed=setup.seed)],
    }[setup.augment]
    return made() if callable(made) else made


def _optimizer(setup, job):
    def make():
        total = setup.epochs * job.steps
        rate = setup.rate
        if setup.schedule == "cosine":
            rate = keras.optimizers.schedules.CosineDecay(setup.rate, total)
        elif setup.schedule == "warm-up":
            rate = keras.optimizers.schedules.CosineDecay(
                0.0, total, warmup_target=setup.rate, warmup_steps=max(1, total // 10)
            )
        elif setup.schedule == "exponential":
            rate = keras.optimizers.schedules.ExponentialDecay(setup.rate, max(1, total // 4), 0.6)
        more = {"global_clipnorm": setup.clip} if setup.clip else {}
        return OPTIMIZERS[setup.optimizer](rate, **more)

    return make


def compiled(job):
    """The network of a job, compiled."""
    setup = job.setup
    keras.utils.set_random_seed(setup.seed)
    before = keras.config.dtype_policy()
    policy = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}[setup.precision]
    keras.config.set_dtype_policy(policy)
    try:
        model = build(setup.network, job.x.shape[1:], job.parts)
    finally:
        keras.config.set_dtype_policy(before)
    model.compile(job.optimizer(), job.loss, metrics=["accuracy"])
    return model


# ------------------------------------------------------------------ healthy trainings


RATES = {
    "sgd": (0.02, 0.1), "momentum": (0.005, 0.03), "nesterov": (0.005, 0.03), "adam": (5e-4, 3e-3),
    "adamw": (5e-4, 3e-3), "nadam": (5e-4, 2e-3), "adamax": (1e-3, 5e-3), "rmsprop": (3e-4, 1.5e-3),
    "adagrad": (0.01, 0.05), "adadelta": (0.5, 1.5), "lion": (1e-4, 4e-4),
}  # fmt: skip
LENGTHS = {"digits": (900, 6), "mnist": (2000, 3), "fashion-mnist": (2000, 3), "cifar10": (2500, 4)}
HEALTHY_SETS = ("digits", "mnist", "fashion-mnist", "digits", "mnist", "fashion-mnist", "cifar10")
"""Fewer of CIFAR-10: in the few minutes that each may take, most are not healthy in the end."""
HEALTHY_LENGTHS = LENGTHS | {"cifar10": (6000, 3)}
"""More images of CIFAR-10: of 2,500, a network learns the training split by heart long before the rest."""
SLOW = ("separable", "vit")
"""Networks that learn slowly: twice as many epochs."""
TOO_HARD = {("vit", "cifar10"), ("deep", "cifar10")}
"""What does not get anywhere in the minutes that a training may take here: on Fashion-MNIST instead."""


def healthy(half_networks, number, seed, datasets=HEALTHY_SETS):
    """So many healthy trainings of wide variety, drawn with a fixed seed."""
    rng = np.random.default_rng([seed, 17])
    networks, found = list(half_networks), []
    halves = 0
    for place in range(number):
        pick = lambda *options: options[int(rng.integers(len(options)))]  # noqa: E731
        network = networks[place % len(networks)]
        data = datasets[(place // len(networks)) % len(datasets)]
        if (network, data) in TOO_HARD:
            data = "fashion-mnist"
        optimizer = list(RATES)[int(rng.integers(len(RATES)))]
        low, high = RATES[optimizer]
        scaling = pick(
            "unit",
            "unit",
            "signed",
            "zscore",
            "per-channel",
            "mean-image",
            "mean-image-unit",
            "rescaling-inside",
            "normalization-inside",
            "bytes",
        )
        rate = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        if scaling == "mean-image" and network not in NORMED:
            optimizer = optimizer if optimizer in ("adam", "adamw", "nadam", "adamax", "rmsprop", "lion") else "adam"
            rate = min(rate, 5e-4)
        labels = pick("sparse", "sparse", "one-hot")
        balance = pick(*["even"] * 6, "two", "long-tail", "weighted", "one-rare")
        precision = pick(*["float32"] * 8, "bfloat16", "float16") if data == "digits" else "float32"
        if precision == "float16":
            halves += 1
            precision = "float16" if halves <= 2 else "float32"
        activation = pick(*["relu"] * 6, "leaky_relu", "elu", "gelu", "swish", "tanh")
        count, epochs = HEALTHY_LENGTHS[data]
        longer = pick(1, 1, 1, 2) * (2 if optimizer in ("sgd", "adagrad", "adadelta") else 1)
        longer *= 2 if network in SLOW or data == "digits" else 1
        setup = Setup(
            data=data, network=network, seed=1000 * seed + place, count=int(count * pick(0.6, 1, 1)), scaling=scaling,
            labels="sparse" if balance == "two" else labels, head=pick("softmax", "softmax", "logits"),
            optimizer=optimizer, rate=float(f"{rate:.3g}"), batch=pick(16, 32, 32, 64), epochs=epochs * longer,
            activation=activation, precision=precision,
            augment=pick(*[""] * 6, "shift", "flip" if data in ("cifar10", "fashion-mnist") else "shift", "rotate", "zoom-contrast", "brightness", "noise"),
            dropout=pick(0.0, 0.0, 0.2, 0.5), l2=pick(0.0, 0.0, 0.0, 1e-4, 5e-4),
            schedule=pick("", "", "", "cosine", "warm-up", "exponential"), balance=balance,
            smoothing=pick(0.0, 0.1) if labels == "one-hot" and balance != "two" else 0.0,
            feed=pick("arrays", "arrays", "arrays", "dataset", "sequence") if balance != "weighted" else "arrays",
            start=pick(*["new"] * 7, "trained", "zero-last", "random-normal" if network in NORMED else "new", "orthogonal"),
            pools=pick("max", "max", "average"), width=pick(12, 16, 16, 24), clip=pick(*[0.0] * 5, 1.0),
        )  # fmt: skip
        found.append(setup)
    return found


def smaller(setup, **changes):
    """A copy with some settings changed."""
    return replace(setup, **changes)
