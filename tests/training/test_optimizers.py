"""Optimizers: each update by its formula, on one weight."""

import numpy as np
import pytest

from seewell.errors import ConfigError
from seewell.training.optimizers import default_learning_rate, default_momentum, list_optimizers, make_optimizer

GRADIENTS = (0.5, -0.25, 1.0)
RATE = 0.1


def after(name, gradients=GRADIENTS, start=2.0, **settings):
    """The weight after each update."""
    import keras

    weight = keras.Variable(np.array([start], np.float32))
    optimizer = make_optimizer(name, learning_rate=RATE, **settings)
    optimizer.build([weight])
    found = []
    for gradient in gradients:
        optimizer.apply([np.array([gradient], np.float32)], [weight])
        found.append(float(weight.numpy()[0]))
    return found


def test_the_names_are_those_of_the_command_line():
    assert list_optimizers() == ("sgd", "momentum", "nesterov", "muon", "adam", "adamw", "rmsprop")


def test_sgd_goes_down_the_gradient():
    weight, expected = 2.0, []
    for gradient in GRADIENTS:
        weight -= RATE * gradient
        expected.append(weight)
    assert after("sgd") == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("momentum", [None, 0.6, 0.0])
def test_momentum_keeps_nine_tenths_of_its_velocity_or_what_is_asked_for(nesterov, momentum):
    weight, velocity, expected = 2.0, 0.0, []
    share = 0.9 if momentum is None else momentum
    for gradient in GRADIENTS:
        velocity = share * velocity - RATE * gradient
        weight += share * velocity - RATE * gradient if nesterov else velocity
        expected.append(weight)
    assert after("nesterov" if nesterov else "momentum", momentum=momentum) == pytest.approx(expected, rel=1e-6)


def test_those_that_have_a_momentum_say_which():
    found = {name: default_momentum(name) for name in list_optimizers()}
    assert {name: value for name, value in found.items() if value} == {"momentum": 0.9, "nesterov": 0.9, "muon": 0.95}


def adam(decay=0.0):
    weight, first, second, expected = 2.0, 0.0, 0.0, []
    for step, gradient in enumerate(GRADIENTS, start=1):
        weight -= RATE * decay * weight
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        weight -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        expected.append(weight)
    return expected


def test_adam_is_the_one_of_the_paper():
    assert after("adam") == pytest.approx(adam(), rel=1e-5)


def test_adamw_takes_the_decay_off_the_weights_not_through_the_gradient():
    assert after("adamw", weight_decay=0.3) == pytest.approx(adam(decay=0.3), rel=1e-5)
    assert after("adamw") == pytest.approx(adam(), rel=1e-5)


def test_rmsprop_divides_by_the_root_of_the_mean_square():
    weight, square, expected = 2.0, 0.0, []
    for gradient in GRADIENTS:
        square = 0.9 * square + 0.1 * gradient**2
        weight -= RATE * gradient / np.sqrt(square + 1e-7)
        expected.append(weight)
    assert after("rmsprop") == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", list_optimizers())
def test_each_has_a_default_rate_and_is_made_afresh(name):
    assert 0 < default_learning_rate(name) < 1
    assert make_optimizer(name, learning_rate=0.1) is not make_optimizer(name, learning_rate=0.1)


def test_a_scaled_one_undoes_its_scale_and_skips_gradients_that_are_not_finite():
    scaled = after("sgd", gradients=(0.0,), precision="float16")
    assert scaled == [2.0]
    import keras

    weight = keras.Variable(np.array([2.0], np.float32))
    optimizer = make_optimizer("sgd", learning_rate=RATE, precision="float16")
    optimizer.build([weight])
    scale = float(optimizer.scale_loss(1.0))
    optimizer.apply([np.array([0.5 * scale], np.float32)], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(2 - RATE * 0.5)
    optimizer.apply([np.array([np.inf], np.float32)], [weight])
    assert float(weight.numpy()[0]) == pytest.approx(2 - RATE * 0.5)
    assert float(optimizer.scale_loss(1.0)) == scale / 2


@pytest.mark.parametrize("ask", [lambda name: make_optimizer(name, learning_rate=1), default_learning_rate])
def test_a_mistyped_name_is_answered_with_the_right_one(ask):
    with pytest.raises(ConfigError) as caught:
        ask("adm")
    assert "adam" in caught.value.fix


@pytest.mark.parametrize("name", ["momentum", "nesterov", "adam", "adamw"])
def test_updates_in_one_kernel_are_those_of_keras(name):
    import keras

    theirs = {
        "momentum": keras.optimizers.SGD(RATE, momentum=0.9),
        "nesterov": keras.optimizers.SGD(RATE, momentum=0.9, nesterov=True),
        "adam": keras.optimizers.Adam(RATE, epsilon=1e-8),
        "adamw": keras.optimizers.AdamW(RATE, weight_decay=0.1, epsilon=1e-8),
    }[name]
    ours = make_optimizer(name, learning_rate=RATE, weight_decay=0.1)
    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3)).astype(np.float32)
    weights = [keras.Variable(start, name="kernel") for _ in range(2)]
    for optimizer, weight in zip((ours, theirs), weights, strict=True):
        optimizer.build([weight])
    assert [one.name for one in ours.variables] == [one.name for one in theirs.variables]  # old checkpoints fit
    for _ in range(5):
        gradient = rng.normal(size=(4, 3)).astype(np.float32)
        ours.apply([gradient], weights[:1])
        theirs.apply([gradient], weights[1:])
    np.testing.assert_allclose(weights[0].numpy(), weights[1].numpy(), rtol=1e-4, atol=1e-5)
    assert type(ours).from_config(ours.get_config()).get_config() == ours.get_config()
