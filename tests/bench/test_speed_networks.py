"""The same network in other frameworks: descriptions, answers, losses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seewell.networks.registry import list_networks
from speed import batches, description, seewell_contender
from speed.tf_network import Tf1Network

MEASURED = [name for name in ("convnet", "vgg-small", "resnet20", "speed") if name in list_networks()]
v1 = tf.compat.v1


def described(tmp_path, text, shape):
    description.write(tmp_path, text, shape)
    return description.read(tmp_path)


@pytest.mark.parametrize("name", [name for name in MEASURED if name != "vgg-small"])
def test_the_series_graph_answers_as_the_network(tmp_path, name):
    shape = description.shape_of(name)
    told, weights = described(tmp_path, name, shape)
    model = description.build(name, shape)
    images, _ = batches.images_and_labels(shape, 2)
    with tf.Graph().as_default():
        given = v1.placeholder(tf.float32, [None, *shape])
        _, answers = Tf1Network(told, weights)(given, training=False)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            found = session.run(answers, {given: images.astype(np.float32)})
    np.testing.assert_allclose(found, model(images).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", MEASURED)
def test_every_measured_network_can_be_described(name):
    shape = description.shape_of(name)
    model = description.build(name, shape)
    layers, weights = description.describe(model)
    assert [one["name"] for one in layers][-2:] == ["logits", "probabilities"]
    assert all(
        set(one["inputs"]) <= {earlier["name"] for earlier in layers[:place]} for place, one in enumerate(layers)
    )
    assert sum(value.size for value in weights.values()) == model.count_params()


def test_a_layer_that_is_not_known_is_named():
    images = keras.Input((8, 8, 1))
    model = keras.Model(images, keras.layers.GaussianNoise(0.1, name="noise")(images))
    with pytest.raises(description.UnknownLayerError, match='no layer of the kind GaussianNoise \\("noise"\\)'):
        description.describe(model)


def test_same_padding_is_spelled_out():
    images = keras.Input((8, 8, 1))
    layer = keras.layers.Conv2D(2, 3, strides=2, padding="same", name="conv")
    layers, _ = description.describe(keras.Model(images, layer(images)))
    assert layers[1]["padding"] == [[0, 1], [0, 1]]  # below and right, as TensorFlow pads


def test_a_training_step_counts_no_gradient_that_is_not_needed():
    images = keras.Input((4, 4, 1), name="image")
    frozen = keras.layers.Conv2D(2, 1, use_bias=False, trainable=False, name="frozen")(images)
    first = keras.layers.Conv2D(3, 1, use_bias=False, name="first")(frozen)
    last = keras.layers.Dense(5, use_bias=False, name="last")(keras.layers.Flatten()(first))
    found = description.multiply_adds(keras.Model(images, last))
    frozen, first, last = 16 * 2, 16 * 2 * 3, 48 * 5
    assert found == {"inference": frozen + first + last, "training": frozen + 2 * first + 3 * last}


def test_our_updates_are_as_many_as_asked_for(tmp_path):
    described(tmp_path, "convnet:widths=4", (8, 8, 1))
    given = {"folder": str(tmp_path), "batch_size": 10, "precision": "float32"}
    training = seewell_contender.Training(given)
    optimizer = training._trainee.optimizer
    for count in (2, 5, 9):
        before = int(optimizer.iterations.numpy())
        assert training.seconds(count) > 0
        assert int(optimizer.iterations.numpy()) - before == count
