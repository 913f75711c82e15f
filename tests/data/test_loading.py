import os
import subprocess
import sys

import numpy as np
import pytest
from data_makers import some_images, some_labels, write_cifar10_binary, write_npz

from seewell.data.dataset import ImageDataset, Split
from seewell.data.decode import Decoding
from seewell.data.loading import load_dataset
from seewell.errors import ConfigError, DataError

X, Y = some_images(30), some_labels(30)


def test_digits_are_built_in():
    dataset = load_dataset("digits")
    assert dataset.image_shape == (8, 8, 1)
    assert dataset.classes == tuple("0123456789")
    assert len(dataset.train) + len(dataset.validation) + len(dataset.test) == 1797
    assert (dataset.train.images.min(), dataset.train.images.max()) == (0, 255)
    assert set(np.unique(dataset.train.images)) <= set(np.rint(np.arange(17) * 255 / 16))
    share = np.bincount(dataset.test.labels) / 0.2
    everything = sum(np.bincount(split.labels) for split in (dataset.train, dataset.validation, dataset.test))
    assert np.abs(share - everything).max() < 5


def test_the_digits_in_the_test_split_are_fixed():
    """Pinned: no argument, no version of a library may ever change them."""
    dataset = load_dataset("digits", split_seed=5, validation_fraction=0.3)
    assert np.array_equal(dataset.test.images, load_dataset("digits").test.images)
    assert len(dataset.test) == 359
    assert dataset.test.labels[:12].tolist() == [0, 2, 8, 1, 9, 4, 7, 9, 5, 7, 3, 5]


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 1.5, float("nan")])
def test_an_impossible_fraction(fraction):
    with pytest.raises(ConfigError, match="validation fraction"):
        load_dataset("digits", validation_fraction=fraction)


@pytest.mark.parametrize("size", [(0, 8), (8,), (8, 5000), (8.0, 8)])
def test_an_impossible_image_size(size):
    with pytest.raises(ConfigError, match="image size"):
        load_dataset("digits", image_size=size)


def test_a_mistyped_name_is_answered_with_the_nearest():
    with pytest.raises(DataError, match='no set "mnits"') as caught:
        load_dataset("mnits")
    assert caught.value.fix == 'did you mean "mnist"?'
    assert "fashion-mnist" in caught.value.expected


def test_a_path_that_does_not_exist(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(DataError, match="pictres does not exist") as caught:
        load_dataset(tmp_path / "pictres")
    assert caught.value.fix == 'did you mean "pictures"?'
    with pytest.raises(DataError, match="does not exist") as caught:
        load_dataset(tmp_path / "no" / "where")
    assert "does not exist either" in caught.value.fix


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 5000, "caf\udce9"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(DataError):
        load_dataset(name)


def test_an_empty_folder(tmp_path):
    with pytest.raises(DataError, match="is an empty folder") as caught:
        load_dataset(tmp_path)
    assert "train-images-idx3-ubyte" in caught.value.expected
    assert "class folders" in caught.value.expected


def test_a_file_of_an_unknown_kind(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK")
    with pytest.raises(DataError, match="a file of a kind that is not read") as caught:
        load_dataset(tmp_path / "set.zip")
    assert "unpack" in caught.value.fix


def test_images_without_class_folders(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(DataError, match="holds nothing that is read") as caught:
        load_dataset(tmp_path)
    assert "a folder for each class" in caught.value.fix
    assert caught.value.details["there is"] == "a.png"


def test_a_dangling_link(tmp_path):
    (tmp_path / "set").symlink_to("nowhere")
    with pytest.raises(DataError, match="a link whose target does not exist"):
        load_dataset(tmp_path / "set")


def test_a_pipe_as_source(tmp_path):
    """Row 40."""
    os.mkfifo(tmp_path / "set.npz")
    with pytest.raises(DataError, match="a kind that is not read"):
        load_dataset(tmp_path / "set.npz")


def test_a_fingerprint_sees_pixels_labels_classes_and_splits():
    def dataset(x=X, y=Y, classes=("a", "b", "c"), cut=24, test=None):
        train, validation = Split(x[:cut], y[:cut]), Split(x[cut:], y[cut:])
        return ImageDataset("n", "s", classes, train, validation, test, Decoding(3, 32, 32)).fingerprint()

    changed = X.copy()
    changed[3, 4, 5, 1] ^= 1
    other = Y.copy()
    other[29] = 0
    prints = [
        dataset(),
        dataset(x=changed),
        dataset(y=other),
        dataset(classes=("a", "b", "d")),
        dataset(classes=("a", "bc", "")),
        dataset(cut=23),
        dataset(test=Split(X[:1], Y[:1])),
    ]
    assert len(set(prints)) == len(prints)
    assert dataset() == prints[0]


PEAK_SCRIPT = """
import resource, sys
from seewell.data.loading import load_dataset
import seewell.data.readers.cifar
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dataset = load_dataset(sys.argv[1])
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def test_splitting_does_not_hold_the_images_twice(tmp_path):
    """20,000 images are 61 MB; reading and splitting them takes little more than that."""
    images = np.tile(some_images(100), (200, 1, 1, 1))
    labels = some_labels(20_000)
    write_cifar10_binary(tmp_path / "set", images, labels, X, Y)
    done = subprocess.run(
        [sys.executable, "-c", PEAK_SCRIPT, str(tmp_path / "set")], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 1.6 * 61.4


def test_importing_the_readers_imports_nothing_heavy():
    script = (
        "import sys, seewell.data.loading; "
        "heavy = ('tensorflow', 'keras', 'PIL', 'sklearn', 'matplotlib', 'platformdirs'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_source_may_be_a_path_or_text(tmp_path):
    path = write_npz(tmp_path / "a.npz", X, Y, X[:3], Y[:3])
    assert load_dataset(path).source == load_dataset(str(path)).source == str(path)
