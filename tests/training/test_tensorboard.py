"""TensorBoard: scalars, and histograms of pre-activations, gradients and weights of each layer."""

import numpy as np
import pytest

from seewell.networks.registry import build_network
from seewell.training.observers import Started, TrainReport, ValidationReport
from seewell.training.tensorboard import TensorBoardWriter


def tags_in(folder):
    """Tag to the steps it was written at, read with TensorBoard's own reader."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found = {}
    for path in sorted(folder.iterdir()):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                found.setdefault(value.tag, []).append(event.step)
    return found


@pytest.fixture(scope="module")
def network():
    return build_network(
        "convnet",
        input_shape=(8, 8, 1),
        num_classes=3,
        dropout=0.5,
        arguments={"widths": "4", "normalization": "batch"},
    )


def write(folder, network, first_step=0, **options):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 8, 8, 1)).astype(np.uint8)
    writer = TensorBoardWriter(folder, images, rng.integers(0, 3, 6), **options)
    writer.on_start(Started(network, first_step, 20, 10.0, 6))
    writer.on_progress(first_step + 5, 1.0, 0.5, 100.0)
    writer.on_train(TrainReport(first_step + 5, 0.5, 1.25, 0.5, 0.01, 1.0, 100.0))
    writer.on_validation(ValidationReport(first_step + 10, 1.0, 1.5, 0.25, True))
    writer.on_end()


def test_there_are_scalars_and_histograms_of_every_layer(tmp_path, network):
    write(tmp_path, network)
    tags = tags_in(tmp_path)
    scalars = {"train/cost", "train/accuracy", "train/learning_rate", "train/images_per_second"}
    scalars |= {"validation/cost", "validation/accuracy"}
    assert scalars <= tags.keys()
    for layer in ("conv1_1", "conv1_2", "logits"):
        assert f"pre-activations/{layer}" in tags
        assert f"gradients/{layer}" in tags
        assert f"weights/{layer}/kernel" in tags
    assert tags["train/cost"] == [5]
    assert tags["validation/cost"] == [10]
    assert tags["pre-activations/conv1_1"][0] == 0


def test_without_time_for_histograms_there_are_scalars_and_nothing_is_traced(tmp_path, network, monkeypatch):
    monkeypatch.delattr("seewell.training.tensorboard.Taps")
    with pytest.raises(NameError):
        write(tmp_path / "with", network)
    write(tmp_path / "without", network, histograms=False)
    tags = tags_in(tmp_path / "without")
    assert "validation/accuracy" in tags
    assert not any(name.startswith(("weights/", "gradients/", "pre-activations/")) for name in tags)


def test_looking_changes_nothing(tmp_path, network):
    before = [np.array(variable.value) for variable in network.variables]
    write(tmp_path, network)
    for variable, value in zip(network.variables, before, strict=True):
        np.testing.assert_array_equal(np.array(variable.value), value, err_msg=variable.path)


def test_values_that_are_not_finite_are_left_out_and_do_not_stop_the_training(tmp_path):
    network = build_network("fully-connected", input_shape=(8, 8, 1), num_classes=3, arguments={"widths": "4"})
    kernel, bias = network.get_layer("fc1").get_weights()
    network.get_layer("fc1").set_weights([np.full_like(kernel, np.nan), bias])
    write(tmp_path, network)
    assert "weights/fc1/kernel" in tags_in(tmp_path)


def test_the_files_are_closed_at_the_end_and_going_on_adds_to_them(tmp_path, network):
    write(tmp_path, network)
    write(tmp_path, network, first_step=10)
    assert tags_in(tmp_path)["train/cost"] == [5, 15]
