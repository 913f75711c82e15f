"""Pipelines over sorted data: a full shuffle mends them, a short one does not, and a part says nothing of the rest."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from breadth_cases import compiled, small
from doctor_cases import digits
from PIL import Image

import seewell
from seewell.doctor.probes.datasets import read_batches
from seewell.doctor.probes.sample import take_sample

X, Y = digits()
X = X / 16
ORDER = np.argsort(Y[:1300], kind="stable")
SORTED, LABELS = X[:1300][ORDER], Y[:1300][ORDER]
HELD = (X[1300:], Y[1300:])


def slices() -> Any:
    return tf.data.Dataset.from_tensor_slices((SORTED, LABELS))


def generated() -> Any:
    """Without a known length."""
    return slices().filter(lambda image, label: label >= 0)


def codes(data: Any, held: Any = HELD) -> list[str]:
    found = seewell.examine(compiled(small()), data, validation_data=held)
    return [one.code for one in found if one.severity != "info"]


HEALTHY = {
    "shuffled": lambda: slices().shuffle(1300).batch(8),
    "cached": lambda: slices().cache().shuffle(1300, seed=1).batch(8).prefetch(2),
    "mapped before": lambda: slices().map(lambda a, b: (2 * a - 1, b)).shuffle(1000).batch(8),
    "mapped after": lambda: slices().shuffle(1300).map(lambda a, b: (a, b), 2).batch(8).map(lambda a, b: (a, b)),
    "repeated": lambda: slices().repeat().shuffle(1300).batch(8),
    "zipped": lambda: (
        tf.data.Dataset.zip((tf.data.Dataset.from_tensor_slices(SORTED), tf.data.Dataset.from_tensor_slices(LABELS)))
        .shuffle(1300)
        .batch(8)
    ),
    "by number": lambda: (
        tf.data.Dataset.range(1300).shuffle(1300).map(lambda n: (tf.gather(SORTED, n), tf.gather(LABELS, n))).batch(8)
    ),
    "cannot be looked up": lambda: generated().shuffle(1300).batch(8),
}


DEFAULT = ("cached", "mapped before", "zipped", "cannot be looked up")


@pytest.mark.parametrize(
    "name", [name if name in DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in HEALTHY]
)
def test_a_full_shuffle_over_sorted_data_is_healthy(name: str) -> None:
    assert codes(HEALTHY[name]()) == []


@pytest.mark.parametrize("make", [lambda: slices().shuffle(100).batch(8), lambda: slices().batch(8)])
def test_a_short_shuffle_over_sorted_data_is_named_and_nothing_else(make: Any) -> None:
    assert codes(make()) == ["ordered-batches"]


@pytest.mark.parametrize("known", [True, False])
def test_sorted_validation_images_are_no_shift(known: bool) -> None:
    train, held = (tf.data.Dataset.from_tensor_slices((SORTED[i::2], LABELS[i::2])) for i in (0, 1))
    held = held if known else held.filter(lambda image, label: label >= 0)
    assert codes(train.shuffle(650).batch(4), held.batch(4)) == []


def test_a_sample_comes_from_all_over_the_data() -> None:
    for data in (slices().shuffle(1300).batch(8), slices().batch(8)):
        sample = take_sample(data, None, 10)
        assert sample is not None
        assert not sample.complete
        assert len(np.unique(sample.all_labels)) == 10
        images = {image.tobytes(): label for image, label in zip(SORTED, LABELS, strict=True)}
        assert all(images[i.tobytes()] == label for i, label in zip(sample.images, sample.labels, strict=True))


def test_skip_take_and_shard_count() -> None:
    data = tf.data.Dataset.range(100).skip(20).take(50).shard(5, 3).map(lambda n: (n, n)).batch(4)
    reading = read_batches(data, 16)
    assert reading is not None
    assert reading.complete
    assert [int(n) for batch, _ in reading.batches for n in batch] == [int(n) for batch, _ in data for n in batch]


def test_a_folder_of_images_is_healthy(tmp_path: Path) -> None:
    import keras

    for number, (image, label) in enumerate(zip(SORTED[::5], LABELS[::5], strict=True)):
        folder = tmp_path / str(label)
        os.makedirs(folder, exist_ok=True)
        Image.fromarray((image[..., 0] * 255).astype("uint8")).save(folder / f"{number}.png")
    data = keras.utils.image_dataset_from_directory(
        tmp_path, image_size=(8, 8), color_mode="grayscale", batch_size=8, seed=1, verbose=False
    )
    assert codes(data.map(lambda a, b: (a / 255, b)), None) == []
