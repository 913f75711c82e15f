"""Checkpoints in the background: one at a time, in order, and a failure that is handed over."""

import threading

import numpy as np
import pytest

from seewell.errors import RunError
from seewell.runs import writer as module
from seewell.runs.checkpoint import Checkpoint, folders, load, pointed
from seewell.runs.folder import make_folder
from seewell.runs.writer import CheckpointWriter, Keeping


def checkpoint_of(step):
    return Checkpoint(step, {"a/kernel": np.full(10, step, np.float32)}, {}, {"step": step})


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path / "run")


def test_what_is_handed_over_is_written_and_named(folder):
    writer = CheckpointWriter(folder, Keeping(last=2))
    for step in (1, 2, 3):
        assert writer.wait() is None
        writer.submit(checkpoint_of(step), best=step == 1)
    writer.close()
    assert [path.name for path in folders(folder.checkpoints)] == ["step-00000001", "step-00000002", "step-00000003"]
    assert pointed(folder.checkpoints, "LATEST").name == "step-00000003"
    assert pointed(folder.checkpoints, "BEST").name == "step-00000001"
    assert load(pointed(folder.checkpoints, "LATEST")).weights["a/kernel"][0] == 3


def test_handing_over_does_not_wait_for_the_disk(folder, monkeypatch):
    go, real = threading.Event(), module.save

    def slow(*given, **more):
        assert go.wait(60)
        return real(*given, **more)

    monkeypatch.setattr(module, "save", slow)
    writer = CheckpointWriter(folder, Keeping())
    writer.submit(checkpoint_of(1), best=True)
    assert folders(folder.checkpoints) == []
    go.set()
    assert writer.wait() is None
    assert [path.name for path in folders(folder.checkpoints)] == ["step-00000001"]
    writer.close()


def test_a_failure_is_handed_over_once_and_the_next_save_is_tried(folder, monkeypatch):
    real = module.point

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "point", full)
    writer = CheckpointWriter(folder, Keeping())
    writer.submit(checkpoint_of(1), best=True)
    assert "step 1 could not be written: No space left on device" in writer.wait().what
    assert writer.wait() is None
    monkeypatch.setattr(module, "point", real)
    writer.submit(checkpoint_of(2), best=True)
    assert writer.wait() is None
    assert pointed(folder.checkpoints, "BEST").name == "step-00000002"
    writer.close()


def test_what_a_killed_process_left_half_written_goes_at_the_start(folder):
    (folder.checkpoints / ".step-00000007.tmp").mkdir()
    CheckpointWriter(folder, Keeping()).close()
    assert list(folder.checkpoints.iterdir()) == []


@pytest.mark.parametrize("problem", [MemoryError(), KeyError("float8"), ValueError("no")])
def test_whatever_goes_wrong_in_a_save_is_handed_over_as_one_message(folder, monkeypatch, problem):
    def fails(*arguments):
        raise problem

    monkeypatch.setattr("seewell.runs.checkpoint._fill", fails)
    writer = CheckpointWriter(folder, Keeping())
    writer.submit(checkpoint_of(1), best=False)
    found = writer.wait()
    writer.close()
    assert isinstance(found, RunError)
    assert "the checkpoint of step 1 could not be written" in found.what
    assert type(problem).__name__ in found.what
    assert list(folder.checkpoints.iterdir()) == []
