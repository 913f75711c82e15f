"""Validation against training: near copies, exchanged channels, inverted, blurred and differently scaled images."""

import io

import numpy as np
import pytest
from doctor_cases import digits
from PIL import Image
from scipy.ndimage import gaussian_filter

from seewell.doctor.image_statistics import DriftFacts
from seewell.doctor.probes.copies import near_copies
from seewell.doctor.probes.drift import drift_facts
from seewell.doctor.rules.drift import judge_drift

FINE = DriftFacts(0.0, 500, False, False, 1.0, 0.0, 0.0, 0.0, True, 500)


def photographs(count: int, seed: int) -> np.ndarray:
    """Smooth fields, redder than blue and lighter above, with fine structure; uint8 (N, 32, 32, 3)."""
    draw = np.random.default_rng(seed)
    smooth = gaussian_filter(draw.normal(size=(count, 32, 32, 1)), (0, 5, 5, 0)) * 500
    fine = gaussian_filter(draw.normal(size=(count, 32, 32, 1)), (0, 1, 1, 0)) * 60
    slope = np.linspace(40, -40, 32)[None, :, None, None]
    return np.clip(128 + smooth + fine + slope + np.array([15, 0, -15]), 0, 255).astype("uint8")


def saved_as_jpeg(images: np.ndarray) -> np.ndarray:
    found = []
    for image in images:
        held = io.BytesIO()
        Image.fromarray(image).save(held, "JPEG", quality=90)
        found.append(np.asarray(Image.open(held)))
    return np.stack(found)


TRAIN, OTHER = photographs(300, 0), photographs(120, 1)


def codes(train: np.ndarray, validation: np.ndarray, *, plain: bool = True) -> list[str]:
    return [one.code for one in judge_drift(drift_facts(train, validation, plain=plain, copies=True))]


@pytest.mark.parametrize(
    "change",
    [
        saved_as_jpeg,
        lambda x: np.clip(x.astype("int64") + 12, 0, 255).astype("uint8"),
        lambda x: x[:, :, ::-1],
        lambda x: np.roll(x, 1, axis=2),
        lambda x: np.roll(x, -1, axis=1)[:, :, ::-1],
    ],
)
def test_near_copies_are_found(change: object) -> None:
    mixed = np.concatenate([OTHER[:100], change(TRAIN[:20])])  # type: ignore[operator]
    assert codes(TRAIN, mixed) == ["train-test-leak"]


def test_all_brightened_copies_are_counted() -> None:
    brighter = np.clip(TRAIN[:20].astype("int64") + 12, 0, 255).astype("uint8")
    mixed = np.concatenate([OTHER[:100], brighter])
    assert drift_facts(TRAIN, mixed, plain=True, copies=True).near_copies == pytest.approx(20 / 120)


def test_exact_copies_are_left_to_the_other_probe_and_different_images_are_none() -> None:
    assert codes(TRAIN, np.concatenate([OTHER, TRAIN[:10]])) == []
    assert codes(TRAIN, OTHER) == []


def test_digits_of_a_class_are_no_copies_of_each_other() -> None:
    images, _ = digits()
    assert len(near_copies(images[:1300], images[1300:])) == 0  # too small to tell
    large = images.repeat(4, axis=1).repeat(4, axis=2)
    assert codes(large[:1300], large[1300:]) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x: x[..., ::-1], "RGB against BGR"),
        (lambda x: 255 - x, "light and dark"),
        (lambda x: gaussian_filter(x, (0, 1, 1, 0)), "blurred"),
        (lambda x: x / np.float32(255), "outside the range"),
        (lambda x: x - TRAIN.astype("float32").mean(axis=0), "outside the range"),
    ],
)
def test_another_kind_of_images_is_found(change: object, words: str) -> None:
    found = judge_drift(drift_facts(TRAIN, change(OTHER), plain=True, copies=False))  # type: ignore[operator]
    assert [one.code for one in found] == ["train-test-shift"]
    assert words in found[0].message


def test_two_splits_of_digits_are_of_one_kind_and_few_images_say_nothing() -> None:
    images, _ = digits()
    assert codes(images[:1300], images[1300:]) == []
    assert codes(images[:1300], 255 - images[1300:1320]) == []


def test_a_pipelines_own_augmentation_is_allowed_to_blur_but_not_to_blank() -> None:
    blurred = gaussian_filter(TRAIN, (0, 1, 1, 0))
    assert codes(blurred, OTHER, plain=False) == []
    blank = TRAIN.copy()
    blank[::2] = 0
    assert codes(blank, OTHER, plain=False) == ["augmentation-harmful"]


@pytest.mark.parametrize(
    ("change", "severities"),
    [
        ({}, []),
        ({"near_copies": 0.001}, []),
        ({"near_copies": 0.01}, ["info"]),
        ({"near_copies": 0.03}, ["warning"]),
        ({"sharpness": 0.5}, ["warning"]),
        ({"sharpness": 0.5, "plain": False}, []),
        ({"outside": 0.2, "plain": False}, []),
        ({"outside": 0.2, "count": 40}, []),
        ({"inverted": True, "swapped": True}, ["warning"]),
    ],
)
def test_the_rule_and_its_limits(change: dict[str, object], severities: list[str]) -> None:
    found = judge_drift(DriftFacts(**(vars(FINE) | change)))  # type: ignore[arg-type]
    assert [one.severity for one in found] == severities
