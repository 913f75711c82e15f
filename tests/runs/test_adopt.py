"""An adopted network is a run: it says where it came from, is measured, and its training can go on."""

import numpy as np
import pytest
from foreign_makers import CLASSES, SHAPE, save_graph, series_convnet, small_keras_model

import seewell
from seewell.data.dataset import ImageDataset, Split
from seewell.data.decode import Decoding
from seewell.errors import ConfigError, DataError, FormatError, RunError
from seewell.runs.adopt import adopt
from seewell.runs.checkpoint import latest_complete, load


def dataset_of(count=40, names="abcde"):
    rng = np.random.default_rng(1)

    def split(size):
        return Split(rng.integers(0, 256, (size, *SHAPE)).astype(np.uint8), np.arange(size, dtype=np.int64) % CLASSES)

    decoding = Decoding(channels=1, height=8, width=8)
    return ImageDataset("five", "five", tuple(names), split(count), split(15), split(20), decoding)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return save_graph(tmp_path_factory.mktemp("made"), series_convnet)


def test_adopt_is_public():
    assert seewell.adopt is adopt


def test_a_run_says_where_it_came_from(made, tmp_path):
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    origin = run.info["adopted"]
    assert origin["kind"] == "TensorFlow 1 checkpoint"
    assert set(origin["sha256"]) == {"net.ckpt-2.index", "net.ckpt-2.meta", "net.ckpt-2.data-00000-of-00001"}
    assert origin["command"] == f"seewell adopt {made.prefix} --input-range 0..1"
    assert origin["layers"]["layer1"] == "Conv2D"
    assert run.summary["network"] == "adopted"
    assert run.summary["steps"] == 2
    assert run.summary["test_accuracy"] is None
    assert run.classes == ("0", "1", "2", "3", "4")
    assert run.config.steps == 2


@pytest.mark.slow
def test_it_loads_where_seewell_cannot_be_imported(made, tmp_path, run_python):
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    np.savez(tmp_path / "images.npz", images=made.images)
    code = (
        "import sys; sys.modules['seewell'] = None\n"
        "import keras, numpy as np\n"
        "model = keras.models.load_model(sys.argv[1])\n"
        "np.save(sys.argv[3], model.predict(np.load(sys.argv[2])['images'], verbose=0))\n"
    )
    done = run_python(code, run.path / "network.keras", tmp_path / "images.npz", tmp_path / "found.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "found.npy"), made.answer, atol=1e-5)


def test_labels_give_the_classes(made, tmp_path):
    (tmp_path / "names.txt").write_text("ant\nbee\n\ncat\ndog\nelk\n")
    run = adopt(made.prefix, input_range="0..1", labels=tmp_path / "names.txt", out=tmp_path / "run")
    assert run.classes == ("ant", "bee", "cat", "dog", "elk")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", "b"], "the labels name 2 classes, and the network has 5"),
        (["a", "a", "b", "c", "d"], "the labels name 5 classes"),
    ],
)
def test_labels_that_do_not_fit_are_refused(made, tmp_path, labels, said):
    with pytest.raises(ConfigError, match=said):
        adopt(made.prefix, input_range="0..1", labels=labels, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_labels_that_cannot_be_read_are_refused(made, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        adopt(made.prefix, input_range="0..1", labels=tmp_path / "none.txt", out=tmp_path / "run")


def test_a_source_measures_it(made, tmp_path):
    dataset = dataset_of()
    run = adopt(made.prefix, input_range="0..1", source=dataset, out=tmp_path / "run")
    assert run.classes == tuple("abcde")
    assert run.summary["test_accuracy"] == run.evaluate(dataset).accuracy
    assert run.info["dataset"]["counts"] == {"train": 40, "validation": 15, "test": 20}
    assert run.info["dataset"]["fingerprint"] == dataset.fingerprint()


def test_a_source_of_other_images_is_refused(made, tmp_path, small_dataset):
    with pytest.raises(ConfigError, match='the input "input" takes 8x8x1, and the images have 4x4x1'):
        adopt(made.prefix, input_range="0..1", source=small_dataset, out=tmp_path / "run")


def test_a_source_with_other_classes_is_refused(made, tmp_path):
    with pytest.raises(ConfigError, match="the source has 10 classes, and the network has 5"):
        adopt(made.prefix, input_range="0..1", source="digits", out=tmp_path / "run")


def test_without_a_source_evaluate_asks_for_one(made, tmp_path):
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    with pytest.raises(DataError, match="adopted without a source") as problem:
        run.evaluate()
    assert "seewell evaluate" in problem.value.fix
    assert run.evaluate(dataset_of(names="01234")).count == 20


def test_a_folder_that_is_not_empty_is_left_alone(made, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine").write_text("x")
    with pytest.raises(RunError, match="is not empty"):
        adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    assert [one.name for one in (tmp_path / "run").iterdir()] == ["mine"]


def test_a_disk_that_is_full_leaves_nothing(made, tmp_path, monkeypatch):
    import errno

    from seewell.runs import adopted_run

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(adopted_run, "point", full)
    with pytest.raises(RunError, match="No space left"):
        adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["nothing", "nothing.keras", "nothing.npz", "folder"])
def test_what_is_not_there_is_named(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FormatError, match=name):
        adopt(tmp_path / name, input_range="0..1", out=tmp_path / "run")


def test_a_network_of_one_unit_is_refused(tmp_path):
    import keras

    keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(1)]).save(tmp_path / "one.keras")
    with pytest.raises(FormatError, match="not one number a class"):
        adopt(tmp_path / "one.keras", input_range="0..1", out=tmp_path / "run")


@pytest.mark.parametrize("last", ["sigmoid", "softmax-and-more"])
def test_no_softmax_is_put_behind_probabilities(tmp_path, last):
    import keras

    layers = [keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(3, activation=last.partition("-")[0])]
    layers += [keras.layers.Rescaling(1.0)] if last != "sigmoid" else []
    keras.Sequential(layers).save(tmp_path / "n.keras")
    with pytest.raises(FormatError, match="lies between 0 and 1"):
        adopt(tmp_path / "n.keras", input_range="0..1", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_report_of_an_adopted_run_says_how_it_was_made(made, tmp_path):
    from seewell.report.html import write_report

    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    page = write_report(run, tmp_path / "report.html").read_text()
    assert "seewell adopt" in page


OPTIMIZERS = {
    "adam": (lambda tf: tf.train.AdamOptimizer(2e-3), "adam"),
    "momentum": (lambda tf: tf.train.MomentumOptimizer(0.05, 0.9), "momentum"),
    "nesterov": (lambda tf: tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True), "nesterov"),
    "sgd": (lambda tf: tf.train.GradientDescentOptimizer(0.05), "sgd"),
}


def trained(folder, make, more):
    """A checkpoint after two updates, and the answer after ``more`` further ones in TensorFlow 1 itself."""
    import tensorflow

    tf = tensorflow.compat.v1
    dataset = dataset_of()
    images, labels = dataset.train.images / np.float32(255), dataset.train.labels
    with tf.Graph().as_default():
        tf.set_random_seed(4)
        taken = tf.placeholder(tf.float32, (None, *SHAPE), name="input")
        wanted = tf.placeholder(tf.int64, (None,), name="labels")
        output = series_convnet(tf, taken, widths=((4,), (6,)))
        logits = output.op.inputs[0]
        cost = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=wanted, logits=logits))
        update = make(tf).minimize(cost)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(2):
                session.run(update, {taken: images, wanted: labels})
            prefix = tf.train.Saver().save(session, str(folder / "net.ckpt"), global_step=2)
            for _ in range(more):
                session.run(update, {taken: images, wanted: labels})
            return prefix, dataset, session.run(output, {taken: images})


@pytest.mark.parametrize("kind", list(OPTIMIZERS))
def test_training_goes_on_as_it_would_have_in_tensorflow_1(tmp_path, kind):
    import tensorflow as tf

    from seewell.data.batches import Chunk
    from seewell.training.trainee import make_trainee

    make, name = OPTIMIZERS[kind]
    prefix, dataset, expected = trained(tmp_path, make, more=3)
    run = adopt(prefix, input_range="0..1", source=dataset, out=tmp_path / "run")
    assert run.config.optimizer == name
    assert run.config.learning_rate == pytest.approx(2e-3 if kind == "adam" else 0.05)
    assert run.info["adopted"]["notes"] == []
    newest, _ = latest_complete(run.path / "checkpoints")
    config = run.config.changed(batch_size=len(dataset.train))
    trainee = make_trainee(config, SHAPE, CLASSES, None, tf.distribute.get_strategy(), kept=run.path / "network.keras")
    trainee.restore(load(newest))
    indices = np.tile(np.arange(len(dataset.train), dtype=np.int32), (3, 1))
    chunk = Chunk(
        first_step=2,
        indices=indices,
        numbers=indices,
        epochs=np.zeros_like(indices),
        images=tf.constant(dataset.train.images),
        labels=tf.constant(dataset.train.labels, tf.int32),
    )
    trainee.steps.run(chunk, np.full(3, config.learning_rate, np.float32))
    found = trainee.model.predict(dataset.train.images, verbose=0)
    before = run.predict(dataset.train.images)
    assert np.abs(before - expected).max() > 1e-3, "the updates must change something"
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_an_optimizer_without_memory_of_a_weight_is_left_behind_and_that_is_said(tmp_path):
    def saver(tf):
        return tf.train.Saver([one for one in tf.global_variables() if "Adam" not in one.name])

    def train(tf, output):
        cost = -tf.reduce_mean(tf.log(output + 1e-6)[:, 0])
        return tf.train.AdamOptimizer(1e-3).minimize(cost)

    made = save_graph(tmp_path, series_convnet, saver=saver, train=train)
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    assert any("memory was left behind" in note for note in run.info["adopted"]["notes"])
    assert run.info["adopted"]["optimizer"]["slots"] == 0


def test_a_foreign_keras_network_keeps_its_layers_names(tmp_path):
    small_keras_model().save(tmp_path / "sound.keras")
    run = adopt(tmp_path / "sound.keras", input_range="0..1", out=tmp_path / "run")
    assert "first" in [layer.name for layer in run.network.layers]
    assert run.info["adopted"]["kind"] == "Keras network"


def test_an_adopted_run_is_trained_further_on_its_source(tmp_path):
    from seewell.workbench import resume

    dataset = dataset_of()
    np.savez(tmp_path / "five.npz", images=dataset.train.images, labels=dataset.train.labels)
    small_keras_model().save(tmp_path / "sound.keras")
    run = adopt(tmp_path / "sound.keras", input_range="0..1", source=tmp_path / "five.npz", out=tmp_path / "run")
    before, steps = run.network.get_weights(), run.summary["steps"]
    further = resume(run.path, more_epochs=2, doctor=False)
    assert further.summary["steps"] > steps
    assert further.config.network == "adopted"
    after = further.network.get_weights()
    assert any(np.abs(a - b).max() > 1e-4 for a, b in zip(after, before, strict=True))
    assert further.predict(dataset.train.images).shape == (40, CLASSES)
    assert [entry["kind"] for entry in further.history].count("validation") >= 1


def test_an_adopted_run_without_a_source_cannot_be_trained_further(tmp_path):
    from seewell.workbench import resume

    small_keras_model().save(tmp_path / "sound.keras")
    run = adopt(tmp_path / "sound.keras", input_range="0..1", out=tmp_path / "run")
    with pytest.raises(DataError, match="adopted without a source"):
        resume(run.path, more_epochs=1)
