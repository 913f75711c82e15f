"""Checkpoints: all or nothing, bit for bit, and never trusted unless every checksum holds."""

import json
import os
import shutil

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.errors import RunError
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


def test_pruning_keeps_the_first_checkpoint_of_each_stretch(tmp_path):
    for step in (50, 99, 103, 150, 200, 250, 299, 401, 450):
        save(tmp_path, checkpoint_of(step))
    prune(tmp_path, 1, 100)
    assert [int(path.name.removeprefix("step-")) for path in folders(tmp_path)] == [103, 200, 401, 450]
    save(tmp_path, checkpoint_of(470))
    prune(tmp_path, 1, 100)
    assert [int(path.name.removeprefix("step-")) for path in folders(tmp_path)] == [103, 200, 401, 470]


def test_a_lost_best_is_said_and_the_newest_whole_one_is_taken(tmp_path):
    from seewell.runs.checkpoint import Checkpoint, best_whole, point, save, set_aside

    arrays = {"a/kernel": np.ones((2, 2), np.float32)}
    first, second = (save(tmp_path, Checkpoint(step, arrays, {}, {})) for step in (1, 2))
    point(tmp_path, "BEST", first)
    assert best_whole(tmp_path) == (first, ())
    (first / "weights.safetensors").write_bytes(b"cut")
    found, said = best_whole(tmp_path)
    assert found == second
    assert said
    set_aside(tmp_path, 1)
    assert best_whole(tmp_path)[0] is None
