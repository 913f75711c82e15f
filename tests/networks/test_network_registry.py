"""The registry and what is special to one architecture."""

import keras
import numpy as np
import pytest

from seewell.errors import NetworkError
from seewell.networks.layer_table import layer_table
from seewell.networks.preprocessing import fit_statistics
from seewell.networks.registry import architecture, build_network, list_networks


def build(name, shape=(28, 28, 1), classes=10, **options):
    return build_network(name, input_shape=shape, num_classes=classes, **options)


def rows(network):
    return {row.name: row for row in layer_table(network)}


def test_there_are_seven_networks_each_with_its_source_and_example():
    assert list_networks() == ("fully-connected", "convnet", "vgg16", "vgg-small", "resnet20", "resnet18", "speed")
    for name in list_networks():
        entry = architecture(name)
        assert entry.name == name
        assert entry.description
        assert entry.reference
        assert len(entry.example_shape) == 3
        assert entry.example_classes >= 10


def test_a_mistyped_network_is_answered_with_the_nearest():
    with pytest.raises(NetworkError) as error:
        build("convent")
    assert 'there is no network "convent"' in str(error.value)
    assert 'did you mean "convnet"?' in str(error.value)
    assert "resnet18" in error.value.expected


def test_the_fully_connected_network_has_the_widths_asked_for():
    assert architecture("fully-connected").defaults == {"widths": "500-500"}
    table = rows(build("fully-connected", arguments={"widths": "30-20-10"}))
    assert [row.weights for row in table.values()] == [0, 784 * 30, 600, 200, 100]
    assert list(table) == ["image", "fc1", "fc2", "fc3", "logits"]


def test_the_names_of_a_network_are_those_of_its_layers():
    names = [layer.name for layer in build("convnet", dropout=0.5, arguments={"normalization": "batch"}).layers]
    assert names == [
        *("image", "scale"),
        *("conv1_1", "conv1_1_norm", "conv1_1_relu", "conv1_2", "conv1_2_norm", "conv1_2_relu", "pool1"),
        *("conv2_1", "conv2_1_norm", "conv2_1_relu", "conv2_2", "conv2_2_norm", "conv2_2_relu", "pool2"),
        *("flatten", "logits_dropout", "logits", "probabilities"),
    ]


def test_convnet_takes_the_example_of_the_design_on_mnist_and_cifar():
    arguments = {"widths": "64-128", "padding": "valid", "stride": "2"}
    table = rows(build("convnet", arguments=arguments))
    shapes = [row.output_shape for row in table.values()]
    assert shapes[1:] == [(13, 13, 64), (11, 11, 64), (6, 6, 64), (4, 4, 128), (2, 2, 128), (1, 1, 128), (10,)]
    assert build("convnet", (32, 32, 3), arguments=arguments).output_shape == (None, 10)


def test_convnet_spells_out_blocks_and_counts_convolutions():
    spelt = rows(build("convnet", arguments={"widths": "8-16-16/32"}))
    assert [name for name in spelt if name.startswith("conv")] == ["conv1_1", "conv1_2", "conv1_3", "conv2_1"]
    assert [row.output_shape[-1] for name, row in spelt.items() if name.startswith("conv")] == [8, 16, 16, 32]
    counted = rows(build("convnet", arguments={"widths": "8-16", "convolutions": 1, "kernel": 5}))
    assert [row.weights for name, row in counted.items() if name.startswith("conv")] == [25 * 8, 25 * 8 * 16]


def test_convnet_pools_by_maximum_average_or_a_convolution_that_steps():
    largest = rows(build("convnet"))
    average = rows(build("convnet", arguments={"pooling": "average"}))
    stepping = rows(build("convnet", arguments={"pooling": "none"}))
    assert largest["pool1"].kind == "max pool"
    assert average["pool1"].kind == "average pool"
    assert "pool1" not in stepping
    assert stepping["conv1_2"].output_shape == largest["pool1"].output_shape == (14, 14, 64)
    assert stepping["logits"].weights == largest["logits"].weights


def test_an_average_pool_does_not_average_in_the_edge():
    network = build(
        "convnet", (5, 5, 1), 2, preprocess="none", arguments={"widths": 1, "convolutions": 1, "pooling": "average"}
    )
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = 1
    network.get_layer("conv1_1").kernel.assign(kernel)
    pooled = keras.Model(network.input, network.get_layer("pool1").output)
    np.testing.assert_array_equal(pooled(np.full((1, 5, 5, 1), 9, np.uint8)), np.full((1, 3, 3, 1), 9.0))


def test_convnet_with_batchnorm_has_no_biases_in_its_convolutions():
    network = build("convnet", arguments={"normalization": "batch"})
    assert rows(network)["conv1_1"].biases == 0
    norm = network.get_layer("conv1_1_norm")
    assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)


def test_a_kernel_that_does_not_fit_names_the_layer_and_its_size():
    with pytest.raises(NetworkError) as error:
        build("convnet", (8, 8, 1), arguments={"padding": "valid"})
    assert "conv2_2 has a 3x3 kernel with VALID padding, and feature maps of 2x2 come in" not in str(error.value)
    assert "conv2_1 has a 3x3 kernel with VALID padding, and feature maps of 2x2 come in" in str(error.value)
    assert "padding=same" in error.value.fix


def test_too_many_blocks_are_refused():
    with pytest.raises(NetworkError, match="4 blocks and stride=1 shrink them 16 times"):
        build("convnet", (8, 8, 1), arguments={"widths": "8-8-8-8"})


@pytest.mark.parametrize(
    ("shape", "padded"),
    [((28, 28, 1), (32, 32, 1)), ((8, 8, 1), (16, 16, 1)), ((33, 47, 3), (48, 48, 3)), ((17, 20, 3), (32, 32, 3))],
)
def test_vgg_pads_its_input_to_a_multiple_of_its_total_stride(shape, padded):
    network = build("vgg-small", shape)
    assert rows(network)["pad_to_stride"].output_shape == padded
    image = np.full((1, *shape), 255, np.uint8)
    inside = np.array(keras.Model(network.input, network.get_layer("pad_to_stride").output)(image))
    above, left = ((new - old) // 2 for new, old in zip(padded[:2], shape[:2], strict=True))
    assert (inside[:, above : above + shape[0], left : left + shape[1]] == 1).all()
    assert inside.sum() == np.prod(shape)


def test_vgg_does_not_pad_what_fits_already():
    assert "pad_to_stride" not in rows(build("vgg-small", (32, 32, 3)))
    assert "pad_to_stride" not in rows(build("vgg-small", preprocess="pad=32x32"))


def test_a_layer_that_no_memory_holds_is_refused_before_it_is_built():
    with pytest.raises(NetworkError, match=r"vgg16: fc1 would have 137,438,953,472 weights \(550 GB in float32\)"):
        build("vgg16", preprocess="resize=8192x8192")


def test_the_first_block_of_a_stage_of_resnet20_takes_every_second_pixel_and_adds_zeros():
    network = build("resnet20", (8, 8, 3))
    images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)
    ends = [network.get_layer(name).output for name in ("stage1_block3_relu", "stage2_block1_shortcut_fold")]
    before, after = (np.asarray(value) for value in keras.Model(network.input, ends)(images))
    np.testing.assert_array_equal(after[..., 8:24], before[:, ::2, ::2])
    assert not after[..., :8].any()
    assert not after[..., 24:].any()


def test_resnet18_chooses_its_stem_by_the_size_of_the_images():
    small = rows(build("resnet18", (64, 64, 3)))
    assert small["conv1"].output_shape == (64, 64, 64)
    assert "pool1" not in small
    large = rows(build("resnet18", (72, 72, 3)))
    assert large["conv1"].output_shape == (36, 36, 64)
    assert large["pool1"].output_shape == (18, 18, 64)
    forced = rows(build("resnet18", (32, 32, 3), arguments={"stem": "imagenet"}))
    assert forced["stage4_block2_add"].output_shape == (1, 1, 512)
    with pytest.raises(NetworkError, match="use stem=cifar"):
        build("resnet18", (28, 28, 1), arguments={"stem": "imagenet"})


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")  # Keras 3.15
def test_preprocessing_inside_the_network_is_the_formula_after_saving_too(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 4, 3), np.uint8)
    statistics = fit_statistics(images)
    raw = images.astype(np.float64)
    for rule, expected in (
        ("mean_image", raw - raw.mean(axis=0)),
        ("per_channel", (raw - raw.mean(axis=(0, 1, 2))) / raw.std(axis=(0, 1, 2))),
    ):
        network = build("fully-connected", (4, 4, 3), preprocess=rule.replace("_", "-"), statistics=statistics)
        network.save(tmp_path / "network.keras")
        loaded = keras.models.load_model(tmp_path / "network.keras")
        for one in (network, loaded):
            inner = keras.Model(one.input, one.get_layer(rule).output)
            np.testing.assert_allclose(inner(images), expected, atol=1e-4)
        for array in ("scale", "offset"):
            before, after = (getattr(one.get_layer(rule), array) for one in (network, loaded))
            np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("shape", "fix"),
    [
        ((28, 28), "input_shape=(28, 28, 1)"),
        ((100, 28, 28, 1), "input_shape=(28, 28, 1)"),
        ((3, 32, 32), "input_shape=(32, 32, 3)"),
    ],
)
def test_a_shape_that_is_nearly_right_is_answered_with_the_right_one(shape, fix):
    with pytest.raises(NetworkError) as error:
        build("convnet", shape)
    assert fix in error.value.fix


def test_one_class_is_refused():
    with pytest.raises(NetworkError, match="a network for 1 classes cannot be built"):
        build("convnet", classes=1)


def test_what_follows_a_layer_decides_the_default_initializer():
    network = build("vgg-small", (8, 8, 1))
    for layer in network.layers:
        if hasattr(layer, "kernel"):
            wanted = keras.initializers.GlorotUniform if layer.name == "logits" else keras.initializers.HeNormal
            assert type(layer.kernel_initializer) is wanted
