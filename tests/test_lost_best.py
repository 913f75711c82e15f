"""Checkpoints that are lost: the training ends all the same, says what it lost, and ends when it should."""

import shutil

import pytest

from resuming_makers import SETTINGS, UNTRAINED, killed, measured, outcome, train_small, write_source
from seewell.runs.checkpoint import folders, pointed
from seewell.runs.run import open_run
from seewell.training.observers import Observer
from seewell.workbench import resume

TOO_FAST = {"learning_rate": 3.0, "schedule": "constant", "early_stop": 2, "epochs": 9}
"""The first validation, after 6 updates, is the best; the third, after 17, ends the training."""


@pytest.fixture(scope="module")
def source(small_dataset, tmp_path_factory):
    return write_source(small_dataset.train, tmp_path_factory.mktemp("source") / "small.npz")


@pytest.fixture(scope="module")
def stopped(source, tmp_path_factory):
    """A run that ended early, its best not its last. Read-only."""
    path = train_small(source, tmp_path_factory.mktemp("stopped"), **TOO_FAST)
    assert (best_of(path), last_of(path)) == (6, 17)
    assert open_run(path).summary["stopped"]
    return path


@pytest.fixture(scope="module")
def finished(source, tmp_path_factory):
    return train_small(source, tmp_path_factory.mktemp("finished"))


def best_of(path):
    return int(pointed(path / "checkpoints", "BEST").name.removeprefix("step-"))


def last_of(path):
    return int(folders(path / "checkpoints")[-1].name.removeprefix("step-"))


def spoil(path, step):
    """Cut a file of a checkpoint by a byte."""
    weights = path / "checkpoints" / f"step-{step:08d}" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


@pytest.mark.parametrize("step", [pytest.param(12, marks=pytest.mark.slow), 17])
def test_patience_runs_out_at_the_same_update_wherever_the_training_was_cut(stopped, tmp_path, step):
    path = killed(stopped, tmp_path / "run", step)
    resume(path, doctor=False)
    assert outcome(path) == outcome(stopped)


def test_a_training_that_was_killed_at_its_end_without_its_best_ends_with_its_last(stopped, tmp_path):
    path = killed(stopped, tmp_path / "run", 17)
    spoil(path, 6)
    found = resume(path, doctor=False)
    assert found.summary["steps"] == found.summary["best_step"] == best_of(path) == last_of(path) == 17
    assert found.summary["stopped"] == open_run(stopped).summary["stopped"]
    (entry,) = found.info["resumed"]
    assert len(entry["passed_over"]) == 1
    assert "step-00000006, the best so far, is lost" in entry["passed_over"][0]
    assert measured(path) == measured(stopped)
    more = resume(path, more_epochs=1, doctor=False)
    assert more.summary["steps"] > 17


def test_a_best_that_is_lost_on_the_way_is_said_and_the_weights_of_then_stand_in_for_it(stopped, tmp_path):
    path = killed(stopped, tmp_path / "run", 12)
    shutil.rmtree(path / "checkpoints" / "step-00000006")
    found = resume(path, doctor=False)
    assert "is lost" in found.info["resumed"][0]["passed_over"][0]
    assert best_of(path) in (12, 17)
    assert last_of(path) == 17
    assert measured(path) == measured(stopped)


@pytest.mark.parametrize("text", [None, pytest.param("step-9", marks=pytest.mark.slow)])
def test_where_only_the_pointer_to_the_best_is_damaged_nothing_is_lost(stopped, tmp_path, text):
    path = killed(stopped, tmp_path / "run", 12)
    pointer = path / "checkpoints" / "BEST"
    pointer.unlink() if text is None else pointer.write_text(text)
    found = resume(path, doctor=False)
    assert found.info["resumed"][0]["passed_over"] == []
    assert outcome(path) == outcome(stopped)


def test_more_epochs_whose_first_checkpoint_is_lost_begin_their_schedule_at_the_one_before(finished, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(finished, path)

    class Dies(Observer):
        def on_start(self, started):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resume(path, more_epochs=1, doctor=False, observers=lambda plan, folder: [Dies()])
    spoil(path, 17)
    found = resume(path, doctor=False)
    assert found.info["schedule_start"] == 16
    assert {one["step"] for one in found.info["changes"]} == {16}
    assert found.info["changes"][-1] == {"step": 16, "setting": "schedule_start", "before": 17, "after": 16}
    added = [row["learning_rate"] for row in found.history if row["kind"] == "train" and row["step"] > 16]
    assert all(rate >= 0 for rate in added)
    assert added[0] == pytest.approx(SETTINGS["learning_rate"])


@pytest.mark.slow
def test_more_epochs_of_a_training_that_had_no_patience_left_are_made_also_after_a_kill(stopped, tmp_path):
    whole = tmp_path / "whole"
    shutil.copytree(stopped, whole)
    resume(whole, more_epochs=2, doctor=False)
    assert last_of(whole) > 17
    path = killed(whole, tmp_path / "run", 17, stopped / "network.keras")
    resume(path, doctor=False)
    assert outcome(path) == outcome(whole)


@pytest.mark.slow
def test_a_change_beyond_the_checkpoint_that_is_left_counts_from_there_and_once(finished, tmp_path):
    untrained = finished.parent / UNTRAINED
    path = killed(finished, tmp_path / "run", 12)
    resume(path, overrides={"learning_rate": 0.1}, doctor=False)
    path = killed(path, tmp_path / "again", 12, untrained)
    spoil(path, 12)
    found = resume(path, overrides={"learning_rate": 0.5}, doctor=False)
    assert [(one["step"], one["before"], one["after"]) for one in found.info["changes"]] == [
        (11, 0.01, 0.1),
        (11, 0.1, 0.5),
    ]
    assert found.info["changes"][0]["first_made_at"] == 12
    path = killed(path, tmp_path / "third", 12, untrained)
    assert resume(path, doctor=False).config.learning_rate == 0.5
