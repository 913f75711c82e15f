"""`speed`: what is special to it beside what every network holds."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from seewell.errors import NetworkError
from seewell.networks import speed
from seewell.networks.preprocessing import fit_statistics
from seewell.networks.registry import build_network
from seewell.networks.taps import Taps
from seewell.training.optimizers import make_optimizer

IMAGES = np.random.default_rng(0).integers(0, 256, (60, 12, 12, 3), np.uint8)
IMAGES[:, :, :, 1] = IMAGES[:, :, :, 0] // 2 + IMAGES[:, :, :, 1] // 4  # channels that hang together


def build(images=IMAGES, preprocess="per-channel", **arguments):
    keras.utils.set_random_seed(0)
    return build_network(
        "speed",
        input_shape=images.shape[1:],
        num_classes=4,
        preprocess=preprocess,
        statistics=fit_statistics(images),
        arguments={"widths": "6-8", **arguments},
    )


def inside(network, layer, images=IMAGES):
    return np.asarray(keras.Model(network.input, network.get_layer(layer).output)(images))


@pytest.mark.parametrize("preprocess", ["per-channel", "scale", "mean-image", "scale,pad=16x16", "none"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_layer_whitens_what_the_preprocessing_leaves(preprocess, channels):
    images = IMAGES[..., :channels]
    network = build(images, preprocess)
    responses = inside(network, "whiten", images)[..., : 4 * channels].reshape(-1, 4 * channels).astype(np.float64)
    moments = responses.T @ responses / len(responses)
    assert np.abs(moments - np.diag(np.diag(moments))).max() < 1e-2
    assert np.diag(moments).max() < 1.001
    assert np.diag(moments).min() > 0.8  # the least variance is 0.003, and 5e-4 is added to it


def test_its_kernel_is_fixed_and_nothing_else_is():
    network = build()
    assert [one.path for one in network.non_trainable_variables if "moving" not in one.path] == ["whiten/kernel"]
    learned = build(whiten="false")
    assert "whiten/kernel" in [one.path for one in learned.trainable_variables]
    assert not np.array_equal(learned.get_layer("whiten").kernel, network.get_layer("whiten").kernel)


@pytest.mark.parametrize("limit", [1, 2**12, 2**30])
def test_whitening_is_found_from_a_few_images_at_a_time(monkeypatch, limit):
    whole = build().get_layer("whiten").kernel.numpy()
    monkeypatch.setattr(speed, "_FIT_BYTES", limit)
    np.testing.assert_allclose(build().get_layer("whiten").kernel, whole, atol=2e-4)


def test_without_images_the_first_layer_is_an_orthonormal_basis():
    network = build_network("speed", input_shape=(12, 12, 1), num_classes=4)
    kernel = network.get_layer("whiten").kernel.numpy().reshape(4, 8)
    np.testing.assert_allclose(kernel[:, :4].T @ kernel[:, :4], np.eye(4), atol=1e-6)


def test_the_constants_survive_a_file(tmp_path):
    network = build()
    network.save(tmp_path / "network.keras")
    again = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(again.get_layer("whiten").kernel, network.get_layer("whiten").kernel)
    assert again.get_layer("whiten").trainable is False
    np.testing.assert_array_equal(np.asarray(again(IMAGES)), np.asarray(network(IMAGES)))


@pytest.mark.parametrize(
    ("pooling", "shapes"),
    [
        ("between", [(11, 11), (5, 5), (5, 5), (2, 2)]),
        ("end", [(11, 11), (11, 11), (5, 5), (5, 5)]),
        ("stride", [(6, 6), (6, 6), (3, 3), (3, 3)]),
    ],
)
def test_the_pooling_stands_where_it_is_asked_for(pooling, shapes):
    network = build(pooling=pooling)
    found = [network.get_layer(name).output.shape[1:3] for name in ("conv1_1", "conv1_2", "conv2_1", "conv2_2")]
    assert [tuple(one) for one in found] == shapes
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("MaxPooling2D") == (0 if pooling == "stride" else 2)


@pytest.mark.parametrize(("convolutions", "activation"), [(1, "gelu"), (2, "relu"), (3, "silu")])
def test_blocks_have_as_many_convolutions_and_the_nonlinearity_asked_for(convolutions, activation):
    network = build(convolutions=convolutions, activation=activation)
    names = [layer.name for layer in network.layers if layer.name.endswith(f"_{activation}")]
    asked = itertools.product((1, 2), range(1, convolutions + 1))
    assert names == [f"whiten_{activation}", *(f"conv{block}_{index}_{activation}" for block, index in asked)]


def test_batchnorm_has_no_scale_and_the_last_layer_no_bias():
    names = {variable.name for variable in build().variables}
    assert names == {"kernel", "beta", "moving_mean", "moving_variance"}


def test_the_features_are_divided_before_the_last_layer():
    one, nine = build(divisor=1), build(divisor=9)
    np.testing.assert_allclose(inside(one, "logits"), 9 * inside(nine, "logits"), rtol=1e-4)


@pytest.mark.parametrize("constraint", ["unit-norm", "none"])
def test_filters_have_norm_1_after_an_update_where_that_is_asked_for(constraint):
    network = build(constraint=constraint)
    variables = network.trainable_variables
    optimizer = make_optimizer("muon", learning_rate=0.1)
    optimizer.build(variables)
    optimizer.apply([tf.ones(one.shape) for one in variables], variables)
    norms = [np.sqrt((one.numpy() ** 2).sum(axis=(0, 1, 2))) for one in variables if len(one.shape) == 4]
    assert all(np.allclose(norm, 1, atol=1e-5) for norm in norms) == (constraint == "unit-norm")


def test_what_goes_into_a_nonlinearity_is_read_behind_pool_and_batchnorm():
    network = build()
    found = Taps(network).pre_activations(IMAGES[:4])
    np.testing.assert_allclose(found["conv1_1"], inside(network, "conv1_1_norm", IMAGES[:4]), atol=1e-5)
    np.testing.assert_allclose(found["conv1_2"], inside(network, "conv1_2_norm", IMAGES[:4]), atol=1e-5)


def test_images_too_small_for_its_blocks_are_refused_with_the_size_that_fits():
    with pytest.raises(NetworkError, match="images of 8x8 are too small for speed") as caught:
        build_network("speed", input_shape=(8, 8, 1), num_classes=10)
    assert "at least 9x9" in caught.value.expected
    build_network("speed", input_shape=(8, 8, 1), num_classes=10, arguments={"widths": "4-4"})
