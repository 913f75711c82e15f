"""The history: a line a measurement, cut to what a checkpoint counts."""

import json

import pytest

from seewell.errors import RunError
from seewell.runs.measurements import read_measurements
from seewell.training.history import History


def test_lines_are_appended_and_counted(tmp_path):
    history = History(tmp_path / "h.jsonl")
    history.append({"step": 1, "loss": 0.5})
    history.append({"step": 2, "loss": None})
    assert history.length == 2
    lines = (tmp_path / "h.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": None}]


def test_a_new_history_begins_empty(tmp_path):
    (tmp_path / "h.jsonl").write_text("old\n")
    assert History(tmp_path / "h.jsonl").length == 0
    assert (tmp_path / "h.jsonl").read_text() == ""


def test_going_on_cuts_what_came_after_the_checkpoint_also_a_half_line(tmp_path):
    (tmp_path / "h.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    history = History(tmp_path / "h.jsonl", lines=2)
    history.append({"step": 3})
    assert (tmp_path / "h.jsonl").read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'
    assert history.length == 3


def test_what_is_not_finite_has_no_place(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        History(tmp_path / "h.jsonl").append({"loss": float("nan")})


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    history = History(tmp_path / "h.jsonl")
    (tmp_path / "h.jsonl").unlink()
    (tmp_path / "h.jsonl").mkdir()
    with pytest.raises(RunError) as caught:
        history.append({"step": 1})
    assert caught.value.details["file"] == tmp_path / "h.jsonl"


LINE = '{"kind": "train", "step": 1, "epoch": 0.1, "loss": 0.5, "accuracy": 0.5}\n'


def test_lines_that_are_missing_or_damaged_are_said(tmp_path):
    path = tmp_path / "h.jsonl"
    assert History(path, lines=3).lacks == (
        "the history had 0 of the 3 lines that the checkpoint counts; the others are lost.",
    )
    path.write_text(LINE * 3)
    assert History(path, lines=3).lacks == ()
    damaged = (LINE + LINE.replace("step", "stfp") + LINE).encode()[:-1] + b"\xff\n"
    path.write_bytes(damaged)
    assert History(path, lines=3).lacks == ("2 of the 3 lines of the history are damaged; they are passed over.",)
    assert path.read_bytes() == damaged
    assert len(read_measurements(path)) == 1


def test_lines_that_wait_are_not_counted_until_they_are_on_the_disk(tmp_path):
    path = tmp_path / "h.jsonl"
    history = History(path)
    history.append({"step": 1})
    path.unlink()
    path.mkdir()
    with pytest.raises(RunError):
        history.append({"step": 2})
    assert history.length == 1
    path.rmdir()
    history.flush()
    assert history.length == 2
    assert path.read_text() == '{"step": 2}\n'
