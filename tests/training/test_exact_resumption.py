"""A training that is cut after any update and continued ends in the same bytes as one that was never cut.

A kill after step k leaves the checkpoint of step k, the one that was best by then, and a history that may
be longer: just that is laid out for every cut. The continued training takes the checkpoint into a
network that has been trained to its end before, so anything that a checkpoint leaves out would show.
"""

import json
import shutil
from dataclasses import replace

import pytest
import tensorflow as tf

from seewell.config import TrainConfig
from seewell.data.dataset import Split
from seewell.runs.checkpoint import folders, load
from seewell.runs.folder import RunFolder, make_folder
from seewell.training.estimates import DataFacts
from seewell.training.loop import Loop
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.signals import StopRequest
from seewell.training.trainee import make_trainee

STEPS = 24
EVERYTHING = {
    "network": "convnet",
    "network_arguments": {"widths": "4", "normalization": "batch"},
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "cosine",
    "warmup": 0.1,
    "dropout": 0.3,
    "augment": ("shift", "rotate", "cutout", "mixup"),
    "label_smoothing": 0.1,
    "l2": 1e-4,
    "ema": 0.9,
    "early_stop": 20,
    "batch_size": 40,
    "steps": STEPS,
    "seed": 7,
    "keep_last": 1000,
}
TIMES = ("seconds", "images_per_second")


@pytest.fixture(scope="module")
def few_digits(digits):
    """250 digits: an epoch is 6.25 updates, so cuts fall anywhere in it."""
    split = Split(digits.train.images[:250], digits.train.labels[:250])
    held = Split(digits.validation.images[:60], digits.validation.labels[:60])
    return replace(digits, train=split, validation=held, test=None)


class Trainings:
    """Trainings with the same settings in folders of their own, on one compiled network."""

    def __init__(self, dataset, **settings):
        config = TrainConfig(**{**EVERYTHING, **settings})
        facts = DataFacts(len(dataset.train), *dataset.image_shape, dataset.num_classes)
        self.config = resolve(config, facts, Hardware("any", 2, frozenset())).config
        self.dataset = dataset
        self.trainee = make_trainee(
            self.config, dataset.image_shape, dataset.num_classes, None, tf.distribute.get_strategy()
        )
        if self.config.precision == "float16":
            self.trainee.optimizer.dynamic_growth_steps = 5  # so that the loss scale moves within these few updates

    def run(self, folder, start=None, every="1"):
        loop = Loop(
            self.trainee,
            self.dataset,
            self.config.changed(checkpoint_every=every),
            total_steps=STEPS,
            folder=folder,
            observers=(),
            stop=StopRequest(),
        )
        loop.run(start)


def cut_after(whole, step, path):
    """The folder that a kill after an update leaves."""
    folder = RunFolder(path)
    folder.checkpoints.mkdir(parents=True)
    name = f"step-{step:08d}"
    best = f"step-{load(whole.checkpoints / name).state['best_step']:08d}"
    for one in {name, best} - {"step-00000000"}:
        shutil.copytree(whole.checkpoints / one, folder.checkpoints / one)
    shutil.copy(whole.history, folder.history)
    return folder, load(folder.checkpoints / name)


def result(folder):
    """Everything that must be the same: bytes of the last checkpoint, state and history without times."""
    last = folders(folder.checkpoints)[-1]
    state = {k: v for k, v in json.loads((last / "state.json").read_text()).items() if k != "seconds"}
    lines = [json.loads(line) for line in folder.history.read_text().splitlines()]
    return {
        "last": last.name,
        "best": (folder.checkpoints / "BEST").read_text(),
        "weights": (last / "weights.safetensors").read_bytes(),
        "optimizer": (last / "optimizer.safetensors").read_bytes(),
        "state": state,
        "history": [{k: v for k, v in line.items() if k not in TIMES} for line in lines],
    }


def differing(one, other):
    return [name for name in one if one[name] != other[name]]


def check(dataset, tmp_path, cuts, **settings):
    trainings = Trainings(dataset, **settings)
    whole = make_folder(tmp_path / "whole")
    trainings.run(whole)
    expected = result(whole)
    assert expected["last"] == f"step-{STEPS:08d}"
    for step in cuts:
        folder, start = cut_after(whole, step, tmp_path / f"cut-{step}")
        trainings.run(folder, start, every="1000")
        assert differing(result(folder), expected) == [], f"cut after step {step}"
    return whole


@pytest.mark.parametrize(
    ("precision", "cuts"),
    [
        ("float32", (1, 2, 5, 6, 7, 11, 13, 19, 23)),
        # Where the processor has no bfloat16 products, minutes.
        pytest.param("bfloat16", (1, 4, 6, 8, 12, 17, 22), marks=pytest.mark.slow),
        ("float16", (1, 3, 5, 6, 9, 14, 21)),
    ],
)
def test_a_cut_after_any_update_changes_no_byte(few_digits, tmp_path, precision, cuts):
    whole = check(few_digits, tmp_path, cuts, precision=precision)
    if precision == "float16":
        scales = {
            float(next(v for k, v in load(path).optimizer.items() if k.endswith("dynamic_scale")))
            for path in folders(whole.checkpoints)
        }
        assert len(scales) > 1


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "momentum", "nesterov", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "one-cycle"])
def test_a_cut_after_every_update_with_every_optimizer_changes_no_byte(
    few_digits, tmp_path, precision, optimizer, schedule
):
    rate = 0.01 if optimizer.startswith("adam") else 0.05
    settings = {"optimizer": optimizer, "schedule": schedule, "precision": precision, "learning_rate": rate}
    check(few_digits, tmp_path, range(1, STEPS), **settings)


def test_the_arrays_of_a_checkpoint_are_references_that_no_update_changes(few_digits, tmp_path):
    trainings = Trainings(few_digits, precision="float32")
    trainee = trainings.trainee
    captured = trainee.capture(0, {})
    every = {**captured.weights, **captured.optimizer}
    before = {name: value.tobytes() for name, value in every.items()}
    assert not any(value.flags.owndata or value.flags.writeable for value in every.values())
    trainings.run(make_folder(tmp_path / "run"), every="1000")
    assert {name: value.tobytes() for name, value in every.items()} == before
    after = trainee.capture(0, {})
    changed = [name for name, value in captured.weights.items() if (after.weights[name] != value).any()]
    assert {"conv1_1/kernel", "logits/kernel"} & set(changed) or len(changed) > 3
    trainee.restore(captured)
    assert {name: value.tobytes() for name, value in trainee.capture(0, {}).weights.items()} == {
        name: before[name] for name in captured.weights
    }


def test_muon_and_alternating_flips_go_on_in_the_same_bytes(few_digits, tmp_path):
    settings = {"network": "speed", "network_arguments": {"widths": "4-4"}, "preprocess": "scale"}
    augment = ("alternating-flip", "shift-reflect=1")
    settings |= {"optimizer": "muon", "momentum": 0.6, "bias_learning_rate": 1.0, "augment": augment}
    check(few_digits, tmp_path, (1, 6, 7, 15, 23), **settings)
