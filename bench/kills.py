"""Kills a real training at random moments, goes on with it each time, and looks at what is left.

    .venv/bin/python bench/kills.py [--kills 500] [--seed 0] [--every 5] [--steps 400] [--doctor] [--json]

A small network trains on digits with Adam, dropout, augmentation, a cosine schedule and a moving average, and saves
after every 5 updates. SIGKILL comes at a random moment: a third of the time anywhere from the start of the process
(reading, building, restoring, tracing), else within half a second after an update. After each kill the run must open,
its newest checkpoint must be whole, none may be damaged, and at most two intervals of updates may be lost (one, and
those made while one checkpoint was written). Then `resume` goes on. A training that reaches its end must have the same
bytes as the one that was never cut (the last checkpoint, BEST, the kept network's weights, the history but for its
times), and nothing half written in its folder; a new one begins.

Each life is a process of its own, forked from one that has only imported TensorFlow, which saves the import.
"""

import argparse
import io
import json
import mmap
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from seewell.training.observers import Observer

SETTINGS = {
    "network": "fully-connected",
    "network_arguments": {"widths": "32"},
    "optimizer": "adam",
    "precision": "float32",
    "dropout": 0.3,
    "augment": ("shift",),
    "schedule": "cosine",
    "ema": 0.9,
    "batch_size": 50,
    "seed": 3,
}


@dataclass
class Tally:
    """What was seen so far."""

    kills: int = 0
    before_first_checkpoint: int = 0
    unloadable: int = 0
    damaged: int = 0
    lost: list[int] = field(default_factory=list)
    finished: int = 0
    differing: int = 0
    stale: int = 0


class Progress(Observer):
    """An observer that tells the parent, through shared memory, how many updates were made."""

    def __init__(self, memory):
        self.memory = memory

    def on_progress(self, step, loss, accuracy, images_per_second):
        self.memory[:8] = struct.pack("q", step)


def live(path, memory, config, doctor):
    """Train or go on, in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    from seewell.workbench import resume, train

    status = 1
    try:
        watch = {"observers": lambda plan, folder: [Progress(memory)], "doctor": doctor}
        if (path / "run.json").exists():
            resume(path, **watch)
        else:
            shutil.rmtree(path, ignore_errors=True)
            train("digits", config, out=path, **watch)
        status = 0
    except BaseException as problem:
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
    os._exit(status)


def made(memory):
    return struct.unpack("q", memory[:8])[0]


def kill(child, memory, chance):
    """Wait for a random moment and kill; whether there was something to kill."""
    if chance.random() < 1 / 3:
        left = chance.uniform(0, 3)
    else:
        while not made(memory) and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            time.sleep(0.002)
        left = chance.uniform(0, 0.5)
    ends = time.monotonic() + left
    while time.monotonic() < ends and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def network_weights(path):
    """Name → bytes, read without TensorFlow, which must not have run in a process that forks."""
    import h5py

    found = {}

    def take(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()].tobytes()

    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights:
        weights.visititems(take)
    return found


def outcome(path):
    from seewell.runs.checkpoint import folders
    from seewell.runs.run import open_run

    last = folders(path / "checkpoints")[-1]
    run = open_run(path)
    return {
        "last": last.name,
        **{kind: (last / f"{kind}.safetensors").read_bytes() for kind in ("weights", "optimizer")},
        "best": (path / "checkpoints" / "BEST").read_text(),
        "network": network_weights(path / "network.keras"),
        "history": [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second")} for row in run.history],
        "half written": [one.name for one in path.rglob(".*.tmp*")],
    }


def look(path, memory, every, tally):
    """What a kill has left; whether a training can go on from it."""
    from seewell.errors import SeewellError
    from seewell.runs.checkpoint import latest_complete, load
    from seewell.runs.run import open_run

    checkpoints = path / "checkpoints"
    tally.stale += any(checkpoints.glob(".step-*.tmp")) if checkpoints.is_dir() else 0
    newest, passed_over = latest_complete(checkpoints)
    tally.damaged += len(passed_over)
    if newest is None:
        tally.before_first_checkpoint += 1
        tally.unloadable += made(memory) > 2 * every
        return False
    try:
        found = load(newest)
        open_run(path)
        with zipfile.ZipFile(path / "network.keras") as archive:
            assert archive.testzip() is None
    except (SeewellError, OSError, zipfile.BadZipFile, AssertionError) as problem:
        sys.stderr.write(f"unloadable: {problem}\n")
        tally.unloadable += 1
        return False
    if made(memory):
        tally.lost.append(made(memory) - found.step)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", type=int, default=5, help="updates between checkpoints")
    parser.add_argument("--steps", type=int, default=400, help="updates of a training")
    parser.add_argument("--doctor", action="store_true", help="with the doctor watching")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    import seewell.workbench  # noqa: F401  # imported once, before the forks
    from seewell.config import TrainConfig

    config = TrainConfig(**SETTINGS, steps=given.steps, checkpoint_every=str(given.every))
    chance, tally = random.Random(given.seed), Tally()
    memory = mmap.mmap(-1, 8)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        whole, path = Path(folder) / "whole", Path(folder) / "run"
        if os.waitpid(live(whole, memory, config, given.doctor), 0)[1]:
            sys.exit("the uncut training failed")
        expected = outcome(whole)

        def check_end():
            tally.finished += 1
            found = outcome(path)
            different = [name for name in found if found[name] != expected[name]]
            tally.differing += bool(different)
            if different:
                sys.stderr.write(f"differing: {', '.join(different)}\n")
            shutil.rmtree(path)

        while tally.kills < given.kills:
            memory[:8] = struct.pack("q", 0)
            status = kill(live(path, memory, config, given.doctor), memory, chance)
            if os.WIFEXITED(status):
                if os.WEXITSTATUS(status):
                    sys.exit("a training failed by itself")
                check_end()
                continue
            tally.kills += 1
            if tally.kills % 50 == 0:
                print(f"{tally.kills} kills, {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
            if not look(path, memory, given.every, tally):
                shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            if os.waitpid(live(path, memory, config, given.doctor), 0)[1]:
                sys.exit("the last training did not go on")
            check_end()
    report(tally, given, time.perf_counter() - began)
    too_many = max(tally.lost, default=0) > 2 * given.every
    sys.exit(1 if tally.unloadable or tally.damaged or tally.differing or too_many else 0)


def report(tally, given, seconds):
    lost = tally.lost or [0]
    if given.json:
        print(json.dumps({**vars(tally), "lost": lost, "every": given.every, "seconds": seconds}))
        return
    early, most = tally.before_first_checkpoint, 2 * given.every
    print(f"{tally.kills} kills in {seconds:.0f} s, a checkpoint every {given.every} updates")
    print(f"  runs that no longer load: {tally.unloadable}; damaged checkpoints: {tally.damaged}")
    print(f"  killed before the first checkpoint: {early}; in the middle of a save: {tally.stale}")
    print(f"  updates lost: mean {sum(lost) / len(lost):.1f}, most {max(lost)} (allowed {most}), n={len(lost)}")
    print(f"  trainings that reached their end: {tally.finished}, with other bytes than the uncut: {tally.differing}")


if __name__ == "__main__":
    main()
