"""What a training's cost and weights say where nobody showed the images: on plain facts, and on tiny real trainings."""

import math
from dataclasses import replace

import keras
import numpy as np
import pytest

import seewell
from seewell.doctor.probes.curve import Record, curve_facts
from seewell.doctor.probes.images import share_not_finite
from seewell.doctor.rules.combine import combine
from seewell.doctor.rules.curve import judge_curve
from seewell.doctor.rules.movement import judge_movement
from seewell.doctor.rules.unseen_images import judge_first_cost, judge_lost_weights, judge_sudden_end
from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.findings import Finding

L = keras.layers
CURVE = CurveFacts(500, 2.3, 0.1, 0.1, 0.2, 0, None, math.log(10), 0.95, 10, 5, 0.01)
STUCK = replace(CURVE, last=2.2, level=2.2, best=2.2, accuracy=0.15)
CHANGE = WeightChange("a", 0.002, 0.01, 0.5, 1.1, True)


def codes(found):
    return [one.code for one in found]


@pytest.mark.parametrize(
    ("family", "classes", "code"),
    [("binary", 2, "output-size-mismatch"), ("categorical", 10, "labels-wrong"), ("custom", 10, "loss-sign-flipped")],
)
def test_a_cost_below_zero_is_named(family, classes, code):
    curve = replace(CURVE, last=-40.0, level=-20.0, best=-41.0, accuracy=0.1, family=family, classes=classes)
    assert codes(judge_curve(curve)) == [code]


def test_another_loss_may_be_negative_where_the_network_learns():
    assert judge_curve(replace(CURVE, last=-0.9, level=-0.8, best=-0.9, chance=None, family="custom")) == []


@pytest.mark.parametrize(
    ("classes", "accuracy", "stagnant"),
    [(10, 0.10, True), (10, 0.2, False), (2, 0.5, True), (2, 0.62, False), (100, 0.011, True), (100, 0.03, False)],
)
def test_guesses_are_stagnant_whatever_a_penalty_does_to_the_cost(classes, accuracy, stagnant):
    falling = replace(CURVE, start=9.0, last=3.0, level=4.0, best=3.0, chance=None, classes=classes, accuracy=accuracy)
    assert codes(judge_curve(falling)) == (["loss-stagnant"] if stagnant else [])


def test_two_classes_that_are_being_learned_are_not_stagnant():
    slow = replace(CURVE, start=0.70, last=0.66, level=0.67, best=0.66, chance=math.log(2), classes=2, accuracy=0.62)
    assert judge_curve(slow) == []


@pytest.mark.parametrize("batch", [1, 2, 4, 16])
@pytest.mark.parametrize("updates", [150, 400, 800])
def test_small_batches_scatter_without_oscillating(batch, updates):
    for seed in range(20):
        rng, record = np.random.default_rng(seed), Record()
        for update in range(updates):
            mean = 1.3 + math.exp(-4 * update / updates)
            record.append(1, float(mean * rng.exponential(size=batch).mean()), 0.5)
        assert curve_facts(record, classes=10, chance=math.log(10)).jumps < 5


def test_a_cost_that_swings_is_seen():
    record = Record()
    for update in range(400):
        record.append(1, 2.0 + 1.5 * math.copysign(1, math.sin(update / 12)), 0.1)
    assert curve_facts(record, classes=10, chance=math.log(10)).jumps >= 5


@pytest.mark.parametrize(
    ("change", "curve", "code"),
    [
        ({"late": 0.3}, replace(CURVE, accuracy=0.7), "learning-rate-too-high"),
        ({"late": 0.3}, CURVE, None),  # it learned all the same
        ({"late": 0.05}, replace(CURVE, accuracy=0.7), None),
        ({"total": 0.001}, STUCK, "learning-rate-too-low"),
        ({"largest": 2e-4, "first": 1e-4, "total": 0.05}, STUCK, "learning-rate-too-low"),
        ({"total": 0.001}, replace(STUCK, start=0.05, last=0.049, accuracy=0.99), None),  # a low rate on a good network
        ({"total": 0.001}, replace(CURVE, start=0.05, last=0.05), None),
    ],
)
def test_steps_are_judged_with_what_came_of_them(change, curve, code):
    assert codes(judge_movement([replace(CHANGE, **change)], curve)) == ([] if code is None else [code])


def test_long_steps_of_an_orthogonalizing_optimizer_are_its_way_unless_they_break_it():
    leap, poor = [replace(CHANGE, first=0.4, largest=0.5, late=0.3)], replace(CURVE, last=CURVE.start, accuracy=0.3)
    assert codes(judge_movement(leap, poor)) == ["learning-rate-too-high"]
    assert judge_movement(leap, poor, orthogonal=True) == []
    broken = replace(poor, first_not_finite=40)
    assert codes(judge_movement(leap, broken, orthogonal=True)) == ["learning-rate-too-high"]


def test_a_slow_start_of_a_schedule_is_no_low_rate():
    slow = [replace(CHANGE, largest=2e-4, first=1e-4, total=0.05)]
    assert judge_movement(slow, replace(STUCK, updates=100), scheduled=True) == []


@pytest.mark.parametrize(("mean", "accuracy", "found"), [(0.01, 0.5, True), (0.4, 0.5, False), (0.01, 0.9, False)])
def test_a_schedule_that_dies_early(mean, accuracy, found):
    told = judge_movement([CHANGE], replace(CURVE, accuracy=accuracy), mean_rate=mean)
    assert codes(told) == (["learning-rate-too-low"] if found else [])


def test_a_cost_that_ends_without_a_long_step_is_not_the_rate():
    sudden = replace(CURVE, first_not_finite=120)
    broken = [replace(CHANGE, growth=math.nan, finite=False)]
    assert judge_movement(broken, sudden) == []
    assert codes(judge_sudden_end(sudden, images_seen=False)) == ["non-finite-input"]
    assert judge_sudden_end(sudden, images_seen=True) == []
    assert codes(judge_movement([replace(broken[0], largest=3.0)], sudden)) == ["learning-rate-too-high"]
    assert codes(judge_movement(broken, replace(sudden, last=90.0))) == ["learning-rate-too-high"]  # it rose before


def test_a_first_cost_far_above_guessing_means_large_images():
    costly = replace(CURVE, first=180.0)
    assert codes(judge_first_cost(costly, images_seen=False, growth=1.8)) == ["input-range-too-large"]
    assert judge_first_cost(costly, images_seen=True, growth=1.8) == []
    assert judge_first_cost(costly, images_seen=False, growth=50.0) == []  # the weights alone can do it
    assert judge_first_cost(costly, images_seen=False, growth=None) == []
    assert judge_first_cost(replace(CURVE, first=3.0), images_seen=False, growth=1.8) == []


def test_of_two_that_explain_each_other_one_stays():
    both = [Finding(code, "critical", None, "", 1.0, "", "") for code in ("init-too-large", "non-finite-input")]
    assert codes(combine(both)) == ["non-finite-input"]


def test_one_bad_image_in_thousands_is_found():
    images = np.zeros((3000, 4, 4, 1), np.float32)
    assert share_not_finite(images) == 0.0
    images[2500, 1, 1] = np.nan
    assert share_not_finite(images) == pytest.approx(1 / 3000)
    images[10, 0, 0] = np.inf
    assert share_not_finite(images) == pytest.approx(2 / 3000)
    assert share_not_finite(np.zeros((5, 2), np.uint8)) == 0.0


def digits(count=600):
    from seewell.data.loading import load_dataset

    train = load_dataset("digits").train
    return train.images[:count].astype("float32") / 16, train.labels[:count]


def network(rate=1e-3, **how):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), L.Flatten(), L.Dense(32, activation="relu"), L.Dense(10, activation="softmax")]
    )
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"], **how)
    return model


def alarms(doctor):
    return [one.code for one in doctor.findings if one.severity != "info"]


def test_raw_images_are_told_from_the_first_cost_alone():
    x, y = digits()
    model, doctor = network(), seewell.Doctor()
    model.fit(255 * x, y, epochs=2, callbacks=[doctor], verbose=0)
    assert alarms(doctor)[0] == "input-range-too-large"


def test_weights_that_are_not_finite_are_told_where_the_cost_hides_it():
    curve = CURVE
    lost = [WeightChange("a", 0.01, 0.01, 0.1, 1.0, True), WeightChange("b", 0.01, 0.01, 0.0, float("nan"), False)]
    found = judge_lost_weights(lost, curve, images_seen=False, too_high=False)
    assert [(one.code, one.layer) for one in found] == [("non-finite-loss", "b"), ("non-finite-input", None)]
    assert codes(judge_lost_weights(lost, curve, images_seen=True, too_high=False)) == ["non-finite-loss"]
    assert codes(judge_lost_weights(lost, curve, images_seen=False, too_high=True)) == ["non-finite-loss"]
    assert judge_lost_weights(lost[:1], curve, images_seen=False, too_high=False) == []
    assert judge_lost_weights(lost, replace(curve, first_not_finite=7), images_seen=False, too_high=False) == []


def test_a_single_bad_image_is_not_blamed_on_the_rate():
    x, y = digits()
    x[333, 2, 2] = np.nan
    model, doctor = network(), seewell.Doctor()
    assert codes(doctor.examine(model, x, y)) == ["non-finite-input"]
    alone = seewell.Doctor()
    model.fit(x, y, epochs=2, callbacks=[alone], verbose=0)
    assert alarms(alone)[0] == "non-finite-input"


def test_updates_made_in_one_call_are_not_measured_as_one():
    x, y = digits()
    model, doctor = network(5e-3, steps_per_execution=19), seewell.Doctor()
    model.fit(x, y, epochs=6, callbacks=[doctor], verbose=0)
    assert alarms(doctor) == []


def test_a_schedule_that_dies_is_found_at_the_end():
    x, y = digits()
    model, doctor = network(keras.optimizers.schedules.ExponentialDecay(3e-3, 1, 0.7)), seewell.Doctor()
    model.fit(x, y, epochs=6, callbacks=[doctor], verbose=0)
    assert alarms(doctor)[0] == "learning-rate-too-low"


def test_a_rate_of_zero_is_found_before_training():
    x, y = digits()
    found = seewell.examine(network(0.0), x, y)
    assert found[0].code == "learning-rate-too-low"


@pytest.mark.parametrize(
    ("momentum", "trainable", "found"), [(1.0, True, True), (0.99, True, False), (1.0, False, False)]
)
def test_averages_that_can_never_move_are_found_before_training(momentum, trainable, found):
    norm = L.BatchNormalization(momentum=momentum, trainable=trainable)
    model = keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(4, 3), norm, L.ReLU(), L.Flatten(), L.Dense(10)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = digits(64)
    assert ("train-eval-mismatch" in codes(seewell.examine(model, x, y))) is found
