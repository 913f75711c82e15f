"""`--profile`: where an update's time goes, and that the training is the same with it."""

import contextlib
import json

import pytest

from resuming_makers import SETTINGS, outcome, write_source
from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder
from seewell.networks.layer_table import layer_table
from seewell.networks.registry import build_network
from seewell.training import profiler
from seewell.training.peak import peak_multiply_adds
from seewell.training.profiler import work_of_an_update
from seewell.training.step import PHASES
from seewell.training.stopwatch import Lap
from seewell.workbench import train

PROFILED = {
    **SETTINGS,
    "network": "convnet",
    "network_arguments": {"widths": "4", "normalization": "batch"},
    "augment": ("flip",),
    "ema": 0.9,
}


@pytest.fixture(scope="module")
def runs(small_dataset, tmp_path_factory):
    """The same training with and without a profile."""
    folder = tmp_path_factory.mktemp("profiles")
    source = write_source(small_dataset.train, folder / "small.npz")
    config = TrainConfig(**PROFILED)
    return [
        train(source, config, out=folder / str(profile) / "run", doctor=False, profile=profile)
        for profile in (True, False)
    ]


def profile_of(run):
    return json.loads((run.path / "profile.json").read_text())


def test_a_profile_changes_no_byte_of_the_training(runs):
    assert outcome(runs[0].path) == outcome(runs[1].path)
    assert not (runs[1].path / "profile.json").exists()


def test_the_parts_of_an_update_are_named_and_make_it_up(runs):
    found = profile_of(runs[0])
    parts = {one["part"]: one["seconds"] for one in found["parts"]}
    assert set(PHASES) <= set(parts) <= {*PHASES, "other", "between operations"}
    assert sum(parts.values()) == pytest.approx(found["traced"]["seconds_an_update"], rel=1e-6)
    assert found["traced"]["updates"] > 0
    assert found["lacks"] == ""
    kinds = {one["kind"] for one in found["layers"]}
    assert {"convolution", "batch norm", "fully connected"} <= kinds
    both = next(one for one in found["layers"] if one["kind"] == "convolution")
    assert both["forward"] > 0
    assert both["backward"] > 0


def test_the_parts_of_the_training_are_told_apart(runs):
    found = {one["part"]: one for one in profile_of(runs[0])["training"]}
    assert {"updates", "tracing", "validation", "checkpoints", "tensorboard", "input", "profile"} <= set(found)
    assert sum(one["share"] for one in found.values()) == pytest.approx(1)
    assert found["tracing"]["count"] == 1
    assert found["validation"]["count"] == 3


def test_the_trace_is_there_for_tensorboard(runs):
    assert list((runs[0].path / "tensorboard" / "plugins" / "profile").rglob("*.xplane.pb"))


def test_the_share_of_the_peak_is_said(runs):
    peak = profile_of(runs[0])["peak"]
    assert peak["precision"] == "float32"
    assert 0 < peak["share"] < 1
    assert peak["share"] == pytest.approx(peak["reached"] / peak["multiply_adds_a_second"])


def test_the_work_of_an_update_is_three_forward_passes_but_for_the_first_layer():
    network = build_network("fully-connected", input_shape=(4, 4, 1), num_classes=3, arguments={"widths": "5"})
    assert work_of_an_update(network, 10) == 10 * (2 * 16 * 5 + 3 * 5 * 3)


def test_what_is_not_trained_costs_one_pass_and_nothing_goes_back_through_it():
    network = build_network("speed", input_shape=(12, 12, 3), num_classes=3, arguments={"widths": "4-4"})
    rows = [row.multiply_adds for row in layer_table(network) if row.multiply_adds]
    assert [row.name for row in layer_table(network) if row.multiply_adds][:2] == ["whiten", "conv1_1"]
    assert work_of_an_update(network, 10) == 10 * (rows[0] + 2 * rows[1] + 3 * sum(rows[2:]))


def test_a_training_that_goes_on_after_its_traces_has_a_peak(monkeypatch, tmp_path):
    @contextlib.contextmanager
    def quick(folder, seconds):
        yield
        seconds[0] = 1e-3

    monkeypatch.setattr(profiler, "_recording", quick)
    monkeypatch.setattr(profiler, "peak_multiply_adds", lambda _: 1e9)
    network = build_network("fully-connected", input_shape=(4, 4, 1), num_classes=3, arguments={"widths": "5"})
    found = profiler.Profiler(network, precision="float32", batch_size=10, folder=tmp_path)
    order = BatchOrder(60, 10, 0)
    for step in range(40):
        with found.around(order.chunk(step, 1, None, None), total=1000):
            pass
    result = found.result({"updates": Lap(40, 0.04, 1e-3)}, 40)
    assert result["traced"]["updates"] == 12
    assert result["peak"]["multiply_adds_a_second"] == 1e9


def test_the_peak_is_measured_in_the_training_precision():
    assert peak_multiply_adds("float32", seconds=0.05) > 1e7


def test_a_training_that_is_too_short_to_trace_says_so(small_dataset, tmp_path):
    config = TrainConfig(**{**SETTINGS, "epochs": None, "steps": 1})
    run = train(small_dataset, config, out=tmp_path / "run", doctor=False, profile=True)
    assert profile_of(run)["lacks"] == "the training was too short to trace an update"
