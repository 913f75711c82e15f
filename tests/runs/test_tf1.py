"""TensorFlow 1 graphs become Keras networks that answer the same."""

import numpy as np
import pytest
from foreign_makers import CLASSES, SHAPE, save_graph, series_convnet, series_head, small_keras_model

from seewell.errors import ConfigError, FormatError
from seewell.runs.adopt import adopt, save_weights
from seewell.runs.foreign.bundle import find_prefix, open_bundle
from seewell.runs.foreign.graph import read_meta
from seewell.runs.foreign.inventory import take_inventory
from seewell.runs.run import open_run
from seewell.runs.tf1 import choose, translate


def translated(made, *, output=None, input_range="0..1", **options):
    graph = read_meta(made.prefix.with_name(made.prefix.name + ".meta"))
    bundle = open_bundle(made.prefix)
    chosen = choose(graph, options.pop("image", None), output, options.pop("feeds", {}))
    return translate(graph, bundle, chosen, image_shape=options.pop("image_shape", None), input_range=input_range)


def same_answer(made, **options):
    found = translated(made, **options)
    answer = found.model.predict(made.images, verbose=0)
    np.testing.assert_allclose(answer, made.answer, atol=1e-5, rtol=0)
    assert np.std(made.answer, axis=0).max() > 1e-4, "an answer that never changes proves nothing"
    return found


def names(found):
    return [layer.name for layer in found.model.layers]


@pytest.mark.parametrize("resource", [False, True], ids=["VariableV2", "VarHandleOp"])
def test_the_series_convnet(tmp_path, resource):
    made = save_graph(tmp_path, lambda tf, x: series_convnet(tf, x, resource=resource))
    found = same_answer(made)
    assert names(found) == [
        *("image", "scale", "layer1", "layer1_relu", "layer2", "layer2_relu", "max_pool"),
        *("layer3", "layer3_relu", "layer4", "layer4_relu", "max_pool_2", "flatten", "fc", "logits", "predictions"),
    ]
    assert found.variables["layer1/kernel"] == "layer1_weights"
    assert found.variables["fc/bias"] == "Variable_4"


def test_the_first_kind_of_variable(tmp_path):
    from tensorflow.core.protobuf import meta_graph_pb2

    made = save_graph(tmp_path, series_convnet)
    path = made.prefix.with_name(made.prefix.name + ".meta")
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString(path.read_bytes())
    for node in meta.graph_def.node:
        node.op = "Variable" if node.op == "VariableV2" else node.op
    path.write_bytes(meta.SerializeToString())
    same_answer(made)


def test_the_series_vgg_pads_its_input(tmp_path):
    def build(tf, x):
        x = tf.image.resize_image_with_crop_or_pad(x, 12, 12)
        return series_convnet(tf, x, widths=((4, 4), (6,), (8,)))

    found = same_answer(save_graph(tmp_path, build))
    assert "pad" in names(found)


def test_the_series_mean_image(tmp_path):
    def build(tf, x):
        mean = np.random.default_rng(0).random(SHAPE).astype(np.float32)
        return series_convnet(tf, tf.subtract(x, mean, name="centred"))

    assert "centred" in names(same_answer(save_graph(tmp_path, build)))


def test_the_series_first_network_takes_rows_of_784(tmp_path):
    def build(tf, x):
        weights = tf.get_variable("hidden/weights", [784, 16])
        hidden = tf.nn.relu(tf.matmul(x, weights) + tf.get_variable("hidden/bias", [16]), name="hidden/out")
        return series_head(tf, hidden)

    found = same_answer(save_graph(tmp_path, build, shape=(28, 28, 1), placeholder=(784,)))
    assert found.model.input_shape == (None, 28, 28, 1)


@pytest.mark.parametrize(
    ("input_range", "feed"),
    [("0..255", lambda x: x), ("-1..1", lambda x: x / 127.5 - 1)],
)
def test_other_input_ranges(tmp_path, input_range, feed):
    made = save_graph(tmp_path, series_convnet)
    found = translated(made, input_range=input_range)
    layer = found.model.layers[1]
    values = np.asarray(layer(made.images))
    np.testing.assert_allclose(values, feed(made.images.astype(np.float32)), atol=1e-5)


def conv(tf, x, width, name, **how):
    kernel = tf.get_variable(f"{name}/kernel", [3, 3, x.shape.as_list()[-1], width])
    return tf.nn.conv2d(x, kernel, **{"strides": [1, 1, 1, 1], "padding": "SAME", **how})


def strided(tf, x):
    x = tf.nn.relu(conv(tf, x, 4, "a", strides=[1, 2, 2, 1], padding="VALID"))
    return series_head(tf, tf.nn.avg_pool(x, [1, 3, 3, 1], [1, 2, 2, 1], "SAME"))


def smooth(tf, x):
    x = tf.nn.bias_add(conv(tf, x, 4, "a"), tf.get_variable("a/bias", [4], initializer=tf.ones_initializer()))
    return series_head(tf, tf.tanh(tf.nn.sigmoid(x)))


def leaky(tf, x):
    x = tf.nn.leaky_relu(conv(tf, x, 4, "a"), alpha=0.3)
    x = tf.nn.elu(conv(tf, x, 4, "b", padding=[[0, 0], [1, 2], [0, 1], [0, 0]]))
    return series_head(tf, tf.nn.relu6(x * 3.0))


def dilated(tf, x):
    return series_head(tf, tf.maximum(conv(tf, x, 4, "a", dilations=[1, 2, 2, 1]), 0.0))


def residual(tf, x):
    x = conv(tf, x, 4, "a")
    y = tf.nn.relu(conv(tf, x, 4, "b"))
    x = tf.concat([x + y, y], axis=3)
    pooled = tf.reduce_mean(x, axis=[1, 2])
    return tf.nn.softmax(tf.matmul(pooled, tf.get_variable("w", [CLASSES, 8]), transpose_b=True), name="predictions")


def cropped(tf, x):
    x = tf.image.resize_image_with_crop_or_pad(x[:, 1:, :7, :], 4, 4)
    return series_head(tf, tf.nn.relu(conv(tf, x, 4, "a")))


def depthwise(tf, x):
    x = conv(tf, x, 4, "a")
    x = tf.nn.depthwise_conv2d(x, tf.get_variable("d/kernel", [3, 3, 4, 2]), [1, 1, 1, 1], "VALID")
    return series_head(tf, tf.nn.relu(x))


def shapes(tf, x):
    x = conv(tf, x, 4, "a")
    x = tf.transpose(tf.expand_dims(tf.reshape(x, [tf.shape(x)[0], 64, 4]), 1), [0, 2, 1, 3])
    x = tf.squeeze(x, [2])
    flat = tf.reshape(x, [tf.shape(x)[0], -1])
    return tf.nn.softmax(tf.matmul(flat, tf.get_variable("w", [256, CLASSES])), name="predictions")


def normalized_at_once(tf, x):
    x = conv(tf, x, 4, "a")
    values = [tf.get_variable(f"norm/{n}", [4], initializer=tf.random_uniform_initializer(0.5, 1.5)) for n in "gbmv"]
    x, _, _ = tf.nn.fused_batch_norm(x, values[0], values[1], values[2], values[3], epsilon=2e-3, is_training=False)
    return series_head(tf, tf.nn.relu(x))


def normalized_in_parts(tf, x):
    x = conv(tf, x, 4, "a")
    uniform = tf.random_uniform_initializer(0.5, 1.5)
    mean, variance, beta, gamma = (tf.get_variable(f"norm/{n}", [4], initializer=uniform) for n in "mvbg")
    x = tf.nn.batch_normalization(x, mean, variance, beta, gamma, 1e-3)
    x = tf.nn.batch_normalization(tf.nn.relu(x), mean, variance, None, None, 1e-2)
    return series_head(tf, x)


def constant_weights(tf, x):
    kernel = np.random.default_rng(1).normal(size=(3, 3, 1, 4)).astype(np.float32)
    tf.get_variable("unused", [1])
    flat = tf.reshape(tf.nn.conv2d(x, kernel, strides=[1, 1, 1, 1], padding="SAME"), [-1, 256])
    weights = np.random.default_rng(2).normal(size=(256, CLASSES)).astype(np.float32) / 16
    return tf.nn.softmax(tf.matmul(flat, weights), name="predictions")


GRAPHS = [
    *(strided, smooth, leaky, dilated, residual, cropped, depthwise, shapes),
    *(normalized_at_once, normalized_in_parts, constant_weights),
]


@pytest.mark.parametrize("build", GRAPHS, ids=lambda build: build.__name__)
def test_operations_keep_the_answer(tmp_path, build):
    found = same_answer(save_graph(tmp_path, build))
    if build.__name__.startswith("normalized"):
        assert sum(type(layer).__name__ == "BatchNormalization" for layer in found.model.layers) >= 1
        assert "norm/v" in found.variables.values()


def fed_dropout(tf, x):
    keep = tf.placeholder(tf.float32, name="keep_prob")
    return series_head(tf, tf.nn.dropout(tf.nn.relu(conv(tf, x, 4, "a")), keep_prob=keep))


def switched_dropout(tf, x):
    training = tf.placeholder(tf.bool, (), name="is_training")
    x = tf.nn.relu(conv(tf, x, 4, "a"))
    return series_head(tf, tf.cond(training, lambda: tf.nn.dropout(x, rate=0.4), lambda: x))


def old_dropout(tf, x):
    keep = tf.placeholder_with_default(1.0, (), name="kept")
    x = tf.nn.relu(conv(tf, x, 4, "a"))
    mask = tf.floor(keep + tf.random_uniform(tf.shape(x)))
    return series_head(tf, tf.div(x, keep) * mask)


@pytest.mark.parametrize(
    ("build", "feeds"),
    [(fed_dropout, {"keep_prob": 1.0}), (switched_dropout, {"is_training": False}), (old_dropout, {})],
    ids=["keep_prob", "is_training", "floor"],
)
def test_dropout_does_nothing_in_inference(tmp_path, build, feeds):
    found = same_answer(save_graph(tmp_path, build, feeds=feeds))
    dropped = [layer for layer in found.model.layers if type(layer).__name__ == "Dropout"]
    assert len(dropped) == (0 if build is switched_dropout else 1)


def test_dropout_keeps_its_rate(tmp_path):
    def build(tf, x):
        return series_head(tf, tf.nn.dropout(tf.nn.relu(conv(tf, x, 4, "a")), rate=0.25))

    found = translated(save_graph(tmp_path, build))
    (layer,) = (layer for layer in found.model.layers if type(layer).__name__ == "Dropout")
    assert layer.rate == pytest.approx(0.25)


def test_a_placeholder_that_nobody_can_guess_is_named_and_can_be_fed(tmp_path):
    def build(tf, x):
        return series_head(tf, conv(tf, x * tf.placeholder(tf.float32, (), name="gain"), 4, "a"))

    made = save_graph(tmp_path, build, feeds={"gain": 2.0})
    with pytest.raises(FormatError) as problem:
        translated(made)
    assert '"gain" (Placeholder)' in problem.value.what
    assert problem.value.fix.startswith("--feed gain=VALUE")
    same_answer(made, feeds={"gain": 2.0})


def test_partitioned_variables_and_several_data_files(tmp_path):
    def build(tf, x):
        with tf.device("/cpu:0"):
            first = conv(tf, x, 4, "a")
        parts = tf.get_variable("b/kernel", [3, 3, 4, 6], partitioner=tf.fixed_size_partitioner(3, axis=3))
        return series_head(tf, tf.nn.conv2d(first, parts, strides=[1, 1, 1, 1], padding="SAME"))

    made = save_graph(tmp_path, build, saver=lambda tf: tf.train.Saver(sharded=True))
    assert same_answer(made).variables["b/kernel"] == "b/kernel"


def test_a_saver_that_renames(tmp_path):
    def saver(tf):
        return tf.train.Saver({f"renamed/{i}": one for i, one in enumerate(tf.global_variables())})

    found = same_answer(save_graph(tmp_path, series_convnet, saver=saver))
    assert set(found.variables.values()) <= {f"renamed/{i}" for i in range(10)}


def test_scopes_give_the_layers_their_names(tmp_path):
    def build(tf, x):
        for name in ("conv1", "conv2"):
            with tf.variable_scope(name):
                x = tf.nn.relu(conv(tf, x, 4, "own") + tf.get_variable("biases", [4]))
        return series_head(tf, x)

    found = same_answer(save_graph(tmp_path, build))
    assert [name for name in names(found) if name.startswith("conv")] == ["conv1", "conv1_relu", "conv2", "conv2_relu"]


def with_logits(tf, x):
    logits = tf.identity(tf.log(series_convnet(tf, x)), name="extra")
    return tf.identity(logits, name="answer")


def test_an_operation_outside_the_list_is_named_with_its_node(tmp_path):
    made = save_graph(tmp_path, with_logits)
    with pytest.raises(FormatError) as problem:
        translated(made, output="answer")
    assert '"Log" (Log): it has no counterpart among the layers' in problem.value.what
    assert "--weights-only" in problem.value.fix


def test_an_argmax_points_to_the_probabilities(tmp_path):
    made = save_graph(tmp_path, lambda tf, x: tf.argmax(series_convnet(tf, x), 1, name="class"))
    with pytest.raises(FormatError, match=r'"class" \(ArgMax\)') as problem:
        translated(made, output="class")
    assert "probabilities" in problem.value.fix


def test_an_output_that_is_no_softmax_gets_one(tmp_path):
    def build(tf, x):
        return tf.identity(series_convnet(tf, x).op.inputs[0], name="scores")

    made = save_graph(tmp_path, build)
    run = adopt(made.prefix, input_range="0..1", output_name="scores", out=tmp_path / "run")
    expected = np.exp(made.answer - made.answer.max(1, keepdims=True))
    np.testing.assert_allclose(run.predict(made.images), expected / expected.sum(1, keepdims=True), atol=1e-5)
    assert any("no softmax" in note for note in run.info["adopted"]["notes"])


def two_answers(tf, x):
    first = series_convnet(tf, x)
    return tf.nn.softmax(first * 2.0, name="sharper")


def test_several_softmax_must_be_chosen_from(tmp_path):
    made = save_graph(tmp_path, two_answers)
    with pytest.raises(ConfigError) as problem:
        translated(made)
    assert "predictions, sharper" in problem.value.expected
    same_answer(made, output="sharper:0")


def test_a_mistyped_tensor_is_answered_with_the_right_one(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    with pytest.raises(ConfigError, match='no tensor "prediction" for the output') as problem:
        translated(made, output="prediction")
    assert 'did you mean "predictions"?' in problem.value.fix


def test_training_mode_of_batch_normalization_is_named(tmp_path):
    def build(tf, x):
        x = conv(tf, x, 4, "a")
        x, _, _ = tf.nn.fused_batch_norm(x, np.ones(4, np.float32), np.zeros(4, np.float32))
        return series_head(tf, x)

    with pytest.raises(FormatError, match="saved in training mode"):
        translated(save_graph(tmp_path, build))


def test_an_open_size_is_asked_for(tmp_path):
    made = save_graph(tmp_path, residual)
    graph = read_meta(made.prefix.with_name(made.prefix.name + ".meta"))
    shape = graph.nodes["input"].attributes["shape"].shape
    shape.dim[1].size = shape.dim[2].size = -1
    bundle, chosen = open_bundle(made.prefix), choose(graph, None, None, {})
    with pytest.raises(ConfigError, match=r"takes \?x\?x1 and leaves the size"):
        translate(graph, bundle, chosen, image_shape=None, input_range="0..1")
    found = translate(graph, bundle, chosen, image_shape=SHAPE, input_range="0..1")
    np.testing.assert_allclose(found.model.predict(made.images, verbose=0), made.answer, atol=1e-5)


def test_the_files_are_found_by_any_of_their_names(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    for path in (made.prefix, tmp_path, made.prefix.with_name("net.ckpt-2.meta"), tmp_path / "net.ckpt-2.index"):
        assert find_prefix(path) == made.prefix


def test_the_checkpoint_file_is_not_believed(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "/etc/passwd"\n')
    same_answer(made)


def test_several_checkpoints_in_a_folder_must_be_chosen_from(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    (tmp_path / "other.index").write_bytes(made.prefix.with_name("net.ckpt-2.index").read_bytes())
    with pytest.raises(FormatError, match="holds 2 TensorFlow checkpoints"):
        find_prefix(tmp_path)


def test_a_missing_data_file_is_named_before_anything_is_read(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    (tmp_path / "net.ckpt-2.data-00000-of-00001").unlink()
    with pytest.raises(FormatError, match=r"lacks net\.ckpt-2\.data-00000-of-00001"):
        open_bundle(made.prefix)


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.999])
def test_a_cut_data_file_is_refused_by_its_size(tmp_path, kept):
    made = save_graph(tmp_path, series_convnet)
    data = tmp_path / "net.ckpt-2.data-00000-of-00001"
    content = data.read_bytes()
    data.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(FormatError, match="its tensors would take"):
        open_bundle(made.prefix)


@pytest.mark.parametrize("ending", ["index", "meta"])
def test_rubbish_in_place_of_a_file_is_refused(tmp_path, ending):
    made = save_graph(tmp_path, series_convnet)
    (tmp_path / f"net.ckpt-2.{ending}").write_bytes(b"\x0a\xff" * 400)
    with pytest.raises(FormatError):
        adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_input_range_is_asked_for(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    with pytest.raises(ConfigError, match="no file says it") as problem:
        adopt(made.prefix, out=tmp_path / "run")
    assert problem.value.exit_code == 2
    assert "--input-range 0..1" in problem.value.expected
    with pytest.raises(ConfigError, match='no input range "0-1"'):
        adopt(made.prefix, input_range="0-1", out=tmp_path / "run")


def test_without_its_graph_the_weights_alone_are_offered(tmp_path):
    from safetensors.numpy import load_file

    made = save_graph(tmp_path, series_convnet)
    (tmp_path / "net.ckpt-2.meta").unlink()
    with pytest.raises(FormatError, match="has no graph") as problem:
        adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    assert "--weights-only" in problem.value.fix
    saved = save_weights(made.prefix, tmp_path / "out")
    found = load_file(tmp_path / "out" / "weights.safetensors")
    assert set(saved) == set(found)
    bundle = open_bundle(made.prefix)
    np.testing.assert_array_equal(found["layer1_weights"], bundle.read("layer1_weights"))


def test_the_inventory_lists_what_can_be_chosen(tmp_path):
    def build(tf, x):
        predictions = series_convnet(tf, x)
        labels = tf.placeholder(tf.float32, (None, CLASSES), name="labels")
        tf.reduce_mean(tf.cast(tf.equal(tf.argmax(labels, 1), tf.argmax(predictions, 1)), tf.float32), name="accuracy")
        return predictions

    found = take_inventory(save_graph(tmp_path, build).prefix)
    assert found.kind == "TensorFlow 1 checkpoint"
    assert [one.name for one in found.inputs] == ["input:0", "labels:0"]
    assert found.inputs[0].shape_text == "?x8x8x1"
    assert {one.name for one in found.outputs} == {"predictions:0", "accuracy:0"}
    assert "layer1_weights" in {one.name for one in found.weights}


def test_a_saved_model_of_keras(tmp_path):
    model = small_keras_model()
    model.export(tmp_path / "saved", verbose=False)
    run = adopt(tmp_path / "saved", input_range="0..255", out=tmp_path / "run")
    images = np.random.default_rng(0).integers(0, 256, (20, *SHAPE)).astype(np.uint8)
    expected = model.predict(images.astype(np.float32), verbose=0)
    np.testing.assert_allclose(run.predict(images), expected, atol=1e-5)
    kinds = [type(layer).__name__ for layer in open_run(run.path).network.layers]
    assert "BatchNormalization" in kinds
    assert run.info["adopted"]["kind"] == "SavedModel"


def test_a_frozen_graph(tmp_path):
    from tensorflow.core.protobuf import meta_graph_pb2

    made = save_graph(tmp_path, constant_weights)
    meta = meta_graph_pb2.MetaGraphDef()
    meta.ParseFromString(made.prefix.with_name("net.ckpt-2.meta").read_bytes())
    (tmp_path / "frozen.pb").write_bytes(meta.graph_def.SerializeToString())
    run = adopt(tmp_path / "frozen.pb", input_range="0..1", out=tmp_path / "run")
    np.testing.assert_allclose(run.predict(made.images), made.answer, atol=1e-5)


def test_a_saved_model_of_tensorflow_1(tmp_path):
    import tensorflow

    tf = tensorflow.compat.v1
    images = np.random.default_rng(0).integers(0, 256, (6, *SHAPE)).astype(np.uint8)
    with tf.Graph().as_default(), tf.Session() as session:
        raw = tf.placeholder(tf.uint8, (None, *SHAPE), name="raw")
        output = series_convnet(tf, tf.cast(raw, tf.float32) / 255.0)
        session.run(tf.global_variables_initializer())
        answer = session.run(output, {raw: images})
        tf.saved_model.simple_save(session, str(tmp_path / "saved"), {"raw": raw}, {"probabilities": output})
    run = adopt(tmp_path / "saved", out=tmp_path / "run")  # uint8: the range is known
    np.testing.assert_allclose(run.predict(images), answer, atol=1e-5)
