"""What is measured of a trained network's probabilities: definitions, and cases whose answer is known."""

import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.doctor.probes.disputed import disputed_labels
from seewell.doctor.probes.result import (
    calibration_facts,
    class_recalls,
    falling_share,
    noise_facts,
    result_facts,
    surest_first,
)

LABELS = np.arange(400) % 10


def answers(labels, predicted, certainty, classes=10):
    """Each image gets its predicted class with its certainty, the others the rest in equal parts."""
    certainty = np.broadcast_to(np.asarray(certainty, np.float32), len(labels))
    shares = np.repeat(((1 - certainty) / (classes - 1))[:, None], classes, axis=1)
    shares[np.arange(len(labels)), predicted] = certainty
    return shares.astype(np.float32), np.asarray(labels, np.int64)


@st.composite
def any_answers(draw):
    count, classes, seed = draw(st.integers(1, 200)), draw(st.integers(2, 12)), draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.05, 1.0, 20.0]))), count).astype(np.float32)
    return shares, rng.integers(0, classes, count)


@hypothesis.given(any_answers())
@hypothesis.settings(deadline=None)
def test_ece_is_the_weighted_distance_of_certainty_and_accuracy_over_15_bins(given):
    shares, labels = given
    facts = calibration_facts(given)
    sure, right = shares.max(axis=1).astype(np.float64), shares.argmax(axis=1) == labels
    expected = 0.0
    for number in range(15):
        inside = (sure > number / 15) & (sure <= (number + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
    assert facts.ece == pytest.approx(expected, abs=2e-3)  # 2e-3: a certainty on the border of two bins
    assert 0 <= facts.ece <= 1
    assert facts.ece >= abs(facts.certainty - facts.accuracy) - 1e-9
    assert facts.surplus_low <= facts.certainty - facts.accuracy + 1e-9
    assert facts.nll_tempered <= facts.nll + 1e-6


def test_a_network_that_is_right_as_often_as_it_says_is_calibrated():
    predicted = LABELS.copy()
    predicted[::5] = (predicted[::5] + 1) % 10
    facts = calibration_facts(answers(LABELS, predicted, 0.8))
    assert facts.ece == pytest.approx(0, abs=1e-6)
    assert facts.temperature == pytest.approx(1, abs=0.02)
    assert facts.surplus_low < 0


def test_logits_twice_too_large_are_mended_by_a_temperature_of_two():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 5))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(5, p=row) for row in shares])
    sharp = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=1, keepdims=True)
    facts = calibration_facts((sharp.astype(np.float32), labels))
    assert facts.temperature == pytest.approx(2, rel=0.05)
    assert facts.surplus_low > 0.05


def test_probabilities_of_zero_cost_a_finite_amount():
    facts = calibration_facts((np.eye(3, dtype=np.float32), np.array([1, 2, 0])))
    assert math.isfinite(facts.nll)
    assert facts.accuracy == 0


@hypothesis.given(any_answers())
@hypothesis.settings(deadline=None)
def test_recalls_count_every_image_once_and_stay_inside_their_intervals(given):
    shares, labels = given
    recalls = class_recalls(given)
    assert [one.label for one in recalls] == sorted(set(labels.tolist()))
    assert sum(one.count for one in recalls) == len(labels)
    assert sum(one.right for one in recalls) == (shares.argmax(axis=1) == labels).sum()
    for one in recalls:
        assert one.low - 1e-9 <= one.right / one.count <= one.high + 1e-9
        assert one.behind_low <= one.behind + 1e-9
        assert one.confused_with != one.label
        assert (one.confused_with is None) == (one.right == one.count)


def test_the_class_most_confused_with_is_named():
    predicted = LABELS.copy()
    predicted[LABELS == 3] = 8
    weak = class_recalls(answers(LABELS, predicted, 0.9))[3]
    assert (weak.right, weak.count, weak.confused_with, weak.confused) == (0, 40, 8, 40)
    assert weak.behind == 1.0
    assert weak.behind_low > 0.7


@hypothesis.given(st.permutations(range(20)))
def test_certainty_orders_also_what_rounds_to_one(order):
    rest = np.float32(10.0) ** -np.arange(10, 30)[list(order)]
    shares = np.stack([np.ones(20, np.float32), rest.astype(np.float32)], axis=1)
    assert surest_first(shares).tolist() == np.argsort(rest).tolist()


def test_the_surest_quarter_is_what_noise_is_read_from():
    predicted = LABELS.copy()
    certainty = np.full(400, 0.5)
    certainty[:100] = 0.9
    predicted[:20] = (predicted[:20] + 1) % 10
    predicted[200:] = (predicted[200:] + 1) % 10
    facts = noise_facts(answers(LABELS, predicted, certainty))
    assert (facts.count, facts.disputed, facts.error) == (90, 18, 0.55)  # one answer of ten is left out
    assert 0.1 < facts.low < 0.2
    assert noise_facts(answers(LABELS[:59], LABELS[:59], 0.9)) is None


def test_a_network_that_gives_too_many_images_one_class_does_not_dispute_their_labels():
    predicted = LABELS.copy()
    predicted[:40] = 5
    facts = noise_facts(answers(LABELS, predicted, np.linspace(0.99, 0.5, 400)))
    assert facts.disputed == 0


def test_labels_that_were_changed_are_the_disputed_ones():
    given = LABELS.copy()
    given[:40] = (given[:40] + 3) % 10
    found = disputed_labels(answers(given, LABELS, np.linspace(0.99, 0.8, 400)))
    assert [one.index for one in found] == list(range(40))
    assert all(one.suggested == LABELS[one.index] and one.given == given[one.index] for one in found)
    assert found[0].probability == pytest.approx(0.99)


def test_classes_without_images_and_single_classes_are_no_hindrance():
    few = LABELS[LABELS < 4]
    assert disputed_labels(answers(few, few, 0.9)) == ()
    assert disputed_labels(answers(np.zeros(50), np.ones(50, int), 0.9)) == ()
    assert disputed_labels((np.full((9, 3), np.nan, np.float32), np.arange(9) % 3)) == ()


def test_without_a_validation_split_only_the_training_side_is_measured():
    facts = result_facts(answers(LABELS, LABELS, 0.9), None, falling=0.2)
    assert (facts.errors.train_count, facts.errors.validation_count, facts.errors.flat) == (400, 0, False)
    assert facts.errors.num_classes == 10
    assert (facts.calibration, facts.classes, facts.noise) == (None, (), None)


@hypothesis.given(st.floats(0.1, 10), st.floats(0, 0.9))
def test_falling_is_the_share_between_the_last_two_fifths_whatever_the_scale(scale, share):
    losses = [scale] * 40 + [scale * (1 - share)] * 10
    assert falling_share(losses) == pytest.approx(share, abs=1e-9)
