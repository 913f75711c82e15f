"""Bias and variance: the thresholds of design.md, section 7, on plain numbers."""

import math

import hypothesis
import pytest
from hypothesis import strategies as st

from seewell.doctor.outcome import ErrorFacts, ResultFacts
from seewell.doctor.probes.result import falling_share
from seewell.doctor.rules.result import judge_bias, judge_variance
from seewell.doctor.verdict import verdict
from seewell.findings import CODES
from seewell.intervals import difference_interval, wilson


def facts(train=0.0, validation=0.0, count=10_000, classes=10, target=0.0, given=False, flat=True):
    return ErrorFacts(train, count, validation, count, classes, target, given, flat)


@pytest.mark.parametrize(
    ("train", "target", "given", "flat", "severity"),
    [
        (0.00, 0.00, False, True, "info"),
        (0.44, 0.00, False, True, "info"),  # 56 % right: above halfway between 10 % and 100 %
        (0.46, 0.00, False, True, "warning"),
        (0.46, 0.00, False, False, "info"),  # still learning
        (0.15, 0.10, True, True, "warning"),  # a given target missed by 5 points
        (0.149, 0.10, True, True, "info"),
        (0.15, 0.10, False, True, "info"),  # nobody gave the target
        (0.15, 0.10, True, False, "info"),
        (0.05, 0.10, True, True, "info"),  # better than the target
    ],
)
def test_bias_is_a_warning_from_its_thresholds_on(train, target, given, flat, severity):
    found = judge_bias(facts(train=train, target=target, given=given, flat=flat))
    assert (found.code, found.severity) == ("high-bias", severity)
    assert found.measured == pytest.approx(train - target)


@pytest.mark.parametrize(("classes", "halfway"), [(2, 0.75), (10, 0.55), (100, 0.505)])
def test_halfway_between_chance_and_1_depends_on_the_number_of_classes(classes, halfway):
    assert judge_bias(facts(train=1 - halfway - 0.01, classes=classes)).severity == "info"
    assert judge_bias(facts(train=1 - halfway + 0.01, classes=classes)).severity == "warning"


@pytest.mark.parametrize(
    ("train", "validation", "count", "severity"),
    [
        (0.00, 0.00, 10_000, "info"),
        (0.00, 0.099, 10_000, "info"),
        (0.00, 0.10, 10_000, "warning"),
        (0.20, 0.30, 10_000, "warning"),  # 0.30 - 0.20 is a little below 0.1 in binary numbers
        (0.00, 0.12, 50, "info"),  # so few images that the interval reaches below 5 points
        (0.00, 0.30, 50, "warning"),
        (0.30, 0.00, 10_000, "info"),
    ],
)
def test_variance_is_a_warning_from_ten_points_whose_interval_stays_above_five(train, validation, count, severity):
    found = judge_variance(facts(train=train, validation=validation, count=count))
    assert (found.code, found.severity) == ("high-variance", severity)
    assert found.measured == pytest.approx(validation - train)


@pytest.mark.parametrize(
    ("a", "m", "b", "n", "low", "high"),
    [  # Newcombe 1998 (Statistics in Medicine 17, 873-890), table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (10, 10, 0, 10, 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_has_the_published_values(a, m, b, n, low, high):
    found = difference_interval(a / m, m, b / n, n)
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@hypothesis.given(st.integers(1, 5000), st.data())
def test_the_interval_here_is_the_one_of_evaluation(count, data):
    from seewell.runs.evaluation import wilson_interval

    right = data.draw(st.integers(0, count))
    assert wilson(right / count, count) == pytest.approx(wilson_interval(right, count), abs=1e-7)


def test_no_images_tell_nothing():
    assert wilson(0.0, 0) == (0.0, 1.0)
    assert judge_variance(ErrorFacts(0.0, 0, 1.0, 0, 10)).severity == "info"


shares = st.floats(0, 1)


@hypothesis.given(
    shares, shares, st.integers(1, 10**6), st.integers(2, 1000), st.floats(0, 0.99), st.booleans(), st.booleans()
)
def test_there_are_always_both_findings_with_numbers_and_thresholds(
    train, validation, count, classes, target, given, flat
):
    found = verdict(ResultFacts(facts(train, validation, count, classes, target, given, flat)), {})
    assert {one.code for one in found} == {"high-bias", "high-variance"}
    assert {one.code for one in found} <= set(CODES["result"])
    for one in found:
        assert one.severity in ("warning", "info")
        assert math.isfinite(one.measured)
        assert one.expected
        assert one.threshold_source
        assert "%" in one.message
        assert one.remedies


def test_a_warning_comes_first_and_then_the_larger_part_of_the_error():
    assert [one.code for one in verdict(ResultFacts(facts(0.02, 0.30)), {})] == ["high-variance", "high-bias"]
    assert [one.code for one in verdict(ResultFacts(facts(0.05, 0.06)), {})] == ["high-bias", "high-variance"]
    assert [one.code for one in verdict(ResultFacts(facts(0.01, 0.06)), {})] == ["high-variance", "high-bias"]


@pytest.mark.parametrize(
    ("losses", "flat"),
    [
        ([], True),
        ([1.0] * 9, True),
        ([1.0] * 100, True),
        ([1 / (n + 1) for n in range(10)], False),
        ([math.exp(-n / 10) for n in range(100)], False),
        ([math.exp(-n) + 1 for n in range(100)], True),
        ([2.0] * 50 + [1.0] * 50, True),
        ([1.0] * 80 + [0.94] * 20, False),
        ([1.0] * 80 + [0.96] * 20, True),
        ([1.0] * 80 + [1.5] * 20, True),
        ([0.0] * 50, True),
    ],
)
def test_a_curve_is_flat_when_its_last_fifth_is_less_than_5_percent_below_the_one_before(losses, flat):
    assert (falling_share(losses) <= 0.05) is flat
