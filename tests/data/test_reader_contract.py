"""One contract for every reader that is registered: a new reader gets these tests for free."""

import contextlib
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from data_makers import (
    some_images,
    some_labels,
    write_cifar10_binary,
    write_cifar10_python,
    write_cifar100_binary,
    write_cifar100_python,
    write_folder,
    write_idx,
    write_npz,
)

from seewell.data.loading import load_dataset
from seewell.data.readers import READERS, reader_for
from seewell.errors import DataError

X, Y = some_images(30), some_labels(30)
X_TEST, Y_TEST = some_images(9, seed=1), some_labels(9)

WRITERS = {
    "idx": lambda path: write_idx(path, X, Y, X_TEST, Y_TEST),
    "cifar10-binary": lambda path: write_cifar10_binary(path, X, Y, X_TEST, Y_TEST),
    "cifar10-python": lambda path: write_cifar10_python(path, X, Y, X_TEST, Y_TEST),
    "cifar100-binary": lambda path: write_cifar100_binary(path, X, Y, X_TEST, Y_TEST),
    "cifar100-python": lambda path: write_cifar100_python(path, X, Y, X_TEST, Y_TEST),
    "npz": lambda path: write_npz(path.with_suffix(".npz"), X, Y, X_TEST, Y_TEST),
    "folder": lambda path: write_folder(path, X, Y, X_TEST, Y_TEST),
}
NAMELESS = {"idx"}
GREY = {"idx"}


@pytest.fixture(params=[reader.name for reader in READERS])
def name(request):
    return request.param


@pytest.fixture
def source(name, tmp_path):
    return WRITERS[name](tmp_path / "source")


def files_of(source):
    return [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())


def test_every_reader_has_a_name_and_says_what_it_looks_for():
    assert len({reader.name for reader in READERS}) == len(READERS)
    assert all(reader.layout for reader in READERS)


def test_it_recognises_its_own_and_nobody_else_does(name, source):
    assert reader_for(source).name == name
    assert [reader.name for reader in READERS if reader.recognises(source)] == [name]


def test_images_labels_and_classes(name, source):
    dataset = load_dataset(source)
    channels = 1 if name in GREY else 3
    for split, count in ((dataset.train, 27), (dataset.validation, 3), (dataset.test, 9)):
        assert split.images.dtype == np.uint8
        assert split.images.shape == (count, 32, 32, channels)
        assert isinstance(split.images, np.ndarray)
        assert split.labels.dtype == np.int64
        assert split.labels.shape == (count,)
        assert set(split.labels.tolist()) == {0, 1, 2}
        assert split.paths is None or len(split.paths) == count
        assert len(split) == count
    assert dataset.classes == (("0", "1", "2") if name in NAMELESS else ("ant", "bee", "cow"))
    assert dataset.num_classes == 3
    assert dataset.image_shape == (32, 32, channels)
    assert dataset.source == str(source)
    assert dataset.name == "source"
    assert dataset.quarantined == ()


def test_every_image_keeps_its_label(name, source):
    dataset = load_dataset(source)
    truth = {image[..., : dataset.image_shape[2]].tobytes(): label for image, label in zip(X, Y, strict=True)}
    seen = set()
    for split in (dataset.train, dataset.validation):
        for image, label in zip(split.images, split.labels, strict=True):
            assert truth[np.asarray(image).tobytes()] == label
            seen.add(np.asarray(image).tobytes())
    assert seen == set(truth)


def test_the_test_split_depends_on_no_seed(source):
    one, two = load_dataset(source), load_dataset(source, split_seed=3, validation_fraction=0.3)
    assert np.array_equal(one.test.images, two.test.images)
    assert np.array_equal(one.test.labels, two.test.labels)
    assert len(two.validation) == 9


def test_the_fingerprint_is_stable_and_sees_the_split(source):
    assert load_dataset(source).fingerprint() == load_dataset(str(source)).fingerprint()
    assert load_dataset(source, split_seed=1).fingerprint() != load_dataset(source).fingerprint()


def test_another_image_size(source):
    dataset = load_dataset(source, image_size=(16, 20))
    assert dataset.train.images.shape[1:3] == (16, 20)
    assert (dataset.decoding.height, dataset.decoding.width) == (16, 20)
    assert dataset.test.images.shape[1:3] == (16, 20)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_every_file_cut_is_a_data_error_and_nothing_is_touched(name, source, share):
    """Rows 26, 47, 50, 51."""
    for file in files_of(source):
        if name.startswith("cifar") and file.suffix == ".txt":
            continue
        whole = file.read_bytes()
        cut = max(0, int(len(whole) * share) - 1)
        file.write_bytes(whole[:cut])
        with pytest.raises(DataError) as caught:
            load_dataset(source)
        assert caught.value.exit_code == 2
        assert caught.value.expected
        assert caught.value.fix
        assert len(file.read_bytes()) == cut
        file.write_bytes(whole)
        if name == "folder":
            break
    load_dataset(source)


def test_every_file_deleted_alone_is_a_data_error_or_a_note(name, source):
    if name in ("folder", "npz"):
        pytest.skip("a folder without one image is a smaller folder, and an .npz file is one file")
    for file in files_of(source):
        whole = file.read_bytes()
        file.unlink()
        told = []
        with contextlib.suppress(DataError):
            told.append(load_dataset(source).notes)
        assert () not in told, f"{file.name} is missed by nobody"
        file.write_bytes(whole)


def test_random_bytes_in_place_of_a_file_are_a_data_error(name, source):
    noise = np.random.default_rng(0).integers(0, 256, size=4001, dtype=np.uint8).tobytes()
    for file in files_of(source):
        if file.suffix == ".txt":
            continue
        whole = file.read_bytes()
        file.write_bytes(gzip.compress(noise) if file.suffix == ".gz" else noise)
        with pytest.raises(DataError):
            load_dataset(source)
        file.write_bytes(whole)
        if name == "folder":
            break


def test_a_pipe_in_place_of_a_file_does_not_hang(name, source):
    """Row 40."""
    file = files_of(source)[0]
    if Path(file).suffix == ".txt" or name == "npz":
        file = files_of(source)[-1]
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(DataError):
        load_dataset(source)
