"""What the callback says after real trainings on digits: noise, a weak class, healthy twins, and its limits."""

from typing import Any

import keras
import numpy as np
import pytest
from doctor_cases import Case, digits, normed

import seewell
from seewell.doctor import timeshare
from seewell.doctor.conclusion import conclude
from seewell.doctor.guard import Guard
from seewell.doctor.probes.sample import take_sample
from seewell.doctor.timeshare import TimeShare


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine must not decide what these tests see."""
    monkeypatch.setattr(timeshare, "_FREE_SECONDS", 1000.0)
    monkeypatch.setattr(timeshare, "_BINDS_AFTER", 1000.0)


def fit(case: Case, change: Any = lambda x, y: (x, y), *, held: bool = True) -> seewell.Doctor:
    """A training on 1,000 digits with 500 for validation, images and labels changed before."""
    model, x, y = case.build()
    x, y = change(x, y)
    doctor = seewell.Doctor(time_share=1.0)
    validation = (x[1000:], y[1000:]) if held else None
    doctor.examine(model, x[:1000], y[:1000], validation_data=validation)
    model.fit(x[:1000], y[:1000], epochs=case.epochs, callbacks=[doctor], verbose=0)
    return doctor


def told(doctor: seewell.Doctor) -> dict[str, str]:
    return {one.code: one.severity for one in doctor.findings}


def dense() -> list[Any]:
    return [keras.layers.Flatten(), keras.layers.Dense(64, "relu"), keras.layers.Dense(10, "softmax")]


CASE = Case(dense, lambda: keras.optimizers.Adam(3e-3), epochs=12)


def flipped(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every fifth label is another class's, in both splits."""
    rng = np.random.default_rng(3)
    return x, np.where(rng.random(len(y)) < 0.2, (y + rng.integers(1, 10, len(y))) % 10, y)


def hidden_threes(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class 3 loses its images: what stands there is those of class 8."""
    x = x.copy()
    eights = x[y == 8]
    x[y == 3] = eights[np.random.default_rng(0).integers(0, len(eights), (y == 3).sum())]
    return x, y


def test_a_fifth_of_the_labels_flipped_is_label_noise_and_the_healthy_twin_has_none() -> None:
    noisy, healthy = fit(CASE, flipped), fit(CASE)
    assert told(noisy).get("label-noise") == "warning"
    assert "warning" not in told(healthy).values()
    assert "label-noise" not in told(healthy)
    assert {"high-bias": "info", "high-variance": "info"}.items() <= told(healthy).items()


def test_a_class_whose_images_are_another_ones_is_weak() -> None:
    doctor = fit(CASE, hidden_threes)
    weak = [one for one in doctor.findings if one.code == "weak-class"]
    assert weak, told(doctor)
    assert "class 3 " in weak[0].message or "class 8 " in weak[0].message


def test_without_validation_data_only_the_training_side_is_judged() -> None:
    codes = told(fit(CASE, held=False))
    assert "high-bias" in codes
    assert not {"high-variance", "overconfident", "weak-class", "label-noise"} & set(codes)


def test_a_poor_network_with_batch_norm_in_a_short_training_gets_no_warning() -> None:
    assert "warning" not in told(fit(Case(lambda: normed(0.9), epochs=2))).values()


def test_a_second_training_is_judged_by_itself() -> None:
    doctor = fit(CASE, flipped)
    model, x, y = CASE.build()
    model.fit(x[:200], y[:200], callbacks=[doctor], verbose=0)
    assert "label-noise" not in told(doctor)
    (bias,) = [one for one in doctor.findings if one.code == "high-bias"]
    assert "fit's own figures" in bias.message  # the images of the first training say nothing of this one


def test_no_time_left_is_a_limit_and_not_a_finding() -> None:
    model, x, y = CASE.build()
    sample = take_sample(x, y, 10)
    guard = Guard()
    facts = conclude(model, "probabilities", (sample, None), None, clock=TimeShare(0.0), guard=guard, target_error=0.0)
    assert facts is None
    assert guard.limits == ["the result: judging it would take more than the doctor's share of the time."]


@pytest.mark.parametrize("kind", ["logits", "binary"])
def test_logits_and_single_outputs_are_judged_as_probabilities(kind: str) -> None:
    keras.utils.set_random_seed(0)
    x, y = digits()
    labels = y if kind == "logits" else (y > 4).astype("int64")
    outputs = 10 if kind == "logits" else 1
    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(outputs)])
    loss = (
        keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if kind == "logits"
        else keras.losses.BinaryCrossentropy(from_logits=True)
    )
    model.compile(keras.optimizers.Adam(1e-2), loss)
    doctor = seewell.Doctor(time_share=1.0)
    doctor.examine(model, x[:1000] / 16, labels[:1000], validation_data=(x[1000:] / 16, labels[1000:]))
    model.fit(x[:1000] / 16, labels[:1000], epochs=5, callbacks=[doctor], verbose=0)
    answers = model.predict(x[:1000] / 16, verbose=0)
    error = float(((answers.argmax(axis=1) if outputs > 1 else answers[:, 0] > 0) != labels[:1000]).mean())
    bias = next(one for one in doctor.findings if one.code == "high-bias")
    assert bias.measured == pytest.approx(error, abs=1e-6)
