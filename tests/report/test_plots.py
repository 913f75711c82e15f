import math
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_fakes import NASTY, make_dataset, make_evaluation, make_history

from seewell.report import matrix, plots, svg
from seewell.report.words import ErrorParts


def parsed(drawing):
    return ET.fromstring(drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def shapes(drawing, tag, css):
    found = parsed(drawing).iter(f"{{http://www.w3.org/2000/svg}}{tag}")
    return [one for one in found if css in one.get("class", "").split()]


def test_a_learning_curve_shows_both_splits_and_the_kept_update():
    drawing = plots.learning_curve(make_history(), "accuracy", best_step=100)
    assert len(shapes(drawing, "polyline", "train")) == 1
    assert len(shapes(drawing, "polyline", "train-raw")) == 1
    assert len(shapes(drawing, "polyline", "validation")) == 1
    assert len(shapes(drawing, "circle", "best")) == 1
    assert "kept: 90.0 %" in drawing


def test_values_that_are_missing_or_not_finite_are_left_out():
    history = [
        {"kind": "train", "step": 1, "loss": 2.0},
        {"kind": "train", "step": 2, "loss": None},
        {"kind": "train", "step": 3, "loss": math.inf},
        {"kind": "train", "step": 4, "loss": 1.0},
    ]
    (line,) = shapes(plots.learning_curve(history, "loss"), "polyline", "train-raw")
    assert len(line.get("points").split()) == 2


@pytest.mark.parametrize("history", [[], [{"kind": "train", "step": 1, "loss": None, "accuracy": None}]])
def test_nothing_measured_is_no_drawing(history):
    assert plots.learning_curve(history, "loss") == ""


def test_a_cost_that_falls_far_is_drawn_in_decades():
    history = [{"kind": "train", "step": step, "loss": 979_579 / step**2} for step in range(1, 200)]
    assert "logarithmic" in plots.learning_curve(history, "loss")
    assert "logarithmic" not in plots.learning_curve(make_history()[:30], "loss")


def test_one_measurement_and_a_cost_of_zero_can_be_drawn():
    history = [{"kind": "train", "step": 1, "loss": 0.0, "accuracy": 1.0}]
    assert plots.learning_curve(history, "loss").startswith("<svg")
    assert plots.learning_curve(history, "accuracy").startswith("<svg")


def test_ten_thousand_updates_make_a_small_drawing_that_keeps_its_spikes():
    history = [{"kind": "train", "step": step, "loss": 1.0, "accuracy": 0.5} for step in range(10_000)]
    history[5_123]["loss"] = 2.0
    drawing = plots.learning_curve(history, "loss")
    assert len(drawing) < 40_000
    (raw,) = shapes(drawing, "polyline", "train-raw")
    heights = {point.split(",")[1] for point in raw.get("points").split()}
    assert len(heights) == 2


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(1, 10))
def test_ticks_are_even_and_lie_in_the_range(low, span, count):
    ticks = plots.nice_ticks(low, low + span, count)
    steps = np.diff(ticks)
    assert len(ticks) <= count * 2 + 2
    assert (steps > 0).all()
    np.testing.assert_allclose(steps, steps[:1].repeat(len(steps)), rtol=1e-3)
    assert ticks[-1] <= low + span + 1e-6 * max(abs(low), span)


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=60), st.integers(1, 25))
def test_a_moving_mean_stays_within_its_values_and_keeps_a_constant(values, window):
    means = plots.smoothed(values, window)
    assert len(means) == len(values)
    assert min(values) - 1e-9 <= min(means)
    assert max(means) <= max(values) + 1e-9
    assert plots.smoothed([3.0] * len(values), window) == [3.0] * len(values)


def test_the_bars_are_as_long_as_the_parts_of_the_error():
    drawing = plots.error_bars(ErrorParts(0.16, 0.28, None))
    whole, error = (
        {one.get("class"): float(one.get("width")) for one in parsed(drawing).iter() if one.get("y") == y}
        for y in ("26", "100")
    )
    assert whole["part-accuracy"] / whole["part-variance"] == pytest.approx(0.72 / 0.12, rel=0.01)
    assert whole["part-bias"] / whole["part-variance"] == pytest.approx(0.16 / 0.12, rel=0.01)
    assert error["part-bias"] / sum(error.values()) == pytest.approx(0.16 / 0.28, rel=0.01)


def test_no_error_leaves_one_bar_and_unknown_errors_none():
    assert "enlarged" not in plots.error_bars(ErrorParts(0.0, 0.0, None))
    assert plots.error_bars(ErrorParts(None, 0.1, None)) == ""


@pytest.mark.parametrize("count", [2, 10, 17, 100])
def test_a_confusion_matrix_has_a_cell_for_each_pair_that_occurs(count):
    classes = tuple(f"class {place}" for place in range(count))
    found = make_evaluation(make_dataset(classes).test, classes)
    drawing = matrix.confusion_matrix(found.confusion, classes)
    cells = shapes(drawing, "rect", "hit") + shapes(drawing, "rect", "miss")
    assert len(cells) == np.count_nonzero(found.confusion)
    assert len(drawing) < 250_000


def test_class_names_are_escaped_in_drawings():
    classes = (NASTY, "dog")
    found = make_evaluation(make_dataset(classes).test, classes, right=0.5)
    for drawing in (matrix.confusion_matrix(found.confusion, classes), matrix.class_accuracies(found.per_class)):
        assert "<script" not in drawing
        parsed(drawing)


def test_the_most_frequent_confusion_comes_first():
    confusion = np.array([[8, 2, 0], [0, 5, 5], [1, 0, 9]])
    first, second, third = matrix.frequent_confusions(confusion, ("a", "b", "c"))
    assert (first.truth, first.predicted, first.count, first.share) == ("b", "c", 5, 0.5)
    assert (second.truth, third.truth) == ("a", "c")


def test_classes_without_images_have_no_accuracy_to_draw():
    found = make_evaluation(make_dataset(("a", "b")).test, ("a", "b"))
    assert matrix.class_accuracies(()) == ""
    assert matrix.class_accuracies(found.per_class).count("<circle") == 2


@given(st.floats(0.001, 1e6), st.floats(1.01, 1e6), st.floats(0, 1))
def test_scales_keep_order_and_ends(low, factor, place):
    high = low * factor
    for scale in (svg.linear(low, high, 10, 200), svg.logarithmic(low, high, 10, 200)):
        assert scale(low) == pytest.approx(10)
        assert scale(high) == pytest.approx(200)
        assert 10 <= scale(low + place * (high - low)) <= 200 + 1e-9
