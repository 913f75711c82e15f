"""How exactly adopted TensorFlow 1 networks answer: the series' ConvNet, its VGG, and a mean image, made here.

    .venv/bin/python bench/adopt.py

Each is built and trained for one update with tf.compat.v1, saved, adopted, and both are asked about 256 images.
"""

import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

BLOCKS = {"convnet": (2, 2), "vgg": (2, 2, 3, 3), "mean-image": (2, 2)}
WIDTHS = (64, 128, 256, 512)


def make(kind, folder):
    """Build, train once, save; returns prefix, images and the original's answer."""
    import tensorflow

    tf = tensorflow.compat.v1
    shape = (32, 32, 3) if kind == "mean-image" else (28, 28, 1)
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (256, *shape), dtype=np.uint8)
    with tf.Graph().as_default():
        tf.set_random_seed(5)
        taken = tf.placeholder(tf.float32, (None, *shape), name="input")
        labels = tf.placeholder(tf.float32, (None, 10), name="labels")
        net = tf.image.resize_image_with_crop_or_pad(taken, 32, 32) if kind == "vgg" else taken
        net = tf.subtract(net, rng.random(shape).astype(np.float32)) if kind == "mean-image" else net
        he = tf.initializers.variance_scaling(2.0)
        for block, count in enumerate(BLOCKS[kind]):
            for place in range(count):
                filters = [3, 3, net.shape.as_list()[-1], WIDTHS[block]]
                weights = tf.get_variable(f"layer{block}{place}_weights", filters, initializer=he)
                net = tf.nn.conv2d(net, filter=weights, strides=[1, 1, 1, 1], padding="SAME")
                net = tf.nn.relu(net + tf.Variable(tf.zeros([WIDTHS[block]])))
            net = tf.nn.max_pool(net, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        flat = int(np.prod(net.shape.as_list()[1:]))
        logits = tf.matmul(tf.reshape(net, [-1, flat]), tf.get_variable("fc_weights", [flat, 10]))
        cost = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=labels), name="cost")
        update = tf.train.AdamOptimizer(1e-4).minimize(cost)
        predictions = tf.nn.softmax(logits, name="predictions")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            hot = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 32)]
            session.run(update, {taken: images[:32] / 255.0, labels: hot})
            prefix = tf.train.Saver().save(session, str(Path(folder) / "net.ckpt"), global_step=1)
            answers = [session.run(predictions, {taken: part / 255.0}) for part in np.split(images, 8)]
    return prefix, images, np.concatenate(answers)


def main():
    import seewell

    for kind in BLOCKS:
        with tempfile.TemporaryDirectory() as folder:
            prefix, images, answer = make(kind, folder)
            run = seewell.adopt(prefix, input_range="0..1", out=Path(folder) / "run")
            found = run.predict(images)
        gap = float(np.abs(found - answer).max())
        same = bool((found.argmax(1) == answer.argmax(1)).all())
        print(json.dumps({"network": kind, "weights": run.summary["parameters"], "gap": gap, "top_class_same": same}))


if __name__ == "__main__":
    main()
