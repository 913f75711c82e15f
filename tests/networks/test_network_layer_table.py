"""The layer table: the tables of LTFN 8 row by row, and the counts for any Keras model."""

import functools
from pathlib import Path

import keras
import pytest

from seewell.errors import NetworkError
from seewell.networks.layer_table import LayerRow, layer_table, total
from seewell.networks.registry import architecture, build_network, list_networks

CONVOLUTIONS = (36_864, 73_728, 147_456, 294_912, 589_824, 589_824, 1_179_648, 2_359_296, 2_359_296)

VGG16 = [
    ("image", "input", (224, 224, 3), 0),
    ("conv1_1", "convolution", (224, 224, 64), 1_728),
    ("conv1_2", "convolution", (224, 224, 64), 36_864),
    ("pool1", "max pool", (112, 112, 64), 0),
    ("conv2_1", "convolution", (112, 112, 128), 73_728),
    ("conv2_2", "convolution", (112, 112, 128), 147_456),
    ("pool2", "max pool", (56, 56, 128), 0),
    ("conv3_1", "convolution", (56, 56, 256), 294_912),
    ("conv3_2", "convolution", (56, 56, 256), 589_824),
    ("conv3_3", "convolution", (56, 56, 256), 589_824),
    ("pool3", "max pool", (28, 28, 256), 0),
    ("conv4_1", "convolution", (28, 28, 512), 1_179_648),
    ("conv4_2", "convolution", (28, 28, 512), 2_359_296),
    ("conv4_3", "convolution", (28, 28, 512), 2_359_296),
    ("pool4", "max pool", (14, 14, 512), 0),
    ("conv5_1", "convolution", (14, 14, 512), 2_359_296),
    ("conv5_2", "convolution", (14, 14, 512), 2_359_296),
    ("conv5_3", "convolution", (14, 14, 512), 2_359_296),
    ("pool5", "max pool", (7, 7, 512), 0),
    ("fc1", "fully connected", (4096,), 102_760_448),
    ("fc2", "fully connected", (4096,), 16_777_216),
    ("logits", "fully connected", (1000,), 4_096_000),
]


def vgg_small(first):
    return [
        ("conv1_1", "convolution", (32, 32, 64), first),
        ("conv1_2", "convolution", (32, 32, 64), 36_864),
        ("pool1", "max pool", (16, 16, 64), 0),
        ("conv2_1", "convolution", (16, 16, 128), 73_728),
        ("conv2_2", "convolution", (16, 16, 128), 147_456),
        ("pool2", "max pool", (8, 8, 128), 0),
        ("conv3_1", "convolution", (8, 8, 256), 294_912),
        ("conv3_2", "convolution", (8, 8, 256), 589_824),
        ("conv3_3", "convolution", (8, 8, 256), 589_824),
        ("pool3", "max pool", (4, 4, 256), 0),
        ("conv4_1", "convolution", (4, 4, 512), 1_179_648),
        ("conv4_2", "convolution", (4, 4, 512), 2_359_296),
        ("conv4_3", "convolution", (4, 4, 512), 2_359_296),
        ("pool4", "max pool", (2, 2, 512), 0),
        ("fc1", "fully connected", (4096,), 8_388_608),
        ("logits", "fully connected", (10,), 40_960),
    ]


def shown(rows):
    return [(row.name, row.kind, row.output_shape, row.weights) for row in rows]


@functools.cache
def table(name, shape, classes=10):
    return layer_table(build_network(name, input_shape=shape, num_classes=classes))


@pytest.mark.slow
def test_vgg16_is_the_published_table():
    rows = table("vgg16", (224, 224, 3), 1000)
    assert shown(rows) == VGG16
    assert total(rows).weights == 138_344_128
    assert total(rows).weights + total(rows).biases == 138_357_544  # as published with biases
    assert round(total(rows).multiply_adds / 1e9, 2) == 15.47


def test_vgg_small_is_the_table_of_ltfn_8_for_mnist():
    rows = shown(table("vgg-small", (28, 28, 1)))
    assert rows[:2] == [("image", "input", (28, 28, 1), 0), ("pad_to_stride", "pad", (32, 32, 1), 0)]
    assert rows[2:] == vgg_small(first=576)  # LTFN 8 prints 1,728: the true shape has one channel


def test_vgg_small_is_the_table_of_ltfn_8_for_cifar():
    rows = shown(table("vgg-small", (32, 32, 3)))
    assert rows[0] == ("image", "input", (32, 32, 3), 0)
    assert rows[1:] == vgg_small(first=1_728)


def test_convnet_and_fully_connected_are_those_of_the_series():
    assert [row[3] for row in shown(table("convnet", (28, 28, 1))) if row[3]] == [576, 36_864, 73_728, 147_456, 62_720]
    assert [row[3] for row in shown(table("fully-connected", (28, 28, 1))) if row[3]] == [392_000, 250_000, 5_000]


def test_resnets_have_the_published_sizes():
    small = total(table("resnet20", (32, 32, 3)))
    # 0.27 M with 19 convolutions, one fully connected layer and BatchNorm's gamma and beta.
    assert small.weights + small.biases == 268_336 + 10 + 2 * 688
    assert small.multiply_adds == 40_551_040
    large = total(table("resnet18", (224, 224, 3), 1000))
    assert large.weights + large.biases == 11_689_512
    assert round(large.multiply_adds / 1e9, 1) == 1.8


PAGE = Path(__file__).parents[2] / "docs" / "networks.md"


def as_markdown(row):
    shape = " × ".join(str(size) for size in row.output_shape)
    return f"| {row.name} | {row.kind} | {shape} | {row.weights:,} | {row.biases:,} | {row.multiply_adds:,} |"


@pytest.mark.parametrize("name", list_networks())
def test_the_page_on_networks_shows_these_tables_and_every_argument(name):
    page = PAGE.read_text(encoding="utf-8")
    entry = architecture(name)
    rows = table(name, entry.example_shape, entry.example_classes)
    section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    # A residual network has 56 rows and more: the page shows its total.
    wanted = [total(rows)] if name.startswith("resnet") else [*rows, total(rows)]
    assert [as_markdown(row) for row in wanted] == [line for line in section.splitlines() if line.count("|") == 7][2:]
    for argument, default in entry.defaults.items():
        assert f"| `{argument}` | `{default}` |" in section
    assert f"--network {name}" in section


def test_a_convolution_counts_its_kernel_at_every_place_of_its_output():
    image = keras.Input((9, 7, 3))
    x = keras.layers.Conv2D(5, (3, 2), strides=2, padding="valid", use_bias=False, name="conv")(image)
    assert layer_table(keras.Model(image, x))[1] == LayerRow("conv", "convolution", (4, 3, 5), 90, 0, 4 * 3 * 90)


def test_every_kind_of_layer_that_matters_is_counted():
    image = keras.Input((8, 8, 4), name="image")
    x = keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise")(image)
    x = keras.layers.SeparableConv2D(6, 3, padding="same", name="separable")(x)
    x = keras.layers.Conv2DTranspose(2, 2, strides=2, name="transposed")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Dense(3, name="everywhere")(x)
    x = keras.layers.ReLU()(keras.layers.Dropout(0.5)(x))
    x = keras.layers.GlobalMaxPooling2D(name="top")(x)
    assert layer_table(keras.Model(image, x)) == (
        LayerRow("image", "input", (8, 8, 4), 0, 0, 0),
        LayerRow("depthwise", "depthwise convolution", (8, 8, 4), 36, 4, 64 * 36),
        LayerRow("separable", "separable convolution", (8, 8, 6), 36 + 24, 6, 64 * 60),
        LayerRow("transposed", "convolution", (16, 16, 2), 48, 2, 64 * 48),
        LayerRow("norm", "batch norm", (16, 16, 2), 2, 2, 0),
        LayerRow("everywhere", "fully connected", (16, 16, 3), 6, 3, 256 * 6),
        LayerRow("top", "global max pool", (3,), 0, 0, 0),
    )


def test_nested_models_are_opened_and_shared_layers_counted_once():
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="hidden")], name="inner")
    shared = keras.layers.Dense(4, use_bias=False, name="shared")
    image = keras.Input((4,), name="image")
    model = keras.Model(image, shared(shared(inner(image))))
    rows = layer_table(model)
    assert [(row.name, row.weights) for row in rows] == [
        ("image", 0),
        ("inner/hidden", 16),
        ("shared", 16),
        ("shared", 0),
    ]
    assert total(rows) == LayerRow("total", "total", (4,), 32, 4, 48)


def test_frozen_layers_count_and_unknown_layers_with_weights_show():
    model = keras.Sequential([keras.Input((6, 4), name="image"), keras.layers.GRU(3, name="gru")])
    model.trainable = False
    row = layer_table(model)[1]
    assert (row.kind, row.weights + row.biases) == ("GRU", model.count_params())


def test_a_total_of_nothing_is_nothing():
    assert total([]) == LayerRow("total", "total", (), 0, 0, 0)


def test_a_model_that_cannot_be_read_is_refused():
    class Own(keras.Model):
        pass

    with pytest.raises(NetworkError, match="cannot be read"):
        layer_table(Own())
    with pytest.raises(NetworkError, match="a Sequential model that is built"):
        layer_table(keras.Sequential([keras.layers.Dense(3)]))
    open_size = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(NetworkError, match="has no fixed size"):
        layer_table(open_size)
