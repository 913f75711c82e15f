"""What must not be loaded is refused before it is, and what is sound loads."""

import resource
import shutil

import corpus
import corpus_graphs
import numpy as np
import pytest
from foreign_makers import SHAPE, save_graph, series_convnet, small_keras_model

from seewell.errors import FormatError, RunError
from seewell.runs.adopt import adopt, save_weights
from seewell.runs.gate import check_keras_file, check_keras_h5, check_npz, check_safetensors
from seewell.runs.run import open_run

ALL = [*corpus.KERAS, *corpus.OTHERS, *corpus_graphs.GRAPHS]


@pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)
def test_every_file_of_the_corpus_is_refused_and_the_canary_is_never_touched(tmp_path, make):
    canary = tmp_path / "canary"
    path = make(tmp_path, canary)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FormatError) as problem:
        adopt(path, input_range="0..1", out=tmp_path / "run")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert not canary.exists()
    assert not (tmp_path / "run").exists()
    assert problem.value.exit_code == 2
    assert problem.value.fix
    assert problem.value.expected
    assert "file" in problem.value.details
    assert "\n" not in problem.value.what
    assert grown < 700_000, "kilobytes taken for a file that is refused"


@pytest.mark.parametrize("make", corpus.KERAS[::3], ids=lambda make: make.__name__)
def test_a_run_s_own_network_passes_the_gate_too(tmp_path, own_run, make):
    canary = tmp_path / "canary"
    (tmp_path / "made").mkdir()
    evil = make(tmp_path / "made", canary)
    (own_run / "network.keras").unlink()
    shutil.move(evil, own_run / "network.keras")
    with pytest.raises(RunError, match=r"network\.keras is refused") as problem:
        _ = open_run(own_run).network
    assert not canary.exists()
    assert str(problem.value.details["file"]).endswith("network.keras")


def test_the_canary_is_real_a_lambda_that_is_loaded_without_the_gate_touches_it(tmp_path):
    import keras

    canary = tmp_path / "canary"
    path = corpus.a_lambda(tmp_path, canary)
    model = keras.models.load_model(path, safe_mode=False)
    model.predict(np.zeros((1, *SHAPE)), verbose=0)
    assert canary.exists()


def test_the_canary_is_real_a_saved_model_that_is_run_touches_it(tmp_path):
    import tensorflow as tf

    canary = tmp_path / "canary"
    path = corpus_graphs.saved_model_that_writes_in_a_dataset(tmp_path, canary)
    loaded = tf.saved_model.load(str(path))
    loaded.signatures["serving_default"](tf.zeros((1, *SHAPE)))
    assert canary.exists()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (corpus.a_lambda, 'the class "keras.layers.Lambda"'),
        (corpus.a_saved_model_layer, 'the class "keras.layers.TFSMLayer"'),
        (corpus.a_module_of_python, 'the class "builtins.exec"'),
        (corpus.a_member_outside, 'it contains "../../canary"'),
        (corpus.a_path_as_layer_name, "a path or a URL"),
        (corpus.an_external_link, r'"/layers/conv2d/vars/0" is a link to somewhere else \(ExternalLink\)'),
        (corpus.values_in_another_file, '"/layers/conv2d/vars/0" takes its values from another file'),
        (corpus.ten_billion_units, "its layers would take"),
        (corpus.a_huge_padding_inside_a_nested_network, "a layer gives 4,000"),
        (corpus_graphs.a_file_written, 'the node "quiet" is the operation "WriteFile"'),
        (corpus_graphs.a_file_written_in_a_function, 'the node "harmless/quiet" is the operation "WriteFile"'),
        (corpus_graphs.a_file_written_in_a_graph_in_a_graph, 'in a graph inside the constant "inside"'),
        (corpus_graphs.a_circle, "runs in a circle"),
        (corpus_graphs.functions_that_double_forever, "operations lead to its output"),
        (corpus_graphs.a_function_that_calls_itself, "functions call each other"),
        (corpus_graphs.variables_that_lie_elsewhere, "its variables lie in another folder"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_refusal_says_what_was_found_and_where(tmp_path, make, said):
    path = make(tmp_path, tmp_path / "canary")
    with pytest.raises(FormatError, match=said):
        adopt(path, input_range="0..1", out=tmp_path / "run")


def test_the_weights_of_a_refused_graph_can_still_be_taken(tmp_path):
    prefix = corpus_graphs.a_file_written(tmp_path, tmp_path / "canary")
    with pytest.raises(FormatError) as problem:
        adopt(prefix, input_range="0..1", out=tmp_path / "run")
    assert "--weights-only" in problem.value.fix
    assert "layer1_weights" in save_weights(prefix, tmp_path / "weights.safetensors")
    assert not (tmp_path / "canary").exists()


def sound_models():
    import keras

    def residual():
        image = keras.Input(SHAPE)
        x = keras.layers.Conv2D(4, 3, padding="same", kernel_regularizer=keras.regularizers.L2(1e-4))(image)
        y = keras.layers.DepthwiseConv2D(3, padding="same", activation="gelu")(x)
        x = keras.layers.Concatenate()([keras.layers.Add()([x, y]), y])
        x = keras.layers.GlobalAveragePooling2D()(keras.layers.LayerNormalization()(x))
        return keras.Model(image, keras.layers.Softmax()(keras.layers.Dense(5)(x)))

    def nested():
        inner = small_keras_model()
        image = keras.Input(SHAPE)
        return keras.Model(image, inner(image))

    def operations():
        image = keras.Input(SHAPE)
        x = keras.ops.relu(keras.layers.Conv2D(4, 3)(image / 2.0 - 0.5))
        x = keras.layers.Dense(5)(keras.ops.mean(x, axis=(1, 2)))
        return keras.Model(image, keras.ops.softmax(x))

    def augmented():
        return keras.Sequential(
            [
                keras.Input(SHAPE),
                keras.layers.RandomFlip(seed=1),
                keras.layers.Flatten(),
                keras.layers.Dense(5, kernel_initializer=keras.initializers.Orthogonal()),
                keras.layers.Activation("softmax"),
            ]
        )

    def compiled():
        model = small_keras_model()
        rate = keras.optimizers.schedules.CosineDecay(1e-3, 10)
        model.compile(keras.optimizers.AdamW(rate), keras.losses.CategoricalCrossentropy(), ["accuracy"])
        return model

    return {"sequential": small_keras_model, "residual": residual, "nested": nested, "augmented": augmented} | {
        "compiled": compiled,
        "operations": operations,
    }


@pytest.mark.parametrize("kind", ["sequential", "residual", "nested", "augmented", "compiled", "operations"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_sound_keras_networks_become_runs_that_answer_the_same(tmp_path, kind, ending):
    if (kind, ending) == ("operations", "h5"):
        pytest.skip("Keras 3.15.1 itself does not load them from this format")
    model = sound_models()[kind]()
    path = tmp_path / f"sound.{ending}"
    model.save(path)
    (check_keras_file if ending == "keras" else check_keras_h5)(path)
    run = adopt(path, input_range="0..1", out=tmp_path / "run")
    images = np.random.default_rng(0).integers(0, 256, (16, *SHAPE)).astype(np.uint8)
    expected = model.predict(images / np.float32(255), verbose=0)
    opened = open_run(run.path)
    np.testing.assert_allclose(opened.predict(images), expected, atol=1e-5)
    assert "logits" in [layer.name for layer in opened.network.layers]


def test_a_network_that_takes_bytes_needs_no_input_range(tmp_path):
    model = small_keras_model(uint8=True)
    model.save(tmp_path / "sound.keras")
    run = adopt(tmp_path / "sound.keras", out=tmp_path / "run")
    images = np.random.default_rng(0).integers(0, 256, (16, *SHAPE)).astype(np.uint8)
    np.testing.assert_allclose(run.predict(images), model.predict(images, verbose=0), atol=1e-5)


def test_every_registered_network_passes(tmp_path):
    from seewell.networks.registry import architecture, build_network, list_networks

    for name in list_networks():
        arguments = {"widths": "8"} if name in ("fully-connected", "convnet") else {}
        if name in ("vgg16", "resnet18"):
            continue  # large; their layers are those of vgg-small and resnet20
        shape = architecture(name).example_shape
        build_network(name, input_shape=shape, num_classes=3, arguments=arguments).save(tmp_path / "n.keras")
        check_keras_file(tmp_path / "n.keras")


def test_sound_files_of_arrays_pass(tmp_path):
    from safetensors.numpy import save_file

    arrays = {"a": np.zeros((2, 3), np.float32), "b": np.zeros((), np.int64), "empty": np.zeros((0, 4), np.float32)}
    save_file(arrays, tmp_path / "sound.safetensors", metadata={"by": "somebody"})
    np.savez_compressed(tmp_path / "sound.npz", **arrays)
    assert check_safetensors(tmp_path / "sound.safetensors")["a"] == ((2, 3), "F32")
    assert check_npz(tmp_path / "sound.npz")["b"] == ((), "int64")


def test_a_sound_graph_passes(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    np.testing.assert_allclose(run.predict(made.images), made.answer, atol=1e-5)


def test_what_was_adopted_holds_no_path_into_the_gate_s_refusals(tmp_path):
    made = save_graph(tmp_path, series_convnet)
    run = adopt(made.prefix, input_range="0..1", out=tmp_path / "run")
    check_keras_file(run.path / "network.keras")


@pytest.mark.parametrize("kept", [0, 1, 20, 0.5, 0.99])
def test_a_cut_keras_file_is_refused_at_any_length(tmp_path, kept):
    corpus.keras_parts(tmp_path)
    content = (tmp_path / "sound.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(content[: int(len(content) * kept) if isinstance(kept, float) else kept])
    with pytest.raises(FormatError):
        check_keras_file(tmp_path / "cut.keras")


def test_any_flipped_byte_of_the_configuration_is_refused_or_harmless(tmp_path):
    """The gate ends in a refusal or an acceptance, never in another exception."""
    corpus.keras_parts(tmp_path)
    content = bytearray((tmp_path / "sound.keras").read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(content), 60):
        changed = bytearray(content)
        changed[place] ^= int(rng.integers(1, 256))
        (tmp_path / "flipped.keras").write_bytes(changed)
        try:
            check_keras_file(tmp_path / "flipped.keras")
        except FormatError as problem:
            assert problem.what  # noqa: PT017
