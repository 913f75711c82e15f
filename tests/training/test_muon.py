"""Muon: the orthogonalization and the step by their definitions, and what a checkpoint must hold of it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seewell.training.muon import Muon, orthogonalize
from seewell.training.optimizers import make_optimizer

A, B, C = 3.4445, -4.7750, 2.0315


def by_singular_values(matrix):
    """The definition: five times s ← a s + b s³ + c s⁵ on the singular values, the vectors as they are."""
    left, values, right = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    values = values / np.sqrt((values**2).sum())
    for _ in range(5):
        values = A * values + B * values**3 + C * values**5
    return (left * values) @ right


def matrix_of(shape, seed=0, spread=1.0):
    """A random matrix whose singular values lie between 1 and ``spread``."""
    rng = np.random.default_rng(seed)
    left, _, right = np.linalg.svd(rng.normal(size=shape), full_matrices=False)
    return ((left * np.geomspace(1, spread, min(shape))) @ right).astype(np.float32)


SHAPES = [(1, 1), (7, 1), (1, 5), (8, 8), (27, 16), (16, 27), (144, 32)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_it_is_the_iteration_on_the_singular_values_whatever_the_size(shape, size):
    matrix = matrix_of(shape, spread=10)
    expected = by_singular_values(matrix)
    tolerance = 0.2 if size < 1e-3 else 1e-4  # the added 1e-7 counts there
    np.testing.assert_allclose(orthogonalize(tf.constant(matrix * size)), expected, atol=tolerance)


@pytest.mark.parametrize("products", ["float32", "bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_singular_values_of_what_comes_out_are_near_1(shape, products):
    matrix = tf.constant(matrix_of(shape, seed=1, spread=20))
    found = orthogonalize(matrix, products=products)
    assert found.dtype == tf.float32
    values = np.linalg.svd(found.numpy(), compute_uv=False)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_bfloat16_products_change_it_little():
    matrix = tf.constant(matrix_of((64, 32), spread=10))
    exact, rough = orthogonalize(matrix).numpy(), orthogonalize(matrix, products="bfloat16").numpy()
    assert np.linalg.norm(rough - exact) < 0.1 * np.linalg.norm(exact)
    assert (rough != exact).any()


def test_zeros_stay_zeros():
    np.testing.assert_array_equal(orthogonalize(tf.zeros((6, 4))), np.zeros((6, 4)))


def variables():
    rng = np.random.default_rng(3)
    shapes = {"conv1/kernel": (3, 3, 2, 4), "conv1/bias": (4,), "fc/kernel": (4, 9), "logits/kernel": (9, 3)}
    found = {}
    for path, shape in shapes.items():
        layer, name = path.split("/")
        with keras.name_scope(layer):
            found[path] = keras.Variable(rng.normal(size=shape).astype(np.float32), name=name)
    assert [one.path for one in found.values()] == list(shapes)
    return found


RATE, MOMENTUM, DECAY = 0.1, 0.7, 0.2


@pytest.mark.parametrize("decay", [0.0, DECAY])
def test_each_step_is_numpy_s_own_computation(decay):
    found = variables()
    optimizer = make_optimizer("muon", learning_rate=RATE, momentum=MOMENTUM, weight_decay=decay)
    optimizer.build(list(found.values()))
    expected = {path: one.numpy().astype(np.float64) for path, one in found.items()}
    buffers = {path: np.zeros_like(value) for path, value in expected.items()}
    rng = np.random.default_rng(4)
    for _ in range(3):
        gradients = {path: rng.normal(size=value.shape).astype(np.float32) for path, value in expected.items()}
        optimizer.apply([tf.constant(one) for one in gradients.values()], list(found.values()))
        for path, gradient in gradients.items():
            buffers[path] = MOMENTUM * buffers[path] + gradient
            step = gradient + MOMENTUM * buffers[path]
            if path in ("conv1/kernel", "fc/kernel"):
                outputs = step.shape[-1]
                matrix = step.reshape(-1, outputs)
                step = by_singular_values(matrix).reshape(step.shape) * max(1, outputs / len(matrix)) ** 0.5
            if path.endswith("kernel"):
                expected[path] *= 1 - RATE * decay
            expected[path] -= RATE * step
    for path, one in found.items():
        np.testing.assert_allclose(one.numpy(), expected[path], atol=1e-4, err_msg=path)


def test_its_buffers_are_all_that_it_remembers():
    found = variables()
    optimizer = Muon(RATE)
    optimizer.build(list(found.values()))
    assert [tuple(one.shape) for one in optimizer.variables] == [(), (), *(tuple(v.shape) for v in found.values())]


def test_a_constraint_holds_after_each_step():
    layer = keras.layers.Conv2D(4, 3, use_bias=False, kernel_constraint=keras.constraints.UnitNorm(axis=(0, 1, 2)))
    layer.build((None, 8, 8, 3))
    optimizer = Muon(0.3)
    optimizer.build([layer.kernel])
    optimizer.apply([tf.constant(np.random.default_rng(0).normal(size=layer.kernel.shape).astype(np.float32))])
    np.testing.assert_allclose(np.sqrt((layer.kernel.numpy() ** 2).sum(axis=(0, 1, 2))), 1, atol=1e-5)


def test_float16_scales_the_loss_and_the_steps_are_the_same():
    plain, scaled = variables(), variables()
    gradients = [np.ones(one.shape, np.float32) for one in plain.values()]
    for found, precision in ((plain, "float32"), (scaled, "float16")):
        optimizer = make_optimizer("muon", learning_rate=RATE, precision=precision)
        optimizer.build(list(found.values()))
        factor = float(optimizer.scale_loss(1.0))
        assert (factor > 1) == (precision == "float16")
        optimizer.apply([tf.constant(factor * one) for one in gradients], list(found.values()))
    for path, one in plain.items():
        np.testing.assert_allclose(scaled[path].numpy(), one.numpy(), rtol=1e-5, err_msg=path)


def test_bfloat16_takes_bfloat16_products_and_others_float32():
    assert make_optimizer("muon", learning_rate=RATE, precision="bfloat16").products == "bfloat16"
    assert make_optimizer("muon", learning_rate=RATE).products == "float32"
    assert make_optimizer("muon", learning_rate=RATE, precision="float16").inner_optimizer.products == "float32"


def test_keras_can_write_it_down_and_make_it_again():
    optimizer = Muon(0.03, momentum=0.8, weight_decay=0.01, exclude=("top",), products="bfloat16")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is Muon
    assert again.get_config() == optimizer.get_config()
    scheduled = Muon(keras.optimizers.schedules.CosineDecay(0.1, 10))
    assert Muon.from_config(scheduled.get_config()).get_config() == scheduled.get_config()
