"""The doctor as a callback alone, with no images of its own: real trainings on digits, faulty and healthy."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from doctor_cases import L, conv, dense, digits, normed

import seewell

X, Y = digits()
X = X / 16
NEW = slice(1000, 1500)


def watch(
    layers: Callable[[], list[Any]],
    optimizer: Any,
    *,
    held: Any = None,
    count: int = 1000,
    sort: bool = False,
    **fit: Any,
) -> dict[str, str]:
    """Codes and severities behind a training of so many digits."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers()])
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    doctor = seewell.Doctor()
    rows = np.argsort(Y[:count], kind="stable") if sort else np.arange(count)
    held = (X[NEW], Y[NEW]) if held is None else held
    model.fit(X[rows], Y[rows], validation_data=held, validation_batch_size=250, callbacks=[doctor], verbose=0, **fit)
    assert not [limit for limit in doctor.limits if "failed" in limit]
    return {one.code: one.severity for one in doctor.findings}


def warned(found: dict[str, str]) -> list[str]:
    return [code for code, severity in found.items() if severity != "info"]


def test_forty_digits_are_learned_by_heart() -> None:
    assert warned(watch(dense, keras.optimizers.Adam(1e-2), count=40, epochs=15, batch_size=8)) == ["high-variance"]


def test_validation_images_divided_twice_are_of_another_kind() -> None:
    held = (X[NEW] / 255, Y[NEW])
    assert warned(watch(conv, keras.optimizers.Adam(2e-3), held=held, epochs=4)) == ["train-test-shift"]


def test_a_huge_batch_makes_too_few_updates() -> None:
    assert warned(watch(conv, keras.optimizers.Adam(1e-3), epochs=1, batch_size=500)) == ["undertrained"]


def test_digits_sorted_by_class_and_never_shuffled() -> None:
    found = watch(dense, keras.optimizers.SGD(0.05), sort=True, shuffle=False, epochs=2, batch_size=4)
    assert warned(found)[:1] == ["ordered-batches"]


HEALTHY = {
    "one epoch": (conv, lambda: keras.optimizers.Adam(3e-3), {"epochs": 1, "batch_size": 8}),
    "one epoch, BatchNorm": (lambda: normed(0.99), lambda: keras.optimizers.Adam(1e-2), {"epochs": 1, "batch_size": 8}),
    "BatchNorm": (lambda: normed(0.9), lambda: keras.optimizers.Adam(1e-2), {"epochs": 3, "batch_size": 16}),
    "averaged weights": (
        dense,
        lambda: keras.optimizers.Adam(3e-3, use_ema=True, ema_momentum=0.999),
        {"epochs": 4},
    ),
    "dropout": (
        lambda: [L.Flatten(), L.Dense(64, "relu"), L.Dropout(0.6), L.Dense(10, "softmax")],
        lambda: keras.optimizers.Adam(3e-3),
        {"epochs": 5},
    ),
    "small batches": (dense, lambda: keras.optimizers.SGD(0.1), {"epochs": 2, "batch_size": 4}),
}


DEFAULT = ("one epoch, BatchNorm", "averaged weights", "small batches")


@pytest.mark.parametrize(
    "name", [name if name in DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in HEALTHY]
)
def test_a_healthy_training_gives_no_warning(name: str) -> None:
    layers, optimizer, fit = HEALTHY[name]
    assert warned(watch(layers, optimizer(), **fit)) == []
