"""The rule by which an export is certified, on answers that are known."""

import math

import numpy as np
import pytest

from seewell.runs.certificate import ALLOWED, compare_accuracy, compare_answers, difference_from

NETWORK = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.25, 0.5, 0.25]], np.float32)


def compared(export, network=NETWORK):
    return compare_answers(network, np.asarray(export, np.float32), "made up")


def test_equal_answers_are_certified():
    parity = compared(NETWORK)
    assert (parity.images, parity.largest_difference, parity.top_class_changed, parity.ties) == (3, 0.0, 0, 0)
    assert difference_from(parity, quantized=False) == ""


@pytest.mark.parametrize(("by", "wrong"), [(ALLOWED * 0.9, ""), (ALLOWED * 1.5, "a probability differs by 0.00015")])
def test_the_largest_difference_decides(by, wrong):
    parity = compared(NETWORK + np.float32(by) * np.eye(3, dtype=np.float32))
    assert parity.largest_difference == pytest.approx(by, rel=1e-2)
    assert difference_from(parity, quantized=False) == wrong


def test_another_top_class_is_wrong_however_small_the_difference():
    network = np.array([[0.50002, 0.49998]], np.float32)
    parity = compared(network[:, ::-1], network)
    assert parity.largest_difference < ALLOWED
    assert difference_from(parity, quantized=False) == "the top class is another on 1 of 1 images"


def test_a_tie_that_rounding_turns_is_not_wrong_and_is_counted():
    network = np.array([[0.500001, 0.499999]], np.float32)
    parity = compared(network[:, ::-1], network)
    assert (parity.top_class_changed, parity.ties) == (0, 1)
    assert difference_from(parity, quantized=False) == ""


@pytest.mark.parametrize("quantized", [False, True])
def test_answers_that_are_not_finite_are_wrong_in_any_case(quantized):
    parity = compared(np.where(NETWORK == 0.7, np.nan, NETWORK))
    assert math.isnan(parity.largest_difference)
    assert difference_from(parity, quantized=quantized) == "some of its probabilities are not finite"


def test_a_quantized_export_may_differ():
    assert difference_from(compared(NETWORK[::-1]), quantized=True) == ""


def test_answers_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 3\) answers beside \(3, 3\)"):
        compared(NETWORK[:2])


def test_accuracy_is_measured_on_the_labelled_images_only():
    found = compare_accuracy(NETWORK, NETWORK[[0, 0, 0]], np.array([0, 2]))
    assert (found.images, found.network, found.export, found.loss) == (2, 1.0, 0.5, 0.5)
    assert compare_accuracy(NETWORK, NETWORK, np.zeros(0, np.int64)) is None
