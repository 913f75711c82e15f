"""No two variables of a network have one name, and the names that stand in older checkpoints stay as they were."""

import keras
import numpy as np
import pytest

from seewell.errors import RunError
from seewell.networks.registry import build_network
from seewell.runs.weights import arrays_of, assign, model_variables


def attention():
    given = keras.Input((4, 6))
    mixed = keras.layers.MultiHeadAttention(2, 3, dropout=0.1, name="mha")(given, given)
    return keras.Model(given, keras.layers.Dense(2, name="logits")(keras.layers.Flatten()(mixed)))


def nested():
    inner = keras.Sequential([keras.layers.Dense(5, name="a"), keras.layers.Dense(5, name="b")], name="pair")
    deep = keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(5, name="a")], name="deep")
    given = keras.Input((5,))
    return keras.Model(given, keras.layers.Dense(2, name="logits")(deep(given)))


class Twins(keras.Model):
    """Two layers of one name, which only a network that is a class can have."""

    def __init__(self):
        super().__init__()
        self.one, self.two = keras.layers.Dense(3, name="fc"), keras.layers.Dense(3, name="fc")

    def call(self, x):
        return self.two(self.one(x))


class Loose(keras.Model):
    """A variable outside every layer."""

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=())

    def call(self, x):
        return x * self.scale


def twins():
    model = Twins()
    model(np.zeros((1, 3), np.float32))
    return model


@pytest.mark.parametrize("make", [attention, nested, twins])
def test_every_variable_has_a_name_of_its_own_and_comes_back(make):
    model = make()
    variables = model_variables(model)
    assert {id(one) for one in variables.values()} == {id(one) for one in model.variables}
    kept = {name: array.copy() for name, array in arrays_of(variables).items()}
    other = make()
    assert list(model_variables(other)) == list(variables)
    assign(model_variables(other), kept)
    for one, same in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), same.numpy())


def test_the_layers_inside_a_layer_stand_between_its_name_and_the_variable_s():
    names = set(model_variables(attention()))
    inside = ("query", "key", "value", "attention_output")
    assert {f"mha/{one}/{kind}" for one in inside for kind in ("kernel", "bias")} <= names
    assert {"logits/kernel", "logits/bias"} <= names


def test_layers_of_one_name_are_told_apart_by_numbers():
    assert list(model_variables(twins())) == ["fc/kernel", "fc/bias", "fc/kernel~2", "fc/bias~2"]


def test_where_no_names_are_alike_they_are_those_of_older_checkpoints():
    arguments = {"widths": "4", "normalization": "batch"}
    model = build_network("convnet", input_shape=(8, 8, 1), num_classes=3, dropout=0.1, arguments=arguments)
    plain = [f"{layer.name}/{one.name}" for layer in model.layers for one in layer.variables]
    assert len(set(plain)) == len(plain)
    assert list(model_variables(model)) == plain


def test_a_variable_that_no_layer_holds_is_refused_instead_of_lost():
    model = Loose()
    model(np.zeros((1, 3), np.float32))
    with pytest.raises(RunError, match="outside its layers"):
        model_variables(model)
