"""Kills at every single file operation of a save, a full disk, and damage in every byte: nothing unloadable is left."""

import json
import os
import shutil

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.errors import RunError
from seewell.files import json_bytes
from seewell.runs.checkpoint import (
    Checkpoint,
    clear_stale,
    folders,
    latest_complete,
    listed,
    load,
    point,
    pointed,
    save,
)
from seewell.runs.manifest import read_manifest


def checkpoint_of(step, size=1000):
    rng = np.random.default_rng(step)
    weights = {f"layer{k}/kernel": rng.normal(size=(size,)).astype(np.float32) for k in range(4)}
    optimizer = {"0000/iteration": np.asarray(step, np.int64), "0001/m": rng.normal(size=size).astype(np.float32)}
    return Checkpoint(step, weights, optimizer, {"step": step, "best_step": step})


def same(one, other):
    assert (one.step, one.state, one.only) == (other.step, other.state, other.only)
    for first, second in ((one.weights, other.weights), (one.optimizer, other.optimizer)):
        assert {k: v.tobytes() for k, v in first.items()} == {k: v.tobytes() for k, v in second.items()}


# Counts every operation on files and dies before the one asked for (or in the middle of a write), in a child each time.
KILLER = """
import builtins, io, json, os, pathlib, signal, sys, shutil
import numpy as np
from safetensors.numpy import load_file
from seewell.runs import checkpoint as module
from seewell.runs.checkpoint import Checkpoint, latest_complete, load, point, pointed, prune, save

root = pathlib.Path(sys.argv[1])

def checkpoint_of(step):
    rng = np.random.default_rng(step)
    weights = {f"layer{k}/kernel": rng.normal(size=1000).astype(np.float32) for k in range(4)}
    optimizer = {"0000/m": rng.normal(size=1000).astype(np.float32)}
    return Checkpoint(step, weights, optimizer, {"step": step, "best_step": step})

def keep(folder, step):
    target = save(folder, checkpoint_of(step), shard_bytes=9000)
    point(folder, "LATEST", target)
    point(folder, "BEST", target)
    prune(folder, 1)

class Count:
    done, at = 0, -1

def watched(real):
    def act(*given, **more):
        mine, Count.done = Count.done, Count.done + 1
        if mine == Count.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **more)
    return act

def in_child(folder, at):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir", "open", "chmod"):
        setattr(os, name, watched(getattr(os, name)))
    real_open = io.open
    class Torn(io.FileIO):
        def write(self, block):  # half of it is on the disk when the process dies
            mine, Count.done = Count.done, Count.done + 1
            if mine == Count.at:
                super().write(bytes(block)[: len(bytes(block)) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return super().write(block)
    def torn_open(file, mode="r", *given, **more):
        return Torn(file, mode.replace("b", "")) if mode == "xb" else real_open(file, mode, *given, **more)
    io.open = torn_open
    Count.done, Count.at = 0, at
    keep(folder, 20)
    os.write(count[1], str(Count.done).encode())
    os._exit(0)

count = os.pipe()
def fresh(name):
    folder = root / name
    folder.mkdir()
    for step in (10, 11):
        target = save(folder, checkpoint_of(step))
    point(folder, "LATEST", target)
    point(folder, "BEST", target)
    return folder

assert in_child(fresh("whole"), -1) == 0
total = int(os.read(count[0], 100))
survivors = {10: 0, 11: 0, 20: 0}
for at in range(total):
    folder = fresh(str(at))
    status = in_child(folder, at)
    assert os.WIFSIGNALED(status), (at, status)
    newest, passed_over = latest_complete(folder)
    assert newest is not None and passed_over == (), (at, passed_over)
    found = load(newest)
    expected = checkpoint_of(found.step)
    for one, other in ((found.weights, expected.weights), (found.optimizer, expected.optimizer)):
        assert {k: v.tobytes() for k, v in one.items()} == {k: v.tobytes() for k, v in other.items()}, at
    assert pointed(folder, "BEST") is not None or found.step == 20, at
    survivors[found.step] += 1
    keep(folder, 21)
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["BEST", "LATEST", "step-00000021"], (at, names)
    shutil.rmtree(folder)
print(json.dumps({"operations": total, "survivors": survivors}))
"""


def test_a_kill_at_any_operation_on_files_leaves_the_old_or_the_new_and_the_next_save_clears_up(tmp_path, run_python):
    done = run_python(KILLER, tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["operations"] > 40
    assert said["survivors"]["11"] > 15
    assert said["survivors"]["20"] > 10


FULL = """
import pathlib, resource, sys
import numpy as np
from seewell.errors import RunError
from seewell.runs.checkpoint import Checkpoint, save
folder, limit = pathlib.Path(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    save(folder, Checkpoint(20, {"w": np.ones(25_000, np.float32)}, {"m": np.ones(50_000, np.float32)}, {"step": 20}))
except RunError as problem:
    print(problem.what)
"""


@pytest.mark.parametrize("limit", [0, 7, 5_000, 100_000, 150_000])
def test_a_file_that_may_not_grow_is_reported_and_leaves_earlier_checkpoints(tmp_path, run_python, limit):
    older = save(tmp_path, checkpoint_of(10))
    before = {path: path.read_bytes() for path in older.iterdir()}
    done = run_python(FULL, tmp_path, limit)
    assert done.returncode == 0, done.stderr
    assert "the checkpoint of step 20 could not be written: File too large" in done.stdout
    assert os.listdir(tmp_path) == [older.name]
    assert {path: path.read_bytes() for path in older.iterdir()} == before


@pytest.fixture
def small_disk(tmp_path):
    """A disk of a megabyte, where this process may mount one."""
    import subprocess

    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_really_full_is_reported_and_has_room_again_once_older_checkpoints_go(small_disk):
    save(small_disk, checkpoint_of(10, size=30_000))
    with pytest.raises(RunError, match="No space left on device"):
        save(small_disk, checkpoint_of(20, size=60_000))
    assert [path.name for path in folders(small_disk)] == ["step-00000010"]
    assert os.listdir(small_disk) == ["step-00000010"]
    same(load(folders(small_disk)[0]), checkpoint_of(10, size=30_000))
    shutil.rmtree(small_disk / "step-00000010")
    same(load(save(small_disk, checkpoint_of(20, size=40_000))), checkpoint_of(20, size=40_000))


@pytest.fixture(scope="module")
def divided(tmp_path_factory):
    """A folder with a checkpoint in several files, to be copied."""
    folder = tmp_path_factory.mktemp("divided")
    save(folder, checkpoint_of(10, size=50), shard_bytes=450)
    return folder


def test_large_checkpoints_are_divided_and_come_back_whole(divided):
    path = folders(divided)[0]
    names = sorted(os.listdir(path))
    assert names[:1] == ["manifest.json"]
    assert [name for name in names if name.startswith("weights")] == [
        "weights-00001-of-00002.safetensors",
        "weights-00002-of-00002.safetensors",
    ]
    same(load(path), checkpoint_of(10, size=50))
    ((_, manifest),) = listed(divided)
    assert set(manifest.files) == set(names) - {"manifest.json"}
    assert manifest.bytes_of("weights") == sum((path / name).stat().st_size for name in names if "weights" in name)


@hypothesis.settings(max_examples=100)
@hypothesis.given(st.data())
def test_any_byte_of_any_file_that_changes_or_goes_is_noticed(tmp_path_factory, divided, data):
    folder = tmp_path_factory.mktemp("damage")
    save(folder, checkpoint_of(5, size=5))
    shutil.copytree(folders(divided)[0], folder / "step-00000010")
    name = data.draw(st.sampled_from(sorted(os.listdir(folder / "step-00000010"))))
    file = folder / "step-00000010" / name
    content = bytearray(file.read_bytes())
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    file.write_bytes(content)
    newest, (said,) = latest_complete(folder)
    assert newest.name == "step-00000005"
    assert name in said
    with pytest.raises(RunError, match="cannot be used"):
        load(file.parent)
    shutil.rmtree(folder)


def test_a_file_that_is_missing_is_named(divided, tmp_path):
    shutil.copytree(folders(divided)[0], tmp_path / "step-00000010")
    (tmp_path / "step-00000010" / "weights-00002-of-00002.safetensors").unlink()
    assert "weights-00002-of-00002.safetensors: No such file" in latest_complete(tmp_path)[1][0]


def test_a_checkpoint_in_a_folder_of_another_step_is_none(divided, tmp_path):
    shutil.copytree(folders(divided)[0], tmp_path / "step-00000099")
    assert latest_complete(tmp_path)[0] is None


def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path):
    path = save(tmp_path, checkpoint_of(10, size=5))
    from seewell.runs import manifest as module

    said = json.loads((path / "manifest.json").read_text())
    said["files"]["../weights.safetensors"] = said["files"].pop("weights.safetensors")
    rest = {key: value for key, value in said.items() if key != "sha256"}
    (path / "manifest.json").write_bytes(json_bytes({**rest, "sha256": module._checksum(rest)}))
    with pytest.raises(ValueError, match="names the file"):
        read_manifest(path)
    assert latest_complete(tmp_path)[0] is None


def test_what_killed_processes_left_goes_and_nothing_else(tmp_path):
    target = save(tmp_path, checkpoint_of(10, size=5))
    point(tmp_path, "LATEST", target)
    (tmp_path / ".step-00000011.tmp").mkdir()
    (tmp_path / ".step-00000011.tmp" / "weights.safetensors").write_bytes(b"half")
    (tmp_path / ".LATEST.abc.tmp").write_text("step")
    (tmp_path / ".mine.tmp").write_text("mine")
    assert sorted(clear_stale(tmp_path)) == [".LATEST.abc.tmp", ".step-00000011.tmp"]
    assert sorted(os.listdir(tmp_path)) == [".mine.tmp", "LATEST", "step-00000010"]
    assert pointed(tmp_path, "LATEST") == target
