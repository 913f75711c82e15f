"""Augmentation that leaves images what they are is left alone; what spoils them is found."""

from typing import Any

import keras
import numpy as np
import pytest
from doctor_cases import L, conv, digits

import seewell
from seewell.doctor.image_statistics import AugmentationFacts
from seewell.doctor.probes.anatomy import Anatomy
from seewell.doctor.probes.augmentation import augmentation_facts
from seewell.doctor.probes.random_part import network_augmentation
from seewell.doctor.rules.augmentation import judge_augmentation, judge_flat_batches

RAW, LABELS = digits()
UNIT = RAW[:256] / 16
FINE = AugmentationFacts(0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 1.0, 0.95, 0.1, 256)


def changed(images: np.ndarray, *layers: Any) -> list[seewell.Finding]:
    keras.utils.set_random_seed(0)
    out: Any = images
    for layer in layers:
        out = layer(out, training=True)
    return judge_augmentation(augmentation_facts(images, np.asarray(out), LABELS[: len(images)]))


@pytest.mark.parametrize(
    "layers",
    [
        [],
        [L.RandomFlip("horizontal")],
        [L.RandomTranslation(0.1, 0.1)],
        [L.RandomRotation(0.05)],
        [L.RandomZoom(0.2)],
        [L.RandomContrast(0.2, value_range=(0, 1))],
        [L.RandomBrightness(0.2, value_range=(0, 1))],
        [L.RandomErasing(1.0, value_range=(0, 1))],
        [L.GaussianNoise(0.1)],
        [L.RandomFlip("horizontal"), L.RandomRotation(0.1), L.RandomZoom(0.1), L.RandomTranslation(0.1, 0.1)],
    ],
)
def test_usual_augmentation_is_fine(layers: list[Any]) -> None:
    assert changed(UNIT, *layers) == []


@pytest.mark.parametrize(
    ("layer", "scale", "words"),
    [
        (L.RandomBrightness(0.2, value_range=(0, 255)), lambda x: x, "one colour"),
        (L.RandomBrightness(0.2, value_range=(0, 1)), lambda x: 255 * x, "one colour"),
        (L.RandomContrast(0.2, value_range=(0, 1)), lambda x: 2 * x - 1, "cut off"),
        (L.RandomErasing(1.0, value_range=(0, 255)), lambda x: x, "value_range"),
        (L.RandomRotation(0.5), lambda x: x, "resemble"),
        (L.RandomTranslation(0.9, 0.9), lambda x: x, "resemble"),
        (L.RandomZoom((0.7, 0.9)), lambda x: x, "resemble"),
    ],
)
def test_what_spoils_images_is_found(layer: Any, scale: Any, words: str) -> None:
    found = changed(scale(UNIT).astype("float32"), layer)
    assert [one.code for one in found] == ["augmentation-harmful"]
    assert words in found[0].message


def test_a_published_mixture_and_identical_images_give_known_figures() -> None:
    same = augmentation_facts(UNIT, UNIT, LABELS[:256])
    assert (same.flat, same.change, same.lost, same.outside, same.recognized) == (0.0, 0.0, 0.0, 0.0, 1.0)
    gone = augmentation_facts(UNIT, 0 * UNIT, LABELS[:256])
    assert gone.flat == 1.0
    assert judge_augmentation(gone)[0].severity == "critical"
    broken = UNIT.copy()
    broken[:64] = np.nan
    assert augmentation_facts(UNIT, broken, LABELS[:256]).not_finite == 0.25


def network(*layers: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, *conv()])
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(
    ("layers", "harmful"),
    [
        ([L.Rescaling(1 / 256)], None),
        ([L.Dropout(0.2)], None),
        ([L.RandomTranslation(0.1, 0.1), L.Rescaling(1 / 256), L.Flatten(), L.Reshape((8, 8, 1))], False),
        ([L.Rescaling(1 / 256), L.RandomBrightness(0.2)], True),
        ([keras.Sequential([keras.Input((8, 8, 1)), L.RandomRotation(0.5)]), L.Rescaling(1 / 256)], True),
    ],
)
def test_the_networks_own_layers_are_run_alone(layers: list[Any], harmful: bool | None) -> None:
    model = network(*layers)
    state = [variable.numpy().copy() for variable in model.variables]
    facts = network_augmentation(Anatomy(model), RAW[:256] * 16, LABELS[:256])
    for before, after in zip(state, model.variables, strict=True):
        np.testing.assert_array_equal(before, after.numpy())
    assert (facts is None) == (harmful is None)
    assert facts is None or bool(judge_augmentation(facts)) == harmful


def test_examine_names_it() -> None:
    found = seewell.examine(network(L.Rescaling(1 / 256), L.RandomBrightness(0.2)), RAW[:256] * 16, LABELS[:256])
    assert "augmentation-harmful" in [one.code for one in found]


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({}, None),
        ({"flat": 0.29}, None),
        ({"flat": 0.31}, "warning"),
        ({"flat": 0.95}, "critical"),
        ({"not_finite": 0.01}, "warning"),
        ({"scale_ratio": 3.1}, "warning"),
        ({"mean_shift": -1.1}, "warning"),
        ({"lost": 0.11}, "warning"),
        ({"recognized": 0.53}, None),
        ({"recognized": 0.40}, "warning"),
        ({"recognized": 0.40, "count": 40}, None),
        ({"count": 0, "flat": 1.0}, None),
    ],
)
def test_the_rule_and_its_limits(change: dict[str, float], severity: str | None) -> None:
    found = judge_augmentation(AugmentationFacts(**(vars(FINE) | change)))  # type: ignore[arg-type]
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_without_plain_images_only_images_of_one_colour_are_judged() -> None:
    assert judge_flat_batches(0.5, 0.0, 500)[0].code == "augmentation-harmful"
    assert judge_flat_batches(0.5, 0.4, 500) == []
    assert judge_flat_batches(0.5, 0.0, 20) == []


def test_random_layers_run_in_training_mode_and_only_there() -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), L.RandomBrightness(0.2, value_range=(0, 1)), L.Dropout(0.5), L.Flatten(), L.Dense(10)]
    )
    anatomy = Anatomy(model)
    images = (0.1 + 0.8 * UNIT[:50]).astype("float32")
    inference = np.asarray(anatomy.first_input(anatomy.values(images, training=False)))
    np.testing.assert_allclose(inference, images.reshape(50, -1), rtol=1e-6)
    training = np.asarray(anatomy.first_input(anatomy.values(images, training=True)))
    assert (training == 0).mean() == pytest.approx(0.5, abs=0.1)
