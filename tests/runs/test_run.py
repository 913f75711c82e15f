"""A run that is opened again: what it says, predicts and measures, and how damaged ones are refused."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from seewell.config import TrainConfig
from seewell.data.loading import load_dataset
from seewell.errors import ConfigError, DataError, RunError
from seewell.runs.run import Run, open_run
from seewell.workbench import train


def test_a_run_says_what_it_is(tiny_run, digits):
    run = open_run(str(tiny_run.path))
    assert run.path == tiny_run.path
    assert run.classes == digits.classes
    assert run.config.network == "fully-connected"
    assert run.config.seed == 1
    assert run.summary == tiny_run.summary
    assert {entry["kind"] for entry in run.history} == {"train", "validation"}
    assert [finding.code for finding in run.findings]
    assert run.decoding == digits.decoding


def test_its_network_takes_raw_images_and_gives_probabilities(tiny_run, digits):
    network = tiny_run.network
    assert str(network.input.dtype) == "uint8"
    assert network.input_shape == (None, 8, 8, 1)
    found = tiny_run.predict(digits.test.images[:5])
    assert found.dtype == np.float32
    assert found.shape == (5, 10)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert open_run(tiny_run.path).network is not network


@pytest.mark.parametrize("split", ["test", "validation", "train"])
def test_evaluate_gives_the_figures_that_training_wrote_down(tiny_run, split):
    found = tiny_run.evaluate(split=split)
    assert found.split == split
    assert found.accuracy == tiny_run.summary[f"{split}_accuracy"]
    assert found.loss == pytest.approx(tiny_run.summary[f"{split}_loss"], rel=1e-6)


def test_evaluate_takes_a_dataset_as_it_is(tiny_run, digits):
    assert tiny_run.evaluate(digits).accuracy == tiny_run.summary["test_accuracy"]


@pytest.fixture(scope="module")
def folder_run(tmp_path_factory):
    """A run on a folder of PNG files with a test/ folder."""
    root = tmp_path_factory.mktemp("pictures") / "shapes"
    rng = np.random.default_rng(0)
    for part, count in (("train", 20), ("test", 7)):
        for index, name in enumerate(("bars", "dots")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 120, (6, 7, 3)).astype(np.uint8)
                pixels[2, :, index] += 130
                Image.fromarray(pixels).save(folder / f"{number}.png")
    config = TrainConfig(network="convnet", network_arguments={"widths": "4"}, steps=20, batch_size=8)
    return train(root, config, out=root.parent / "run")


def test_predict_on_files_answers_the_same_as_evaluate_on_the_same_images(folder_run):
    dataset = load_dataset(folder_run.info["dataset"]["source"])
    measured = folder_run.evaluate(split="test")
    found = folder_run.predict(list(dataset.test.paths))
    np.testing.assert_allclose(found, measured.probabilities, atol=1e-6)
    np.testing.assert_array_equal(found.argmax(axis=1), measured.probabilities.argmax(axis=1))
    for path, expected in zip(dataset.test.paths[:3], measured.probabilities, strict=False):
        np.testing.assert_allclose(folder_run.predict(path)[0], expected, atol=1e-6)


def test_predict_on_a_file_of_another_size_takes_the_one_way_of_decoding(folder_run, tmp_path):
    from seewell.data.decode import decode_image

    path = tmp_path / "large.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 90, 3)).astype(np.uint8)).save(path)
    decoded = decode_image(path, folder_run.decoding)
    assert decoded.shape == (6, 7, 3)
    np.testing.assert_array_equal(folder_run.predict(path), folder_run.predict(decoded[None]))


def test_evaluate_on_another_source_decodes_to_the_run_s_size(folder_run, tmp_path):
    source = tmp_path / "others"
    shutil.copytree(folder_run.info["dataset"]["source"], source)
    for path in source.rglob("*.png"):
        with Image.open(path) as image:
            image.resize((14, 12), Image.Resampling.NEAREST).save(path)
    assert folder_run.evaluate(source).count == 14


def test_evaluate_on_other_classes_is_refused(tiny_run, folder_run):
    with pytest.raises(DataError, match="other classes") as caught:
        tiny_run.evaluate(folder_run.info["dataset"]["source"])
    assert caught.value.details == {"it has": "bars, dots"}


def test_evaluate_on_images_of_another_size_is_refused(tiny_run):
    larger = load_dataset("digits", image_size=(9, 9))
    with pytest.raises(DataError, match="images of"):
        tiny_run.evaluate(larger)


def test_a_split_that_does_not_exist_is_answered_with_one_that_does(tiny_run):
    with pytest.raises(DataError) as caught:
        tiny_run.evaluate(split="tset")
    assert caught.value.fix == 'did you mean "test"?'


def test_a_source_without_test_split_says_what_to_do(tiny_run, digits):
    from dataclasses import replace

    with pytest.raises(DataError, match="no test split") as caught:
        tiny_run.evaluate(replace(digits, test=None))
    assert "--split validation" in caught.value.fix


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 8, 8, 1), np.float32),
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((8, 8, 1), np.uint8),
        np.zeros((2, 8, 9, 1), np.uint8),
        np.zeros((2, 8, 8, 3), np.uint8),
        np.zeros((0, 8, 9, 1), np.uint8),
        np.zeros((), np.uint8),
    ],
)
def test_an_array_of_another_shape_or_dtype_is_refused_with_both(tiny_run, images):
    with pytest.raises(DataError) as caught:
        tiny_run.predict(images)
    assert str(images.dtype) in caught.value.what
    assert str(images.shape) in caught.value.what
    assert "uint8 (N, 8, 8, 1)" in caught.value.expected


def test_no_images_have_no_predictions(tiny_run):
    assert tiny_run.predict([]).shape == (0, 10)
    assert tiny_run.predict(np.zeros((0, 8, 8, 1), np.uint8)).shape == (0, 10)


def test_a_file_that_is_no_image_is_named(tiny_run, tmp_path):
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(DataError, match=r"a\.png"):
        tiny_run.predict(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"none\.png"):
        tiny_run.predict([tmp_path / "none.png"])


def test_the_kept_network_loads_where_seewell_cannot_be_imported_and_gives_the_same(
    tiny_run, digits, run_python, tmp_path
):
    np.save(tmp_path / "x.npy", digits.test.images[:20])
    code = (
        "import sys\n"
        "sys.modules['seewell'] = None\n"
        "import keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "x = np.load(sys.argv[2])\n"
        "assert x.dtype == np.uint8\n"
        "assert {v.dtype for v in model.trainable_variables} == {'float32'}\n"
        "assert model.dtype_policy.name == 'float32'\n"
        "np.save(sys.argv[3], model.predict(x, verbose=0))\n"
    )
    done = run_python(code, tiny_run.path / "network.keras", tmp_path / "x.npy", tmp_path / "p.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "p.npy"), tiny_run.predict(digits.test.images[:20]), atol=1e-6)


def test_no_run_there_is_answered_with_one_that_is(tiny_run, tmp_path):
    with pytest.raises(RunError, match="there is no run") as caught:
        open_run(tiny_run.path.parent / "rum")
    assert caught.value.fix == 'did you mean "run"?'
    with pytest.raises(RunError, match="there is no run") as caught:
        open_run(tmp_path)
    assert "runs list" in caught.value.fix


def test_a_file_is_no_run(tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(RunError, match="cannot be read"):
        open_run(tmp_path / "x")


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null", '"x"', "\xff"])
def test_a_run_json_that_is_damaged_is_named(own_run, text):
    (own_run / "run.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError) as caught:
        open_run(own_run)
    assert "run.json" in str(caught.value)


def change(path, **changes):
    info = json.loads((path / "run.json").read_text(encoding="utf-8"))
    info.update(changes)
    (path / "run.json").write_text(json.dumps(info), encoding="utf-8")


@pytest.mark.parametrize("version", [2, "1", None])
def test_a_format_that_is_newer_is_refused(own_run, version):
    change(own_run, format=version)
    with pytest.raises(RunError, match="has the format"):
        open_run(own_run)


@pytest.mark.parametrize("changes", [{"config": None}, {"dataset": []}, {"dataset": {"classes": ["a"]}}])
def test_a_run_json_that_lacks_something_says_what(own_run, changes):
    change(own_run, **changes)
    with pytest.raises(RunError, match=f"lacks: .*{next(iter(changes))}"):
        open_run(own_run)


def test_a_setting_that_this_version_does_not_know_is_named(own_run):
    change(own_run, config={"colour_of_the_bar": "red"})
    with pytest.raises(ConfigError, match="colour_of_the_bar"):
        _ = open_run(own_run).config


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "flipped", "folder"])
def test_a_network_file_that_is_damaged_is_named(own_run, damage, digits):
    path = own_run / "network.keras"
    content = path.read_bytes()
    if damage in ("missing", "folder"):
        path.unlink()
    if damage == "folder":
        path.mkdir()
    if damage == "empty":
        path.write_bytes(b"")
    if damage == "text":
        path.write_text("no network")
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    if damage == "flipped":
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes(b ^ 0xFF for b in content[place : place + 64]) + content[place + 64 :])
    with pytest.raises(RunError) as caught:
        open_run(own_run).predict(digits.test.images[:1])
    assert caught.value.details == {"file": path}
    assert len(str(caught.value).splitlines()) <= 5


def test_a_history_that_a_kill_cut_is_read_up_to_there(own_run, tiny_run):
    path = own_run / "history.jsonl"
    path.write_text(path.read_text() + '{"kind": "train", "st')
    assert open_run(own_run).history == tiny_run.history
    path.unlink()
    assert open_run(own_run).history == []


def test_findings_that_are_damaged_are_none(own_run):
    (own_run / "findings.json").write_text('[{"code": "x"}]')
    assert open_run(own_run).findings == []
    (own_run / "findings.json").unlink()
    assert open_run(own_run).findings == []


def test_a_training_that_is_not_done_has_the_network_of_its_best_checkpoint(own_run, digits, tiny_run):
    change(own_run, result=None)
    run = Run(own_run)
    assert run.summary == {}
    np.testing.assert_allclose(run.predict(digits.test.images), tiny_run.predict(digits.test.images), atol=1e-6)
