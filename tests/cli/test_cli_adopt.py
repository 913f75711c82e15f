"""`seewell adopt` as a user's shell sees it."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1] / "runs"))

from foreign_makers import save_graph, series_convnet


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return save_graph(tmp_path_factory.mktemp("made"), series_convnet)


def test_a_checkpoint_becomes_a_run(command, made, tmp_path):
    done = command("adopt", made.prefix, "--output", "predictions", "--input-range", "0..1", "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert done.out == ""
    assert "TensorFlow 1 checkpoint" in done.err
    assert f"run: {tmp_path / 'run'}" in done.err
    from seewell.runs.run import open_run

    np.testing.assert_allclose(open_run(tmp_path / "run").predict(made.images), made.answer, atol=1e-5)


def test_json_is_one_object(command, made, tmp_path):
    done = command("adopt", made.prefix, "--input-range=-1..1", "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    assert done.json["run"] == str(tmp_path / "run")
    assert done.json["kind"] == "TensorFlow 1 checkpoint"
    assert done.json["optimizer"] is None


def test_list_names_what_can_be_chosen(command, made):
    done = command("adopt", made.prefix, "--list")
    assert done.code == 0, done.err
    assert "  input:0  Placeholder  float32  ?x8x8x1" in done.err
    assert "  predictions:0  Softmax  float32" in done.err
    assert "  layer1_weights    float32  3x3x1x4" in done.err
    assert command("adopt", made.prefix, "--list", "--json").json["inputs"][0]["name"] == "input:0"


def test_weights_only(command, made, tmp_path):
    done = command("adopt", made.prefix, "--weights-only", "--out", tmp_path / "w", "--json")
    assert done.code == 0, done.err
    assert Path(done.json["weights"]).is_file()
    assert "layer1_weights" in done.json["tensors"]


@pytest.mark.parametrize(
    ("words", "kind", "said"),
    [
        (["{prefix}"], "ConfigError", "--input-range 0..1 (pixels divided by 255)"),
        (["{prefix}", "--input-range", "0..2"], "ConfigError", "0..255"),
        (["{prefix}", "--input-range", "0..1", "--output", "prediction"], "ConfigError", 'did you mean "predictions"?'),
        (["{prefix}", "--input-range", "0..1", "--input", "inpt"], "ConfigError", 'no tensor "inpt" for the input'),
        (["{prefix}", "--input-range", "0..1", "--feed", "keep"], "ConfigError", "--feed keep_prob=1"),
        (["{prefix}", "--input-range", "0..1", "--feed", "no=1"], "ConfigError", 'no tensor "no" for the placeholder'),
        (["{prefix}", "--input-range", "0..1", "--image-shape", "8x8"], "ConfigError", "--image-shape 224x224x3"),
        (["{prefix}", "--input-range", "0..1", "--image-shape", "9x9x1"], "ConfigError", "takes 8x8x1"),
        (["{prefix}", "--input-range", "0..1", "--labels", "none.txt"], "ConfigError", "none.txt"),
        (["{prefix}", "--input-range", "0..1", "--source", "nowhere"], "DataError", "nowhere"),
        (["{prefix}", "--weights-only"], "ConfigError", "--out weights"),
        (["nothing", "--list"], "FormatError", "there is no TensorFlow checkpoint nothing"),
        (["nothing.keras"], "FormatError", "there is no file nothing.keras"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(refused, made, words, kind, said):
    assert said in refused("adopt", *[word.format(prefix=made.prefix) for word in words], kind=kind)
