"""Devices: the default strategy on one, a mirrored one on several GPUs that share a batch evenly."""

import pytest
import tensorflow as tf

from seewell.errors import ConfigError
from seewell.training.strategy import choose_strategy


@pytest.fixture
def gpus(monkeypatch):
    def pretend(count):
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [f"/GPU:{n}" for n in range(count)])

    return pretend


@pytest.mark.parametrize(("count", "where"), [(0, "the processor"), (1, "the GPU")])
def test_one_device_has_the_default_strategy(gpus, count, where):
    gpus(count)
    strategy, choice = choose_strategy(7)
    assert strategy is tf.distribute.get_strategy()
    assert strategy.num_replicas_in_sync == 1
    assert (choice.setting, choice.value) == ("strategy", "default")
    assert where in choice.reason


def test_several_gpus_are_mirrored(gpus, monkeypatch):
    gpus(2)
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda: "mirrored")
    strategy, choice = choose_strategy(8)
    assert strategy == "mirrored"
    assert choice.value == "mirrored"
    assert "2 GPUs" in choice.reason


def test_a_batch_that_cannot_be_shared_evenly_is_refused_with_one_that_can(gpus):
    gpus(4)
    with pytest.raises(ConfigError) as caught:
        choose_strategy(10)
    assert caught.value.fix == "--batch-size 12"
