"""Typical faults are named by their cause, first; healthy trainings give no warning."""

from typing import Any

import keras
import numpy as np
import pytest
from doctor_cases import FAULTS, HEALTHY, Case

import seewell

DEFAULT_FAULTS = ("raw 0 to 255", "no softmax", "all ones", "sign flipped", "adam at 1", "labels of others")
DEFAULT_HEALTHY = ("dense, z-scored", "BatchNorm, raw", "two classes, sigmoid")
"""The rest is slow: `test_doctor_trial.py` makes trainings of the same kinds in the default suite."""


def marked(names: Any, default: tuple[str, ...]) -> list[Any]:
    return [name if name in default else pytest.param(name, marks=pytest.mark.slow) for name in names]


def watch(case: Case, *, fails: bool = False) -> list[seewell.Finding]:
    model, x, y = case.build()
    doctor = seewell.Doctor()
    doctor.examine(model, x[:1300], y[:1300], validation_data=(x[1300:], y[1300:]))
    if not fails:
        model.fit(x[:1300], y[:1300], epochs=case.epochs, callbacks=[doctor], verbose=0)
    assert doctor.limits == ()
    return [one for one in doctor.findings if one.severity != "info"]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("name", marked(FAULTS, DEFAULT_FAULTS))
@pytest.mark.filterwarnings("ignore:.*received `from_logits=True`:UserWarning")  # Keras notices that fault, too
def test_a_fault_is_named_by_its_cause(name: str) -> None:
    code, case = FAULTS[name]
    found = watch(case, fails=name == "too few outputs")
    assert found[0].code == code
    assert found[0].remedies
    assert found[0].threshold_source


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("name", marked(HEALTHY, DEFAULT_HEALTHY))
def test_a_healthy_training_gives_no_warning(name: str) -> None:
    assert watch(HEALTHY[name]) == []


@pytest.mark.parametrize(
    ("initializer", "rate", "code"),
    [("normal", 1e-7, "init-too-large"), ("small-normal", 1e-3, "init-too-small"), ("he", 1e-3, None)],
)
@pytest.mark.parametrize("logits", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_three_experiments_of_ltfn_6_are_told_apart_before_the_first_step(
    initializer: str, rate: float, code: str | None, logits: bool
) -> None:
    keras.utils.set_random_seed(0)
    case = next(iter(HEALTHY.values()))
    _, x, y = case.build()
    x = np.repeat(np.repeat(x * 255, 2, axis=1), 2, axis=2)[:600].astype("uint8")
    model = seewell.build_network("convnet", input_shape=(16, 16, 1), num_classes=10, initializer=initializer)
    if logits:
        model = keras.Model(model.input, model.get_layer("logits").output)
    model.compile(keras.optimizers.SGD(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=logits))
    found = [one.code for one in seewell.examine(model, x, y[:600]) if one.severity != "info"]
    assert found == ([] if code is None else [code])
