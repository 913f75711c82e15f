import json

import numpy as np
import pytest
from PIL import Image

from seewell.lab import optimizers
from seewell.lab.rules import RULES, Adam, Momentum, PlainDescent, walk

# Numbers that float32 holds exactly: Keras keeps its learning rate so, and rounds Adam's factors on the way.
RATE, FACTOR, SLOW_FACTOR, EPSILON = 2.0**-6, 1 - 2.0**-3, 1 - 2.0**-10, 2.0**-23


def test_plain_descent_halves_the_way_where_rate_times_curvature_is_a_half():
    path = walk(PlainDescent(0.5), lambda at: at, np.array([8.0, -4.0]), 2)
    np.testing.assert_array_equal(path, [[8, -4], [4, -2], [2, -1]])


def test_momentum_goes_on_after_the_slope_has_gone():
    rule = Momentum(1.0, factor=0.5)
    at = rule(np.array([0.0]), np.array([1.0]))
    assert rule(at, np.array([0.0])).tolist() == [-1.5]


def test_adams_first_step_has_the_length_of_the_learning_rate_whatever_the_slope():
    for slope in (1e-3, 1.0, 1e6):
        step = Adam(0.1)(np.array([0.0]), np.array([slope]))
        np.testing.assert_allclose(step, [-0.1], rtol=5e-3)


@pytest.mark.parametrize("weights", [1, 2])
def test_after_120_updates_sgd_has_not_arrived_momentum_overshot_and_came_back_adam_lies_between(weights):
    told = optimizers.facts(weights)
    sgd, momentum, adam = (told[name] for name in RULES)
    assert sgd.arrived is None
    assert sgd.left > 0.2
    assert sgd.overshoot == 0
    assert momentum.overshoot > 0.1
    assert momentum.left < 0.01
    assert momentum.arrived < adam.arrived < optimizers.STEPS
    assert sgd.overshoot < adam.overshoot < momentum.overshoot / 2
    assert momentum.left < adam.left < sgd.left


def test_paths_begin_at_the_same_place_and_have_120_updates():
    for weights in (1, 2):
        found = optimizers.paths(weights)
        assert tuple(found) == RULES
        assert {path.shape for path in found.values()} == {(121, weights)}
        assert len({tuple(path[0]) for path in found.values()}) == 1


def test_draw_writes_a_picture_and_a_small_animation_and_returns_what_they_show(tmp_path):
    told = optimizers.draw(tmp_path / "optimizers.png", tmp_path / "optimizers.gif")
    assert told == optimizers.Descents(optimizers.facts(1), optimizers.facts(2))
    with Image.open(tmp_path / "optimizers.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
    assert (tmp_path / "optimizers.gif").stat().st_size < 2_000_000
    with Image.open(tmp_path / "optimizers.gif") as picture:
        assert picture.format == "GIF"
        assert picture.n_frames > 30
        assert picture.info["loop"] == 0


def test_the_facts_are_plain_values_and_a_sentence():
    told = optimizers.Descents(optimizers.facts(1), optimizers.facts(2))
    assert json.loads(json.dumps(told.to_dict()))["one_weight"]["SGD"]["arrived"] is None
    assert told.sentence().startswith("After 120 updates SGD still has 30% of its way on one weight before it")


def test_the_rules_are_those_of_keras():
    import keras

    def gradient(at):
        return np.array([2.0 * at[0] - 0.5 * at[1], 0.3 * at[1] + at[0] ** 3])

    pairs = [
        (PlainDescent(RATE), keras.optimizers.SGD(RATE)),
        (Momentum(RATE, FACTOR), keras.optimizers.SGD(RATE, momentum=FACTOR)),
        (Adam(RATE, FACTOR, SLOW_FACTOR, EPSILON), keras.optimizers.Adam(RATE, FACTOR, SLOW_FACTOR, EPSILON)),
    ]
    start = np.array([1.5, -2.0])
    for ours, theirs in pairs:
        expected = walk(ours, gradient, start, 60)
        variable = keras.Variable(start, dtype="float64")
        theirs.build([variable])
        for step in range(60):
            at = variable.value.numpy()
            np.testing.assert_allclose(at, expected[step], rtol=0, atol=1e-12)
            theirs.apply([keras.ops.convert_to_tensor(gradient(at), dtype="float64")])


def test_adams_constants_are_those_of_keras():
    import keras

    ours, theirs = Adam(RATE), keras.optimizers.Adam(RATE)
    assert (ours.first, ours.second, ours.epsilon) == (theirs.beta_1, theirs.beta_2, theirs.epsilon)
