import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fakes import make_finding, make_run

from seewell.findings import Remedy
from seewell.report import words
from seewell.report.words import ErrorParts

fractions = st.floats(0, 1)


def test_bias_is_training_minus_target_and_variance_validation_minus_training():
    parts = ErrorParts(0.16, 0.274, 0.28, 0.02)
    assert parts.bias == pytest.approx(0.14)
    assert parts.variance == pytest.approx(0.114)


def test_bias_and_variance_are_unknown_where_an_error_is():
    assert ErrorParts(None, 0.1, None).bias is None
    assert ErrorParts(0.1, None, None).variance is None
    assert ErrorParts(None, 0.1, None).stacked() is None


@given(fractions, fractions, fractions)
def test_the_stacked_parts_are_never_negative_and_together_one(training, validation, target):
    parts = ErrorParts(training, validation, None, target).stacked()
    assert min(parts) >= -1e-12
    assert sum(parts) == pytest.approx(1)
    assert parts[0] == 1 - validation


@given(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.3))
def test_the_stacked_parts_are_bias_and_variance_where_both_are_positive(target, bias, variance):
    parts = ErrorParts(target + bias, target + bias + variance, None, target)
    _, drawn_variance, drawn_bias, drawn_target = parts.stacked()
    assert drawn_variance == pytest.approx(variance, abs=1e-12)
    assert drawn_bias == pytest.approx(bias, abs=1e-12)
    assert drawn_target == target


@given(fractions)
def test_percent_claims_zero_or_a_hundred_only_where_it_is(value):
    text = words.percent(value)
    assert (text == "100 %") == (value == 1)
    assert (text == "0 %") == (value == 0)
    assert abs(float(text.strip("<>% ")) / 100 - value) <= 0.000501


@pytest.mark.parametrize(
    ("value", "expected"), [(None, "–"), (math.nan, "–"), (math.inf, "infinite"), (321_000, "321,000"), (12.5, "12.5")]
)
def test_number_is_made_for_people(value, expected):
    assert words.number(value) == expected


@given(st.text(st.characters(exclude_categories=[])))
def test_printable_prints_on_one_line_and_encodes(text):
    plain = words.printable(text)
    assert plain.isprintable()
    plain.encode("utf-8")


def test_the_headline_is_the_test_accuracy_or_else_the_validation_accuracy():
    counts = {"test": 360, "validation": 144}
    both = {"test_accuracy": 0.986, "validation_accuracy": 0.9}
    assert words.headline(both, counts) == "98.6 % of the 360 test images are classified correctly."
    without = {"test_accuracy": None, "validation_accuracy": 0.9}
    assert words.headline(without, counts) == "90.0 % of the 144 validation images are classified correctly."
    assert words.headline({"stopped": "x"}, counts) == "Training stopped before its result was measured."
    assert words.headline({}, {}) == "Nothing was measured yet."


@pytest.mark.parametrize(
    ("training", "validation", "expected"),
    [
        (0.2, 0.22, "underfitting"),
        (0.001, 0.2, "overfitting"),
        (0.1, 0.2, "about the same"),
        (0.001, 0.002, "Both are small"),
    ],
)
def test_the_larger_part_of_the_error_is_named(training, validation, expected):
    assert expected in words.describe_error(ErrorParts(training, validation, None))


def test_a_variance_within_chance_says_so():
    parts = ErrorParts(0.0, 0.02, None)
    assert "With 144 validation images, up to 2.3 points can be chance." in words.describe_error(parts, 144)
    assert "chance" not in words.describe_error(parts, 100_000)


def test_what_remains_counts_the_images_that_are_wrong():
    told = words.describe_remainder({"test_accuracy": 355 / 360}, {"test": 360})
    assert told == "What remains: 5 of 360 test images are classified wrongly, about 1 in 72."
    assert "none of the 360" in words.describe_remainder({"test_accuracy": 1.0}, {"test": 360})
    assert words.describe_remainder({}, {}) == ""


def test_a_run_without_a_test_split_is_said_to_be_optimistic():
    told = words.describe_accuracy({"test_accuracy": None, "validation_accuracy": 0.9}, {}, 10)
    assert any("no test split" in sentence for sentence in told)


def test_no_better_than_guessing_is_said():
    told = words.describe_accuracy({"test_accuracy": 0.11}, {"test": 100}, 10)
    assert "Guessing among 10 classes would give 10.0 %." in told


def test_the_next_step_is_the_first_remedy_of_the_most_important_finding(tmp_path):
    run = make_run(tmp_path)
    critical = make_finding(severity="critical", remedies=(Remedy("Lower it.", "", "--learning-rate 1e-4"),))
    step = words.next_step([make_finding(), critical], run)
    assert step.sentence == "Lower it."
    assert step.command == "seewell train digits --network convnet:widths=64-128 --learning-rate 1e-4"


def test_a_finding_without_remedies_leaves_the_word_to_the_next(tmp_path):
    run = make_run(tmp_path)
    silent = make_finding(severity="critical", remedies=())
    assert words.next_step([silent, make_finding()], run).sentence == "Vary the training images."


def test_a_remedy_without_an_option_has_no_command(tmp_path):
    step = words.next_step([make_finding(remedies=(Remedy("Gather more images."),))], make_run(tmp_path))
    assert step == words.NextStep("Gather more images.", "")


def test_without_findings_another_seed_is_the_next_step(tmp_path):
    step = words.next_step([], make_run(tmp_path))
    assert step.command.endswith("--seed 1")


def test_after_a_cost_that_is_not_finite_a_tenth_of_the_rate_is_the_next_step():
    stopped = {"stopped": "The cost is not finite any more."}
    info = {"config": {"learning_rate": 0.01}, "dataset": {"source": "digits"}, "choices": []}
    step = words.next_step([], SimpleNamespace(info={**info, **stopped}, summary={}))
    assert step.command == "seewell train digits --learning-rate 0.001"


def test_after_an_interruption_going_on_is_the_next_step():
    run = SimpleNamespace(info={"dataset": {"source": "digits"}}, summary={"stopped": "Interrupted."}, path="runs/a b")
    assert words.next_step([], run).command == "seewell train --resume 'runs/a b'"


def test_an_early_stop_that_was_asked_for_is_no_failure(tmp_path):
    run = make_run(tmp_path)
    run.summary["stopped"] = "No better validation for 5 epochs."
    assert words.next_step([], run).command.endswith("--seed 1")
    assert "Training ended early: No better" in words.describe_accuracy(run.summary, {}, 10)[0]
