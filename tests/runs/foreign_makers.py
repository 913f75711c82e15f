"""Foreign networks made here: TensorFlow 1 graphs with their checkpoints, and what they answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHAPE = (8, 8, 1)
CLASSES = 5


@dataclass(frozen=True)
class Made:
    """A checkpoint, images, and the original graph's own answer to them."""

    prefix: Path
    images: np.ndarray
    answer: np.ndarray


def images_of(shape=SHAPE, count=12, seed=7):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def save_graph(folder, build, *, shape=SHAPE, feeds=None, scale=1 / 255, saver=None, train=None, placeholder=None):
    """Build a graph in TensorFlow 1's way, run it, and save it with its checkpoint.

    Args:
        folder: Where to.
        build: Called with TensorFlow 1's module and the placeholder; returns the output tensor.
        shape: Of the images.
        feeds: Values of other placeholders by name.
        scale: What raw pixels are multiplied by before they are fed.
        saver: Called with TensorFlow 1's module, makes the saver.
        train: Called with TensorFlow 1's module and the output; returns an update that is made twice.
        placeholder: The placeholder's shape, where it is not that of the images.
    """
    import tensorflow

    tf = tensorflow.compat.v1
    graph = tf.Graph()
    images = images_of(shape)
    with graph.as_default():
        tf.set_random_seed(3)
        taken = tf.placeholder(tf.float32, (None, *(placeholder or shape)), name="input")
        output = build(tf, taken)
        update = train(tf, output) if train else None
        with tf.Session(graph=graph) as session:
            session.run(tf.global_variables_initializer())
            values = (images * np.float32(scale)).reshape(len(images), *(placeholder or shape))
            fed = {taken: values, **{f"{name}:0": value for name, value in (feeds or {}).items()}}
            for _ in range(2 if train else 0):
                session.run(update, fed)
            answer = session.run(output, fed)
            made = saver(tf) if saver else tf.train.Saver()
            prefix = Path(made.save(session, str(Path(folder) / "net.ckpt"), global_step=2))
    return Made(prefix, images, answer)


def series_convnet(tf, net, *, widths=((4, 4), (6, 6)), resource=False):
    """The blog series' way: get_variable for weights, an unnamed Variable for biases."""
    number = 0
    for block in widths:
        for width in block:
            number += 1
            depth = net.shape.as_list()[-1]
            weights = tf.get_variable(
                f"layer{number}_weights",
                [3, 3, depth, width],
                initializer=tf.initializers.variance_scaling(2.0),
                use_resource=resource,
            )
            bias = tf.Variable(tf.random_normal([width], stddev=0.1), use_resource=resource)
            net = tf.nn.relu(tf.nn.conv2d(net, filter=weights, strides=[1, 1, 1, 1], padding="SAME") + bias)
        net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    return series_head(tf, net, resource=resource)


def series_head(tf, net, *, resource=False, name="predictions"):
    """Flatten, one fully connected layer, softmax."""
    flat = int(np.prod(net.shape.as_list()[1:]))
    net = tf.reshape(net, [-1, flat])
    weights = tf.get_variable("fc_weights", [flat, CLASSES], use_resource=resource)
    bias = tf.Variable(tf.random_normal([CLASSES]), use_resource=resource)
    return tf.nn.softmax(tf.matmul(net, weights) + bias, name=name)


def small_keras_model(*, uint8=False):
    """Rescaling, a convolution, BatchNorm, dropout, a softmax in the last layer."""
    import keras

    keras.utils.set_random_seed(5)
    layers: list[Any] = [keras.Input(SHAPE, dtype="uint8" if uint8 else "float32")]
    layers += [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, name="first"),
        keras.layers.BatchNormalization(),
        keras.layers.ReLU(),
        keras.layers.MaxPooling2D(),
        keras.layers.Dropout(0.5),
        keras.layers.Flatten(),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    norm = model.layers[2]
    rng = np.random.default_rng(0)
    norm.set_weights([rng.uniform(0.5, 1.5, 4).astype(np.float32) for _ in range(4)])
    return model
