"""The whole: what a training writes down, that its seed decides it, and that it can be cut and continued."""

import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest

import seewell as package
from seewell.config import TrainConfig
from seewell.errors import ConfigError, DataError, InterruptedTrainingError, NetworkError, NotFiniteError, RunError
from seewell.findings import CODES
from seewell.runs.checkpoint import folders, load, pointed
from seewell.runs.run import open_run
from seewell.training.observers import Observer
from seewell.workbench import resume, train

# design.md, section 4
SUMMARY = [
    "run",
    "network",
    "parameters",
    "steps",
    "epochs",
    "seed",
    "precision",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "test_interval",
    "seconds_training",
    "images_per_second",
    "findings",
]

TINY = {"network": "fully-connected", "network_arguments": {"widths": "16"}, "precision": "float32"}
EVERYTHING = {
    "network": "convnet",
    "network_arguments": {"widths": "4", "normalization": "batch"},
    "precision": "float32",
    "dropout": 0.3,
    "augment": ("shift", "rotate", "mixup"),
    "label_smoothing": 0.1,
    "l2": 1e-4,
    "ema": 0.9,
    "schedule": "cosine",
    "warmup": 0.1,
    "preprocess": "per-channel",
    "seed": 3,
}


def numbers(path):
    """The kept weights and the history without times: what a seed decides."""
    history = [
        {name: value for name, value in entry.items() if name not in ("seconds", "images_per_second")}
        for entry in open_run(path).history
    ]
    last = folders(path / "checkpoints")[-1]
    kept = {name: (last / name).read_bytes() for name in ("weights.safetensors", "optimizer.safetensors")}
    weights = b"".join(np.asarray(value).tobytes() for value in open_run(path).network.get_weights())
    return {"history": history, "last step": last.name, "network": weights, **kept}


class StopAt(Observer):
    """An observer that sends this process a signal when a step is reached."""

    def __init__(self, step, number=15):
        self.step, self.number = step, number

    def on_progress(self, step, loss, accuracy, images_per_second):
        if step >= self.step:
            os.kill(os.getpid(), self.number)


def test_the_summary_has_every_key_of_the_contract(tiny_run, digits):
    found = tiny_run.summary
    assert set(SUMMARY) <= set(found)
    assert found["run"] == str(tiny_run.path)
    assert found["network"] == "fully-connected"
    assert found["parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    assert found["seed"] == 1
    assert found["precision"] == "float32"
    assert found["steps"] == math.ceil(2 * len(digits.train) / 100)
    assert found["epochs"] == pytest.approx(found["steps"] * 100 / len(digits.train))
    for split in ("train", "validation", "test"):
        assert 0 <= found[f"{split}_accuracy"] <= 1
        assert found[f"{split}_loss"] > 0
    low, high = found["test_interval"]
    assert low <= found["test_accuracy"] <= high
    assert found["seconds_training"] > 0
    assert found["images_per_second"] > 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_run_json_holds_everything_that_made_the_run(tiny_run, digits):
    info = tiny_run.info
    assert info["format"] == 1
    assert info["name"] == "run"
    assert info["config"] == tiny_run.config.to_dict()
    assert all(set(choice) == {"setting", "value", "reason"} for choice in info["choices"])
    settings = [choice["setting"] for choice in info["choices"]]
    assert {"precision", "optimizer", "strategy", "determinism"} <= set(settings)
    assert {"seewell", "python", "tensorflow", "keras", "numpy"} <= set(info["versions"])
    assert info["machine"]["cores"] >= 1
    assert info["dataset"]["fingerprint"] == digits.fingerprint()
    assert info["dataset"]["classes"] == list(digits.classes)
    assert info["dataset"]["image_shape"] == [8, 8, 1]
    splits = {"train": digits.train, "validation": digits.validation, "test": digits.test}
    assert info["dataset"]["counts"] == {name: len(split) for name, split in splits.items()}
    assert info["result"] == tiny_run.summary


def test_the_folder_has_the_layout_of_the_contract(tiny_run):
    names = set(os.listdir(tiny_run.path))
    assert {"run.json", "history.jsonl", "findings.json", "checkpoints", "network.keras", "tensorboard"} <= names
    assert {"LATEST", "BEST"} <= set(os.listdir(tiny_run.path / "checkpoints"))
    assert not [name for name in os.listdir(tiny_run.path) if name.endswith(".tmp") or ".tmp." in name]


def test_the_findings_are_bias_and_variance_with_remedies(tiny_run):
    assert {one.code for one in tiny_run.findings} == {"high-bias", "high-variance"} <= set(CODES["result"])
    assert [one.to_dict() for one in tiny_run.findings] == tiny_run.summary["findings"]


def test_the_kept_network_is_the_best_by_validation(tiny_run):
    validations = [entry for entry in tiny_run.history if entry["kind"] == "validation"]
    best = max(validations, key=lambda entry: (entry["accuracy"], -entry["loss"]))
    assert tiny_run.summary["best_step"] == best["step"]
    assert tiny_run.summary["validation_accuracy"] == best["accuracy"]
    kept = load(pointed(tiny_run.path / "checkpoints", "BEST"))
    np.testing.assert_array_equal(kept.weights["fc1/kernel"], tiny_run.network.get_layer("fc1").kernel.numpy())


def test_the_kept_network_is_the_moving_average_where_there_is_one(small_dataset, tmp_path):
    run = train(small_dataset, TrainConfig(**TINY, steps=8, ema=0.9), out=tmp_path / "run")
    kept = load(pointed(run.path / "checkpoints", "BEST"))
    found = run.network.get_layer("fc1").kernel.numpy()
    np.testing.assert_array_equal(found, kept.optimizer["average/fc1/kernel"])
    assert (found != kept.weights["fc1/kernel"]).any()


@pytest.mark.parametrize("precision", ["bfloat16"])
def test_the_kept_network_is_float32_in_stock_layers_whatever_it_was_trained_in(small_dataset, tmp_path, precision):
    config = TrainConfig(**{**TINY, "precision": precision}, steps=3, preprocess="mean-image")
    run = train(small_dataset, config, out=tmp_path / "run")
    assert run.summary["precision"] == precision
    for layer in run.network.layers:
        assert layer.dtype_policy.name in ("float32", "uint8")
        assert type(layer).__module__.startswith("keras.")


@pytest.fixture(scope="module")
def everything(digits, tmp_path_factory):
    """An uncut run with dropout, BatchNorm, augmentation, moving average and a schedule."""
    run = train(digits, TrainConfig(**EVERYTHING, steps=30), out=tmp_path_factory.mktemp("everything") / "run")
    return run.path


def test_the_same_seed_gives_the_same_bits(everything, digits, tmp_path):
    train(digits, TrainConfig(**EVERYTHING, steps=30), out=tmp_path / "run")
    assert numbers(tmp_path / "run") == numbers(everything)


def test_the_same_seed_gives_the_same_bits_in_another_process(everything, tmp_path, run_python):
    code = (
        "import sys\n"
        "from seewell import TrainConfig, train\n"
        f"train('digits', TrainConfig(**{EVERYTHING!r}, steps=30), out=sys.argv[1])\n"
    )
    done = run_python(code, tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert numbers(tmp_path / "run") == numbers(everything)


def test_another_seed_gives_another_network_on_the_same_splits(everything, digits, tmp_path):
    run = train(digits, TrainConfig(**{**EVERYTHING, "seed": 4}, steps=30), out=tmp_path / "run")
    assert numbers(run.path)["network"] != numbers(everything)["network"]
    assert run.info["dataset"] == open_run(everything).info["dataset"]


@pytest.mark.parametrize("step", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_that_was_cut_in_mid_epoch_and_continued_is_the_uncut_one(everything, tmp_path, step):
    path = tmp_path / "run"
    with pytest.raises(InterruptedTrainingError) as caught:
        train("digits", TrainConfig(**EVERYTHING, steps=30), out=path, observers=lambda plan, folder: [StopAt(step)])
    assert caught.value.exit_code == 143
    cut = open_run(path)
    assert cut.summary == {}
    assert "interrupted" in cut.info["stopped"]
    assert cut.predict(np.zeros((1, 8, 8, 1), np.uint8)).shape == (1, 10)
    finished = resume(path)
    assert numbers(path) == numbers(everything)
    for key in ("steps", "epochs", "best_step", "validation_loss", "test_accuracy", "train_loss"):
        assert finished.summary[key] == open_run(everything).summary[key]
    assert "stopped" not in finished.info
    assert [one["step"] for one in finished.info["resumed"]] == [caught_step(caught.value)]


def caught_step(problem):
    return int(problem.what.split("after ")[1].split(" of")[0].replace(",", ""))


@pytest.fixture
def cut_run(tmp_path):
    """A run on digits that was interrupted in its second epoch."""
    path = tmp_path / "run"
    with pytest.raises(InterruptedTrainingError):
        train("digits", TrainConfig(**TINY, epochs=3), out=path, observers=lambda plan, folder: [StopAt(20, 2)])
    return path


def test_a_damaged_checkpoint_is_passed_over_on_resumption_and_that_is_written_down(cut_run):
    newest = folders(cut_run / "checkpoints")[-1]
    (newest / "optimizer.safetensors").write_bytes(b"")
    finished = resume(cut_run)
    (resumed,) = finished.info["resumed"]
    assert resumed["step"] == 13
    assert newest.name in resumed["passed_over"][0]
    assert finished.summary["steps"] == 39


def test_without_a_whole_checkpoint_there_is_nothing_to_go_on_from(cut_run):
    for path in folders(cut_run / "checkpoints"):
        (path / "state.json").write_text("{}")
    with pytest.raises(RunError, match="no whole checkpoint") as caught:
        resume(cut_run)
    assert "step-00000013" in str(caught.value)


def test_a_dataset_that_changed_is_refused(cut_run):
    info = json.loads((cut_run / "run.json").read_text())
    info["dataset"]["fingerprint"] = "0" * 64
    (cut_run / "run.json").write_text(json.dumps(info))
    before = {path: path.read_bytes() for path in cut_run.rglob("*") if path.is_file() and path.name != ".lock"}
    with pytest.raises(DataError, match="not the dataset") as caught:
        resume(cut_run)
    assert "0000000000000000" in caught.value.expected
    assert {path: path.read_bytes() for path in cut_run.rglob("*") if path.is_file() and path.name != ".lock"} == before


def test_a_finished_run_is_not_resumed(tiny_run):
    with pytest.raises(RunError, match="is finished"):
        resume(tiny_run.path)


def test_a_source_without_a_test_split_has_nulls_in_their_place(small_dataset, tmp_path):
    run = train(replace(small_dataset, test=None), TrainConfig(**TINY, steps=3), out=tmp_path / "run")
    for key in ("test_loss", "test_accuracy", "test_interval"):
        assert run.summary[key] is None
    assert run.info["dataset"]["counts"]["test"] is None


def test_train_accuracies_are_on_at_most_ten_thousand_images_spread_evenly(small_dataset, monkeypatch, tmp_path):
    from seewell import finishing

    monkeypatch.setattr(finishing, "MEASURED_IMAGES", 7)
    seen = []
    real = finishing.evaluate
    monkeypatch.setattr(finishing, "evaluate", lambda *given: seen.append((given[4], given[2])) or real(*given))
    train(small_dataset, TrainConfig(**TINY, steps=1), out=tmp_path / "run")
    counts = {split: len(labels) for split, labels in seen}
    assert counts == {"train": 7, "validation": 18, "test": 21}
    assert set(dict(seen)["train"].tolist()) == {0, 1, 2}


def test_without_an_out_folder_the_next_free_one_is_taken(small_dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = TrainConfig(**TINY, steps=1)
    assert [str(train(small_dataset, config).path) for _ in range(2)] == [
        "runs/small-fully-connected-1",
        "runs/small-fully-connected-2",
    ]


def test_a_run_on_a_relative_path_goes_on_from_any_folder(small_dataset, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    split = small_dataset.train
    np.savez("mine.npz", images=split.images, labels=split.labels)
    with pytest.raises(InterruptedTrainingError):
        train("mine.npz", TrainConfig(**TINY, steps=6), out="run", observers=lambda plan, folder: [StopAt(3)])
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert resume(tmp_path / "run").summary["steps"] == 6


def test_a_folder_that_is_not_empty_is_refused_and_stays_as_it_is(small_dataset, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        train(small_dataset, TrainConfig(**TINY, steps=1), out=tmp_path)
    assert os.listdir(tmp_path) == ["mine.txt"]


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"network": "convnet", "network_arguments": {"widths": "4-4-4-4"}}, NetworkError),
        ({"network": "convnet", "preprocess": "pad=2x2"}, NetworkError),
        ({"network": "convnt"}, ConfigError),
        ({"network": "convnet", "network_arguments": {"widths": "4"}, "only": "cnov*"}, ConfigError),
    ],
)
def test_what_cannot_be_built_leaves_no_folder_behind(small_dataset, tmp_path, settings, error):
    with pytest.raises(error):
        train(small_dataset, TrainConfig(**settings, steps=1), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_layers_to_keep_that_there_are_not_are_answered_with_the_nearest(small_dataset, tmp_path):
    with pytest.raises(ConfigError, match='no layer with weights is called "cnov1_1"') as caught:
        train(small_dataset, TrainConfig(**{**TINY, "network": "convnet"}, only="cnov1_1"), out=tmp_path / "run")
    assert caught.value.fix == 'did you mean "conv1_1"?'
    assert "logits" in caught.value.expected


def test_names_are_checked_before_any_data_is_read(tmp_path):
    with pytest.raises(ConfigError, match="optimizer"):
        train(tmp_path / "nowhere", TrainConfig(optimizer="adm"), out=tmp_path / "run")
    with pytest.raises(DataError):
        train(tmp_path / "nowhere", TrainConfig(**TINY), out=tmp_path / "run")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("steps", [1, 2, 8])
def test_a_training_that_overflows_says_so_and_keeps_no_bad_checkpoint(small_dataset, tmp_path, steps):
    config = TrainConfig(
        network="fully-connected",
        network_arguments={"widths": "64-64-64-64"},
        initializer="normal",
        optimizer="sgd",
        learning_rate=1e38,
        precision="float32",
        steps=steps,
    )
    with pytest.raises(NotFiniteError) as caught:
        train(small_dataset, config, out=tmp_path / "run")
    assert caught.value.exit_code == 3
    run = open_run(tmp_path / "run")
    assert run.summary == {}
    assert run.info["stopped"] == caught.value.what
    for path in folders(tmp_path / "run" / "checkpoints"):
        assert all(np.isfinite(value).all() for value in load(path).weights.values())


def test_huge_weights_that_are_still_finite_give_a_result_that_json_can_hold(small_dataset, tmp_path):
    config = TrainConfig(**TINY, optimizer="sgd", learning_rate=1e30, steps=1)
    try:
        run = train(small_dataset, config, out=tmp_path / "run")
    except NotFiniteError:
        return
    json.dumps(run.summary, allow_nan=False)


def test_the_five_lines_of_the_api_work(tmp_path):
    run = package.train("digits", package.TrainConfig(**TINY, epochs=1), out=tmp_path / "run")
    dataset = package.load_dataset("digits")
    assert package.open_run(run.path).predict(dataset.test.images).shape == (len(dataset.test), 10)
    assert run.evaluate(split="test").accuracy == run.summary["test_accuracy"]
