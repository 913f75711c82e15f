"""Measuring a training: plausible figures, and nothing is changed by it."""

import time

import numpy as np
import pytest

from seewell.config import TrainConfig
from seewell.data import batches
from seewell.data.dataset import Split
from seewell.preparing import prepare
from seewell.training import measuring
from seewell.training.measuring import as_it_was, measure_pace, measure_update

SETTINGS = {
    "network": "convnet",
    "network_arguments": {"widths": "2", "normalization": "batch"},
    "optimizer": "adamw",
    "dropout": 0.3,
    "augment": ("shift",),
    "ema": 0.9,
    "batch_size": 7,
    "steps": 5,
}


@pytest.fixture(scope="module")
def prepared(small_dataset):
    return prepare(small_dataset, TrainConfig(**SETTINGS))


def every_value(trainee):
    found = trainee.capture(0, {})
    return {name: value.copy() for name, value in {**found.weights, **found.optimizer}.items()}


def assert_same(trainee, expected):
    for name, value in every_value(trainee).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.mark.parametrize("resident", [2**31, 0])
def test_an_update_takes_time_and_changes_nothing(prepared, monkeypatch, resident):
    monkeypatch.setattr(batches, "_RESIDENT_BYTES", resident)
    before = every_value(prepared.trainee)
    cost = measure_update(prepared.trainee, prepared.dataset.train, prepared.plan.config, seconds=0.2)
    assert 0 < cost.seconds < 10
    assert cost.tracing > 0
    assert_same(prepared.trainee, before)


class _SlowImages:
    """Images on a slow disk: a millisecond each."""

    dtype, ndim = np.dtype(np.uint8), 4

    def __init__(self, count):
        self.shape, self.nbytes = (count, 4, 4, 1), count * 16

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, rows):
        time.sleep(1e-3 * len(rows))
        return np.zeros((len(rows), 4, 4, 1), np.uint8)


def test_an_update_includes_the_wait_for_its_images(prepared, monkeypatch):
    monkeypatch.setattr(batches, "_RESIDENT_BYTES", 0)
    slow = Split(_SlowImages(1000), np.zeros(1000, np.int64))
    cost = measure_update(prepared.trainee, slow, prepared.plan.config, seconds=0.2)
    assert 0.006 < cost.seconds < 1  # batches of 7


def test_what_is_changed_is_put_back_also_where_measuring_fails(prepared):
    before = every_value(prepared.trainee)

    def fails():
        with as_it_was(prepared.trainee):
            for variable in prepared.trainee.model.variables:
                variable.assign(variable + 1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert_same(prepared.trainee, before)


def test_figures_are_counted_by_their_images(prepared):
    before = every_value(prepared.trainee)
    pace = measure_pace(prepared.trainee, prepared.kept, prepared.dataset, update=0.5, figures=10_000)
    assert pace.update == 0.5
    assert pace.validation > 0
    assert pace.checkpoint > 0
    assert pace.keeping > 0
    assert pace.figures > pace.validation
    assert_same(prepared.trainee, before)


def test_the_trial_is_written_beside_the_run_and_cleared_away(prepared, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(measuring, "save", lambda folder, _: seen.append(folder.parent))
    measure_pace(prepared.trainee, prepared.kept, prepared.dataset, update=0.5, figures=1, beside=tmp_path)
    assert seen == [tmp_path]
    assert not list(tmp_path.iterdir())


def test_a_disk_that_refuses_the_trial_is_guessed(prepared, tmp_path):
    missing = tmp_path / "none"
    pace = measure_pace(prepared.trainee, prepared.kept, prepared.dataset, update=0.5, figures=1, beside=missing)
    size = sum(value.nbytes for value in every_value(prepared.trainee).values())
    assert pace.checkpoint == pace.keeping == size / 2e8
