"""What every registered network must hold in every format; a new network or exporter is tested by being registered."""

import numpy as np
import pytest
from export_cases import IMAGES, telling_network

from seewell.networks import vgg
from seewell.networks.registry import list_networks
from seewell.runs.certificate import ALLOWED
from seewell.runs.evaluation import predictor_of
from seewell.runs.exporters import EXPORTERS, QUANTIZATIONS
from seewell.runs.exporters.answer_alone import LOADERS, answer
from seewell.runs.exporters.base import Options

PREPROCESS = {
    "fully-connected": "none,pad=24x26",
    "convnet": "mean-image,resize=32x32",
    "vgg16": "per-channel",
    "vgg-small": "mean-image,pad=32x32",
    "resnet20": "per-channel,resize=32x32",  # Resizing before BatchNorm: Keras's own export writes it in training mode
    "resnet18": "mean-image",
}
EVERY = ("none", "scale,resize=16x16", "mean-image,pad=32x40", "per-channel,resize=32x24", "scale,pad=30x30")


@pytest.fixture(scope="module", autouse=True)
def narrow_vgg():
    """An eighth of VGG's widths, as in the networks' own contract."""
    with pytest.MonkeyPatch.context() as patch:
        for table in ("_VGG16", "_VGG_SMALL"):
            patch.setattr(vgg, table, tuple(tuple(depth // 8 for depth in block) for block in getattr(vgg, table)))
        patch.setattr(vgg, "_HIDDEN", 512)
        yield


@pytest.fixture(scope="module")
def built(narrow_vgg):
    """One network a name; nobody changes it."""
    kept = {}

    def give(name):
        if name not in kept:
            kept[name] = telling_network(name, PREPROCESS.get(name, "scale,resize=32x32"))
        return kept[name]

    yield give
    kept.clear()


def check(network, format, folder, options=None):
    exporter = EXPORTERS[format]
    path = folder / exporter.file_name
    exporter.write(network, path, options or Options())
    ask = LOADERS[format](path)
    found, alone, batched = answer(ask, IMAGES)  # 32, then 8, then 1: the number of images is free
    expected = predictor_of(network)(IMAGES)[1]
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert expected.max(axis=1).mean() < 0.9  # answers that tell
    assert alone > 0
    assert batched > 0
    return np.abs(found - expected).max(), np.abs(ask(IMAGES[:1]) - expected[:1]).max()


def test_every_format_has_a_loader_and_a_name_of_its_own():
    assert set(LOADERS) == set(EXPORTERS)
    assert len({one.file_name for one in EXPORTERS.values()}) == len(EXPORTERS)
    assert all(bool(one.modules) == bool(one.extra) for one in EXPORTERS.values())


PAIRS = [
    # Eleven million weights; what its layers do, those of resnet20 do too.
    pytest.param(name, format, marks=pytest.mark.slow if name == "resnet18" and format != "onnx" else ())
    for name in list_networks()
    for format in EXPORTERS
]


@pytest.mark.parametrize(("name", "format"), PAIRS)
def test_every_network_answers_the_same_in_every_format(name, format, built, tmp_path):
    assert max(check(built(name), format, tmp_path)) < ALLOWED / 10


@pytest.mark.slow
@pytest.mark.parametrize("name", list_networks())
@pytest.mark.parametrize("format", sorted(EXPORTERS))
@pytest.mark.parametrize("preprocess", EVERY)
def test_every_preprocessing_survives_in_every_network_and_format(name, format, preprocess, tmp_path):
    assert max(check(telling_network(name, preprocess), format, tmp_path)) < ALLOWED / 10


@pytest.mark.slow
@pytest.mark.parametrize("name", list_networks())
@pytest.mark.parametrize("quantize", sorted(QUANTIZATIONS))
def test_every_network_can_be_quantized(name, quantize, tmp_path):
    options = Options(quantize, IMAGES)
    difference, _ = check(telling_network(name, "scale,resize=32x32"), "litert", tmp_path, options)
    assert 0 < difference < {"float16": 0.02, "int8": 0.5}[quantize]
