"""Atomic writes: the old file or the whole new one, never a part."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys

import pytest

from seewell import files
from seewell.files import (
    fsync_folder,
    read_json,
    sha256_of_file,
    temporary_pattern,
    within,
    write_atomically,
    write_json,
)


def test_a_new_file_appears_whole_and_nothing_else_stays(tmp_path):
    with write_atomically(tmp_path / "a.txt") as beside:
        assert beside.parent == tmp_path
        beside.write_text("whole")
        assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_no_rest(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def write():
        with write_atomically(path) as beside:
            beside.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    code = (
        "import pathlib, sys, time\n"
        "from seewell.files import write_atomically\n"
        "with write_atomically(pathlib.Path(sys.argv[1])) as beside:\n"
        "    beside.write_text('half')\n"
        "    print('half written', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "half written\n"
        finally:
            process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"


def test_the_file_is_fsynced_before_the_rename_and_the_folder_after_it(tmp_path, monkeypatch):
    path, events = tmp_path / "a.txt", []
    real = os.fsync

    def watched(handle):
        events.append(("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file", path.exists()))
        real(handle)

    monkeypatch.setattr(files.os, "fsync", watched)
    with write_atomically(path) as beside:
        beside.write_text("x")
    assert events == [("file", False), ("folder", True)]


def test_an_error_of_fsync_is_reported_and_the_old_file_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def broken(handle):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files.os, "fsync", broken)

    def write():
        with write_atomically(path) as beside:
            beside.write_text("new")

    with pytest.raises(OSError, match="Input/output error"):
        write()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="No such file"), write_atomically(tmp_path / "none" / "a.txt"):
        pass


def test_the_new_file_has_the_usual_permissions(tmp_path):
    with write_atomically(tmp_path / "a.txt") as beside:
        beside.write_text("x")
    (tmp_path / "usual").write_text("x")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_the_umask_of_the_process_is_not_touched(tmp_path, monkeypatch):
    """For a moment, other threads would make files that anybody may write to."""
    monkeypatch.setattr(os, "umask", None)
    with write_atomically(tmp_path / "a.txt") as beside:
        assert list(tmp_path.glob(temporary_pattern(tmp_path / "a.txt"))) == [beside]


def test_the_temporary_file_keeps_the_ending(tmp_path):
    with write_atomically(tmp_path / "network.keras") as beside:
        assert beside.suffix == ".keras"


def test_json_goes_round_with_its_order(tmp_path):
    value = {"b": [1, 2.5, None, True], "a": "é猫\n"}
    write_json(tmp_path / "x.json", value)
    assert list(read_json(tmp_path / "x.json")) == ["b", "a"]
    assert read_json(tmp_path / "x.json") == value
    assert (tmp_path / "x.json").read_text(encoding="utf-8").endswith("}\n")


def test_a_name_that_is_not_utf_8_goes_round_through_json(tmp_path):
    name = os.fsdecode(b"\xff.png")
    write_json(tmp_path / "x.json", {"file": name})
    assert read_json(tmp_path / "x.json") == {"file": name}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_place_for_what_is_not_finite(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"loss": value})
    assert os.listdir(tmp_path) == []


def test_json_that_was_cut_is_a_value_error(tmp_path):
    (tmp_path / "x.json").write_text('{"a": 1', encoding="utf-8")
    with pytest.raises(json.JSONDecodeError):
        read_json(tmp_path / "x.json")


def test_the_checksum_is_the_one_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 1000)
    assert sha256_of_file(tmp_path / "x") == hashlib.sha256(b"abc" * 1000).hexdigest()


def test_within_follows_links_and_dots(tmp_path):
    inside = tmp_path / "root"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path)
    assert within(inside / "a", inside)
    assert within(inside, inside)
    assert not within(inside / ".." / "a", inside)
    assert not within(inside / "link" / "a", inside)


def test_fsync_folder_closes_what_it_opens(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    fsync_folder(tmp_path)
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert before == after
