"""Fit's own figures, the rhythm of batches and what an outcome refutes, on plain numbers."""

import math
from dataclasses import replace

import numpy as np
import pytest

from seewell.doctor.course_statistics import OrderFacts, ReportFacts
from seewell.doctor.facts import CourseFacts
from seewell.doctor.judgement import judge_course
from seewell.doctor.outcome import ErrorFacts, ResultFacts
from seewell.doctor.probes.curve import Record, curve_facts
from seewell.doctor.probes.order import order_facts
from seewell.doctor.probes.reports import fewest_images
from seewell.doctor.revision import Outcome, revise
from seewell.doctor.rules.order import judge_order
from seewell.doctor.rules.regularization import judge_regularization
from seewell.doctor.rules.reported import judge_shift, reported_errors, sharpened
from seewell.doctor.rules.result import judge_bias, judge_variance
from seewell.doctor.rules.undertrained import judge_undertrained
from seewell.doctor.statistics import LayerValues, ModeFacts, OptimizerFacts, Structure
from seewell.findings import Finding


def report(accuracies, validation, **changes):
    return replace(ReportFacts(tuple(accuracies), tuple(validation), 1000, 500), **changes)


def variance(facts, classes=10):
    errors = reported_errors(facts, classes, target_error=0.0, flat=True)
    return judge_variance(errors).severity if errors.validation_count else "nothing"


@pytest.mark.parametrize(
    ("accuracies", "validation", "changes", "severity"),
    [
        ([0.9, 1.0, 1.0], [0.26, 0.25, 0.25], {}, "warning"),
        ([0.6, 0.8, 0.85], [0.7, 0.6, 0.84], {}, "info"),  # one bad moment
        ([0.6, 0.8, 0.85], [0.7, 0.83, 0.60], {}, "info"),
        ([0.8, 0.93, 0.95], [0.75, 0.81, 0.83], {}, "warning"),  # 12 points of 1,000 and 500 images
        ([0.8, 0.9, 0.95], [0.75, 0.81, 0.83], {"validation_count": 40}, "info"),
        ([0.6, 0.7], [0.75, 0.8], {}, "info"),  # dropout: training mode is harder
        ([0.82], [0.21], {"layer": "bn"}, "nothing"),  # BatchNorm lags behind in a single epoch
        ([0.82], [0.21], {}, "warning"),
        ([0.82], [0.68], {}, "nothing"),
        ([0.8, 0.85], [0.2, 0.3], {"averaged": True}, "nothing"),
        ([0.8, 0.85, 0.9], [0.9, 0.3, 0.2], {"layer": "bn"}, "info"),
        ([0.8, 0.85, 0.9], [0.4, 0.3, 0.4], {"layer": "bn"}, "warning"),
    ],
)
def test_a_gap_is_told_where_the_last_epochs_agree(accuracies, validation, changes, severity):
    assert variance(report(accuracies, validation, **changes)) == severity


@pytest.mark.parametrize(
    ("accuracies", "validation", "plain", "severity"),
    [
        ([0.3, 0.35], [0.3, 0.35], True, "warning"),
        ([0.3, 0.35], [0.3, 0.70], True, "info"),  # mixed labels: new images show what it knows
        ([0.3, 0.35], [None, None], True, "warning"),
        ([0.3, 0.35], [None, None], False, "info"),  # dropout, and nothing to compare with
    ],
)
def test_bias_is_judged_on_the_better_figure(accuracies, validation, plain, severity):
    facts = report(accuracies, validation, plain=plain, validation_count=0 if None in validation else 500)
    found = judge_bias(reported_errors(facts, 10, target_error=0.0, flat=True))
    assert found.severity == severity
    assert found.message.startswith("By fit's own figures")


def test_batch_norm_lags_behind_long_steps():
    lagging = report([0.8, 0.85, 0.9], [0.4, 0.3, 0.4], layer="bn")
    assert reported_errors(lagging, 10, target_error=0.0, flat=False, resting=False).validation_count == 0
    assert reported_errors(lagging, 10, target_error=0.0, flat=False).validation_count == 500


def test_validation_rests_on_all_its_images_where_fit_agrees_with_the_look_at_some():
    measured = ErrorFacts(0.02, 60, 0.16, 60, 10)
    known = report([0.97], [0.85])
    assert judge_variance(measured).severity == "info"
    better = sharpened(measured, known)
    assert (better.validation_error, better.validation_count) == (0.15, 500)
    assert sharpened(measured, report([0.97], [0.4])) == measured  # another network, such as the best one restored
    assert sharpened(measured, replace(known, averaged=True)) == measured


def codes(found):
    return [one.code for one in found if one.severity != "info"]


@pytest.mark.parametrize(
    ("accuracies", "validation", "changes", "code"),
    [
        ([0.7, 0.9, 0.96], [0.12, 0.18, 0.18], {}, ["train-test-shift"]),
        ([0.7, 0.9, 0.96], [0.12, 0.18, 0.18], {"layer": "bn"}, ["train-eval-mismatch"]),
        ([0.12, 0.5, 0.9], [0.1, 0.1, 0.1], {}, ["train-test-shift"]),
        ([0.11, 0.13, 0.2, 0.5, 0.9], [0.1] * 5, {}, []),  # learned by heart
        ([0.7, 0.9, 1.0], [0.26, 0.25, 0.25], {}, []),  # overfitted
        ([0.9], [0.1], {}, []),
        ([0.3, 0.4], [0.1, 0.1], {}, []),
        ([0.7, 0.9], [0.1, 0.1], {"averaged": True}, []),
    ],
)
def test_validation_at_guessing_throughout_is_no_overfitting(accuracies, validation, changes, code):
    assert codes(judge_shift(report(accuracies, validation, **changes), 10)) == code


def test_a_network_whose_modes_agree_has_shifted_validation_images():
    assert judge_shift(report([0.7, 0.9], [0.1, 0.1], layer="bn"), 10) == []  # two epochs may be a lag
    facts = report([0.7, 0.9, 0.9], [0.1, 0.1, 0.1], layer="bn")
    assert codes(judge_shift(facts, 10, modes_agree=True)) == ["train-test-shift"]


def test_the_smallest_number_of_images_is_never_too_large():
    rng = np.random.default_rng(0)
    for count in (7, 60, 360, 500, 1000, 10_000):
        shares = [float(np.float32(rng.integers(0, count + 1) / count)) for _ in range(4)]
        assert fewest_images(shares) <= count
    assert fewest_images([float(np.float32(n / 360)) for n in (355, 341, 350)]) == 360


def curve(updates, classes=10, **changes):
    errors = ErrorFacts(0.88, 500, 0.89, 200, classes, flat=False)
    return replace(ResultFacts(errors, resting=False, updates=updates, accuracy=0.12), **changes)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (curve(3), ["undertrained"]),
        (curve(200, fell=True), ["undertrained"]),
        (curve(200), []),  # the cost stands still: another matter
        (curve(3, resting=True), []),
        (curve(3, accuracy=0.3), []),  # in training mode it has learned
        (curve(0), []),
        (curve(3, errors=ErrorFacts(0.88, 500, 0.5, 200, 10)), []),
    ],
)
def test_so_few_updates_that_nothing_was_learned(facts, code):
    assert codes(judge_undertrained(facts)) == code


def test_a_network_that_lags_behind_training_mode_is_not_undertrained():
    facts = ResultFacts(ErrorFacts(0.8, 500, 0.8, 500, 10, flat=False), falling=0.3, updates=200)
    assert codes(judge_undertrained(facts)) == ["undertrained"]
    assert codes(judge_undertrained(replace(facts, accuracy=0.8))) == []


def rhythm(costs, errors=None):
    record = Record()
    for epoch in np.atleast_2d(costs):
        record.start_epoch()
        for cost in epoch:
            record.append(1, float(cost), 0.0)
    record.accuracies = []
    return order_facts(record, classes=10, chance=math.log(10))


def healthy(kind, batch, batches, rng):
    """Shuffled batches of a network that learns in one way or another; the mean of ``batch`` costs scatters."""
    t = np.arange(batches) / batches
    level = {
        "fast": 0.2 + 2.1 * np.exp(-20 * t),
        "steep": 0.05 + 2.2 * np.exp(-60 * t),
        "plateau": 0.3 + 2.0 / (1 + np.exp(30 * (t - 0.4))),
        "slow": 2.3 - 0.2 * t,
        "flat": 0.4 + 0 * t,
        "cyclic": (0.5 + 1.5 * np.exp(-5 * t)) * (1 + 0.1 * np.sin(2 * np.pi * 6 * t)),
        "warm restart": 0.3 + 1.8 * np.exp(-8 * (t % 0.5)),
    }[kind]
    return level * rng.gamma(0.7 * batch, 1 / (0.7 * batch), batches)


@pytest.mark.parametrize("kind", ["fast", "steep", "plateau", "slow", "flat", "cyclic", "warm restart"])
@pytest.mark.parametrize("batch", [1, 4, 32, 128])
def test_shuffled_batches_have_no_rhythm(kind, batch):
    rng = np.random.default_rng(batch)
    for batches in (40, 60, 400):
        for _ in range(3):
            costs = [healthy(kind, batch, batches, rng), *(healthy("flat", batch, batches, rng) for _ in range(2))]
            assert judge_order(rhythm(costs)) == []
            assert judge_order(rhythm(costs[:1])) == []


@pytest.mark.parametrize(("batches", "run"), [(150, 15), (300, 30), (1000, 100)])
def test_batches_sorted_by_class_have_one(batches, run):
    rng = np.random.default_rng(1)
    within = np.arange(batches) % run
    costs = [5.0 * np.exp(-3.0 * within / run) * rng.gamma(20, 1 / 20, batches) for _ in range(2)]
    assert codes(judge_order(rhythm(costs))) == ["ordered-batches"]
    assert codes(judge_order(rhythm(costs[:1]))) == ["ordered-batches"]


def test_reports_of_several_updates_tell_no_rhythm():
    record = Record()
    record.start_epoch()
    for batch in range(2, 200, 2):
        record.add(batch, 1.0, 0.5)
    assert order_facts(record, classes=10, chance=None) is None
    assert rhythm([1.0] * 39) is None


def test_a_loop_that_says_nothing_of_epochs_tells_no_rhythm():
    record = Record()
    for _ in range(200):
        record.append(1, 1.0, 0.5)
    assert order_facts(record, classes=10, chance=None) is None


def test_a_rate_that_changes_may_make_swings_but_no_leaps():
    swings = OrderFacts(0.8, 400, 2, 0.9, 0, 8)
    assert codes(judge_order(swings)) == ["ordered-batches"]
    assert judge_order(swings, scheduled=True) == []
    assert judge_order(replace(swings, repeats=0.1)) == []
    assert codes(judge_order(replace(swings, jumps=9), scheduled=True)) == ["ordered-batches"]


WELL = Outcome(10, 0.1, 0.9, 0.88, 0.87, 0.1, True, 0.01, False)


def finding(code, severity="warning", source="t"):
    return Finding(code, severity, None, "m", 1.0, "e", source)


def severities(found):
    return [one.severity for one in found]


@pytest.mark.parametrize(
    ("one", "outcome", "before", "severity"),
    [
        (finding("dead-units"), WELL, False, ["info"]),
        (finding("dead-units"), replace(WELL, validation=None), False, ["info"]),
        (finding("dead-units"), replace(WELL, validation=0.7), False, ["warning"]),
        (finding("dead-units"), replace(WELL, accuracy=0.5), False, ["warning"]),
        (finding("dead-units"), None, False, ["warning"]),
        (finding("dead-units", "critical"), WELL, False, ["critical"]),
        (finding("saturated-units"), WELL, False, ["info"]),
        (finding("init-too-small"), WELL, True, ["info"]),
        (finding("init-too-large", "critical"), WELL, True, ["critical"]),
        (finding("saturated-output"), WELL, True, ["info"]),
        (finding("saturated-output"), replace(WELL, knows=False), True, ["warning"]),
        (finding("saturated-output"), WELL, False, ["warning"]),
        (finding("labels-wrong"), WELL, True, ["info"]),
        (finding("labels-wrong"), replace(WELL, validation=0.25), True, ["warning"]),
        (finding("labels-wrong"), replace(WELL, guessing=0.8), True, ["warning"]),
        (finding("labels-wrong"), replace(WELL, validation=None), True, ["warning"]),
        (finding("labels-wrong", "critical"), WELL, True, ["critical"]),
        (finding("train-eval-mismatch"), WELL, False, []),
        (finding("train-eval-mismatch"), replace(WELL, validation=0.6), False, ["warning"]),
        (finding("train-eval-mismatch"), replace(WELL, validation=None), False, ["warning"]),
        (finding("learning-rate-too-high"), WELL, True, ["warning"]),
        (finding("learning-rate-too-high"), replace(WELL, scheduled=True), True, ["info"]),
        (finding("learning-rate-too-high"), replace(WELL, scheduled=True), False, ["warning"]),
        (finding("learning-rate-too-high"), replace(WELL, scheduled=True, fallen=0.9), True, ["warning"]),
        (finding("learning-rate-too-high"), replace(WELL, scheduled=True, accuracy=0.3), True, ["warning"]),
        (finding("regularization-too-strong"), WELL, True, ["warning"]),  # a dropout of 0.95 is what it is
        (finding("output-activation-missing"), WELL, True, ["warning"]),
    ],
)
def test_only_what_the_outcome_refutes_is_taken_back(one, outcome, before, severity):
    assert severities(revise([one], outcome, before=before)) == severity


def test_a_penalty_that_pulled_hard_at_the_start_is_forgiven_where_the_network_learned():
    structure = Structure(10, "softmax", "o", False, False, "sparse", "s", False, (), True, 9)
    pulled = LayerValues("a", "relu", 0.7, 3.0, True, 0.1, None, 0.01, 0.1, 1.4, penalty=0.5)
    found = judge_regularization(structure, (pulled,), OptimizerFacts("Adam", 1e-3, False, True))
    assert severities(found) == ["warning"]
    assert severities(revise(found, WELL, before=True)) == ["info"]
    assert severities(revise(found, replace(WELL, accuracy=0.2), before=True)) == ["warning"]


def test_what_was_seen_in_the_first_half_and_never_again_gives_no_warning():
    record = Record()
    for _ in range(400):
        record.append(1, 1.0, 0.6)
    dead = LayerValues("a", "relu", 0.7, 3.0, True, 0.9, None, 0.01, 0.1, 1.4)
    modes = ModeFacts(0.3, 3.0, 0.9, 0.2, 0.0, "bn", 64)
    course = CourseFacts(curve_facts(record, classes=10, chance=None), values=(dead,), modes=modes, probed=400)
    assert set(codes(judge_course(course))) == {"dead-units", "train-eval-mismatch"}
    assert codes(judge_course(replace(course, probed=100))) == []
    assert codes(judge_course(replace(course, probed=None))) != []
