"""A hidden layer of one number: found where everything must pass through it, and only there."""

import keras
import pytest

from seewell.doctor.facts import Facts
from seewell.doctor.judgement import judge_start
from seewell.doctor.probes.structure import read_optimizer, read_structure
from seewell.doctor.rules.structure import judge_bottleneck
from seewell.doctor.subject import check_model

L = keras.layers


def chain(*layers, classes=10):
    return keras.Sequential([keras.Input((8, 8, 1)), *layers, L.Flatten(), L.Dense(classes, activation="softmax")])


def squeezed():
    """Squeeze and excitation: one number beside the way of the images, not in it."""
    inputs = keras.Input((8, 8, 1))
    x = L.Conv2D(4, 3, activation="relu")(inputs)
    weight = L.Dense(1, activation="relu")(L.GlobalAveragePooling2D()(x))
    x = L.Multiply()([x, L.Reshape((1, 1, 4))(L.Dense(4, activation="sigmoid")(weight))])
    return keras.Model(inputs, L.Dense(10, activation="softmax")(L.Flatten()(x)))


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (lambda: chain(L.Flatten(), L.Dense(16, activation="relu"), L.Dense(1, activation="relu")), ["high-bias"]),
        (lambda: chain(L.Conv2D(1, 8, activation="relu")), ["high-bias"]),  # the whole image in one value
        (lambda: chain(L.Conv2D(1, 3, activation="relu")), []),  # one channel, many places
        (lambda: chain(L.Flatten(), L.Dense(2, activation="relu")), []),
        (lambda: chain(L.Flatten(), L.Dense(1, activation="relu"), classes=2), []),
        (squeezed, []),
    ],
)
def test_a_single_number_in_the_way_of_many_classes(model, found):
    built = model()
    built.compile("sgd", "sparse_categorical_crossentropy")
    subject = check_model(built)
    structure = read_structure(built, subject.anatomy, subject.outputs)
    assert [one.code for one in judge_bottleneck(structure)] == found
    told = judge_start(Facts(structure, read_optimizer(built.optimizer)))
    assert ("high-bias" in [one.code for one in told]) is bool(found)
