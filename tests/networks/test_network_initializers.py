"""Initializers: what is drawn has the standard deviation of the formula."""

import math

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seewell.errors import ConfigError, NetworkError
from seewell.networks.initializers import kernel_initializer, list_initializers

# Height, width, depth in, depth out of a convolution; inputs and units of a fully connected layer.
CONVOLUTIONS = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 48), st.integers(16, 64))
DENSE = st.tuples(st.integers(1, 400), st.integers(1, 400))
SHAPES = st.one_of(CONVOLUTIONS, DENSE).filter(lambda shape: math.prod(shape) >= 3000)


def drawn(name, shape, *, before="relu"):
    keras.utils.set_random_seed(0)
    return np.asarray(kernel_initializer(name, before=before)(shape))


def fans(shape):
    receptive = math.prod(shape[:-2])
    return receptive * shape[-2], receptive * shape[-1]


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("normal", lambda fan_in, fan_out: 1.0),
        ("small-normal", lambda fan_in, fan_out: 0.01),
        ("he", lambda fan_in, fan_out: math.sqrt(2 / fan_in)),
        ("xavier", lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out))),
    ],
)
@settings(max_examples=15, deadline=None)
@given(shape=SHAPES)
def test_the_standard_deviation_is_that_of_the_formula_and_the_mean_is_zero(name, formula, shape):
    values = drawn(name, shape)
    expected = formula(*fans(shape))
    error = expected / math.sqrt(values.size)  # of the mean; that of the deviation is smaller
    assert abs(values.mean()) < 5 * error
    assert abs(values.std() - expected) < 5 * error


def test_xavier_is_uniform_and_he_is_a_cut_normal():
    xavier = drawn("xavier", (200, 300))
    assert np.abs(xavier).max() <= math.sqrt(6 / 500)
    he = drawn("he", (200, 300))
    assert np.abs(he).max() <= 2 * math.sqrt(2 / 200) / 0.8796
    assert np.abs(drawn("normal", (200, 300))).max() > 3


@pytest.mark.parametrize(("before", "same_as"), [("relu", "he"), ("softmax", "xavier"), ("tanh", "xavier")])
def test_the_default_is_he_before_relu_and_xavier_before_softmax_or_tanh(before, same_as):
    np.testing.assert_array_equal(drawn("default", (40, 30), before=before), drawn(same_as, (40, 30)))


@pytest.mark.parametrize("name", list_initializers())
def test_two_layers_never_get_the_same_numbers(name):
    keras.utils.set_random_seed(0)
    first, second = (np.asarray(kernel_initializer(name, before="relu")((8, 8))) for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match='did you mean "xavier"'):
        kernel_initializer("xaviar", before="relu")
    with pytest.raises(NetworkError, match="there is no nonlinearity"):
        kernel_initializer("he", before="gelu")
