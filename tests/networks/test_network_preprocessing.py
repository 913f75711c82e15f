"""Preprocessing: statistics equal the formula, the network's layers equal it too."""

import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seewell.errors import ConfigError, DataError, NetworkError
from seewell.networks import preprocessing
from seewell.networks.preprocessing import Preprocess, apply, fit_statistics, parse_preprocess

IMAGES = arrays.arrays(np.uint8, st.tuples(*(st.integers(1, 5) for _ in range(3)), st.sampled_from([1, 3])))


def through(text, images, statistics=None):
    image = keras.Input(images.shape[1:], dtype="uint8")
    model = keras.Model(image, apply(parse_preprocess(text), image, statistics))
    assert not model.variables
    return np.array(model(images))


@settings(deadline=None)
@given(images=IMAGES, chunk=st.integers(1, 100))
def test_statistics_equal_the_plain_formula_whatever_the_chunks(images, chunk):
    kept, preprocessing._CHUNK_BYTES = preprocessing._CHUNK_BYTES, chunk
    try:
        statistics = fit_statistics(images)
    finally:
        preprocessing._CHUNK_BYTES = kept
    plain = images.astype(np.float64)
    np.testing.assert_allclose(statistics.mean_image, plain.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(statistics.channel_mean, plain.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(statistics.channel_deviation, plain.std(axis=(0, 1, 2)), rtol=1e-6, atol=1e-9)
    for value in (statistics.mean_image, statistics.channel_mean, statistics.channel_deviation):
        assert value.dtype == np.float32


def test_statistics_of_a_memory_mapped_set_take_little_memory(tmp_path):
    images = np.memmap(tmp_path / "images", np.uint8, "w+", shape=(16_000, 64, 64, 1))  # 65 MB, 262 MB as float32
    images[::2] = 10
    tracemalloc.start()
    try:
        statistics = fit_statistics(images)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 45e6
    assert statistics.mean_image.shape == (64, 64, 1)
    assert (statistics.mean_image == 5).all()
    assert statistics.channel_deviation == [5]


@pytest.mark.parametrize(
    "images",
    [np.zeros((2, 4, 4, 1), np.float32), np.zeros((4, 4, 1), np.uint8), np.zeros((0, 4, 4, 1), np.uint8)],
    ids=["float", "three dimensions", "none"],
)
def test_statistics_of_anything_but_images_are_refused(images):
    with pytest.raises(DataError, match="statistics cannot be fitted"):
        fit_statistics(images)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), np.uint8)


def test_the_value_rules_are_the_formulas(images):
    statistics = fit_statistics(images)
    raw = images.astype(np.float64)
    np.testing.assert_array_equal(through("none", images), raw)
    np.testing.assert_allclose(through("scale", images), raw / 255, atol=1e-6)
    np.testing.assert_allclose(through("mean-image", images, statistics), raw - raw.mean(axis=0), atol=1e-4)
    per_channel = (raw - raw.mean(axis=(0, 1, 2))) / raw.std(axis=(0, 1, 2))
    np.testing.assert_allclose(through("per-channel", images, statistics), per_channel, atol=1e-4)


def test_a_constant_channel_is_centred_and_not_divided(images):
    images[..., 1] = 7
    values = through("per-channel", images, fit_statistics(images))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[..., 1], 0, atol=1e-5)


def test_padding_is_centred_zeros_after_the_value_rule(images):
    statistics = fit_statistics(images)
    for text in ("pad=9x7,mean-image", "mean-image,pad=9x7"):
        padded = through(text, images, statistics)
        assert padded.shape == (6, 9, 7, 3)
        np.testing.assert_array_equal(padded[:, 2:7, 1:5], through("mean-image", images, statistics))
        padded[:, 2:7, 1:5] = 0
        assert not padded.any()


def test_resize_is_bilinear(images):
    flat = np.full((1, 4, 4, 1), 100, np.uint8)
    np.testing.assert_allclose(through("none,resize=7x3", flat), np.full((1, 7, 3, 1), 100.0), rtol=1e-6)
    edge = np.zeros((1, 1, 2, 1), np.uint8)
    edge[0, 0, 1, 0] = 80
    # Half-pixel centres: four pixels from two lie at -0.25, 0.25, 0.75 and 1.25 of the old ones.
    np.testing.assert_allclose(through("none,resize=1x4", edge).ravel(), [0, 20, 60, 80], atol=1e-4)


def test_the_text_is_read_in_any_order_and_written_back():
    assert parse_preprocess("scale") == Preprocess("scale")
    assert parse_preprocess("pad=32x40") == Preprocess("scale", "pad", 32, 40)
    assert parse_preprocess(" resize=8x9 , per-channel ") == Preprocess("per-channel", "resize", 8, 9)
    for text in ("none", "mean-image,pad=32x32", "scale,resize=1x1"):
        assert str(parse_preprocess(text)) == text
    assert [parse_preprocess(rule).needs_statistics for rule in preprocessing.VALUE_RULES] == [False, False, True, True]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", 'there is no preprocessing ""'),
        ("scale,", 'there is no preprocessing ""'),
        ("mean_image", 'did you mean "mean-image"?'),
        ("pad", '"pad" in preprocess "pad" is not a size'),
        ("pad=32", "pad=HEIGHTxWIDTH"),
        ("pad=0x8", "each from 1 to 8,192"),
        ("resize=99999x8", "each from 1 to 8,192"),
        ("resize=8x8,pad=9x9", "has two geometries"),
        ("scale,none", "has two value rules"),
    ],
)
def test_text_that_is_no_preprocessing_is_refused(text, says):
    with pytest.raises(ConfigError) as error:
        parse_preprocess(text)
    assert says in str(error.value)


def test_missing_and_misfitting_statistics_are_named(images):
    with pytest.raises(NetworkError, match="mean-image needs statistics"):
        through("mean-image", images)
    with pytest.raises(NetworkError, match="fitted on images of 2x2x3, and the network takes 5x4x3"):
        through("per-channel", images, fit_statistics(images[:, :2, :2]))


def test_padding_to_less_than_the_image_is_refused(images):
    with pytest.raises(NetworkError) as error:
        through("pad=4x8", images)
    assert "images of 5x4 cannot be padded to 4x8" in str(error.value)
    assert "resize=4x8" in error.value.fix
