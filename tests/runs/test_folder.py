"""The run folder: nothing is overwritten, one writer at a time."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seewell.errors import RunError
from seewell.runs.folder import RunFolder, clear_half_written, clear_unused, free_folder, lock, make_folder


def test_the_layout_is_the_contract_s(tmp_path):
    folder = RunFolder(tmp_path)
    names = {"info", "history", "findings", "checkpoints", "network", "tensorboard", "report"}
    assert {getattr(folder, name).name for name in names} == {
        "run.json",
        "history.jsonl",
        "findings.json",
        "checkpoints",
        "network.keras",
        "tensorboard",
        "report.html",
    }


def test_a_new_and_an_empty_folder_are_taken(tmp_path):
    assert make_folder(tmp_path / "a" / "b").checkpoints.is_dir()
    (tmp_path / "empty").mkdir()
    assert make_folder(tmp_path / "empty").path == tmp_path / "empty"


def test_a_folder_that_is_not_empty_is_refused_and_stays_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty") as caught:
        make_folder(tmp_path)
    assert "--out" in caught.value.fix
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(RunError, match=r"exists|cannot be made"):
            make_folder(path)


def test_the_first_free_number_is_taken(tmp_path):
    assert free_folder(tmp_path, "digits-convnet") == tmp_path / "digits-convnet-1"
    (tmp_path / "digits-convnet-1").mkdir()
    (tmp_path / "digits-convnet-3").mkdir()
    assert free_folder(tmp_path, "digits-convnet") == tmp_path / "digits-convnet-2"


@pytest.mark.parametrize(("stem", "name"), [("my set: über/..", "my-set-ber-1"), ("...", "run-1"), ("a\nb", "a-b-1")])
def test_a_name_is_made_safe_for_a_folder(tmp_path, stem, name):
    path = free_folder(tmp_path, stem)
    assert path.parent == tmp_path
    assert path.name == name


def test_a_folder_whose_run_never_began_is_removed(tmp_path):
    folder = make_folder(tmp_path / "run")
    with lock(folder):
        pass
    clear_unused(folder)
    assert not folder.path.exists()


def test_a_folder_with_a_run_or_with_other_things_stays(tmp_path):
    begun, other = make_folder(tmp_path / "begun"), make_folder(tmp_path / "other")
    begun.info.write_text("{}")
    (other.path / "mine.txt").write_text("mine")
    clear_unused(begun)
    clear_unused(other)
    assert begun.checkpoints.is_dir()
    assert (other.path / "mine.txt").read_text() == "mine"


def test_a_second_writer_is_refused_with_the_first_one_s_process(tmp_path):
    folder = make_folder(tmp_path / "run")
    with lock(folder):
        with pytest.raises(RunError, match="another process") as caught, lock(folder):
            pass
        assert f"process {os.getpid()} on " in str(caught.value.details["holder"])
    with lock(folder):
        pass


HOLD = """
import pathlib, sys, time
from seewell.runs.folder import RunFolder, lock
with lock(RunFolder(pathlib.Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def test_another_process_keeps_a_writer_out_until_it_dies(tmp_path):
    folder = make_folder(tmp_path / "run")
    command = [sys.executable, "-c", HOLD, str(folder.path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(RunError) as caught, lock(folder):
                pass
            assert f"process {holder.pid} on " in str(caught.value)
        finally:
            holder.send_signal(signal.SIGKILL)
    with lock(folder):
        pass


def test_an_error_frees_the_lock(tmp_path):
    folder = make_folder(tmp_path / "run")

    def fail():
        with lock(folder):
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    with lock(folder):
        pass


@pytest.fixture
def read_only_disk(tmp_path):
    """A disk with a run folder on it that nothing can be written to (permissions do not bind root)."""
    folder = tmp_path / "disk"
    (folder / "x").mkdir(parents=True)
    mount = shutil.which("mount")
    if mount is None or subprocess.run([mount, "-t", "tmpfs", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        make_folder(folder / "run")
        subprocess.run([mount, "-o", "remount,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_folder_that_cannot_be_written_to_is_said_at_the_start(read_only_disk):
    with pytest.raises(RunError, match="cannot be made: Read-only file system"):
        make_folder(read_only_disk / "other")
    with (
        pytest.raises(RunError, match="cannot be written to: Read-only file system"),
        lock(RunFolder(read_only_disk / "run")),
    ):
        pass


def test_on_a_full_disk_the_lock_holds_and_only_the_holder_s_name_is_missing(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "run")
    real = Path.write_text

    def full(path, *arguments, **options):
        if path.name == ".lock-owner":
            raise OSError(28, "No space left on device")
        return real(path, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", full)
    with lock(folder), pytest.raises(RunError, match="another process") as caught, lock(folder):
        pass
    assert caught.value.details["holder"] == "unknown"


def test_what_a_kill_left_beside_the_files_of_a_run_is_removed_and_nothing_else(tmp_path):
    folder = make_folder(tmp_path / "run")
    stale = (".history.jsonl.5.tmp.jsonl", ".network.keras.ab12.tmp.keras", ".run.json.x_y.tmp.json")
    others = (".run.json.bak", "network.keras", "run.json", ".mine.tmp.json")
    for name in (*stale, *others):
        (folder.path / name).touch()
    assert clear_half_written(folder) == stale
    assert sorted(one.name for one in folder.path.iterdir() if one.is_file()) == sorted(others)
