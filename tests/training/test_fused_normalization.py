"""The training pass with BatchNorm in one kernel computes what Keras's own computes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seewell.training.fused_normalization import forward_in_training

IMAGES = np.random.default_rng(0).normal(size=(6, 5, 4, 3)).astype(np.float32)


def network(*, scale=True, center=True, policy="float32", momentum=0.9, epsilon=1e-5, nested=False, trainable=True):
    keras.utils.set_random_seed(1)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        norm = keras.layers.BatchNormalization(
            momentum=momentum, epsilon=epsilon, scale=scale, center=center, name="norm"
        )
        inputs = keras.Input((5, 4, 3))
        x = keras.layers.Conv2D(7, 3, name="conv", kernel_regularizer=keras.regularizers.L2(0.1))(inputs)
        x = keras.Sequential([keras.Input(x.shape[1:]), norm], name="inner")(x) if nested else norm(x)
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(x))
        model = keras.Model(inputs, keras.layers.Dense(4, name="logits")(x))
    finally:
        keras.config.set_dtype_policy(before)
    norm.trainable = trainable
    rng = np.random.default_rng(2)
    norm.set_weights([rng.uniform(0.5, 1.5, value.shape) for value in norm.get_weights()])
    return model, norm


def learned(model, forward):
    """Output, gradients by variable, and the moving averages, after one training pass in a graph."""

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            logits = tf.cast(forward(images), tf.float32)
            cost = tf.reduce_mean(logits**2)
        return logits, tape.gradient(cost, [one.value for one in model.trainable_variables])

    logits, gradients = step(IMAGES)
    return [
        logits.numpy(),
        *(one.numpy() for one in gradients),
        *(one.numpy() for one in model.non_trainable_variables),
    ]


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"scale": False},
        {"center": False},
        {"momentum": 0.6, "epsilon": 1e-3},
        {"nested": True},
        {"trainable": False},
    ],
)
def test_values_gradients_and_moving_averages_are_those_of_keras(how):
    model, _ = network(**how)
    ours = learned(model, forward_in_training(model, model.output))
    other, _ = network(**how)
    theirs = learned(other, lambda images: other(images, training=True))
    assert len(ours) == len(theirs)
    for mine, its in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, its, rtol=2e-4, atol=2e-6)


def test_half_precision_stays_near_and_keeps_its_averages_in_float32():
    model, norm = network(policy="mixed_bfloat16")
    ours = learned(model, forward_in_training(model, model.output))
    other, _ = network(policy="mixed_bfloat16")
    theirs = learned(other, lambda images: other(images, training=True))
    np.testing.assert_allclose(ours[0], theirs[0], atol=0.05)
    assert norm.moving_mean.dtype == "float32"
    np.testing.assert_allclose(ours[-1], theirs[-1], rtol=0.02)


def operations(model, forward):
    graph = tf.function(forward).get_concrete_function(tf.TensorSpec((None, 5, 4, 3))).graph
    return [one.type for one in graph.get_operations()]


def test_it_is_one_kernel_and_only_where_it_means_the_same():
    model, _ = network()
    assert operations(model, forward_in_training(model, model.output)).count("FusedBatchNormV3") == 1
    frozen, _ = network(trainable=False)
    assert "FusedBatchNormV3" not in operations(frozen, forward_in_training(frozen, frozen.output))
    inputs = keras.Input((5, 4, 3))
    others = [
        keras.layers.BatchNormalization(axis=1),
        keras.layers.BatchNormalization(dtype="float64"),
        keras.layers.Activation("relu", activity_regularizer=keras.regularizers.L2(0.1)),
        keras.Sequential([keras.Input((5, 4, 3)), keras.layers.BatchNormalization()]),
    ]
    for layer in others:
        penalized = isinstance(layer, keras.layers.Activation)
        other = keras.Model(inputs, layer(keras.layers.BatchNormalization()(inputs) if penalized else inputs))
        assert "FusedBatchNormV3" not in operations(other, forward_in_training(other, other.output))


def test_the_network_stays_keras_own():
    model, _ = network()
    before = model.get_config()
    forward_in_training(model, model.output)(tf.constant(IMAGES))
    assert model.get_config() == before
    assert model.get_layer("norm").output is not None  # one call of each layer, as before
