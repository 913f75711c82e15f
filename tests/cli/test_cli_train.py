"""`seewell train`: what is refused and how, what is printed where."""

import json
import os
import signal
import textwrap

import numpy as np
import pytest

from seewell.config import TrainConfig
from seewell.errors import InterruptedTrainingError
from seewell.runs.checkpoint import folders
from seewell.runs.run import open_run
from seewell.training.observers import Observer
from seewell.workbench import train

TINY = ("--network", "fully-connected:widths=16", "--precision", "float32")


@pytest.mark.parametrize(
    ("arguments", "kind", "suggestion"),
    [
        (["--network", "convent"], "ConfigError", 'did you mean "convnet"?'),
        (["--network", "convnet:width=4"], "NetworkError", 'did you mean "widths"?'),
        (["--network", "convnet:widths=none"], "NetworkError", "widths"),
        (["--network", "convnet:widths"], "NetworkError", "widths"),
        (["--network", ""], "NetworkError", "name"),
        (["--optimizer", "adm"], "ConfigError", 'did you mean "adam'),
        (["--recipe", "quik"], "ConfigError", 'did you mean "quick"?'),
        (["--recipe", "none.toml"], "ConfigError", "none.toml"),
        (["--augment", "flop"], "ConfigError", 'did you mean "flip"?'),
        (["--augment", "flip=7"], "ConfigError", "0 to 1"),
        (["--augment", "flip,,shift"], "ConfigError", "augmentation"),
        (["--schedule", "cosin"], "ConfigError", 'did you mean "cosine"?'),
        (["--initializer", "hee"], "ConfigError", 'did you mean "he"?'),
        (["--preprocess", "scael"], "ConfigError", 'did you mean "scale"?'),
        (["--precision", "float"], "ConfigError", "float"),
        (["--learning-rate", "-1"], "ConfigError", "learning-rate"),
        (["--learning-rate", "nan"], "ConfigError", "learning-rate"),
        (["--epochs", "0"], "ConfigError", "epochs"),
        (["--epochs", "1", "--steps", "1"], "ConfigError", "one of them"),
        (["--time", "1m", "--epochs", "1"], "ConfigError", "leave out --epochs or --time"),
        (["--time", "1m", "--steps", "1"], "ConfigError", "leave out --steps or --time"),
        (["--time", "60"], "ConfigError", "--time 60s"),
        (["--time", "soon"], "ConfigError", "60s or 10m"),
        (["--batch-size", "0"], "ConfigError", "batch-size"),
        (["--dropout", "1"], "ConfigError", "dropout"),
        (["--seed", "-1"], "ConfigError", "seed"),
        (["--image-size", "8"], "ConfigError", "64x64"),
        (["--image-size", "0x8"], "ConfigError", "image"),
        (["--checkpoint-every", "often"], "ConfigError", "500"),
        (["--weight-decay", "0.1", "--optimizer", "sgd"], "ConfigError", "adamw"),
        (["--validation-fraction", "1"], "ConfigError", "validation"),
        (["--keep-last", "0"], "ConfigError", "keep-last"),
        (["--stop-on", "critcal"], "ConfigError", 'did you mean "critical"?'),
        (["--stop-on", "critical", "--no-doctor"], "ConfigError", "leave out --no-doctor"),
    ],
)
def test_what_is_wrong_is_said_with_a_mend(refused, arguments, kind, suggestion, tmp_path):
    assert suggestion in refused("train", "digits", *arguments, kind=kind)
    assert os.listdir(tmp_path) == []


def test_a_learning_rate_that_is_no_number_is_wrong_usage(refused):
    assert "--learning-rate" in refused("train", "digits", "--learning-rate", "fast")


@pytest.mark.parametrize("arguments", [[], ["--epochs", "1"]])
def test_a_missing_source_says_how_to_begin(refused, arguments):
    assert "seewell train digits" in refused("train", *arguments, kind="ConfigError")


def test_a_source_that_does_not_exist_is_named(refused, tmp_path):
    assert "no/such/folder" in refused("train", "no/such/folder", *TINY, kind="DataError")
    assert os.listdir(tmp_path) == []


def test_a_mistyped_catalogue_name_is_answered_with_the_right_one(refused):
    assert "digits" in refused("train", "digit", *TINY, kind="DataError")


def test_a_folder_that_is_not_empty_is_refused_and_stays(refused, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert "not empty" in refused("train", "digits", *TINY, "--out", "mine", kind="RunError")
    assert os.listdir(tmp_path / "mine") == ["notes.txt"]


def test_a_network_that_does_not_fit_leaves_no_folder_so_that_the_mended_command_works(refused, tmp_path):
    err = refused("train", "digits", "--network", "convnet:widths=4-4-4-4-4", "--out", "run", kind="NetworkError")
    assert "too small" in err
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("network = = 1", "line 1"),
        ('netwrok = "convnet"', 'did you mean "network"?'),
        ('network = "convnet"\nepochs = "many"', "epochs"),
        ("augment = 'flip'", "augment"),
        ("augment = [1]", "augment"),
        ("image_size = ['a', 'b']", "image_size"),
        ("[training]\nepochs = 1", "training"),
    ],
)
def test_a_wrong_recipe_file_is_refused_with_the_place(refused, tmp_path, text, said):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    assert said in refused("train", "digits", "--recipe", "mine.toml", kind="ConfigError")


@pytest.mark.parametrize(
    "arguments", [["digits"], ["--steps", "2"], ["--out", "x"], ["--network", "convnet"], ["--recipe", "quick"]]
)
def test_resuming_takes_nothing_else(refused, arguments):
    assert "seewell train --resume RUN" in refused("train", "--resume", "run", *arguments, kind="ConfigError")


def test_resuming_takes_more_epochs_not_epochs_in_all(refused):
    assert "--epochs +2" in refused("train", "--resume", "run", "--epochs", "2", kind="ConfigError")


def test_resuming_what_is_no_run_or_done_is_refused(refused, tiny_run):
    assert "there is no run" in refused("train", "--resume", "nowhere", kind="RunError")
    assert "finished" in refused("train", "--resume", tiny_run.path, kind="RunError")


def test_json_is_one_object_on_stdout_and_the_series_lines_go_to_stderr(command, tmp_path):
    done = command("train", "digits", *TINY, "--epochs", "1", "--seed", "7", "--out", "run", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found == open_run(tmp_path / "run").summary
    assert (found["run"], found["seed"], found["network"]) == ("run", 7, "fully-connected")
    lines = done.err.splitlines()
    assert any(line.startswith("run: run   network: fully-connected") for line in lines)
    assert f"{found['steps']} updates of 100 images" in lines
    steps = [line for line in lines if line.startswith("step ")]
    assert len(steps) == found["steps"]
    assert all("cost" in line and "accuracy" in line and "images/s" in line for line in steps)
    assert any(line.startswith("epoch ") and "validation cost" in line for line in lines)
    assert "\x1b" not in done.err


def test_without_json_the_result_goes_to_stderr_and_nothing_to_stdout(command):
    done = command("train", "digits", *TINY, "--epochs", "1", "--out", "run")
    assert done.code == 0, done.err
    assert done.out == ""
    assert "95 %" in done.err
    assert "run" in done.err


def test_options_beat_the_recipe_and_the_recipe_beats_the_defaults(command, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'network = "fully-connected"\nnetwork_arguments = { widths = "8" }\nsteps = 500\nlearning_rate = 0.5\n'
        'optimizer = "sgd"\n',
        encoding="utf-8",
    )
    done = command("train", "digits", "--recipe", "mine.toml", "--steps", "2", "--out", "run", "--json")
    assert done.code == 0, done.err
    config = open_run(tmp_path / "run").config
    assert (config.recipe, config.steps, config.learning_rate, config.optimizer) == ("mine", 2, 0.5, "sgd")
    assert config.network_arguments == {"widths": "8"}


def config_of(recipe=None, network=None, **options):
    from seewell.cli.settings import config_from_options

    return config_from_options(recipe, network, options)


def test_a_network_or_an_optimizer_without_a_recipe_does_not_take_quick_s_settings():
    assert config_of().recipe == "quick"
    assert config_of(network="vgg-small").recipe is None
    assert config_of(network="vgg-small").network == "vgg-small"
    named = config_of(optimizer="sgd")
    assert (named.recipe, named.network, named.optimizer) == (None, "convnet", "sgd")
    assert config_of(recipe="quick", network="vgg-small").recipe == "quick"


def test_a_length_given_as_an_option_replaces_the_recipe_s_in_the_other_unit():
    found = config_of(recipe="ltfn-06-he", epochs=2.0)
    assert (found.epochs, found.steps) == (2.0, None)
    found = config_of(recipe="ltfn-06-he", steps=7)
    assert (found.epochs, found.steps) == (None, 7)


def test_a_cost_that_is_not_finite_is_exit_code_3_and_names_the_layer(command, tmp_path):
    done = command(
        *("train", "digits", "--network", "fully-connected", "--initializer", "normal", "--optimizer", "sgd"),
        *("--learning-rate", "1e10", "--steps", "50", "--precision", "float32", "--out", "run", "--json"),
    )
    assert done.code == 3, done.err
    assert done.out == ""
    message = done.err[done.err.index("NotFiniteError") :]
    assert "layer:" in message
    assert "batch:" in message
    assert "--learning-rate 1e+09" in message
    assert "Traceback" not in done.err
    assert "not finite" in json.loads((tmp_path / "run" / "run.json").read_text())["stopped"]


class StopAt(Observer):
    """Asks for a stop, as SIGTERM does, when a step is reached."""

    def __init__(self, step):
        self.step = step

    def on_progress(self, step, loss, accuracy, images_per_second):
        if step >= self.step:
            signal.raise_signal(signal.SIGTERM)


def test_passed_over_checkpoints_are_said_when_a_run_goes_on(command, tmp_path):
    config = TrainConfig(network="fully-connected", network_arguments={"widths": "16"}, precision="float32", epochs=3)
    with pytest.raises(InterruptedTrainingError):
        train("digits", config, out=tmp_path / "run", observers=lambda plan, folder: [StopAt(20)])
    newest = folders(tmp_path / "run" / "checkpoints")[-1]
    (newest / "state.json").unlink()
    done = command("train", "--resume", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    assert f"checkpoint {newest.name} was passed over" in done.err
    assert "goes on after 13 of 39 updates" in done.err
    assert done.json["steps"] == 39


def test_names_that_are_not_utf_8_are_printed_safely(command, tiny_run, tmp_path):
    from PIL import Image

    name = os.fsdecode(b"\xff\n.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "x.png")
    os.rename(tmp_path / "x.png", tmp_path / name)
    done = command("predict", tiny_run.path, name, "--json")
    assert done.code == 0, done.err
    assert done.json["predictions"][0]["image"] == name


def test_another_optimizer_than_the_recipe_s_takes_none_of_the_settings_that_only_that_one_has():
    config = config_of(recipe="speed", optimizer="adam")
    assert (config.learning_rate, config.bias_learning_rate, config.momentum) == (None, None, None)
    assert config.network == "speed"
    kept = config_of(recipe="speed", optimizer="muon")
    assert (kept.learning_rate, kept.momentum) == (0.24, 0.6)
    assert config_of(recipe="speed", optimizer="adam", learning_rate=0.5).learning_rate == 0.5


def test_a_recipe_that_names_no_optimizer_keeps_its_rate_with_any(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('network = "convnet"\nlearning_rate = 0.02\n', encoding="utf-8")
    assert config_of(recipe=str(path), optimizer="sgd").learning_rate == 0.02


@pytest.mark.slow
def test_what_the_verdict_imports_is_there_before_a_given_time_begins(run_python):
    code = """
        import sys
        from seewell.cli.train import _workbench
        _workbench()
        assert "cleanlab" not in sys.modules
        _workbench(verdict=True)
        assert "cleanlab.filter" in sys.modules
    """
    done = run_python(textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
