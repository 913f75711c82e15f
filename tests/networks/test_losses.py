"""The cost: softmax cross-entropy in nats, against its formula."""

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seewell.networks.losses import cross_entropy, soft_labels


def formula(labels, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    log = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(labels * log).sum(axis=1)


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_equal_logits_cost_ln_of_the_number_of_classes(classes):
    labels = soft_labels(np.arange(classes), classes)
    cost = cross_entropy(labels, np.full((classes, classes), 7.0, np.float32))
    np.testing.assert_allclose(cost, np.log(classes), rtol=1e-6)


logits_of_three = arrays.arrays(np.float32, (4, 3), elements=st.floats(-50, 50, width=32))


@hypothesis.given(logits_of_three, st.lists(st.integers(0, 2), min_size=4, max_size=4), st.floats(0, 0.99))
def test_the_cost_is_the_formula_with_and_without_smoothing(logits, labels, smoothing):
    soft = soft_labels(np.array(labels), 3, smoothing)
    expected = formula(np.eye(3)[labels] * (1 - smoothing) + smoothing / 3, logits.astype(np.float64))
    np.testing.assert_allclose(cross_entropy(soft, logits), expected, rtol=1e-4, atol=1e-4)


@hypothesis.given(st.integers(2, 20), st.floats(0, 0.999))
def test_soft_labels_sum_to_one_and_spread_the_share_evenly(classes, smoothing):
    soft = soft_labels(np.array([1]), classes, smoothing).numpy()
    assert soft.dtype == np.float32
    np.testing.assert_allclose(soft.sum(), 1, rtol=1e-5)
    np.testing.assert_allclose(np.delete(soft[0], 1), smoothing / classes, rtol=1e-5, atol=1e-7)


def test_huge_logits_cost_what_they_should_not_infinity():
    cost = cross_entropy(soft_labels([0, 1], 2), np.array([[1e6, -1e6], [1e6, -1e6]], np.float32))
    np.testing.assert_allclose(cost, [0, 2e6])


def test_half_precision_logits_are_computed_in_float32():
    import tensorflow as tf

    logits = tf.constant([[300.0, 0.0]], tf.bfloat16)
    cost = cross_entropy(soft_labels([1], 2), logits)
    assert cost.dtype == tf.float32
    np.testing.assert_allclose(cost, [300.0])


def test_the_gradient_is_prediction_minus_label():
    import tensorflow as tf

    logits = tf.constant([[1.0, 2.0, 3.0]])
    labels = soft_labels([2], 3, 0.1)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        cost = tf.reduce_sum(cross_entropy(labels, logits))
    np.testing.assert_allclose(tape.gradient(cost, logits), tf.nn.softmax(logits) - labels, rtol=1e-5)
