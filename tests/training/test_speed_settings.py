"""The network "speed" with nothing else said: batch, length and the rate of biases follow from the data."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.config import TrainConfig, config_from_dict
from seewell.networks import speed as networks_speed
from seewell.preparing import prepare
from seewell.training.estimates import DataFacts
from seewell.training.plan import resolve
from seewell.training.precision import Hardware
from seewell.training.recipes import load_recipe

LARGE = Hardware("any", 2, frozenset(), memory=2**40)
CIFAR = DataFacts(images=45_000, height=32, width=32, channels=3, classes=10)
MNIST = DataFacts(images=54_000, height=28, width=28, channels=1, classes=10)


def plan(facts, machine=LARGE, recipe=None, **settings):
    given = load_recipe(recipe) if recipe else {"network": "speed"}
    return resolve(config_from_dict(given | settings), facts, machine)


@pytest.mark.parametrize(("recipe", "facts", "batch"), [("speed", CIFAR, 2000), ("speed-gray", MNIST, 200)])
def test_large_sets_take_the_published_batch_and_length(recipe, facts, batch):
    config = plan(facts, recipe=recipe).config
    assert (config.batch_size, config.epochs) == (batch, 8)


facts_of_all_kinds = st.builds(
    DataFacts, st.integers(20, 10**6), *[st.integers(16, 64)] * 2, st.sampled_from([1, 3]), st.integers(2, 99)
)


@hypothesis.given(facts_of_all_kinds, st.sampled_from(["speed", "speed-gray", None]))
def test_every_set_gets_enough_updates_of_batches_that_it_can_fill(facts, recipe):
    found = plan(facts, recipe=recipe)
    config = found.config
    assert 1 <= config.batch_size <= min(facts.images, 2000)
    assert found.total_steps >= 180
    assert config.epochs >= 8
    assert config.bias_learning_rate == pytest.approx(0.053 * config.batch_size)


@pytest.mark.parametrize(("images", "batch", "epochs"), [(1_500, 74, 9), (5_000, 250, 9), (20, 16, 144)])
def test_small_sets_take_small_batches(images, batch, epochs):
    found = plan(DataFacts(images=images, height=32, width=32, channels=3, classes=4), recipe="speed")
    assert (found.config.batch_size, found.config.epochs) == (batch, epochs)
    reasons = {choice.setting: choice.reason for choice in found.choices}
    assert f"{batch:,} images" in reasons["bias_learning_rate"]


@pytest.mark.parametrize(
    ("facts", "recipe", "epochs", "batch", "reason"),
    [
        (CIFAR, "speed", 4.0, 1000, "180 updates"),
        (CIFAR, "speed", 8.0, 2000, "Jordan"),
        (CIFAR, "speed", 20.0, 2000, "Jordan"),
        (CIFAR, "speed", 0.1, 24, "180 updates"),
        (CIFAR, "speed", 0.001, 16, "BatchNorm"),
        (MNIST, "speed-gray", 0.5, 150, "180 updates"),
        (MNIST, "speed-gray", 1.0, 200, "Jordan"),
        (DataFacts(images=1_500, height=32, width=32, channels=3, classes=4), "speed", 4.0, 32, "180 updates"),
    ],
)
def test_a_shorter_training_takes_smaller_batches_so_that_it_has_updates_enough(facts, recipe, epochs, batch, reason):
    found = plan(facts, recipe=recipe, epochs=epochs)
    assert found.config.batch_size == batch
    assert reason in next(choice.reason for choice in found.choices if choice.setting == "batch_size")
    assert found.total_steps >= 180 or batch == 16


def test_a_batch_fits_into_a_third_of_the_memory():
    machine = Hardware("any", 2, frozenset(), memory=8 * 2**30)
    facts = DataFacts(images=45_000, height=64, width=64, channels=3, classes=10)
    found = plan(facts, machine, recipe="speed").config
    assert 100 <= found.batch_size < 400
    assert plan(facts, machine, recipe="speed", preprocess="resize=32x32").config.batch_size > 3 * found.batch_size
    narrow = plan(facts, machine, network_arguments={"widths": "16-64-64"}).config
    assert narrow.batch_size > 3 * found.batch_size
    assert plan(facts, Hardware("any", 2, frozenset()), recipe="speed").config.batch_size == 2000


def test_what_the_user_gives_is_kept():
    config = plan(CIFAR, recipe="speed", batch_size=500, bias_learning_rate=7.0, epochs=3.0).config
    assert (config.batch_size, config.bias_learning_rate, config.epochs) == (500, 7.0, 3.0)
    assert plan(CIFAR, recipe="speed", batch_size=500).config.bias_learning_rate == 26.5
    assert plan(CIFAR, recipe="speed", steps=5).total_steps == 5


def test_another_network_takes_no_rate_for_biases_from_the_recipe():
    config = plan(CIFAR, recipe="speed", network="resnet20").config
    assert config.bias_learning_rate is None
    assert config.batch_size == 128
    assert resolve(TrainConfig(network="speed", optimizer="adam"), CIFAR, LARGE).config.bias_learning_rate is None


def test_whitening_is_found_once_and_taken_over_by_the_average_and_the_kept_network(digits, monkeypatch):
    found = []
    real = networks_speed.whitening_filters
    monkeypatch.setattr(networks_speed, "whitening_filters", lambda moments: found.append(real(moments)) or found[-1])
    config = TrainConfig(network="speed", network_arguments={"widths": "4-4"}, ema=0.9, steps=1)
    prepared = prepare(digits, config)
    assert len(found) == 1
    for network in (prepared.trainee.model, prepared.trainee.average, prepared.kept):
        kernel = network.get_layer("whiten").kernel.numpy()
        np.testing.assert_array_equal(kernel.reshape(found[0].shape), found[0])
