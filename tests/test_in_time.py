"""A given time: what is planned is kept, measuring leaves no trace, and a run that goes on measures nothing."""

import os
import random
import signal
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from resuming_makers import SETTINGS, outcome, write_source
from seewell import in_time, workbench
from seewell.config import TrainConfig
from seewell.errors import ConfigError, InterruptedTrainingError, TrainingStoppedError
from seewell.preparing import prepare
from seewell.runs.run import open_run
from seewell.training.measuring import UpdateCost
from seewell.training.observers import Observer
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.timing import Reserve
from seewell.workbench import resume, train

STEPS = 17
TIMED = {name: value for name, value in SETTINGS.items() if name != "epochs"} | {"ema": 0.9, "augment": ("shift=1",)}
IN_AN_HOUR = TrainConfig(**TIMED, time="1h")


@pytest.fixture(scope="module")
def source(small_dataset, tmp_path_factory):
    return write_source(small_dataset.train, tmp_path_factory.mktemp("data") / "small.npz")


def nothing(_):
    return Reserve(0.0, 0.0)


def drawn():
    """The next numbers that anybody would draw."""
    return random.random(), np.random.rand(), float(tf.random.normal(())), float(keras.random.normal(()))


def prepared_in_time(dataset, **settings):
    config = TrainConfig(**{**TIMED, "time": "1h", **settings})
    return in_time.prepare_in_time(dataset, config, reserve=nothing, figures=10)


def every_value(trainee):
    found = trainee.capture(0, {})
    return {name: value.copy() for name, value in {**found.weights, **found.optimizer}.items()}


def test_measuring_leaves_weights_optimizer_and_random_states_as_they_were(small_dataset):
    timed = prepared_in_time(small_dataset)
    values, following = every_value(timed.trainee), drawn()
    plain = prepare(small_dataset, TrainConfig(**TIMED, steps=STEPS))
    assert drawn() == following
    expected = every_value(plain.trainee)
    assert values.keys() == expected.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_the_plan_says_what_was_measured_and_how_the_time_is_shared_out(small_dataset):
    prepared = prepared_in_time(small_dataset)
    timed, plan = prepared.timed, prepared.plan
    assert plan.total_steps == timed.steps == plan.config.steps
    assert (plan.config.time, plan.config.epochs) == (None, None)
    assert timed.epochs == pytest.approx(timed.steps * 10 / 60)
    assert min(timed.pace.update, timed.pace.validation, timed.pace.checkpoint, timed.pace.figures) > 0
    assert timed.steps * timed.pace.update <= timed.training
    assert timed.measured_images == 10
    assert timed.one_epoch > timed.measuring + 6 * timed.pace.update
    chosen = {choice.setting: choice for choice in prepared.choices}
    assert chosen["steps"].value == timed.steps
    assert "1h" in chosen["steps"].reason
    assert {"strategy", "determinism", "precision"} <= set(chosen)
    assert [one["batch_size"] for one in timed.tried] == [10]


@pytest.fixture(scope="module")
def timed_run(source, tmp_path_factory):
    """A training in a given time, into which so many updates fit."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(in_time, "steps_that_fit", lambda *_, **__: STEPS)
        return train(source, IN_AN_HOUR, out=tmp_path_factory.mktemp("timed") / "run", doctor=False)


def test_a_timed_training_is_the_training_of_its_planned_steps_byte_for_byte(source, timed_run, tmp_path):
    plain = train(source, TrainConfig(**TIMED, steps=STEPS), out=tmp_path / "run", doctor=False)
    assert outcome(timed_run.path) == outcome(plain.path)
    assert timed_run.config == plain.config
    assert timed_run.info["time"]["steps"] == STEPS
    assert "time" not in plain.info


class Interrupts(Observer):
    def on_progress(self, step, loss, accuracy, images_per_second):
        if step >= 8:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_timed_run_goes_on_with_its_plan_and_measures_nothing(source, timed_run, tmp_path, monkeypatch):
    monkeypatch.setattr(in_time, "steps_that_fit", lambda *_, **__: STEPS)
    with pytest.raises(InterruptedTrainingError):
        train(source, IN_AN_HOUR, out=tmp_path / "run", doctor=False, observers=lambda *_: [Interrupts()])
    planned = open_run(tmp_path / "run").info["time"]

    def never(*_, **__):
        raise AssertionError("measured again")

    monkeypatch.setattr(workbench, "prepare_in_time", never)
    gone_on = resume(tmp_path / "run", doctor=False)
    assert outcome(gone_on.path) == outcome(timed_run.path)
    assert gone_on.info["time"] == planned


def test_a_time_that_is_too_short_is_refused_and_leaves_no_folder(small_dataset, tmp_path):
    with pytest.raises(ConfigError, match="too short for a single update") as caught:
        train(small_dataset, TrainConfig(**TIMED, time="0.001s"), out=tmp_path / "run")
    assert "one epoch (6 updates)" in caught.value.expected
    assert caught.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_quick_takes_what_it_measured_and_says_so(digits, monkeypatch):
    monkeypatch.setattr(in_time, "detect_hardware", lambda: Hardware("any", 2, frozenset()))
    prepared = in_time.prepare_in_time(digits, TrainConfig(time="1h", batch_size=64), reserve=nothing, figures=10)
    config = prepared.plan.config
    assert config.recipe == "quick"
    assert config.network_arguments["widths"] in ("64-128", "16-32-64")
    chosen = {choice.setting: choice.reason for choice in prepared.choices}
    assert "measured" in chosen["network_arguments"]
    assert "batch_size" not in chosen
    untimed = resolve(TrainConfig(batch_size=64), in_time.facts_of(digits), Hardware("any", 2, frozenset())).config
    same = ("optimizer", "learning_rate", "schedule", "augment", "ema", "preprocess")
    assert {name: getattr(config, name) for name in same} == {name: getattr(untimed, name) for name in same}


@pytest.mark.parametrize("problem", [tf.errors.ResourceExhaustedError(None, None, "too little"), MemoryError()])
def test_a_network_that_does_not_fit_in_memory_is_refused_with_a_smaller_batch(small_dataset, monkeypatch, problem):
    def measure(*_, **__):
        raise problem

    monkeypatch.setattr(in_time, "measure_update", measure)
    with pytest.raises(TrainingStoppedError, match="not enough memory for batches of 10 images") as caught:
        prepared_in_time(small_dataset)
    assert caught.value.fix == "--batch-size 5"


def test_quick_passes_over_what_does_not_fit_in_memory(digits, monkeypatch):
    measured = []

    def measure(trainee, train, config, *, seconds):
        measured.append((config.network_arguments["widths"], config.batch_size))
        if measured[-1] != ("16-32-64", 64):
            raise MemoryError
        return UpdateCost(0.01, 0.5)

    monkeypatch.setattr(in_time, "measure_update", measure)
    prepared = in_time.prepare_in_time(digits, TrainConfig(time="1h", precision="float32"), reserve=nothing, figures=10)
    assert prepared.plan.config.network_arguments["widths"] == "16-32-64"
    assert prepared.plan.config.batch_size == 64
    assert [one["seconds_an_update"] for one in prepared.timed.tried] == [
        0.01 if one == ("16-32-64", 64) else None for one in measured
    ]
    assert len(measured) > 1


def test_validations_and_the_figures_at_the_end_count_in_the_choice(small_dataset, monkeypatch):
    """An answer takes a third of an image's share of an update: 18 images an epoch and 49 at the end, 1/30 s each."""
    monkeypatch.setattr(in_time, "measure_update", lambda *_, **__: UpdateCost(1.0, 1.0))
    tried = prepared_in_time(small_dataset, time="10m").timed.tried[0]
    assert tried["epochs"] < 0.97 * 600 / (6 + 18 / 30)
    assert tried["epochs"] > 0.85 * 600 / (6 + 18 / 30)


def test_a_short_time_measures_fewer_training_images(small_dataset, monkeypatch):
    assert in_time._measured(small_dataset, 10_000, an_image=1e-6, seconds=60) == 60
    monkeypatch.setattr(in_time, "_FEWEST_MEASURED", 10)
    assert in_time._measured(small_dataset, 10_000, an_image=0.1, seconds=60) == 30
    assert in_time._measured(small_dataset, 10_000, an_image=9.0, seconds=60) == 10
    assert in_time._measured(small_dataset, 5, an_image=9.0, seconds=60) == 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:the machine is slower:RuntimeWarning")  # another job may run beside
def test_a_given_time_is_about_what_a_training_takes(digits, tmp_path):
    began = time.perf_counter()
    run = train(digits, TrainConfig(time="30s"), out=tmp_path / "run")
    assert time.perf_counter() - began < 1.5 * 30
    assert run.summary["steps"] == run.info["time"]["steps"]
