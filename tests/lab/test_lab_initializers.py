"""LTFN 6 in numbers: what the four initializers do before training, on the real digits."""

import json

import numpy as np
import pytest
from PIL import Image

from seewell.data.loading import load_dataset
from seewell.lab import initializer_picture, initializers


@pytest.fixture(scope="module")
def found():
    return initializers.look(load_dataset("digits"))


def deviations(found, name):
    return [layer.deviation for layer in found.facts[name].layers.values()]


def test_normal_weights_grow_and_a_hundredth_of_them_fade_by_the_same_factors(found):
    large, small = np.array(deviations(found, "normal")), np.array(deviations(found, "small-normal"))
    assert (large[1:] / large[:-1] > 10).all()
    assert (small[1:] / small[:-1] < 0.5).all()
    # Biases are 0, so each layer before the values brings another factor of a hundred.
    np.testing.assert_allclose(large / small, 100.0 ** np.arange(1, 6), rtol=1e-3)


def test_he_keeps_all_layers_in_one_order_of_magnitude(found):
    he = deviations(found, "he")
    assert max(he) / min(he) < 10


def test_softmax_is_sure_without_cause_or_knows_nothing(found):
    assert found.facts["normal"].largest_probability > 0.99
    assert found.facts["normal"].cost > 100 * np.log(10)
    assert found.facts["small-normal"].largest_probability == pytest.approx(0.1, abs=1e-3)
    assert found.facts["small-normal"].cost == pytest.approx(np.log(10), rel=1e-3)
    values = found.values["normal"]["probabilities"]
    assert np.mean((values < 0.01) | (values > 0.99)) > 0.95


def test_the_picture_the_histograms_and_the_facts_are_written(found, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    initializer_picture.draw(found, tmp_path / "one.png")
    with Image.open(tmp_path / "one.png") as picture:
        assert picture.width > 1000
    initializers.write_tensorboard(found, tmp_path / "tensorboard")
    assert sorted(path.name for path in (tmp_path / "tensorboard").iterdir()) == sorted(initializers.INITIALIZERS)
    events = EventAccumulator(str(tmp_path / "tensorboard" / "he"))
    events.Reload()
    layers = list(found.facts["he"].layers)
    assert set(events.Tags()["tensors"]) == {"probabilities", *(f"pre-activations/{layer}" for layer in layers)}
    told = json.loads(json.dumps(found.to_dict()))
    assert set(told["initializers"]) == set(initializers.INITIALIZERS)
    assert "normal" in found.sentence()
    assert "Before training" in found.sentence()


def test_a_look_after_updates_sees_other_weights_and_says_so(found):
    after = initializers.look(load_dataset("digits"), steps=2)
    assert "After 2 updates" in after.sentence()
    assert after.facts["he"].cost != found.facts["he"].cost
    before = initializers.look(load_dataset("digits"))
    assert before.to_dict() == found.to_dict()
