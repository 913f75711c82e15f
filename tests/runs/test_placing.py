"""What is put in place is whole or not there, and what was there before comes back when that fails."""

import os
import time

import pytest

from seewell.runs import placing
from seewell.runs.placing import place, working_folder


def make(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_replaces_a_file(tmp_path):
    target = make(tmp_path / "network.onnx", "old")
    with working_folder(tmp_path) as work:
        place(make(work / "network.onnx", "new"), target)
    assert target.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["network.onnx"]


def test_a_folder_replaces_a_folder_as_a_whole(tmp_path):
    make(tmp_path / "savedmodel" / "1" / "gone", "old")
    with working_folder(tmp_path) as work:
        make(work / "savedmodel" / "1" / "here", "new")
        place(work / "savedmodel", tmp_path / "savedmodel")
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_file()] == ["savedmodel/1/here"]


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_moved(tmp_path, monkeypatch):
    make(tmp_path / "savedmodel" / "1" / "here", "old")
    with working_folder(tmp_path) as work:
        made = make(work / "savedmodel" / "1" / "here", "new").parents[1]
        rename = type(made).rename

        def fail(path, target):
            if path == made:
                raise OSError("no")
            return rename(path, target)

        monkeypatch.setattr(type(made), "rename", fail)
        with pytest.raises(OSError, match="no"):
            place(made, tmp_path / "savedmodel")
    assert (tmp_path / "savedmodel" / "1" / "here").read_text() == "old"


def test_a_folder_does_not_replace_a_file(tmp_path):
    target = make(tmp_path / "savedmodel", "mine")
    with working_folder(tmp_path) as work:
        make(work / "savedmodel" / "1" / "here", "new")
        with pytest.raises(OSError):  # noqa: PT011
            place(work / "savedmodel", target)
    assert target.read_text() == "mine"


def test_the_working_folder_is_gone_afterwards_and_old_ones_with_it(tmp_path):
    old, young = tmp_path / ".export-old", tmp_path / ".export-young"
    old.mkdir()
    young.mkdir()
    long_ago = time.time() - placing._STALE_SECONDS - 60
    os.utime(old, (long_ago, long_ago))

    def die(work):
        (work / "half").write_text("half")
        raise KeyError

    with pytest.raises(KeyError), working_folder(tmp_path) as work:
        die(work)
    assert [one.name for one in tmp_path.iterdir()] == [".export-young"]


KILLED = """
import os, pathlib, signal, sys
from seewell.runs.placing import place, working_folder

out = pathlib.Path(sys.argv[1])
with working_folder(out) as work:
    made = work / "savedmodel"
    (made / "1").mkdir(parents=True)
    (made / "1" / "here").write_text("new")
    rename = pathlib.Path.rename
    def last(path, target):
        if path == made:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(path, target)
    pathlib.Path.rename = last
    place(made, out / "savedmodel")
"""


def test_what_a_kill_in_the_middle_left_without_its_place_comes_back_with_the_next_export(tmp_path, run_python):
    make(tmp_path / "savedmodel" / "1" / "here", "old")
    assert run_python(KILLED, tmp_path).returncode == -9
    assert not (tmp_path / "savedmodel").exists()
    with working_folder(tmp_path):
        assert (tmp_path / "savedmodel" / "1" / "here").read_text() == "old"


def test_what_another_export_is_replacing_just_now_is_left_to_it(tmp_path):
    with working_folder(tmp_path) as work:
        make(work / "savedmodel.before" / "1" / "here", "old")
        with working_folder(tmp_path):
            assert not (tmp_path / "savedmodel").exists()
