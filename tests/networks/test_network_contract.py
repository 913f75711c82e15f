"""What every registered network must hold; a new one is tested by being registered."""

import itertools
import subprocess
import sys

import keras
import numpy as np
import pytest

from seewell.errors import NetworkError, SeewellError
from seewell.networks import vgg
from seewell.networks.graph import calls
from seewell.networks.initializers import list_initializers
from seewell.networks.preprocessing import VALUE_RULES, fit_statistics
from seewell.networks.registry import architecture, build_network, list_networks
from seewell.networks.taps import Taps

SHAPE = (32, 32, 3)
CLASSES = 5
NETWORKS = list_networks()
IMAGES = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), np.uint8)
STATISTICS = fit_statistics(IMAGES)

pytestmark = pytest.mark.parametrize("name", NETWORKS)


def build(name, **changes):
    options = {"input_shape": SHAPE, "num_classes": CLASSES} | changes
    return build_network(name, **options)


@pytest.fixture(scope="module", autouse=True)
def narrow_vgg():
    """An eighth of VGG's widths: nothing here depends on them, and test_network_layer_table has the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        for table in ("_VGG16", "_VGG_SMALL"):
            patch.setattr(vgg, table, tuple(tuple(depth // 8 for depth in block) for block in getattr(vgg, table)))
        patch.setattr(vgg, "_HIDDEN", 512)
        yield


@pytest.fixture(scope="module")
def built(narrow_vgg):
    """One network a name, with everything on; nobody changes it."""
    kept = {}

    def give(name):
        if name not in kept:
            keras.utils.set_random_seed(0)
            kept[name] = build(name, preprocess="mean-image", statistics=STATISTICS, l2=1e-3, dropout=0.25)
        return kept[name]

    yield give
    kept.clear()


def test_it_takes_uint8_and_gives_float32_probabilities(name, built):
    network = built(name)
    assert network.inputs[0].dtype == "uint8"
    assert tuple(network.input_shape) == (None, *SHAPE)
    probabilities = np.asarray(network(IMAGES, training=False))
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (4, CLASSES)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_logits_and_probabilities_are_layers_of_these_names(name, built):
    network = built(name)
    assert network.layers[-1].name == "probabilities"
    assert network.layers[-2].name == "logits"
    logits = keras.Model(network.input, network.get_layer("logits").output)(IMAGES)
    np.testing.assert_allclose(keras.ops.softmax(logits), network(IMAGES), atol=1e-6)


def test_every_nonlinearity_is_a_layer_of_its_own(name, built):
    for layer in built(name).layers:
        if layer.weights and hasattr(layer, "activation"):
            assert layer.activation is keras.activations.linear, layer.name
    rectified = {id(call.inputs[0]) for call in calls(built(name)) if isinstance(call.layer, keras.layers.ReLU)}
    for call in calls(built(name)):
        if call.layer.name.startswith("fc") and isinstance(call.layer, keras.layers.Dense):
            assert id(call.output) in rectified


def test_it_holds_stock_layers_only(name, built):
    for layer in built(name).layers:
        stock = keras.layers.InputLayer if type(layer).__name__ == "InputLayer" else None
        assert type(layer) is (stock or getattr(keras.layers, type(layer).__name__))


def test_preprocessing_has_nothing_to_train(name, built):
    layer = built(name).get_layer("mean_image")
    assert not layer.variables
    assert layer.dtype_policy.name == "float32"


def test_dropout_stands_before_every_fully_connected_layer(name, built):
    producers = {id(call.output): call.layer for call in calls(built(name))}
    dense = [call for call in calls(built(name)) if isinstance(call.layer, keras.layers.Dense)]
    assert dense
    for call in dense:
        before = producers[id(call.inputs[0])]
        assert isinstance(before, keras.layers.Dropout)
        assert before.name == f"{call.layer.name}_dropout"
        assert before.rate == 0.25


def test_l2_is_on_every_kernel_that_is_learned_and_nowhere_else(name, built):
    network = built(name)
    kernels = [layer.kernel for layer in network.layers if hasattr(layer, "kernel") and layer.trainable]
    expected = 1e-3 * sum(float(np.square(np.asarray(kernel), dtype=np.float64).sum()) for kernel in kernels)
    assert float(sum(network.losses)) == pytest.approx(expected, rel=1e-4)


def test_biases_and_batchnorm_start_at_their_standard_values(name, built):
    starts = {"bias": 0, "beta": 0, "gamma": 1, "moving_mean": 0, "moving_variance": 1}
    for variable in built(name).variables:
        if variable.name in starts:
            assert (np.asarray(variable) == starts[variable.name]).all(), variable.path


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(name, built):
    def weights(seed):
        keras.utils.set_random_seed(seed)
        network = build(name, dropout=0.5)
        return [variable.numpy().tobytes() for variable in network.variables if "float" in str(variable.dtype)]

    first = weights(1)
    assert weights(1) == first
    assert built(name).layers[-2].kernel.numpy().tobytes() not in first  # seed 0


CHOICES = (
    ("default", "none"),
    ("he", "scale,resize=32x32"),
    ("normal", "mean-image,pad=32x32"),
    ("small-normal", "per-channel"),
    ("xavier", "scale"),
)


@pytest.mark.parametrize(("initializer", "preprocess"), CHOICES)
def test_every_initializer_and_preprocessing_is_accepted(name, initializer, preprocess):
    assert {choice[0] for choice in CHOICES} == set(list_initializers())
    assert {choice[1].partition(",")[0] for choice in CHOICES} == set(VALUE_RULES)
    images = IMAGES[:, :16, :16] if "=" in preprocess else IMAGES
    network = build(
        name,
        input_shape=images.shape[1:],
        preprocess=preprocess,
        statistics=fit_statistics(images),
        initializer=initializer,
    )
    assert np.isfinite(np.asarray(network(images))).all()
    assert {tuple(call.output.shape[1:]) for call in calls(network)} >= {SHAPE}
    kernels = [layer.kernel.numpy() for layer in network.layers if hasattr(layer, "kernel")]
    assert not any(np.array_equal(one, other) for one, other in itertools.pairwise(kernels))


def test_grey_images_and_oblong_images_are_accepted(name):
    network = build(name, input_shape=(32, 40, 1), num_classes=2)
    assert np.asarray(network(np.zeros((1, 32, 40, 1), np.uint8))).shape == (1, 2)


def test_under_mixed_precision_the_ends_stay_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = build(name, dropout=0.1)
    finally:
        keras.config.set_dtype_policy("float32")
    assert network.output.dtype == "float32"
    assert network.get_layer("logits").output.dtype == "float32"
    assert network.get_layer("scale").output.dtype == "float32"
    assert not network.losses  # no l2 asked for
    computed = {layer.compute_dtype for layer in network.layers if layer.weights and layer.name != "logits"}
    assert computed == {"bfloat16"}
    assert all(weight.dtype == "float32" for weight in network.trainable_variables)
    np.testing.assert_allclose(np.asarray(network(IMAGES)).sum(axis=1), 1, atol=1e-5)
    taps = Taps(network)
    assert all(value.dtype == np.float32 for value in taps.pre_activations(IMAGES).values())
    assert taps.first_not_finite(IMAGES) is None


def test_its_taps_and_gradients_cover_every_kernel(name, built):
    taps = Taps(built(name))
    kernels = {layer.name: tuple(layer.kernel.shape) for layer in built(name).layers if hasattr(layer, "kernel")}
    slopes = taps.gradients(IMAGES, np.arange(4))
    assert {layer: slope.shape for layer, slope in slopes.items()} == kernels
    assert all(np.abs(slope).sum() > 0 for slope in slopes.values())
    assert set(taps.pre_activations(IMAGES[:1])) == set(kernels)


def test_an_unknown_argument_is_answered(name):
    defaults = architecture(name).defaults
    wrong = next(iter(defaults))[:-1] if defaults else "widths"
    with pytest.raises(NetworkError) as error:
        build(name, arguments={wrong: "1"})
    assert ("did you mean" in error.value.fix) if defaults else ("takes no arguments" in str(error.value))


def test_its_defaults_can_be_given_as_text(name, built):
    text = {key: str(value) for key, value in architecture(name).defaults.items()}
    network = build(name, arguments=text)
    assert network.count_params() == sum(
        int(np.prod(variable.shape)) for variable in built(name).variables if "seed" not in variable.path
    )
    assert set(architecture(name).explanations) == set(text)


def test_images_that_are_too_small_are_refused_with_the_size_that_fits(name):
    if name == "fully-connected":  # takes any size
        assert build(name, input_shape=(1, 1, 1)).output_shape == (None, CLASSES)
        return
    with pytest.raises(NetworkError) as error:
        build(name, input_shape=(3, 3, 1))
    assert "images of 3x3 are too small" in str(error.value)
    smallest = int(error.value.expected.split()[2].split("x")[0])
    build(name, input_shape=(smallest, smallest, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        {"input_shape": (32, 32)},
        {"input_shape": (4, 32, 32, 3)},
        {"input_shape": (None, 32, 3)},
        {"input_shape": (0, 32, 3)},
        {"input_shape": (32.0, 32, 3)},
        {"input_shape": (3, 32, 32)},
        {"num_classes": 1},
        {"num_classes": 2.5},
        {"num_classes": True},
        {"l2": -1},
        {"l2": float("nan")},
        {"dropout": 1.0},
        {"dropout": "0.5"},
        {"preprocess": "scal"},
        {"preprocess": "mean-image"},
        {"initializer": "hee"},
    ],
    ids=str,
)
def test_options_that_make_no_sense_say_what_to_do(name, wrong):
    with pytest.raises(SeewellError) as error:
        build(name, **wrong)
    assert error.value.expected
    assert error.value.fix


LOADER = """
import sys
sys.modules["seewell"] = None  # importing it raises ImportError
import keras, numpy as np
images = np.load(sys.argv[1])
network = keras.models.load_model(sys.argv[2])
np.save(sys.argv[3], network.predict(images, verbose=0))
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras 3.15
def test_a_saved_network_gives_the_same_predictions(name, built, tmp_path):
    built(name).save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(np.asarray(again(IMAGES)), np.asarray(built(name)(IMAGES)))
    if name == "resnet20":  # once, and with the layer that needs most tricks
        np.save(tmp_path / "images.npy", IMAGES)
        paths = [str(tmp_path / file) for file in ("images.npy", "network.keras", "out.npy")]
        subprocess.run([sys.executable, "-c", LOADER, *paths], check=True, capture_output=True)
        np.testing.assert_allclose(np.load(paths[2]), built(name)(IMAGES), atol=1e-6)
