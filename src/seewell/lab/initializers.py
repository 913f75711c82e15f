"""LTFN 6 as numbers: what the four initializers do to the values of the four-layer ConvNet.

The series looks at histograms of each layer's values before ReLU, of the
logits and of the softmax. Weights of standard deviation 1 make values grow a
hundredfold from layer to layer until softmax says only 0 or 1; a hundredth of
them makes the values fade until every class gets a tenth; Xavier's and He's
keep them in one order of magnitude.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from seewell.data.dataset import ImageDataset
from seewell.seeds import seed_everything

if TYPE_CHECKING:
    import keras

__all__ = ["INITIALIZERS", "LEARNING_RATES", "InitializerFacts", "LayerFacts", "Look", "look", "write_tensorboard"]

INITIALIZERS = ("normal", "small-normal", "xavier", "he")
"""The names in the order of the series."""

LEARNING_RATES = {"normal": 1e-7, "small-normal": 1e-7, "xavier": 1e-3, "he": 1e-3}
"""Plain SGD's rate for each, as the series had it."""

_IMAGES = BATCH = 100
_KEPT = 200_000

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LayerFacts:
    """The values of a layer before its nonlinearity, all of them.

    Attributes:
        deviation: Standard deviation.
        lowest: Smallest value.
        highest: Largest value.
        zeros: Share of values that are exactly 0: where the image is black all round.
    """

    deviation: float
    lowest: float
    highest: float
    zeros: float


@dataclass(frozen=True)
class InitializerFacts:
    """What one initializer does to a batch.

    Attributes:
        layers: By layer name, in order; the last is "logits".
        largest_probability: Mean over the images of the largest probability.
        cost: Softmax cross-entropy, in nats.
        accuracy: Share of the images classified correctly.
    """

    layers: dict[str, LayerFacts]
    largest_probability: float
    cost: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Look:
    """All four initializers on the same images.

    Attributes:
        source: Where the images come from.
        images: How many.
        classes: How many classes.
        steps: Updates made before looking.
        facts: By initializer.
        values: By initializer and layer (and "probabilities"): float32, at most 200,000 drawn at random.
    """

    source: str
    images: int
    classes: int
    steps: int
    facts: dict[str, InitializerFacts]
    values: dict[str, dict[str, Floats]]

    def to_dict(self) -> dict[str, Any]:
        """The facts as plain values, ready for JSON."""
        return {
            "source": self.source,
            "images": self.images,
            "steps": self.steps,
            "initializers": {name: asdict(one) for name, one in self.facts.items()},
        }

    def sentence(self) -> str:
        """What the histograms show, in words."""
        when = f"After {self.steps:,} updates" if self.steps else "Before training"
        told = []
        for name, one in self.facts.items():
            before_logits = list(one.layers.values())[-2]
            size = before_logits.deviation
            told.append(f"{name} {f'{size:,.0f}' if size >= 10 else f'{size:.2g}'} ({one.largest_probability:.2f})")
        return (
            f"{when}, the values of the last convolution have a standard deviation of (and the surest class gets on "
            f"average): {', '.join(told)}; guessing would be {1 / self.classes:.2f}."
        )


def look(dataset: ImageDataset, *, steps: int = 0, seed: int = 0) -> Look:
    """Build the ConvNet under each initializer and read its values on 100 training images.

    Args:
        dataset: The images.
        steps: Updates with plain SGD, at the rate that the series had, before looking. 0: before training.
        seed: Decides the weights and the batches; the random state of Python, NumPy and Keras starts from it.

    Raises:
        NetworkError: The images are too small for the network.
    """
    rows = np.random.default_rng(seed).permutation(len(dataset.train))[:_IMAGES]
    images, labels = dataset.train.images[np.sort(rows)], dataset.train.labels[np.sort(rows)]
    facts, values = {}, {}
    for name in INITIALIZERS:
        network = _network(dataset, name, seed)
        if steps:
            _train(network, dataset, steps, LEARNING_RATES[name], seed)
        facts[name], values[name] = _read(network, images, labels)
    return Look(dataset.name, len(images), dataset.num_classes, steps, facts, values)


def write_tensorboard(found: Look, folder: Path) -> None:
    """Write the values as TensorBoard histograms, a run an initializer.

    Args:
        found: What was seen.
        folder: Gets a folder an initializer, to be opened with ``tensorboard --logdir``. Event files
            of an earlier look that lie there are shown beside the new ones.

    Raises:
        OSError: The folder cannot be written to.
    """
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    for name, layers in found.values.items():
        (folder / name).mkdir(exist_ok=True)
        writer = tf.summary.create_file_writer(str(folder / name))
        with writer.as_default():
            for layer, values in layers.items():
                kind = "probabilities" if layer == "probabilities" else f"pre-activations/{layer}"
                tf.summary.histogram(kind, values[np.isfinite(values)], found.steps)
        writer.close()


def _network(dataset: ImageDataset, initializer: str, seed: int) -> "keras.Model":
    from seewell.networks.registry import build_network

    seed_everything(seed)
    return build_network(
        "convnet", input_shape=dataset.image_shape, num_classes=dataset.num_classes, initializer=initializer
    )


def _train(network: "keras.Model", dataset: ImageDataset, steps: int, learning_rate: float, seed: int) -> None:
    """Plain SGD on the logits, so that a probability of 0 costs its true price."""
    import keras

    logits = keras.Model(network.input, network.get_layer("logits").output)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits.compile(optimizer=keras.optimizers.SGD(learning_rate), loss=loss)
    for rows in _batches(len(dataset.train), steps, seed):
        logits.train_on_batch(dataset.train.images[rows], dataset.train.labels[rows])


def _batches(count: int, steps: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Rows of each batch; every epoch in a new order, what does not fill a batch left out."""
    size = min(BATCH, count)
    order = np.random.default_rng(seed).permutation(count)
    at = 0
    for step in range(steps):
        if at + size > count:
            order, at = np.random.default_rng((seed, step)).permutation(count), 0
        yield np.sort(order[at : at + size])
        at += size


def _read(
    network: "keras.Model", images: NDArray[np.uint8], labels: NDArray[np.int64]
) -> tuple[InitializerFacts, dict[str, Floats]]:
    from seewell.networks.taps import Taps

    layers = Taps(network).pre_activations(images)
    logits = layers["logits"].astype(np.float64)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    probabilities = np.exp(log_probabilities)
    facts = InitializerFacts(
        layers={name: _layer(values) for name, values in layers.items()},
        largest_probability=float(probabilities.max(axis=1).mean()),
        cost=float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        accuracy=float((logits.argmax(axis=1) == labels).mean()),
    )
    values = {**layers, "probabilities": probabilities.astype(np.float32)}
    return facts, {name: _some(one) for name, one in values.items()}


def _layer(values: Floats) -> LayerFacts:
    return LayerFacts(
        deviation=float(values.std(dtype=np.float64)),
        lowest=float(values.min()),
        highest=float(values.max()),
        zeros=float((values == 0).mean()),
    )


def _some(values: Floats) -> Floats:
    flat = values.reshape(-1)
    if len(flat) <= _KEPT:
        return flat
    # Not every n-th: that would read the same channels of every pixel.
    return flat[np.random.default_rng(0).integers(0, len(flat), _KEPT)]
