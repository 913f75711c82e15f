"""Checkpoints: all or nothing, bit for bit, and never trusted unless every checksum holds."""

import json
import os
import shutil
import signal
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.errors import RunError
from seewell.runs import checkpoint as module
from seewell.runs.checkpoint import (
    Checkpoint,
    folders,
    latest_complete,
    load,
    point,
    pointed,
    prune,
    save,
    superfluous,
)

FILES = ("weights.safetensors", "optimizer.safetensors", "state.json", "manifest.json")


def checkpoint_of(step=3, seed=0):
    rng = np.random.default_rng(seed)
    weights = {
        "fc1/kernel": rng.normal(size=(4, 3)).astype(np.float32),
        "fc1/bias": np.array([np.float32(-0.0), np.float32(1e-45), np.float32(3.4e38)], np.float32),
        "dropout/seed_generator_state": np.array([2**32 - 1, 7], np.uint32),
        "turned/kernel": np.asfortranarray(rng.normal(size=(3, 5)).astype(np.float32)),
        "empty/bias": np.zeros((0,), np.float32),
    }
    optimizer = {"0000/iteration": np.asarray(step, np.int64), "0001/learning_rate": np.asarray(0.1, np.float32)}
    return Checkpoint(step, weights, optimizer, {"step": step, "best_accuracy": 0.1 + 0.2, "best_loss": None})


def same(one, other):
    assert one.step == other.step
    assert one.state == other.state
    for first, second in ((one.weights, other.weights), (one.optimizer, other.optimizer)):
        assert first.keys() == second.keys()
        for name in first:
            assert first[name].dtype == second[name].dtype
            assert first[name].shape == second[name].shape
            assert first[name].tobytes() == second[name].tobytes()


def test_a_checkpoint_comes_back_bit_for_bit_scalars_included(tmp_path):
    kept = checkpoint_of()
    path = save(tmp_path, kept)
    assert path == tmp_path / "step-00000003"
    assert sorted(os.listdir(path)) == sorted(FILES)
    same(load(path), kept)


def test_the_same_values_are_the_same_bytes_whatever_their_order(tmp_path):
    kept = checkpoint_of()
    other = Checkpoint(3, dict(reversed(kept.weights.items())), kept.optimizer, kept.state)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = save(tmp_path / "a", kept), save(tmp_path / "b", other)
    for name in FILES[:3]:
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_the_manifest_lists_names_shapes_dtypes_sizes_and_checksums(tmp_path):
    path = save(tmp_path, checkpoint_of())
    manifest = json.loads((path / "manifest.json").read_text())
    assert manifest["step"] == 3
    assert manifest["weights"]["fc1/kernel"] == {"shape": [4, 3], "dtype": "float32"}
    assert manifest["optimizer"]["0000/iteration"] == {"shape": [], "dtype": "int64"}
    assert set(manifest["files"]) == set(FILES[:3])
    for name, said in manifest["files"].items():
        assert said["bytes"] == (path / name).stat().st_size
        assert len(said["sha256"]) == 64


def two(tmp_path):
    return save(tmp_path, checkpoint_of(10)), save(tmp_path, checkpoint_of(20))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut one byte", "cut in half", "empty", "flipped", "missing", "folder"])
def test_a_damaged_checkpoint_is_passed_over_with_a_sentence(tmp_path, name, damage):
    older, newer = two(tmp_path)
    file = newer / name
    content = file.read_bytes()
    if damage == "cut one byte":
        # The manifest's last byte is its final newline: without it, it is still whole.
        file.write_bytes(content[:-1] if name != "manifest.json" else content[:-2])
    elif damage == "cut in half":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "flipped":
        place = content.index(b'"files"') if name == "manifest.json" else len(content) // 2
        file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    else:
        file.unlink()
        if damage == "folder":
            file.mkdir()
    found, passed_over = latest_complete(tmp_path)
    assert found == older
    assert len(passed_over) == 1
    assert passed_over[0].startswith("checkpoint step-00000020 was passed over: ")
    same(load(found), checkpoint_of(10))
    with pytest.raises(RunError) as caught:
        load(newer)
    assert "step-00000020" in caught.value.what
    assert caught.value.details["folder"] == newer


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.sampled_from(FILES[:3]), st.integers(0, 10**6), st.integers(1, 255))
def test_any_byte_of_any_file_that_changes_is_noticed(tmp_path_factory, name, place, change):
    folder = tmp_path_factory.mktemp("flip")
    path = save(folder, checkpoint_of())
    content = bytearray((path / name).read_bytes())
    content[place % len(content)] ^= change
    (path / name).write_bytes(content)
    assert latest_complete(folder)[0] is None


@pytest.mark.parametrize("text", ["[]", "null", "3", '{"files": 3}', '{"files": {}}', '{"files": {"state.json": 1}}'])
def test_a_manifest_that_is_something_else_is_passed_over(tmp_path, text):
    older, newer = two(tmp_path)
    (newer / "manifest.json").write_text(text)
    assert latest_complete(tmp_path)[0] == older


def test_the_newest_is_by_step_not_by_time(tmp_path):
    older, newer = two(tmp_path)
    os.utime(older, (4e9, 4e9))
    os.utime(newer, (0, 0))
    assert latest_complete(tmp_path) == (newer, ())
    assert latest_complete(save(tmp_path, checkpoint_of(100_000_000)).parent)[0].name == "step-100000000"


def test_no_folder_or_an_empty_one_has_no_checkpoint(tmp_path):
    assert latest_complete(tmp_path) == (None, ())
    assert latest_complete(tmp_path / "none") == (None, ())


def test_what_a_killed_process_left_is_ignored_and_cleared_up(tmp_path):
    stale = tmp_path / ".step-00000030.tmp"
    stale.mkdir()
    (stale / "weights.safetensors").write_bytes(b"half")
    older, newer = two(tmp_path)
    assert latest_complete(tmp_path) == (newer, ())
    assert folders(tmp_path) == [older, newer]
    save(tmp_path, checkpoint_of(30))
    assert not stale.exists()
    stale.mkdir()
    prune(tmp_path, 3)
    assert not stale.exists()
    assert len(folders(tmp_path)) == 3


KILLED = """
import os, pathlib, signal, sys
import numpy as np
from seewell.runs import checkpoint
from seewell.runs.checkpoint import Checkpoint, save

folder, moment = pathlib.Path(sys.argv[1]), sys.argv[2]
kept = Checkpoint(20, {"w": np.ones(1000, np.float32)}, {"o": np.ones((), np.int64)}, {"step": 20})

def die(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)

if moment == "manifest":
    checkpoint._manifest = die
elif moment == "rename":
    pathlib.Path.rename = die
else:
    real = checkpoint.fsync_folder
    checkpoint.fsync_folder = lambda path: die() if path == folder else real(path)
save(folder, kept)
"""


@pytest.mark.parametrize(("moment", "survivor"), [("manifest", 10), ("rename", 10), ("folder", 20)])
def test_a_kill_while_saving_leaves_the_old_or_the_new_never_a_mixture(tmp_path, moment, survivor):
    save(tmp_path, checkpoint_of(10))
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    found, passed_over = latest_complete(tmp_path)
    assert load(found).step == survivor
    assert passed_over == ()
    save(tmp_path, checkpoint_of(20))
    assert load(latest_complete(tmp_path)[0]).step == 20


def test_a_disk_that_is_full_is_reported_and_leaves_earlier_checkpoints(tmp_path, monkeypatch):
    older = save(tmp_path, checkpoint_of(10))

    def full(*given):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_json", full)
    with pytest.raises(RunError) as caught:
        save(tmp_path, checkpoint_of(20))
    assert "No space left on device" in caught.value.what
    assert os.listdir(tmp_path) == [older.name]
    same(load(older), checkpoint_of(10))


def test_a_whole_checkpoint_is_not_written_again_a_damaged_one_is(tmp_path):
    path = save(tmp_path, checkpoint_of(seed=0))
    save(tmp_path, checkpoint_of(seed=1))
    same(load(path), checkpoint_of(seed=0))
    (path / "state.json").write_text("{}")
    save(tmp_path, checkpoint_of(seed=1))
    same(load(path), checkpoint_of(seed=1))


def test_a_pointer_names_a_whole_checkpoint_or_nothing(tmp_path):
    older, newer = two(tmp_path)
    assert pointed(tmp_path, "BEST") is None
    point(tmp_path, "BEST", older)
    assert (tmp_path / "BEST").read_text() == "step-00000010\n"
    assert pointed(tmp_path, "BEST") == older
    point(tmp_path, "BEST", newer)
    assert pointed(tmp_path, "BEST") == newer
    (newer / "state.json").write_text("{}")
    assert pointed(tmp_path, "BEST") is None


@pytest.mark.parametrize("text", [b"../outside", b"/etc", b"", b"step-1", b"\xff\xfe"])
def test_a_pointer_that_leads_elsewhere_is_not_followed(tmp_path, text):
    two(tmp_path)
    (tmp_path / "BEST").write_bytes(text)
    assert pointed(tmp_path, "BEST") is None


def test_pruning_keeps_the_last_ones_and_the_best(tmp_path):
    paths = [save(tmp_path, checkpoint_of(step)) for step in (1, 2, 3, 4, 5)]
    point(tmp_path, "BEST", paths[1])
    assert superfluous(tmp_path, 2) == [paths[0], paths[2]]
    assert len(folders(tmp_path)) == 5
    prune(tmp_path, 2)
    assert folders(tmp_path) == [paths[1], paths[3], paths[4]]
    shutil.rmtree(paths[1])
    (tmp_path / "BEST").unlink()
    prune(tmp_path, 1)
    assert folders(tmp_path) == [paths[4]]
