"""Rules judge plain numbers; TensorFlow is not imported here."""

import math
import subprocess
import sys
from dataclasses import replace

import pytest

from seewell.doctor.remedies import remedies_for
from seewell.doctor.rules.combine import combine
from seewell.doctor.rules.curve import judge_curve
from seewell.doctor.rules.gradients import judge_gradients
from seewell.doctor.rules.hidden import judge_hidden
from seewell.doctor.rules.images import judge_images
from seewell.doctor.rules.initialization import judge_constant, judge_scale
from seewell.doctor.rules.labels import judge_labels
from seewell.doctor.rules.loss import judge_loss
from seewell.doctor.rules.modes import judge_modes
from seewell.doctor.rules.movement import judge_movement
from seewell.doctor.rules.optimizer import judge_optimizer
from seewell.doctor.rules.output import judge_output
from seewell.doctor.rules.regularization import judge_regularization
from seewell.doctor.rules.splits import judge_splits
from seewell.doctor.rules.steps import judge_steps
from seewell.doctor.rules.units import judge_answers, judge_units
from seewell.doctor.statistics import (
    CurveFacts,
    HiddenLayer,
    InputFacts,
    LabelFacts,
    LayerValues,
    LookaheadFacts,
    LossFacts,
    ModeFacts,
    OptimizerFacts,
    OutputFacts,
    SplitFacts,
    Structure,
    WeightChange,
)
from seewell.findings import CODES, Finding

UNIT = InputFacts(0.0, 0.0, 1.0, 0.3, 0.3, 0.0, 1.0, False, True)
LABELS = LabelFacts((100,) * 10, 0, "sparse", True, 0.0, True, 0.9, 0.1, 500)
RELU = HiddenLayer("a", "conv", "relu")
PLAIN = Structure(
    10, "softmax", "out", False, False, "sparse", "SparseCategoricalCrossentropy", False, (RELU,), True, 9
)
ADAM = OptimizerFacts("Adam", 1e-3, False, True, beta_1=0.9, beta_2=0.999, epsilon=1e-7)
SGD = OptimizerFacts("SGD", 0.01, False, False)
LOSS = LossFacts(2.4, 2.4, math.log(10), 1.0, 0.9, 0.0)
ANSWERS = OutputFacts(True, True, True, 0.5, 0.2, 0.3, 0.9, 0.3)
SPLITS = SplitFacts(0.0, 0.01, 1.0, 0.02, 0.02, (), (), 500)
CURVE = CurveFacts(500, 2.3, 0.1, 0.1, 0.2, 0, None, math.log(10), 0.95, 10, 5, 0.01)
CHANGE = WeightChange("a", 0.002, 0.01, 0.5, 1.1, True)
MODES = ModeFacts(0.3, 0.3, 0.9, 0.9, 0.0, "bn", 64)


def layer(name: str = "a", **values: object) -> LayerValues:
    usual = LayerValues(name, "relu", 0.7, 3.0, True, 0.1, None, 0.01, 0.1, 1.4)
    return replace(usual, **values)


def codes(findings: list[Finding]) -> list[str]:
    known = {code for group in CODES.values() for code in group}
    assert all(one.code in known for one in findings)
    return [one.code for one in findings if one.severity != "info"]


def test_rules_do_without_tensorflow() -> None:
    names = (
        "combine curve gradients hidden images initialization labels loss modes movement optimizer output splits steps"
    )
    code = "import sys\n" + "".join(f"import seewell.doctor.rules.{name}\n" for name in names.split())
    loaded = subprocess.run(
        [sys.executable, "-c", code + "print('tensorflow' in sys.modules, 'keras' in sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert loaded.stdout.split() == ["False", "False"]


@pytest.mark.parametrize(
    ("low", "high", "mean", "deviation"),
    [(0, 1, 0.3, 0.37), (-1, 1, -0.4, 0.7), (-2, 4, 0, 1), (-128, 200, 0, 60), (0, 1, 0.13, 0.31), (0, 16, 5, 6)],
)
def test_usual_scales_are_left_alone(low: float, high: float, mean: float, deviation: float) -> None:
    assert judge_images(InputFacts(0, low, high, mean, deviation, low, high, False, True)) == []


def test_raw_digits_are_large_though_their_mean_lies_within_half_a_deviation() -> None:
    assert codes(judge_images(InputFacts(0, 0, 255, 33, 79, 0, 255, False, True))) == ["input-range-too-large"]
    assert codes(judge_images(InputFacts(0, -9e3, 6e4, 0, 2e4, -9e3, 6e4, False, True))) == ["input-range-too-large"]


def test_images_of_a_wrong_scale_are_named() -> None:
    raw = InputFacts(0, 0, 255, 80, 90, 0, 255, False, True)
    assert codes(judge_images(raw)) == ["input-range-too-large"]
    assert codes(judge_images(replace(raw, normalized=True))) == []
    assert codes(judge_images(replace(raw, judged=False))) == []
    assert codes(judge_images(InputFacts(0, 0, 0.004, 0.001, 0.001, 0, 1, False, True))) == ["input-range-too-small"]
    assert codes(judge_images(replace(UNIT, same=True))) == ["input-range-too-small"]
    assert codes(judge_images(replace(UNIT, not_finite=0.01))) == ["non-finite-input"]


def test_labels_that_fit_are_left_alone() -> None:
    assert judge_labels(LABELS, 10) == []
    assert codes(judge_labels(replace(LABELS, counts=(0, *(100,) * 10)), 11)) == []
    assert codes(judge_labels(replace(LABELS, counts=(900, 100)), 1)) == []


@pytest.mark.parametrize(
    ("change", "outputs", "code"),
    [
        ({"negative": 3}, 10, "labels-wrong"),
        ({}, 9, "output-size-mismatch"),
        ({}, 1, "output-size-mismatch"),
        ({}, 30, "output-size-mismatch"),
        ({"counts": (100, 0, 100, 100)}, 4, "class-missing"),
        ({"counts": (1000, *(12,) * 9)}, 10, "class-imbalance"),
        ({"sorted_share": 0.9, "shuffled_by_fit": False}, 10, "ordered-batches"),
        ({"neighbour_accuracy": 0.11}, 10, "labels-wrong"),
    ],
)
def test_labels_that_do_not_fit_are_named(change: dict[str, object], outputs: int, code: str) -> None:
    assert codes(judge_labels(replace(LABELS, **change), outputs)) == [code]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"copies": 0.2}, "train-test-leak"),
        ({"scale_ratio": 255.0}, "train-test-shift"),
        ({"mean_shift": 2.0}, "train-test-shift"),
        ({"label_distance": 0.9}, "train-test-shift"),
        ({"unknown": (3,)}, "train-test-shift"),
    ],
)
def test_splits(change: dict[str, object], code: str) -> None:
    assert judge_splits(SPLITS) == []
    assert codes(judge_splits(replace(SPLITS, **change))) == [code]


@pytest.mark.parametrize(
    ("change", "form", "code"),
    [
        ({"last_activation": "linear"}, "sparse", "output-activation-missing"),
        ({"from_logits": True}, "sparse", "output-activation-doubled"),
        ({"doubled": True}, "sparse", "output-activation-doubled"),
        ({"softmax_axis_wrong": True}, "sparse", "output-activation-wrong"),
        ({"last_activation": "relu"}, "sparse", "output-activation-wrong"),
        ({"last_activation": "sigmoid"}, "sparse", "output-activation-wrong"),
        ({"outputs": 1, "loss": "binary"}, "binary", "output-activation-wrong"),
        ({"loss": "regression", "from_logits": None}, "one-hot", "loss-unsuitable"),
        ({"loss": "binary"}, "one-hot", "loss-unsuitable"),
        ({"loss": "categorical"}, "sparse", "loss-unsuitable"),
        ({}, "one-hot", "loss-unsuitable"),
    ],
)
def test_the_end_of_the_network(change: dict[str, object], form: str, code: str) -> None:
    assert codes(judge_output(replace(PLAIN, **change), form, ANSWERS)) == [code]


@pytest.mark.parametrize(
    ("change", "form"),
    [
        ({}, "sparse"),
        ({"last_activation": "linear", "from_logits": True}, "sparse"),
        ({"loss": "categorical"}, "one-hot"),
        ({"loss": "binary", "outputs": 1, "last_activation": "sigmoid"}, "binary"),
        ({"loss": "binary", "outputs": 2}, "one-hot"),
        ({"loss": "custom", "from_logits": None, "last_activation": "linear"}, "sparse"),
        ({"last_activation": "unknown"}, "sparse"),
    ],
)
def test_sound_ends_are_left_alone(change: dict[str, object], form: str) -> None:
    assert codes(judge_output(replace(PLAIN, **change), form, ANSWERS)) == []


def test_loss_sign_and_reduction() -> None:
    assert judge_loss(LOSS, SGD, own=True, short=False) == []
    assert codes(judge_loss(replace(LOSS, agreement=-0.8), SGD, own=True, short=False)) == ["loss-sign-flipped"]
    assert codes(judge_loss(LOSS, replace(SGD, learning_rate=-0.1), own=False, short=False)) == ["loss-sign-flipped"]
    summed = replace(LOSS, batch_ratio=2.0)
    assert codes(judge_loss(summed, SGD, own=False, short=False)) == ["loss-not-averaged"]
    assert codes(judge_loss(summed, ADAM, own=False, short=False)) == []


def test_hidden_activations() -> None:
    line = HiddenLayer("b", "dense", "linear")
    assert judge_hidden(PLAIN, ()) == []
    assert codes(judge_hidden(replace(PLAIN, hidden=(line, line)), ())) == ["hidden-activation-missing"]
    for known in ({"pointwise": True}, {"residual": True}, {"kind": "depthwise"}):
        assert judge_hidden(replace(PLAIN, hidden=(RELU, replace(line, **{"kind": "conv", **known}))), ()) == []
    bent = HiddenLayer("c", "dense", "sigmoid")
    assert judge_hidden(replace(PLAIN, hidden=(bent,)), ()) == []
    assert codes(judge_hidden(replace(PLAIN, hidden=(bent,) * 4), ())) == ["hidden-activation-saturating"]


def test_the_scale_of_the_start_is_judged_against_the_input_and_the_cost() -> None:
    grown = (layer("a", deviation=1.4, gain=3.0), layer("b", deviation=500.0, gain=24.0))
    lost = replace(LOSS, cross_entropy=14.0)
    assert codes(judge_scale(grown, UNIT, lost, falls=None)) == ["init-too-large"]
    assert judge_scale(grown, UNIT, LOSS, falls=None) == []
    assert codes(judge_scale(grown, replace(UNIT, mean=100.0, deviation=100.0), lost, falls=None)) == []
    shrunk = (layer("a", deviation=1e-2), layer("b", deviation=1e-4), layer("c", last=True))
    assert codes(judge_scale(shrunk, UNIT, LOSS, falls=None)) == ["init-too-small"]
    assert judge_scale((layer("a"), layer("b"), layer("c", deviation=0.0, last=True)), UNIT, LOSS, falls=None) == []
    assert codes(judge_constant(["a"])) == ["init-constant"]


def looked(scale: float, *losses: float, ratio: float = 1e-4) -> LookaheadFacts:
    return LookaheadFacts(scale, losses, (("a", ratio),))


def test_steps_are_judged_only_where_the_cost_does_not_fall() -> None:
    falling, level = looked(1, 2.3, 2.0, 1.5, 1.0), looked(1, 2.3, 2.3, 2.3, 2.3)
    rising = looked(1, 2.3, 9.0, 9.0, 9.0, ratio=2.0)
    assert judge_steps(falling, [looked(100, 2.3, 1, 1, 0.1)], SGD) == []
    assert codes(judge_steps(level, [looked(1000, 2.3, 2, 1, 0.5)], SGD)) == ["learning-rate-too-low"]
    assert judge_steps(level, [looked(10, 2.3, 2, 2, 2.1)], SGD) == []
    assert judge_steps(looked(1, 2.3, 2.3, 2.3, 2.3, ratio=5e-3), [looked(1000, 2.3, 2, 1, 0.5)], SGD) == []
    assert judge_steps(level, [looked(1000, 2.3, 2, 1, 0.5)], replace(SGD, scheduled=True)) == []
    assert codes(judge_steps(rising, [looked(0.01, 2.3, 2, 1, 0.5)], SGD)) == ["learning-rate-too-high"]
    assert judge_steps(rising, [looked(0.01, 2.3, 2.3, 2.3, 2.3)], SGD) == []


@pytest.mark.parametrize(
    "change",
    [{"momentum": 0.999}, {"beta_1": 0.999}, {"beta_2": 0.1}, {"epsilon": 10.0}, {"clip": 1e-6, "adaptive": False}],
)
def test_unstable_settings(change: dict[str, object]) -> None:
    assert judge_optimizer(ADAM) == []
    assert judge_optimizer(replace(SGD, momentum=0.99)) == []
    assert codes(judge_optimizer(replace(ADAM, **change))) == ["optimizer-unstable"]


def test_gradients() -> None:
    usual = [layer("a"), layer("b"), layer("c", last=True)]
    assert judge_gradients(usual) == []
    assert codes(judge_gradients([layer("a", gradient=1e-8), *usual[1:]])) == ["gradient-vanishing"]
    assert judge_gradients([layer("a", gradient=0.0), layer("b"), layer("c", last=True, gain=0.0)]) == []
    assert codes(judge_gradients([layer("a", gradient=1e4)])) == ["gradient-exploding"]


def test_units_and_answers() -> None:
    assert judge_units([layer(silent=0.5), layer(silent=None, saturated=0.3)]) == []
    assert codes(judge_units([layer(silent=0.99)])) == ["dead-units"]
    assert codes(judge_units([layer(silent=None, activation="tanh", saturated=0.9)])) == ["saturated-units"]
    assert judge_answers(ANSWERS, LOSS, last_constant=False) == []
    certain = replace(ANSWERS, certainty=0.999)
    assert judge_answers(certain, LOSS, last_constant=False) == []
    assert codes(judge_answers(certain, replace(LOSS, cross_entropy=13.0), last_constant=False)) == ["saturated-output"]
    assert codes(judge_answers(replace(ANSWERS, depends=0.0), LOSS, last_constant=False)) == ["loss-stagnant"]
    assert judge_answers(replace(ANSWERS, depends=0.0), LOSS, last_constant=True) == []


def test_regularization() -> None:
    assert judge_regularization(replace(PLAIN, dropouts=(("d", 0.5),)), [layer(penalty=1e-4)], ADAM) == []
    too_strong = ["regularization-too-strong"]
    assert codes(judge_regularization(replace(PLAIN, dropouts=(("d", 0.95),)), [], ADAM)) == too_strong
    assert codes(judge_regularization(PLAIN, [layer(penalty=1.0)], ADAM)) == too_strong
    assert codes(judge_regularization(PLAIN, [], replace(ADAM, weight_decay=10.0))) == too_strong


def test_modes_wait_for_batch_norm_to_warm_up() -> None:
    apart = replace(MODES, inference_loss=5.0, inference_accuracy=0.2)
    assert judge_modes(MODES) == []
    assert codes(judge_modes(apart)) == ["train-eval-mismatch"]
    assert [one.severity for one in judge_modes(replace(apart, warm_up=0.5))] == ["info"]
    assert [one.severity for one in judge_modes(replace(apart, warm_up=1.0))] == ["warning"]  # momentum 1: never moves
    slightly = replace(MODES, inference_loss=0.4, inference_accuracy=0.7)
    assert judge_modes(slightly) == []
    assert codes(judge_modes(replace(slightly, warm_up=1.0))) == ["train-eval-mismatch"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"first_not_finite": 7}, "non-finite-loss"),
        ({"last": 40.0}, "loss-diverging"),
        ({"last": 2.31, "level": 2.31, "best": 2.29, "accuracy": 0.1}, "loss-stagnant"),
        ({"jumps": 9, "level": 2.0, "last": 0.15}, "loss-oscillating"),
    ],
)
def test_curves(change: dict[str, object], code: str) -> None:
    assert judge_curve(CURVE) == []
    assert codes(judge_curve(replace(CURVE, **change))) == [code]


def test_a_short_or_learning_curve_is_not_judged() -> None:
    stuck = replace(CURVE, last=2.31, level=2.31, best=2.29, accuracy=0.1)
    assert judge_curve(replace(stuck, updates=20)) == []
    assert judge_curve(replace(stuck, accuracy=0.6)) == []


def test_movement() -> None:
    stuck = replace(CURVE, last=2.31, level=2.31, accuracy=0.1)
    assert judge_movement([CHANGE], stuck) == []
    leap = replace(CHANGE, first=2.0, largest=2.0)
    assert judge_movement([leap], CURVE) == []
    assert codes(judge_movement([leap], stuck)) == ["learning-rate-too-high"]
    assert codes(judge_movement([leap], CURVE, suffers=True)) == ["learning-rate-too-high"]
    alone = [leap, CHANGE, CHANGE]  # one layer: its gradient, not the rate
    assert judge_movement(alone, CURVE, suffers=True) == []
    assert judge_movement([CHANGE], CURVE, suffers=True) == []
    assert codes(judge_movement([replace(CHANGE, total=1e-4)], stuck)) == ["learning-rate-too-low"]
    assert judge_movement([replace(CHANGE, total=1e-4)], CURVE) == []


def finding(code: str, severity: str = "warning") -> Finding:
    return Finding(code, severity, None, "", 1.0, "", "")


def test_a_cause_stands_above_its_symptoms() -> None:
    found = combine([finding("loss-stagnant", "critical"), finding("dead-units"), finding("learning-rate-too-high")])
    assert [one.code for one in found] == ["learning-rate-too-high"]
    assert [one.code for one in found[0].evidence] == ["loss-stagnant", "dead-units"]


def test_a_cause_that_comes_of_another_hands_its_evidence_on() -> None:
    found = combine([finding("learning-rate-too-low"), finding("loss-stagnant"), finding("init-too-small", "critical")])
    assert [one.code for one in found] == ["init-too-small"]
    assert {one.code for one in found[0].evidence} == {"learning-rate-too-low", "loss-stagnant"}


def test_info_explains_nothing_and_unrelated_findings_stay_apart() -> None:
    found = combine([finding("loss-stagnant"), finding("class-imbalance"), finding("init-too-small", "info")])
    assert [one.code for one in found] == ["class-imbalance", "loss-stagnant", "init-too-small"]


def test_a_summed_loss_is_the_cause_of_steps_that_are_too_long() -> None:
    found = combine([finding("loss-not-averaged", "info"), finding("learning-rate-too-high", "critical")])
    assert [(one.code, one.severity) for one in found] == [("loss-not-averaged", "critical")]


def test_each_code_has_remedies() -> None:
    assert all(remedies_for(code, {}) for group in CODES.values() for code in group)
