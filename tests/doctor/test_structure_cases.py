"""What looks like a fault and is none gives no warning; the fault itself is named first."""

import keras
import pytest
from structure_cases import FAULTS, HEALTHY

import seewell

HEAVY = (
    *("LayerScale", "zero gamma, gelu", "mixture of experts", "separable", "selu", "GroupNorm", "swish by hand"),
    *("zero kernel", "categorical hinge", "hinge, one output", "divergence", "subclassed, two logits"),
    *("squared hinge", "hinge on sigmoid", "divergence of logits", "subclassed, binary", "L2 of 1", "frozen, raw"),
)


def marked(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in names]


@pytest.mark.parametrize("name", marked(HEALTHY))
def test_a_sound_design_gives_no_warning(name: str) -> None:
    keras.utils.set_random_seed(0)
    model, images, labels = HEALTHY[name]()
    found = seewell.examine(model, images[:1000], labels[:1000])
    assert [(one.code, one.message) for one in found if one.severity != "info"] == []


@pytest.mark.parametrize("name", marked(FAULTS))
def test_the_fault_that_it_looks_like_is_named(name: str) -> None:
    keras.utils.set_random_seed(0)
    code, make = FAULTS[name]
    model, images, labels = make()
    found = seewell.examine(model, images[:1000], labels[:1000])
    assert [one.code for one in found if one.severity != "info"][:1] == [code]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["EfficientNetB0", "MobileNetV3Small", "MobileNetV2"])
def test_a_network_of_keras_that_takes_raw_images_gives_no_warning(name: str) -> None:
    import numpy as np
    from breadth_cases import X, Y, compiled

    keras.utils.set_random_seed(0)
    images = np.repeat(255 * X[:300].repeat(4, axis=1).repeat(4, axis=2), 3, axis=-1).astype("float32")
    images = images / 127.5 - 1 if name == "MobileNetV2" else images
    make = getattr(keras.applications, name)
    body = make(include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg")
    model = compiled(keras.Sequential([keras.Input((32, 32, 3)), body, keras.layers.Dense(10, "softmax")]))
    found = seewell.examine(model, images, Y[:300])
    assert [(one.code, one.message) for one in found if one.severity != "info"] == []
