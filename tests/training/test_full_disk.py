"""A disk that is full for a while: the training goes on, says so, and loses nothing that is written once there is room.

No file may grow (RLIMIT_FSIZE), so every write fails in the system itself, as on a full disk.
"""

import json
import os
import resource
from concurrent.futures import wait
from contextlib import contextmanager

import pytest
import tensorflow as tf

from seewell.config import TrainConfig
from seewell.errors import InterruptedTrainingError, RunError
from seewell.runs.checkpoint import folders, latest_complete, load, pointed
from seewell.runs.folder import make_folder
from seewell.training.estimates import DataFacts
from seewell.training.judging import Judgement
from seewell.training.loop import Loop
from seewell.training.observers import Observer
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.signals import StopRequest
from seewell.training.trainee import make_trainee


@contextmanager
def full_disk():
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class FullBetween(Observer):
    """An observer that lets the disk be full from one step to another, and keeps what it is warned of."""

    def __init__(self, first, last, stop=None, stop_at=None):
        self.first, self.last, self.stop, self.stop_at = first, last, stop, stop_at
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        self.said = []

    def on_progress(self, step, loss, accuracy, images_per_second):
        full = self.first <= step < self.last
        under_way = self.loop._keeper._writer._under_way
        if under_way is not None:
            wait([under_way])  # each save meets the disk as it was when it began
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, self.before[1]) if full else self.before)
        if self.stop is not None and step >= self.stop_at:
            self.stop(15, None)

    def on_warning(self, text):
        self.said.append(text)

    def on_end(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


@pytest.fixture
def training(small_dataset, tmp_path):
    def make(name, observers, stop=None, **settings):
        values = {
            "network": "fully-connected",
            "network_arguments": {"widths": "8"},
            "optimizer": "momentum",
            "learning_rate": 0.1,
            "batch_size": 10,
            "epochs": 4,
            "precision": "float32",
            "keep_last": 100,
            **settings,
        }
        facts = DataFacts(len(small_dataset.train), *small_dataset.image_shape, small_dataset.num_classes)
        plan = resolve(TrainConfig(**values), facts, Hardware("any", 2, frozenset()))
        shape, classes = small_dataset.image_shape, small_dataset.num_classes
        trainee = make_trainee(plan.config, shape, classes, None, tf.distribute.get_strategy())
        folder = make_folder(tmp_path / name)
        more = {"total_steps": plan.total_steps, "folder": folder, "observers": observers}
        loop = Loop(trainee, small_dataset, plan.config, stop=stop or StopRequest(), **more)
        for one in observers:
            one.loop = loop
        return folder, loop

    return make


def steps(folder):
    return [int(path.name.removeprefix("step-")) for path in folders(folder.checkpoints)]


def history(folder):
    lines = [json.loads(line) for line in folder.history.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("seconds", "images_per_second")} for line in lines]


def test_the_training_goes_on_warns_and_ends_as_if_there_had_always_been_room(training):
    plain, loop = training("plain", ())
    loop.run()
    watcher = FullBetween(7, 20)
    folder, loop = training("full", [watcher])
    result = loop.run()
    assert steps(plain) == [6, 12, 18, 24]
    assert steps(folder) == [6, 24]
    assert history(folder) == history(plain)
    assert result.warnings == tuple(watcher.said)
    assert any("the checkpoint of step 12 could not be written" in text for text in watcher.said)
    assert any("that of step 6 is the newest" in text for text in watcher.said)
    assert any("the history cannot be written" in text for text in watcher.said)
    last = [load(folders(one.checkpoints)[-1]) for one in (folder, plain)]
    assert {k: v.tobytes() for k, v in last[0].weights.items()} == {k: v.tobytes() for k, v in last[1].weights.items()}
    assert pointed(folder.checkpoints, "BEST") is not None
    assert pointed(folder.checkpoints, "BEST").name == f"step-{result.best_step:08d}"
    assert not [name for name in os.listdir(folder.checkpoints) if name.startswith(".")]


def test_a_best_that_could_not_be_kept_is_forgotten(training):
    folder, loop = training("full", [FullBetween(7, 17)])
    result = loop.run()
    assert result.best_step in steps(folder)
    assert 12 not in steps(folder)


def test_a_disk_that_is_full_at_the_end_is_an_error_and_what_was_kept_stays(training):
    folder, loop = training("full", [FullBetween(7, 1000)])
    real = loop._settle

    def settle():
        with full_disk():
            real()

    loop._settle = settle
    with pytest.raises(RunError, match=r"the checkpoint of step 24 could not be written|the history"):
        loop.run()
    assert steps(folder) == [6]
    assert latest_complete(folder.checkpoints)[0].name == "step-00000006"


def test_an_interrupt_on_a_full_disk_says_that_it_was_not_saved_and_what_is_kept(training):
    request = StopRequest()
    folder, loop = training("full", [FullBetween(7, 1000, request, 9)], stop=request)
    with pytest.raises(InterruptedTrainingError) as caught:
        loop.run()
    assert "could not be saved" in caught.value.what
    assert caught.value.exit_code == 143
    assert caught.value.details["kept"] == "the checkpoint of step 6"
    assert steps(folder) == [6]


def test_without_an_observer_that_takes_warnings_python_s_own_are_used(training):
    class Quiet(FullBetween):
        on_warning = None

    watcher = Quiet(7, 17)
    _, loop = training("full", [watcher])
    with pytest.warns(RuntimeWarning) as caught:
        loop.run()
    assert any("step 12 could not be written" in str(one.message) for one in caught)


def test_the_last_weights_become_the_best_where_the_best_could_not_be_kept(training, monkeypatch):
    """The disk is full while the first best is saved, and has room for the last, which is no better."""
    folder, loop = training("full", [FullBetween(5, 23)], early_stop=3)
    objectives = iter([1.0, 2.0, 3.0, 4.0])
    loop._judge = lambda: Judgement(1.0, next(objectives), 0.5)
    result = loop.run()
    assert steps(folder) == [24]
    assert result.best_step == 24
    assert pointed(folder.checkpoints, "BEST").name == "step-00000024"
    assert load(pointed(folder.checkpoints, "BEST")).state["since_best"] == 3
    assert "never finite" not in " ".join(result.warnings)


def test_of_what_could_be_kept_the_best_is_kept(training):
    """0.5 after 6 updates is kept, 0.9 after 12 is not, so 0.7 after 18 is the best."""
    folder, loop = training("full", [FullBetween(7, 17)])
    accuracies = iter([0.5, 0.9, 0.7, 0.6])
    loop._judge = lambda: Judgement(1.0, 1.0, next(accuracies))
    result = loop.run()
    assert result.best_step == 18
    assert pointed(folder.checkpoints, "BEST").name == "step-00000018"
