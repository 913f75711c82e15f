"""Taps: networks with known weights give known values, and nothing changes by looking."""

import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager.polymorphic_function import polymorphic_function

from seewell.errors import NetworkError
from seewell.networks.registry import build_network
from seewell.networks.taps import Taps


def identity_network():
    """2x2 images, one hidden layer 2x - 1 of four units, logits of zero weights for three classes."""
    network = build_network(
        "fully-connected", input_shape=(2, 2, 1), num_classes=3, preprocess="none", arguments={"widths": 4}
    )
    network.get_layer("fc1").set_weights([2 * np.eye(4), -np.ones(4)])
    network.get_layer("logits").set_weights([np.zeros((4, 3)), np.array([0.0, 1.0, 2.0])])
    return network


IMAGES = np.arange(8, dtype=np.uint8).reshape(2, 2, 2, 1)


def test_pre_activations_are_the_values_before_the_relu():
    taps = Taps(identity_network())
    assert taps.layers == ("fc1", "logits")
    values = taps.pre_activations(IMAGES)
    np.testing.assert_array_equal(values["fc1"], [[-1, 1, 3, 5], [7, 9, 11, 13]])
    np.testing.assert_array_equal(values["logits"], [[0, 1, 2], [0, 1, 2]])
    assert all(value.dtype == np.float32 for value in values.values())


def test_gradients_are_those_of_the_mean_cross_entropy():
    network = identity_network()
    labels = np.array([2, 0])
    slopes = Taps(network).gradients(IMAGES, labels)
    hidden = np.maximum([[-1, 1, 3, 5], [7, 9, 11, 13]], 0.0)
    probabilities = np.exp([0.0, 1.0, 2.0]) / np.exp([0.0, 1.0, 2.0]).sum()
    slope_of_logits = (probabilities - np.eye(3)[labels]) / 2
    np.testing.assert_allclose(slopes["logits"], hidden.T @ slope_of_logits, rtol=1e-5)
    np.testing.assert_array_equal(slopes["fc1"], np.zeros((4, 4)))  # nothing passes logits of zero weights

    kernel = np.arange(12.0).reshape(4, 3)
    network.get_layer("logits").set_weights([kernel, np.zeros(3)])
    logits = hidden @ kernel
    soft = np.exp(logits - logits.max(axis=1, keepdims=True))
    soft /= soft.sum(axis=1, keepdims=True)
    back = ((soft - np.eye(3)[labels]) / 2) @ kernel.T * (hidden > 0)
    slopes = Taps(network).gradients(IMAGES, labels)
    np.testing.assert_allclose(slopes["fc1"], IMAGES.reshape(2, 4).astype(float).T @ back, rtol=1e-4, atol=1e-5)


def identity_convnet(normalization):
    network = build_network(
        "convnet",
        input_shape=(4, 4, 1),
        num_classes=2,
        preprocess="none",
        arguments={"widths": "1", "convolutions": 1, "normalization": normalization},
    )
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = 1.0
    network.get_layer("conv1_1").kernel.assign(kernel)
    return network


def test_a_convolution_that_copies_gives_the_image():
    images = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(Taps(identity_convnet("none")).pre_activations(images)["conv1_1"], images)


def test_the_value_after_a_batchnorm_that_follows_directly_is_read():
    network = identity_convnet("batch")
    gamma, beta, mean, variance = (np.array([value]) for value in (2.0, 1.0, 5.0, 4.0))
    network.get_layer("conv1_1_norm").set_weights([gamma, beta, mean, variance])
    images = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1)
    read = Taps(network).pre_activations(images)["conv1_1"]
    np.testing.assert_allclose(read, 2 * (images - 5.0) / np.sqrt(4 + 1e-5) + 1, atol=1e-5)


def test_an_activation_inside_a_layer_is_left_out():
    model = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            keras.layers.Conv2D(2, 3, strides=2, padding="same", activation="relu", bias_initializer="ones", name="a"),
            keras.layers.DepthwiseConv2D(3, activation="tanh", padding="same", name="b"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax", use_bias=False, name="c"),
        ]
    )
    images = np.random.default_rng(0).normal(size=(5, 4, 4, 1)).astype(np.float32)
    values = Taps(model).pre_activations(images)
    a = np.asarray(model.layers[0](images))
    b = np.asarray(model.layers[1](a))
    np.testing.assert_allclose(np.maximum(values["a"], 0), a, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(np.tanh(values["b"]), b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(keras.ops.softmax(values["c"]), model(images), rtol=1e-4, atol=1e-6)
    assert (values["a"] < 0).any()


def test_gradients_of_fused_and_separate_softmax_agree():
    kernel = np.random.default_rng(0).normal(size=(4, 3))
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(3, name="logits")
    softmax = keras.Model(inputs, keras.layers.Softmax()(dense(inputs)))
    fused = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="logits")])
    bare = keras.Model(inputs, dense(inputs))
    dense.kernel.assign(kernel)
    fused.layers[0].kernel.assign(kernel)
    x, labels = np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32), np.arange(6) % 3
    first, second, third = (Taps(model).gradients(x, labels)["logits"] for model in (softmax, fused, bare))
    np.testing.assert_allclose(first, second, rtol=1e-5)
    np.testing.assert_allclose(first, third, rtol=1e-5)


def test_nested_models_and_shared_layers_are_read():
    hidden = keras.layers.Dense(2, use_bias=False, name="hidden")
    base = keras.Sequential([keras.Input((2,)), hidden, keras.layers.ReLU()], name="base")
    head = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, name="out"), keras.layers.Softmax()], name="head")
    shared = keras.layers.Dense(2, use_bias=False, name="shared")
    inputs = keras.Input((2,))
    model = keras.Model(inputs, head(shared(shared(base(inputs)))))
    hidden.kernel.assign([[1, 0], [0, -1]])
    shared.kernel.assign([[0, 3], [3, 0]])
    taps = Taps(model)
    assert taps.layers == ("base/hidden", "shared", "head/out")
    values = taps.pre_activations(np.array([[2.0, 5.0]]))
    np.testing.assert_array_equal(values["base/hidden"], [[2, -5]])
    np.testing.assert_array_equal(values["shared"], [[0, 6]])  # its first use
    np.testing.assert_allclose(
        keras.ops.softmax(values["head/out"]), model(np.array([[2.0, 5.0]], np.float32)), rtol=1e-5
    )
    slopes = taps.gradients(np.array([[2.0, 5.0]]), np.array([0]))
    assert all(np.abs(slope).sum() > 0 for slope in slopes.values())


def noisy_network():
    """Dropout, BatchNorm, L2 and augmentation: everything that could move."""
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.RandomTranslation(0.2, 0.2)(inputs)
    x = keras.layers.Conv2D(4, 3, activity_regularizer="l2", kernel_regularizer="l2")(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(keras.layers.Flatten()(keras.layers.ReLU()(x)))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))


def everything(taps, images, labels):
    taps.pre_activations(images)
    slopes = taps.gradients(images, labels)
    taps.first_not_finite(images)
    read, both = taps.pre_activations_and_gradients(images, labels)
    for one, other in ((read, taps.pre_activations(images)), (both, slopes)):
        assert list(one) == list(other)
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-6)


def test_looking_changes_no_variable_and_no_random_state():
    images = np.random.default_rng(0).normal(size=(6, 8, 8, 1)).astype(np.float32)
    labels = np.arange(6) % 3

    def after(look):
        keras.utils.set_random_seed(3)
        model = noisy_network()
        model.compile("sgd", "sparse_categorical_crossentropy")
        if look:
            everything(Taps(model), images, labels)
        state = [variable.numpy().tobytes() for variable in model.variables]
        draws = [random.random(), np.random.random(), float(tf.random.uniform(())), float(keras.random.uniform(()))]
        name = keras.layers.Dense(1).name.rpartition("_")[0]
        history = model.fit(images, labels, batch_size=3, epochs=2, verbose=0, shuffle=False).history
        return state, draws, name, history, [variable.numpy().tobytes() for variable in model.variables]

    watched, alone = after(True), after(False)
    assert watched == alone
    assert any("seed" in variable.path for variable in noisy_network().variables)


def test_looking_between_updates_leaves_the_collected_losses_alone():
    model = noisy_network()
    images = np.ones((2, 8, 8, 1), np.float32)
    model(images, training=True)
    before = [float(loss) for loss in model.losses]
    everything(Taps(model), images, np.array([0, 1]))
    assert [float(loss) for loss in model.losses] == before


def noted(function, calls):
    """The function, its name added to ``calls`` each time that Python runs it."""

    def run(*arguments):
        calls.append(function.__name__)
        return function(*arguments)

    return run


def test_weights_are_read_at_each_call_and_each_question_is_traced_once(monkeypatch):
    questions = ["_compute", "_compute_both", "_compute_finite", "_compute_gradients"]
    traced = []
    for name in questions:
        monkeypatch.setattr(Taps, name, noted(getattr(Taps, name), traced))
    network = identity_network()
    taps = Taps(network)
    for images in (IMAGES, IMAGES[:1], np.repeat(IMAGES, 3, axis=0)):
        everything(taps, images, np.zeros(len(images), np.int64))
    assert sorted(traced) == sorted([*questions, "_compute_both"])  # gradients ask it, too
    network.get_layer("fc1").set_weights([np.eye(4), np.zeros(4)])
    np.testing.assert_array_equal(taps.pre_activations(IMAGES)["fc1"], IMAGES.reshape(2, 4))


def test_a_frozen_layer_and_one_that_leads_nowhere_have_gradients():
    inputs = keras.Input((2,))
    frozen = keras.layers.Dense(2, name="frozen", trainable=False)
    stopped = keras.layers.Dense(2, kernel_initializer="zeros", name="stopped")
    model = keras.Model(inputs, keras.layers.Dense(2, name="out")(keras.layers.ReLU()(stopped(frozen(inputs)))))
    slopes = Taps(model).gradients(np.ones((3, 2)), np.array([0, 1, 1]))
    assert list(slopes) == ["frozen", "stopped", "out"]
    assert not slopes["frozen"].any()


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_the_first_layer_with_a_poisoned_kernel_is_found(poison):
    network = build_network("vgg-small", input_shape=(8, 8, 1), num_classes=3)
    images = np.full((2, 8, 8, 1), 200, np.uint8)
    taps = Taps(network)
    assert taps.first_not_finite(images) is None
    for name in ("fc1", "conv2_2"):
        kernel = network.get_layer(name).kernel
        value = kernel.numpy().copy()
        value.flat[7] = poison
        kernel.assign(value)
        assert taps.first_not_finite(images) == (name, "weights")


def test_the_first_layer_whose_values_overflow_is_found():
    network = identity_network()
    network.get_layer("fc1").kernel.assign(np.full((4, 4), 3e38))
    taps = Taps(network)
    assert taps.first_not_finite(IMAGES) == ("fc1", "values")
    assert taps.first_not_finite(np.zeros_like(IMAGES)) is None  # the weights are finite, and so are these values


def test_a_poisoned_batchnorm_is_named_itself_and_comes_before_the_values_behind_it():
    network = identity_convnet("batch")
    network.get_layer("conv1_1_norm").moving_variance.assign([np.nan])
    assert Taps(network).first_not_finite(np.zeros((1, 4, 4, 1), np.uint8)) == ("conv1_1_norm", "weights")


def test_residual_networks_are_read_after_each_batchnorm():
    network = build_network("resnet20", input_shape=(8, 8, 3), num_classes=4)
    taps = Taps(network)
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    inner = keras.Model(network.input, network.get_layer("stage3_block3_conv2_norm").output)
    np.testing.assert_allclose(
        taps.pre_activations(images)["stage3_block3_conv2"], inner(images, training=False), rtol=1e-4, atol=1e-5
    )
    assert len(taps.layers) == 20


def test_a_model_or_labels_that_do_not_fit_are_refused():
    class Own(keras.Model):
        pass

    with pytest.raises(NetworkError, match="cannot be read"):
        Taps(Own())
    inputs = [keras.Input((2,)), keras.Input((2,))]
    with pytest.raises(NetworkError, match="2 inputs and 1 outputs"):
        Taps(keras.Model(inputs, keras.layers.Add()(inputs)))
    wide = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(NetworkError, match="one number a class"):
        Taps(wide).gradients(np.zeros((1, 4, 4, 1)), np.array([0]))
    taps = Taps(identity_network())
    for labels in (np.array([0]), np.array([0, 3]), np.array([-1, 0]), np.zeros(2), np.zeros((2, 3), int)):
        with pytest.raises(NetworkError, match="do not fit 2 images and 3 classes"):
            taps.gradients(IMAGES, labels)
    for question in (taps.pre_activations, taps.first_not_finite):
        with pytest.raises(NetworkError, match=r"shape \(2, 3, 3, 1\) do not fit the network"):
            question(np.zeros((2, 3, 3, 1)))


def test_many_taps_in_one_process_are_not_warned_of_retracing(caplog, monkeypatch):
    """TensorFlow counts the traces of a function over all objects that have it, and warns twice at most."""
    monkeypatch.setattr(polymorphic_function, "FREQUENT_TRACING_WARNING_MAX_WARNING_PER_DETECTOR", 10**6)
    for _ in range(8):
        inputs = keras.Input((2,))
        taps = Taps(keras.Model(inputs, keras.layers.Dense(2, name="logits")(inputs)))
        images, labels = np.ones((1, 2), np.float32), np.zeros(1, np.int64)
        taps.pre_activations(images)
        taps.gradients(images, labels)
        taps.pre_activations_and_gradients(images, labels)
        taps.first_not_finite(images)
    assert "retracing" not in caplog.text
