"""Runs of 17 updates, and the folders that kills of them leave."""

import shutil

import numpy as np

from seewell.config import TrainConfig
from seewell.files import read_json, write_json
from seewell.runs.checkpoint import folders, point
from seewell.runs.run import open_run
from seewell.training.observers import Observer
from seewell.workbench import train

SETTINGS = {
    "network": "fully-connected",
    "network_arguments": {"widths": "8"},
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "precision": "float32",
    "dropout": 0.2,
    "batch_size": 10,
    "epochs": 3,
    "keep_last": 50,
    "checkpoint_every": "4",
}
UNTRAINED = "untrained.keras"


class Copies(Observer):
    """An observer that copies the network as it is kept before the first update."""

    def __init__(self, folder, target):
        self.folder, self.target = folder, target

    def on_start(self, started):
        shutil.copy(self.folder.network, self.target)


def write_source(split, path):
    """A split as a file, which a run finds again."""
    np.savez(path, images=split.images, labels=split.labels)
    return path


def train_small(source, parent, **settings):
    """A finished run in a folder of ``parent``, and beside it the network as it was before the first update."""
    config = TrainConfig(**{**SETTINGS, **settings})
    watch = {"observers": lambda plan, folder: [Copies(folder, parent / UNTRAINED)]}
    return train(source, config, out=parent / "run", doctor=False, **watch).path


def killed(finished, path, step, network=None):
    """A copy of the run as a kill after ``step`` updates leaves it.

    ``network`` is the kept network of then: by default that of before the first update, where `train_small` laid it.
    """
    shutil.copytree(finished, path)
    info = read_json(path / "run.json")
    del info["result"]
    write_json(path / "run.json", info)
    checkpoints = path / "checkpoints"
    for one in folders(checkpoints):
        if int(one.name.removeprefix("step-")) > step:
            shutil.rmtree(one)
    newest = folders(checkpoints)[-1]
    best = read_json(newest / "state.json")["best_step"]
    point(checkpoints, "LATEST", newest)
    (checkpoints / "BEST").unlink()
    if best:
        point(checkpoints, "BEST", checkpoints / f"step-{best:08d}")
    shutil.copy(network or finished.parent / UNTRAINED, path / "network.keras")
    return path


def edit(path, **settings):
    """Settings of ``run.json``, changed behind seewell's back."""
    info = read_json(path / "run.json")
    info["config"] |= settings
    write_json(path / "run.json", info)


def content(path):
    """Every byte of a run's folder, the lock's files left out."""
    files = (one for one in path.rglob("*") if one.is_file() and not one.name.startswith(".lock"))
    return {one: one.read_bytes() for one in files}


def measured(path):
    """The history but for its times."""
    times = ("seconds", "images_per_second")
    return [{k: v for k, v in row.items() if k not in times} for row in open_run(path).history]


def outcome(path):
    """What must be the same, cut or not."""
    last = folders(path / "checkpoints")[-1]
    weights = b"".join(np.asarray(value).tobytes() for value in open_run(path).network.get_weights())
    best = (path / "checkpoints" / "BEST").read_text()
    kept = [(last / f"{kind}.safetensors").read_bytes() for kind in ("weights", "optimizer")]
    return (last.name, best, *kept, weights, measured(path))
