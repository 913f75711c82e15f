import gzip
import struct
import tracemalloc

import numpy as np
import pytest
from data_makers import idx_bytes, some_images, some_labels, write_idx

from seewell.data.loading import load_dataset
from seewell.data.readers.idx import read_idx_file
from seewell.errors import DataError

X = some_images(24, (5, 4, 1))
Y = some_labels(24)
X_TEST, Y_TEST = some_images(6, (5, 4, 1), seed=1), some_labels(6)


@pytest.fixture
def folder(tmp_path):
    return write_idx(tmp_path / "set", X, Y, X_TEST, Y_TEST)


@pytest.fixture
def zipped(tmp_path):
    return write_idx(tmp_path / "set", X, Y, X_TEST, Y_TEST, suffix=".gz")


def refused(folder, match):
    with pytest.raises(DataError, match=match) as caught:
        load_dataset(folder)
    assert caught.value.exit_code == 2
    return caught.value


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("dash", ["-", "."])
def test_plain_or_gzipped_in_both_spellings(tmp_path, suffix, dash):
    dataset = load_dataset(write_idx(tmp_path / "set", X, Y, X_TEST, Y_TEST, suffix=suffix, dash=dash))
    assert dataset.image_shape == (5, 4, 1)
    assert np.array_equal(dataset.test.images, X_TEST)
    assert np.array_equal(dataset.test.labels, Y_TEST)
    assert dataset.classes == ("0", "1", "2")
    assert (len(dataset.train), len(dataset.validation)) == (21, 3)


def test_without_t10k_files_there_is_no_test_split(tmp_path):
    dataset = load_dataset(write_idx(tmp_path / "set", X, Y))
    assert dataset.test is None
    assert "no test split" in dataset.notes[0]


@pytest.mark.parametrize("change", [1, -1, 24 * 10**6])
@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_lying_count_is_found_before_memory_is_taken(tmp_path, change, suffix, kind):
    """Row 47: one more, one less, a million times as many."""
    folder = write_idx(tmp_path / "set", X, Y, X_TEST, Y_TEST, suffix=suffix)
    file = folder / f"train-{kind}-idx{3 if kind == 'images' else 1}-ubyte{suffix}"
    array = X[..., 0] if kind == "images" else Y.astype(np.uint8)
    lying = idx_bytes(array, counts=(24 + change, *array.shape[1:]))
    file.write_bytes(gzip.compress(lying) if suffix else lying)
    tracemalloc.start()
    try:
        error = refused(folder, f"its header promises {24 + change:,} {kind}")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4_000_000
    assert file.name in error.what
    assert "bytes" in error.details["file"]


def test_the_message_says_what_is_there(folder):
    """Row 47, as the house style shows it."""
    file = folder / "train-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-1])
    error = refused(folder, r"train-labels-idx1-ubyte ends early: its header promises 24 labels, 23 labels are present")
    assert error.expected == "32 bytes = 8 of header + 24"


@pytest.mark.parametrize(
    ("head", "match"),
    [
        (b"\x89PNG", "is not an IDX file: it begins with 89 50 4e 47"),
        (b"\0\0\x0d\3", "holds values of type 0x0d"),
        (b"\0\0\x08\1", "has 1 dimensions"),
        (b"\0\0\x08\4", "has 4 dimensions"),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_wrong_magic_type_or_dimensions_are_named(tmp_path, head, match, suffix):
    """Row 48."""
    folder = write_idx(tmp_path / "set", X, Y, suffix=suffix)
    data = head + idx_bytes(X[..., 0])[4:]
    (folder / f"train-images-idx3-ubyte{suffix}").write_bytes(gzip.compress(data) if suffix else data)
    refused(folder, match)


@pytest.mark.parametrize("length", [0, 3, 4, 9])
def test_a_file_cut_within_its_header(folder, length):
    """Row 48."""
    file = folder / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:length])
    refused(folder, "ends within its header")


def test_images_and_labels_of_different_sets(folder):
    """Row 49: both counts are said."""
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(Y[:20].astype(np.uint8)))
    refused(folder, r"holds 24 images, but train-labels-idx1-ubyte holds 20 labels")


def test_a_gzip_bomb_is_read_no_further_than_its_header_promises(zipped):
    """Row 50: 200 MB of zeros behind 24 small images."""
    bomb = gzip.compress(idx_bytes(X[..., 0]) + bytes(200_000_000), compresslevel=1)
    (zipped / "train-images-idx3-ubyte.gz").write_bytes(bomb)
    tracemalloc.start()
    try:
        refused(zipped, "is too long: its header promises 24 images of 5 x 4, and more bytes follow")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 10_000_000


def test_a_gzip_file_that_is_cut(zipped):
    """Row 50."""
    file = zipped / "train-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    for length in (len(whole) // 2, len(whole) - 8, len(whole) - 1):
        file.write_bytes(whole[:length])
        refused(zipped, "train-images-idx3-ubyte.gz is (cut|damaged)")


def test_a_gzip_file_with_a_wrong_checksum(zipped):
    """Row 50."""
    file = zipped / "train-images-idx3-ubyte.gz"
    whole = bytearray(file.read_bytes())
    whole[-8] ^= 1
    file.write_bytes(whole)
    refused(zipped, "is damaged: CRC check failed")


def test_garbage_behind_a_gzip_file(zipped):
    """Row 50."""
    file = zipped / "train-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes() + b"garbage")
    refused(zipped, "is damaged: Not a gzipped file")


def test_a_file_that_is_not_gzipped_at_all(zipped):
    """Row 50."""
    (zipped / "train-images-idx3-ubyte.gz").write_bytes(b"<html>404</html>")
    refused(zipped, "Not a gzipped file")


def test_a_missing_labels_file_is_named(folder):
    (folder / "train-labels-idx1-ubyte").unlink()
    error = refused(folder, "has no file with the train labels")
    assert "train-labels-idx1-ubyte.gz" in error.expected


def test_a_label_beyond_the_training_classes_names_the_row(folder):
    """Row 46: in the test split."""
    labels = Y_TEST.astype(np.uint8)
    labels[4] = 3
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    refused(folder, "the test labels: row 4 has label 3, and there are 3 classes")


def test_a_gap_in_the_labels_names_the_row(folder):
    """Row 46: in the training split a wild label leaves a gap."""
    labels = Y.astype(np.uint8)
    labels[7] = 200
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    refused(folder, "no training image has label 3, yet row 7 has label 200")


def test_one_class_only(folder):
    """Row 44."""
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(24, dtype=np.uint8)))
    (folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(6, dtype=np.uint8)))
    refused(folder, 'set has only one class: "0"')


def test_a_class_with_one_image_cannot_be_split(folder):
    """Row 43."""
    labels = Y.astype(np.uint8)
    labels[9] = 3
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    refused(folder, r'the class "3" of set has a single training image \(row 9\).*split.*impossible')


def test_splits_of_two_sizes(folder):
    (folder / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((6, 3, 3), dtype=np.uint8)))
    refused(folder, "the test images are 3 x 3, the training images 5 x 4")


def test_images_without_pixels(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">HBBIII", 0, 8, 3, 24, 0, 4))
    refused(folder, "has images of 0 x 4 pixels")


def test_no_images_at_all(folder):
    (folder / "train-images-idx3-ubyte").write_bytes(struct.pack(">HBBIII", 0, 8, 3, 0, 5, 4))
    (folder / "train-labels-idx1-ubyte").write_bytes(struct.pack(">HBBI", 0, 8, 1, 0))
    refused(folder, "holds no images")


def test_the_file_is_not_changed(folder):
    file = folder / "train-images-idx3-ubyte"
    before = file.read_bytes()
    load_dataset(folder)
    assert file.read_bytes() == before


def test_reading_one_file_gives_its_shape(folder):
    assert read_idx_file(folder / "train-images-idx3-ubyte", dimensions=3, values="images").shape == (24, 5, 4)
