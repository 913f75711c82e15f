"""Healthy classifiers of many makes: nothing breaks, nothing is a false alarm, and limits are said."""

import inspect
from typing import Any

import keras
import pytest
from breadth_cases import HELD, MODELS, SPARSE, X, Y, compiled, small

import seewell

DEFAULT = (
    *("subclassed", "own train_step", "data set, one-hot, weights"),
    *("PyDataset, weights, workers", "bool labels, one sigmoid"),
)
EPOCHS = 8
"""Of eight to 13 updates: enough to learn more than guessing, which `undertrained` asks for."""
NOT_READ = ("subclassed",)
"""Whose layers' connections stand in Python code."""


@pytest.mark.parametrize(
    "name", [name if name in DEFAULT else pytest.param(name, marks=pytest.mark.slow) for name in MODELS]
)
@pytest.mark.usefixtures("unhurried")
@pytest.mark.filterwarnings("ignore:.*keras.ops.nn.*:UserWarning")
def test_a_healthy_classifier_of_any_make_is_judged_without_alarm(name: str) -> None:
    keras.utils.set_random_seed(0)
    make, data = MODELS[name]
    model, given = make(), data()
    doctor = seewell.Doctor()
    doctor.examine(model, *given)
    model.fit(*given, epochs=EPOCHS, shuffle=len(given) == 2, callbacks=[doctor], verbose=0)
    assert [(one.code, one.message) for one in doctor.findings if one.severity != "info"] == []
    assert [limit[:6] for limit in doctor.limits] == (["layers"] if name in NOT_READ else [])


def probes() -> list[tuple[str, str]]:
    """Module and name of each probe that runs during `fit`."""
    from seewell.doctor import callback, watch

    found = []
    for module in (watch, callback):
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__.startswith("seewell.doctor.probes"):
                found.append((module.__name__, name))
    return found


def test_a_training_stays_the_same_when_every_probe_of_fit_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from seewell.doctor.probes.weights import WeightWatch

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("probe")

    def train(callbacks: list[Any]) -> list[bytes]:
        keras.utils.set_random_seed(3)
        model = compiled(small(), SPARSE)
        model.fit(X[:200], Y[:200], validation_data=(X[HELD], Y[HELD]), callbacks=callbacks, verbose=0)
        return [value.tobytes() for value in model.get_weights()]

    plain = train([])
    known = probes()
    assert len(known) >= 3
    for module, name in known:
        monkeypatch.setattr(f"{module}.{name}", fail)
    for name in ("mark", "measure", "changes"):
        monkeypatch.setattr(WeightWatch, name, fail)
    doctor = seewell.Doctor()
    assert train([doctor]) == plain
    assert any("RuntimeError: probe" in limit for limit in doctor.limits)


def test_examine_goes_on_when_every_probe_of_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from seewell.doctor import examination, tryout

    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("probe")

    model = compiled(small(), SPARSE)
    for module in (examination, tryout):
        for name, value in list(vars(module).items()):
            inside = getattr(value, "__module__", "").startswith("seewell.doctor.probes")
            # What the model is must be read before anything can be asked of it.
            if inside and callable(value) and not name.startswith("read_") and name != "Sample":
                monkeypatch.setattr(module, name, fail)
    doctor = seewell.Doctor()
    doctor.examine(model, X[:200], Y[:200], validation_data=(X[HELD], Y[HELD]))
    assert any("RuntimeError: probe" in limit for limit in doctor.limits)
    model.fit(X[:200], Y[:200], callbacks=[doctor], verbose=0)
