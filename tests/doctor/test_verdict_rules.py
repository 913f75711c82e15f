"""The judgement after a training, on plain numbers: what warns, what is told, and what is passed over."""

import math

import numpy as np
import pytest

from seewell.doctor.conclusion import settled
from seewell.doctor.outcome import Calibration, ClassRecall, Disputed, ErrorFacts, NoiseFacts, ResultFacts
from seewell.doctor.probes.curve import Record, curve_facts
from seewell.doctor.probes.result import class_recalls, noise_facts, result_facts
from seewell.doctor.rules.combine import combine
from seewell.doctor.rules.noise import judge_noise
from seewell.doctor.rules.overconfident import judge_overconfident
from seewell.doctor.rules.shrinkage import judge_shrinkage
from seewell.doctor.rules.undertrained import judge_undertrained
from seewell.doctor.rules.weak_class import judge_weak_class
from seewell.doctor.statistics import CurveFacts, WeightChange
from seewell.doctor.verdict import verdict
from seewell.findings import Finding


def severities(found):
    return [one.severity for one in found]


@pytest.mark.parametrize(
    ("error", "falling", "severity"),
    [
        (0.80, 0.30, ["warning"]),
        (0.80, 0.15, ["info"]),
        (0.40, 0.30, ["info"]),  # 60 % after a few epochs is how short trainings look
        (0.80, 0.04, []),  # flat: high-bias tells that story
        (0.03, 0.50, []),  # nothing left to learn
        (0.80, -0.5, []),
    ],
)
def test_undertrained_warns_where_the_cost_falls_steeply_and_much_is_left(error, falling, severity):
    found = judge_undertrained(ResultFacts(ErrorFacts(error, 1000, 0.0, 0, 10, flat=False), falling))
    assert severities(found) == severity
    assert all(one.measured == falling for one in found)


def test_a_curve_that_falls_makes_no_warning_of_bias():
    facts = ResultFacts(ErrorFacts(0.8, 1000, 0.8, 1000, 10, flat=False), falling=0.3)
    assert {one.code: one.severity for one in verdict(facts, {})} == {
        "undertrained": "warning",
        "high-bias": "info",
        "high-variance": "info",
    }


@pytest.mark.parametrize(("low", "severity"), [(0.5, ["warning"]), (0.39, ["info"]), (0.04, []), (-0.2, [])])
def test_overconfidence_is_the_surplus_of_certainty(low, severity):
    found = judge_overconfident(Calibration(500, 0.5, 0.95, low, 0.45, 2.0, 1.4, 2.5))
    assert severities(found) == severity
    assert all("0.450" in one.message and one.measured == low for one in found)


def recalls(right, count):
    labels = np.concatenate([np.full(n, k) for k, n in enumerate(count)])
    predicted = labels.copy()
    for k, (hit, n) in enumerate(zip(right, count, strict=True)):
        predicted[np.flatnonzero(labels == k)[: n - hit]] = (k + 1) % len(count)
    return class_recalls((np.eye(len(count), dtype=np.float32)[predicted], labels))


@pytest.mark.parametrize(
    ("right", "count", "severity"),
    [
        ([0] + [95] * 9, [100] * 10, ["warning"]),
        ([2] + [18] * 9, [18] * 10, ["warning"]),  # also with 18 images a class
        ([40] + [75] * 9, [100] * 10, ["info"]),  # the hardest class of a sound network
        ([480] + [750] * 9, [1000] * 10, ["info"]),
        ([13] + [17] * 9, [18] * 10, []),  # five of 18 wrong: chance
        ([1] + [3] * 9, [3] * 10, []),
        ([0] + [40] * 9, [100] * 10, ["info"]),  # the others are poor as well
        ([0] + [40] * 9, [1] + [40] * 9, []),  # a rare class with one image
        ([90, 90], [100, 100], []),
    ],
)
def test_a_weak_class_is_one_that_lies_behind_beyond_chance(right, count, severity):
    found = judge_weak_class(recalls(right, count))
    assert severities(found) == severity
    assert all("class 0 " in one.message for one in found)


def test_classes_are_said_by_name_and_on_one_line():
    found = judge_weak_class(recalls([0, 90, 90], [100] * 3), ["cat\n", "dog", "eel"])
    assert r"cat\n" in found[0].message
    assert "taken for dog most often (100 times)" in found[0].message


def test_a_class_that_may_yet_be_learned_is_no_fault():
    behind = recalls([0] + [95] * 9, [100] * 10)
    assert severities(judge_weak_class(behind, resting=False)) == ["info"]
    shares = np.eye(10, dtype=np.float32)[np.arange(100) % 10]
    answers = shares, np.arange(100) % 10
    assert result_facts(answers, answers).resting
    assert not result_facts(answers, answers, resting=False).resting
    assert not result_facts(answers, answers, falling=0.2).resting


def scattered(scatter, updates, seed=0):
    """A cost that fell from 2.3 to 1.4 long ago, each report of which scatters."""
    rng = np.random.default_rng(seed)
    record = Record()
    for update in range(updates):
        record.append(1, 1.4 + 0.9 * math.exp(-update / 20) + scatter * rng.standard_normal(), 0.5)
    return curve_facts(record, classes=10, chance=math.log(10))


@pytest.mark.parametrize(("scatter", "updates", "flat"), [(0.02, 300, True), (0.3, 3000, True), (0.3, 200, False)])
def test_a_short_cost_that_scatters_is_not_called_flat(scatter, updates, flat):
    curves = [scattered(scatter, updates, seed) for seed in range(5)]
    assert [settled(one) for one in curves] == [flat] * 5


def test_no_class_alone_is_weak():
    assert judge_weak_class([ClassRecall(0, 1, 9, 0.0, 0.4, 1, 8, 0.0, 0.0)]) == []


def noisy(share, accuracy, count=2000, seed=0, pairs=False):
    """A network that is rarely wrong where it is sure, on labels of which a share was changed."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 10, count)
    certainty = rng.beta(4 * accuracy, 4 * (1 - accuracy), count)
    predicted = np.where(rng.random(count) < certainty, truth, (truth + rng.integers(1, 10, count)) % 10)
    shift = 1 if pairs else rng.integers(1, 10, count)
    given = np.where(rng.random(count) < share, (truth + shift) % 10, truth)
    shares = np.repeat(((1 - certainty) / 9)[:, None], 10, axis=1) * 0.5
    shares[np.arange(count), predicted] = 1 - shares.sum(axis=1) + shares[:, 0]
    return noise_facts((shares.astype(np.float32), given))


@pytest.mark.parametrize("accuracy", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
@pytest.mark.parametrize("count", [200, 2000])
def test_a_network_that_errs_by_itself_is_no_sign_of_wrong_labels(accuracy, count):
    for seed in range(10):
        assert "warning" not in severities(judge_noise(noisy(0.0, accuracy, count, seed)))


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("accuracy", [0.9, 0.97])
def test_every_fifth_label_wrong_is_seen_of_whatever_kind(accuracy, pairs):
    found = judge_noise(noisy(0.2, accuracy, pairs=pairs))
    assert severities(found) == ["warning"]
    assert 0.06 < found[0].measured < 0.2


def test_labels_that_have_nothing_to_do_with_the_images_are_another_matter():
    assert judge_noise(NoiseFacts(100, 90, 0.8, 0.9)) == []


def test_the_number_of_disputed_labels_is_told():
    found = judge_noise(NoiseFacts(100, 20, 0.12, 0.21), [Disputed(3, 1, 2, 0.99)] * 7)
    assert "7 labels are worth a look" in found[0].message


def curve(accuracy, **changes):
    values = {
        "updates": 200, "start": 2.3, "best": 2.3, "last": 2.3, "level": 2.3, "jumps": 0, "first_not_finite": None,
        "chance": None, "accuracy": accuracy, "classes": 10, "epochs": 4, "falling": 0.0,
    }  # fmt: skip
    return CurveFacts(**{**values, **changes})


@pytest.mark.parametrize(
    ("growth", "accuracy", "severity"), [(0.01, 0.1, ["warning"]), (0.01, 0.9, []), (0.5, 0.1, []), (0.01, None, [])]
)
def test_weights_that_shrank_to_nothing_are_a_fault_where_nothing_was_learned(growth, accuracy, severity):
    changes = [WeightChange("dense", 0.01, 0.01, 0.9, growth, True)] * 3
    last = 1.0 if accuracy is None else 2.3
    assert severities(judge_shrinkage(changes, curve(accuracy, last=last))) == severity


def test_a_training_that_broke_is_not_called_shrunk():
    changes = [WeightChange("dense", 0.01, 0.01, 0.9, 0.01, False)]
    assert judge_shrinkage(changes, curve(0.1, first_not_finite=7)) == []


def finding(code, severity):
    return Finding(code, severity, None, "m", 1.0, "e", "t")


def test_a_poor_result_is_evidence_of_its_cause_but_its_numbers_are_always_told():
    found = combine([finding("high-bias", "warning"), finding("learning-rate-too-low", "warning")])
    assert [one.code for one in found] == ["learning-rate-too-low"]
    assert [one.code for one in found[0].evidence] == ["high-bias"]
    found = combine([finding("high-bias", "info"), finding("learning-rate-too-low", "warning")])
    assert [one.code for one in found] == ["learning-rate-too-low", "high-bias"]
    found = combine([finding("high-variance", "warning"), finding("label-noise", "warning")])
    assert [one.code for one in found] == ["label-noise"]
    found = combine([finding("high-variance", "warning"), finding("high-bias", "warning")])
    assert [one.code for one in found] == ["high-bias", "high-variance"]
    found = combine([finding("undertrained", "warning"), finding("dead-units", "critical")])
    assert [(one.code, [e.code for e in one.evidence]) for one in found] == [("dead-units", ["undertrained"])]
    found = combine([finding("undertrained", "warning"), finding("dead-units", "warning")])
    assert len(found) == 2


def test_the_verdict_comes_with_remedies_and_the_most_important_first():
    facts = ResultFacts(
        ErrorFacts(0.20, 1000, 0.25, 400, 10),
        calibration=Calibration(400, 0.75, 0.85, 0.06, 0.1, 1.0, 0.9, 1.5),
        noise=NoiseFacts(100, 20, 0.12, 0.25),
    )
    found = verdict(facts, {"network": "convnet", "epochs": 10})
    assert [(one.code, one.severity) for one in found] == [
        ("label-noise", "warning"),
        ("high-bias", "info"),
        ("high-variance", "info"),
        ("overconfident", "info"),
    ]
    assert all(one.remedies for one in found)
