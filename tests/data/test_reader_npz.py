import io
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from data_makers import some_images, some_labels

from seewell.data.loading import load_dataset
from seewell.errors import DataError

X, Y = some_images(12, (6, 5, 3)), some_labels(12)


def saved(tmp_path, **arrays):
    path = tmp_path / "set.npz"
    np.savez(path, **arrays)
    return path


def refused(path, match):
    with pytest.raises(DataError, match=match) as caught:
        load_dataset(path)
    return caught.value


def all_images(dataset):
    return sorted(image.tobytes() for part in (dataset.train, dataset.validation) for image in part.images)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_all_splits(tmp_path, save):
    path = tmp_path / "set.npz"
    save(path, x_train=X, y_train=Y, x_test=X[:6], y_test=Y[:6], x_validation=X[6:], y_validation=Y[6:])
    dataset = load_dataset(path)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (12, 6, 6)
    assert np.array_equal(dataset.train.images, X)
    assert dataset.name == "set"


def test_images_and_labels(tmp_path):
    dataset = load_dataset(saved(tmp_path, images=X, labels=Y))
    assert dataset.test is None
    assert all_images(dataset) == sorted(image.tobytes() for image in X)


def test_grey_images_get_a_channel(tmp_path):
    assert load_dataset(saved(tmp_path, images=X[..., 0], labels=Y)).image_shape == (6, 5, 1)


def test_a_large_array_is_read_in_blocks(tmp_path):
    images = some_images(600, (80, 80, 3))
    labels = some_labels(600)
    path = saved(tmp_path, x_train=images, y_train=labels, x_validation=images[:6], y_validation=labels[:6])
    assert np.array_equal(load_dataset(path).train.images, images)


def test_fortran_order(tmp_path):
    path = saved(tmp_path, x_train=np.asfortranarray(X), y_train=Y, x_val=X[:3], y_val=Y[:3])
    assert np.array_equal(load_dataset(path).train.images, X)


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_in_the_unit_range_become_round_255_x(tmp_path, kind):
    values = np.linspace(0, 1, X.size).reshape(X.shape).astype(kind)
    dataset = load_dataset(saved(tmp_path, x_train=values, y_train=Y, x_val=values[:3], y_val=Y[:3]))
    assert np.array_equal(dataset.train.images, np.rint(values.astype(np.float64) * 255).astype(np.uint8))


@pytest.mark.parametrize("bad", [1.5, -0.1, np.nan, np.inf])
def test_a_float_out_of_range_names_its_row(tmp_path, bad):
    values = np.zeros(X.shape, dtype=np.float32)
    values[7, 2, 2, 1] = bad
    refused(saved(tmp_path, images=values, labels=Y), f"images: row 7 holds the value {bad:g}")


def test_whole_numbers_of_another_type_are_refused_with_the_mend(tmp_path):
    error = refused(saved(tmp_path, images=X.astype(np.int64), labels=Y), "images holds values of type int64")
    assert 'images.astype("uint8")' in error.fix


@pytest.mark.parametrize("labels", [Y[:, None], Y.astype(np.uint8), np.eye(3)[Y], np.eye(3, dtype=bool)[Y]])
def test_labels_as_numbers_as_a_column_or_one_hot(tmp_path, labels):
    dataset = load_dataset(saved(tmp_path, x_train=X, y_train=labels, x_val=X[:3], y_val=Y[:3]))
    assert dataset.train.labels.dtype == np.int64
    assert np.array_equal(dataset.train.labels, Y)


def test_a_row_that_is_not_one_hot_is_named(tmp_path):
    """Row 46."""
    labels = np.eye(3)[Y]
    labels[5] = (1, 1, 0)
    refused(saved(tmp_path, images=X, labels=labels), "labels: row 5 is not one-hot")


@pytest.mark.parametrize(
    ("row", "label", "match"),
    [
        (4, -1, "labels: row 4 has label -1"),
        (4, 10**12, "no training image has label 3, yet row 4 has label 1000000000000"),
        (4, 4, "no training image has label 3, yet row 4 has label 4"),
    ],
)
def test_a_label_out_of_range_names_the_row(tmp_path, row, label, match):
    """Row 46."""
    labels = Y.copy()
    labels[row] = label
    refused(saved(tmp_path, images=X, labels=labels), match)


def test_a_label_out_of_range_in_the_test_split_names_the_row(tmp_path):
    """Row 46."""
    labels = Y.copy()
    labels[3] = 3
    refused(saved(tmp_path, x_train=X, y_train=Y, x_test=X, y_test=labels), "y_test: row 3 has label 3")


def test_a_label_that_no_64_bit_number_holds(tmp_path):
    """Row 46."""
    labels = Y.astype(np.uint64)
    labels[2] = 2**64 - 1
    refused(saved(tmp_path, images=X, labels=labels), "labels: row 2 has label 18446744073709551615")


def test_labels_of_another_kind(tmp_path):
    refused(saved(tmp_path, images=X, labels=Y.astype(float)), "labels holds values of type float64")
    refused(saved(tmp_path, images=X, labels=np.array(["a", "b", "c"] * 4)), "labels holds values of type <U1")
    refused(saved(tmp_path, images=X, labels=np.zeros((12, 2, 2), dtype=int)), r"labels has shape \(12, 2, 2\)")


def test_images_and_labels_of_different_length(tmp_path):
    """Row 49."""
    refused(saved(tmp_path, images=X, labels=Y[:-1]), "images holds 12 images, but labels holds 11 labels")


@pytest.mark.parametrize("shape", [(12,), (12, 5), (12, 6, 5, 4), (12, 6, 5, 3, 1), (12, 0, 5, 3)])
def test_shapes_that_are_no_images(tmp_path, shape):
    refused(saved(tmp_path, images=np.zeros(shape, dtype=np.uint8), labels=Y), r"images has shape")


def test_channels_first_is_recognised_in_the_mend(tmp_path):
    error = refused(saved(tmp_path, images=X.transpose(0, 3, 1, 2), labels=Y), "has shape")
    assert "moveaxis" in error.fix


def test_missing_arrays_are_named(tmp_path):
    refused(saved(tmp_path, x_train=X), "has no array y_train; it holds x_train")
    refused(saved(tmp_path, a=X), "has no array images; it holds a")
    refused(saved(tmp_path, x_train=X, y_train=Y, y_test=Y), "has no array x_test")


def test_python_objects_are_not_unpickled(tmp_path):
    """Row 52: no pickle, whatever the array is called."""
    refused(saved(tmp_path, images=X, labels=np.array([{"a": 1}] * 12, dtype=object)), "holds Python objects")


def test_class_names_in_the_file(tmp_path):
    path = saved(tmp_path, images=X, labels=Y, classes=np.array(["ant", "bee", "cow"]))
    assert load_dataset(path).classes == ("ant", "bee", "cow")
    twice = saved(tmp_path, images=X, labels=Y, classes=np.array(["ant", "bee", "bee"]))
    refused(twice, "classes holds a name twice")
    few = saved(tmp_path, images=X, labels=Y, classes=np.array(["ant", "bee"]))
    refused(few, "row 2 has label 2, and there are 2 classes")


def test_one_class_only(tmp_path):
    """Row 44."""
    refused(saved(tmp_path, images=X, labels=np.zeros(12, dtype=int)), "set has only one class")


def npy_header(shape, kind="|u1"):
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("count", [11, 13, 12 * 10**6, 2**60])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_header_that_lies_is_found_before_memory_is_taken(tmp_path, count, compression):
    """Row 47, for arrays: one less, one more, a million times as many, absurd."""
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("images.npy", npy_header((count, 6, 5, 3)) + X.tobytes())
        archive.writestr("labels.npy", npy_header((12,), "<i8") + Y.tobytes())
    tracemalloc.start()
    try:
        refused(path, f"images: its header promises shape \\({count}, 6, 5, 3\\)")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4_000_000


def test_an_archive_that_lies_about_its_sizes(tmp_path):
    """Row 50: header and directory both claim 3 GB; the file has a few hundred bytes."""
    huge = (33_000_000, 6, 5, 3)
    head = npy_header(huge)
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("images.npy", head + bytes(1000))
        archive.writestr("labels.npy", npy_header((12,), "<i8") + Y.tobytes())
    data = bytearray(path.read_bytes())
    entry = data.index(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", len(head) + int(np.prod(huge)))
    path.write_bytes(data)
    tracemalloc.start()
    try:
        refused(path, "images: its header promises")
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4_000_000


def test_a_cut_or_damaged_archive(tmp_path):
    """Row 50."""
    path = saved(tmp_path, images=X, labels=Y)
    whole = path.read_bytes()
    for length in (0, 1, 50, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        refused(path, r"set\.npz is cut or damaged")
    flipped = bytearray(whole)
    flipped[400] ^= 1
    path.write_bytes(flipped)
    refused(path, "Bad CRC-32")


def test_a_member_that_leads_out_of_the_archive_harms_nothing(tmp_path):
    """Row 53: members are read in memory, never written."""
    path = saved(tmp_path, images=X, labels=Y)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("../evil.npy", npy_header((3,)) + b"abc")
    load_dataset(path)
    assert not (tmp_path.parent / "evil.npy").exists()
    assert [entry.name for entry in tmp_path.iterdir()] == ["set.npz"]


def test_a_header_that_is_code_is_not_run(tmp_path):
    """Row 52: the header is parsed as a literal."""
    canary = tmp_path / "canary"
    text = f"__import__('os').system('touch {canary}')".ljust(117).encode() + b"\n"
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("images.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    refused(path, "images has no readable array header")
    assert not canary.exists()
