"""A few images can be learned by heart, a rate is suggested, and what subclassed models tell of themselves."""

import math
from typing import Any

import keras
import numpy as np
import pytest
from doctor_cases import L, digits

import seewell
from seewell.doctor.probes.by_heart import few_of_each, learn_by_heart, range_test
from seewell.doctor.probes.images import input_facts
from seewell.doctor.probes.trial import Trial
from seewell.doctor.probes.unconnected import constant_kernels, kernel_values
from seewell.doctor.rules.by_heart import judge_by_heart, judge_range
from seewell.doctor.rules.images import judge_images
from seewell.doctor.statistics import LookaheadFacts, OptimizerFacts
from seewell.doctor.update_statistics import HeartFacts, RangeFacts

X, Y = digits()
X, Y = X[:64] / 16, Y[:64]
SGD = OptimizerFacts("SGD", 0.01, False, False)
STILL = LookaheadFacts(1.0, (2.3,) * 16)
LOSS = keras.losses.SparseCategoricalCrossentropy()


def network(*layers: Any) -> Any:
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((8, 8, 1)), *layers, L.Flatten(), L.Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def learn(model: Any) -> HeartFacts:
    found = learn_by_heart(model, LOSS, "probabilities", (X, Y, Y), deadline=math.inf)
    assert found is not None
    return found


def test_a_network_with_dropout_learns_sixteen_images_and_one_that_ignores_them_does_not() -> None:
    sound = learn(network(L.Flatten(), L.Dense(64, "relu"), L.Dropout(0.5)))
    assert judge_by_heart(sound) == []
    assert sound.images == 16
    blind = learn(network(L.Rescaling(0.0)))
    assert blind.reached == pytest.approx(blind.chance, rel=0.15)
    assert [one.code for one in judge_by_heart(blind)] == ["loss-stagnant"]


def test_images_of_one_class_or_no_time_say_nothing() -> None:
    model = network()
    assert learn_by_heart(model, LOSS, "probabilities", (X, 0 * Y, 0 * Y), deadline=math.inf) is None
    assert learn_by_heart(network(L.Rescaling(0.0)), LOSS, "probabilities", (X, Y, Y), deadline=0.0) is None


def test_classes_take_turns() -> None:
    assert few_of_each(np.array([2, 2, 2, 1, 1, 0]), 4).tolist() == [0, 3, 5, 1]


def test_the_range_test_suggests_a_rate_at_which_the_cost_falls() -> None:
    model = network()
    before = [value.copy() for value in model.get_weights()]
    found = range_test(Trial(model, LOSS, "probabilities"), (X, Y, Y))
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert found.suggested is not None
    assert 1e-3 < found.suggested <= 1.0
    assert len(found.rates) == len(found.losses)


def test_the_rule_speaks_only_where_the_users_rate_does_not_lower_the_cost() -> None:
    facts = RangeFacts((), (), 1e-4)
    high = judge_range([], facts, STILL, SGD)
    assert [(one.code, one.expected) for one in high] == [("learning-rate-too-high", "about 0.0001")]
    low = judge_range([], RangeFacts((), (), 100.0), STILL, SGD)
    assert [one.code for one in low] == ["learning-rate-too-low"]
    falling = LookaheadFacts(1.0, tuple(np.linspace(2.3, 1.0, 16)))
    assert judge_range([], facts, falling, SGD) == []
    assert judge_range([], RangeFacts((), (), None), STILL, SGD) == []
    assert judge_range(high, RangeFacts((), (), 1e-3), STILL, SGD)[0].expected == "about 0.001"


def test_a_thorough_examination_suggests_a_rate() -> None:
    doctor = seewell.Doctor()
    assert doctor.suggested_learning_rate is None
    doctor.examine(network(), X, Y, thorough=True)
    assert doctor.suggested_learning_rate is not None


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (lambda x: x / 255, "input-range-too-small"),  # in [0, 1] already, and Rescaling(1 / 255) inside
        (lambda x: (x - 0.5) / 255, "input-range-too-small"),  # z-scored, and Rescaling inside
        (lambda x: x / 127.5 - 1, "input-range-too-small"),  # in [0, 1], and scaled to [-1, 1] as if raw
        (lambda x: 255 * x, "input-range-too-large"),  # raw, and a Normalization that was never adapted
        (lambda x: 2 * x - 1, None),
    ],
)
def test_images_are_judged_as_the_first_weights_see_them(seen: Any, code: str | None) -> None:
    found = judge_images(input_facts(X, seen(X), normalized=False))
    assert [one.code for one in found] == ([] if code is None else [code])


def test_a_channel_that_says_nothing_is_told() -> None:
    images = np.random.default_rng(0).random((20, 4, 4, 4))
    images[..., 3] = 1.0
    found = judge_images(input_facts(images, images, normalized=False))
    assert [(one.code, one.severity) for one in found] == [("input-range-too-small", "info")]
    assert "Channel 3" in found[0].message


class Own(keras.Model):
    def __init__(self, initializer: str | Any) -> None:
        super().__init__()
        self.flat = L.Flatten()
        self.inner = [L.Dense(32, "relu", kernel_initializer=initializer) for _ in range(3)]
        self.out = L.Dense(10, "softmax", kernel_initializer=initializer)

    def call(self, images: Any) -> Any:
        values = self.flat(images)
        for layer in self.inner:
            values = layer(values)
        return self.out(values)


@pytest.mark.parametrize(
    ("initializer", "code"),
    [
        ("he_normal", None),
        ("ones", "init-constant"),
        (keras.initializers.RandomNormal(stddev=3.0, seed=1), "init-too-large"),
        (keras.initializers.RandomNormal(stddev=0.001, seed=1), "init-too-small"),
    ],
)
def test_a_subclassed_models_kernels_are_judged(initializer: Any, code: str | None) -> None:
    keras.utils.set_random_seed(0)
    model = Own(initializer)
    model.compile("adam", "sparse_categorical_crossentropy")
    model(X[:1])
    assert bool(constant_kernels(model)) == (code == "init-constant")
    assert [one.last for one in kernel_values(model)] == [False, False, False, True]
    found = [one.code for one in seewell.examine(model, X, Y) if one.severity != "info"]
    assert found[:1] == ([] if code is None else [code])
