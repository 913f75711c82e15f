"""Evaluation: figures against their formulas; how images are batched changes no answer."""

import json
import math

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

from seewell.networks.registry import build_network
from seewell.runs import evaluation
from seewell.runs.evaluation import Predictor, evaluate, predictor_of, wilson_interval


@hypothesis.given(st.integers(1, 10_000), st.data())
def test_the_interval_is_wilson_s_formula(count, data):
    right = data.draw(st.integers(0, count))
    z, share = 1.959963984540054, right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    low, high = wilson_interval(right, count)
    assert low == pytest.approx(max(0, middle - half), abs=1e-9)
    assert high == pytest.approx(min(1, middle + half), abs=1e-9)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_has_the_published_values(right, count, low, high):
    assert wilson_interval(right, count) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_without_trials_nothing_is_known():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_another_confidence_is_another_width():
    assert wilson_interval(5, 10, 0.99)[0] < wilson_interval(5, 10)[0]


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(3)
    return build_network("convnet", input_shape=(6, 6, 1), num_classes=4, arguments={"widths": "4"})


IMAGES = np.random.default_rng(0).integers(0, 256, (37, 6, 6, 1)).astype(np.uint8)
truths = np.random.default_rng(1).integers(0, 3, 37)
CLASSES = ("a", "b", "c", "d")


def test_the_figures_are_those_of_the_predictions(network):
    found = evaluate(network, IMAGES, truths, CLASSES, "test")
    expected = network.predict(IMAGES, verbose=0)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    assert found.probabilities.dtype == np.float32
    answers = found.probabilities.argmax(axis=1)
    assert found.accuracy == (answers == truths).mean()
    assert found.loss == pytest.approx(-np.log(expected[np.arange(37), truths]).mean(), rel=1e-5)
    assert (found.split, found.count) == ("test", 37)
    assert found.interval == wilson_interval(int((answers == truths).sum()), 37)
    for truth in range(4):
        for answer in range(4):
            assert found.confusion[truth, answer] == np.sum((truths == truth) & (answers == answer))
    assert found.confusion.dtype == np.int64
    for index, one in enumerate(found.per_class):
        own = truths == index
        assert (one.name, one.count) == (CLASSES[index], own.sum())
        if own.any():
            assert one.accuracy == (answers[own] == index).mean()
    assert found.per_class[3].accuracy is None
    assert found.per_class[3].interval == (0.0, 1.0)


def test_the_figures_are_ready_for_json(network):
    values = evaluate(network, IMAGES, truths, CLASSES, "test").to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert "probabilities" not in values


def fixed(logits):
    """A network that gives the same logits for every image."""
    image = keras.Input((2, 2, 1), dtype="uint8")
    flat = keras.layers.Rescaling(0.0)(keras.layers.Flatten()(image))
    layer = keras.layers.Dense(len(logits), name="logits", bias_initializer=keras.initializers.Constant(0.0))
    scores = layer(flat)
    layer.set_weights([np.zeros((4, len(logits)), np.float32), np.array(logits, np.float32)])
    return keras.Model(image, keras.layers.Activation("softmax", name="probabilities")(scores))


def test_a_cost_that_probabilities_cannot_hold_is_taken_from_the_logits():
    found = evaluate(fixed([0.0, 500.0]), np.zeros((3, 2, 2, 1), np.uint8), np.zeros(3, np.int64), ("a", "b"), "test")
    assert found.loss == pytest.approx(500.0)
    assert found.probabilities[0, 0] == 0


def test_known_logits_have_the_known_cost():
    found = evaluate(
        fixed([1.0, 1.0, 1.0]), np.zeros((5, 2, 2, 1), np.uint8), np.arange(5) % 3, ("a", "b", "c"), "test"
    )
    assert found.loss == pytest.approx(math.log(3))


def test_a_network_without_a_layer_of_logits_is_measured_by_its_probabilities(network):
    renamed = keras.Sequential([keras.Input((6, 6, 1), dtype="uint8"), network])
    one = evaluate(renamed, IMAGES, truths, CLASSES, "test")
    other = evaluate(network, IMAGES, truths, CLASSES, "test")
    assert one.accuracy == other.accuracy
    assert one.loss == pytest.approx(other.loss, rel=1e-5)


@pytest.mark.parametrize("most", [1, 5, 16, 1000])
@pytest.mark.parametrize("count", [0, 1, 2, 16, 37])
def test_batches_and_their_padding_change_no_answer(network, most, count):
    predictor = Predictor(network)
    predictor.most = most
    _, shares = predictor(IMAGES[:count])
    if count == 0:
        assert len(shares) == 0
        return
    assert shares.shape == (count, 4)
    np.testing.assert_allclose(shares, network.predict(IMAGES[:count], verbose=0), atol=1e-6)


@hypothesis.given(st.integers(1, 5000))
def test_a_batch_is_at_most_an_eighth_too_large_and_few_sizes_are_used(count):
    size = evaluation._few_sizes(count)
    assert count <= size <= max(count + 1, 1.125 * count)
    assert len({evaluation._few_sizes(one) for one in range(513, 1025)}) <= 8


def test_a_memory_map_is_read_in_parts(network, tmp_path):
    np.save(tmp_path / "x.npy", IMAGES)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    np.testing.assert_array_equal(predictor_of(network)(mapped)[1], predictor_of(network)(IMAGES)[1])


def test_a_network_has_one_predictor_that_sees_new_weights():
    network = fixed([0.0, 0.0])
    first = predictor_of(network)
    image = np.zeros((1, 2, 2, 1), np.uint8)
    np.testing.assert_allclose(first(image)[1], [[0.5, 0.5]])
    network.get_layer("logits").set_weights([np.zeros((4, 2), np.float32), np.array([0.0, np.log(3)], np.float32)])
    assert predictor_of(network) is first
    np.testing.assert_allclose(first(image)[1], [[0.25, 0.75]], rtol=1e-6)


def test_a_predictor_is_traced_once_for_all_sizes(network):
    predictor = Predictor(network)
    for count in (1, 3, 20, 37):
        predictor(IMAGES[:count])
    assert predictor._call.experimental_get_tracing_count() == 1


def test_a_network_that_is_gone_takes_its_predictor_with_it():
    import gc

    network = fixed([0.0, 0.0])
    predictor_of(network)
    before = len(evaluation._PREDICTORS)
    del network
    gc.collect()
    assert len(evaluation._PREDICTORS) < before
