"""Real processes: signals, exit codes, and one JSON object on stdout."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from seewell.runs.checkpoint import latest_complete, load
from seewell.runs.run import open_run

SEEWELL = str(Path(sys.executable).with_name("seewell"))
ENDLESS = ("--network", "fully-connected:widths=16", "--precision", "float32", "--steps", "100000000")


@contextlib.contextmanager
def training(folder, *more):
    """A training that would never end; it is gone when the test is."""
    command = [SEEWELL, "train", "digits", *ENDLESS, "--out", "run", *more]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    guard = threading.Timer(100, process.kill)
    guard.start()
    try:
        yield process
    finally:
        guard.cancel()
        process.kill()
        process.communicate()


def until_it_trains(process):
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("step 300:"):
            return "".join(lines)
    raise AssertionError("it ended: " + "".join(lines))


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_saves_and_ends_with_its_exit_code(tmp_path, number, code):
    with training(tmp_path, "--json") as process:
        until_it_trains(process)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert out == ""
    assert "Traceback" not in err
    assert "--resume run" in err[err.index("InterruptedTrainingError") :]
    newest, passed_over = latest_complete(tmp_path / "run" / "checkpoints")
    assert passed_over == ()
    assert load(newest).step >= 300
    assert "interrupted" in open_run(tmp_path / "run").info["stopped"]


def test_a_killed_training_leaves_whole_checkpoints_and_its_lock_is_free(tmp_path):
    with training(tmp_path, "--checkpoint-every", "20") as process:
        until_it_trains(process)
        second = subprocess.run(
            [SEEWELL, "runs", "prune", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        process.kill()
        process.wait(timeout=60)
    assert second.returncode == 2
    assert f"process {process.pid} on " in second.stderr
    newest, _ = latest_complete(tmp_path / "run" / "checkpoints")
    assert load(newest).step >= 20
    third = subprocess.run(
        [SEEWELL, "runs", "prune", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert third.returncode == 0, third.stderr


def test_a_whole_training_prints_one_json_object_and_no_chatter(seewell, tmp_path):
    done = seewell("train", "digits", *ENDLESS[:4], "--epochs", "1", "--out", "run", "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["run"] == "run"
    for chatter in ("oneDNN", "cuda", "WARNING", "Warning", "absl"):
        assert chatter not in done.stderr


def test_wrong_input_is_one_message_and_exit_code_2(seewell, tmp_path):
    done = seewell("train", "digits", "--network", "convent")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == 'ConfigError: there is no network "convent".'
    assert not list(tmp_path.iterdir())
