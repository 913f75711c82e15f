import io
import os
import pickle
import pickletools

import numpy as np
import pytest
from data_makers import (
    cifar_records,
    planes_of,
    python2_pickle,
    some_images,
    some_labels,
    write_cifar10_binary,
    write_cifar10_python,
    write_cifar100_binary,
    write_cifar100_python,
)

from seewell.data.loading import load_dataset
from seewell.data.readers.cifar_pickle import read_batch
from seewell.errors import DataError

X, Y = some_images(24), some_labels(24)
X_TEST, Y_TEST = some_images(6, seed=1), some_labels(6)
WRITERS = [write_cifar10_binary, write_cifar100_binary, write_cifar10_python, write_cifar100_python]


def refused(folder, match):
    with pytest.raises(DataError, match=match) as caught:
        load_dataset(folder)
    return caught.value


@pytest.mark.parametrize("write", WRITERS)
def test_each_layout_gives_the_same_images_labels_and_names(tmp_path, write):
    dataset = load_dataset(write(tmp_path / "set", X, Y, X_TEST, Y_TEST))
    assert dataset.classes == ("ant", "bee", "cow")
    assert np.array_equal(dataset.test.images, X_TEST)
    assert np.array_equal(dataset.test.labels, Y_TEST)
    everything = np.concatenate([dataset.train.images, dataset.validation.images])
    assert sorted(image.tobytes() for image in everything) == sorted(image.tobytes() for image in X)


def test_the_batches_are_read_in_the_order_of_their_numbers(tmp_path):
    folder = write_cifar10_binary(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    for number in range(3, 11):
        (folder / f"data_batch_{number}.bin").write_bytes(cifar_records(X[:3] // 2 + number, Y[:3]))
    assert len(load_dataset(folder).train) + len(load_dataset(folder).validation) == 24 + 8 * 3


@pytest.mark.parametrize(
    ("write", "file", "record"),
    [
        (write_cifar10_binary, "data_batch_2.bin", 3073),
        (write_cifar10_binary, "test_batch.bin", 3073),
        (write_cifar100_binary, "train.bin", 3074),
    ],
)
@pytest.mark.parametrize("cut", [1, 3072, 4000])
def test_a_cut_binary_file_names_the_offset(tmp_path, write, file, record, cut):
    """Row 51."""
    folder = write(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    data = (folder / file).read_bytes()[:-cut]
    (folder / file).write_bytes(data)
    whole = len(data) // record * record
    error = refused(folder, f"{file} is cut or not a CIFAR file.*the last whole image ends at byte {whole:,}")
    assert str(folder) in error.details["file"]


def test_an_empty_binary_file(tmp_path):
    """Row 51."""
    folder = write_cifar10_binary(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    (folder / "data_batch_1.bin").write_bytes(b"")
    refused(folder, "data_batch_1.bin is cut")


def test_a_label_beyond_the_named_classes_names_the_row(tmp_path):
    """Row 46: label = N."""
    labels = Y.copy()
    labels[5] = 3
    folder = write_cifar10_binary(tmp_path / "set", X, labels, X_TEST, Y_TEST)
    refused(folder, "row 5 has label 3, and there are 3 classes")


def test_a_missing_batch_is_named(tmp_path):
    folder = write_cifar10_binary(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    (folder / "data_batch_1.bin").unlink()
    refused(folder, "lacks data_batch_1.bin, though data_batch_2.bin is there")


def test_only_the_test_file_is_there(tmp_path):
    folder = write_cifar10_binary(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    for number in (1, 2):
        (folder / f"data_batch_{number}.bin").unlink()
    refused(folder, "lacks data_batch_")


def test_without_names_classes_are_numbers_and_that_is_said(tmp_path):
    folder = write_cifar10_binary(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    (folder / "batches.meta.txt").unlink()
    (folder / "test_batch.bin").unlink()
    dataset = load_dataset(folder)
    assert dataset.classes == ("0", "1", "2")
    assert len(dataset.notes) == 3


class _Shell:
    """Pickles as a call of os.system."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return (os.system, (self.command,))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_runs_a_command_is_refused_and_runs_nothing(tmp_path, protocol):
    """Row 52: the canary stays absent."""
    folder = write_cifar10_python(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    canary = tmp_path / "canary"
    evil = {"data": planes_of(X), "labels": Y.tolist(), "more": _Shell(f"touch {canary}")}
    (folder / "data_batch_1").write_bytes(pickle.dumps(evil, protocol=protocol))
    refused(folder, r"data_batch_1 was refused, nothing in it was run: .*(system|BYTEARRAY8)")
    assert not canary.exists()
    pickle.loads((folder / "data_batch_1").read_bytes())
    assert canary.exists()  # the canary works


@pytest.mark.parametrize(
    "instructions",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"c__builtin__\nexec\n(S'1'\ntR.",
        b"csubprocess\nPopen\n(S'true'\ntR.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\nfromfile\n(S'x'\ntR.",
        b"cnumpy.testing._private.utils\nrunstring\n(S'1'\n}tR.",
        b"(S'true'\nios\nsystem\n.",
        b"\x80\x02(cos\nsystem\nS'true'\no.",
        b"\x80\x02cos\nsystem\n(S'true'\nt\x81.",
        b"Pid\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x80\x02Nr\xff\xff\xff\x7f.",
        b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.",
    ],
)
def test_other_ways_to_reach_code_or_memory_are_refused(tmp_path, instructions):
    """Row 52: other callables, instructions that build objects, and those that ask for memory."""
    file = tmp_path / "data_batch_1"
    file.write_bytes(instructions)
    with pytest.raises(DataError, match=r"data_batch_1 (was refused|is cut or damaged)"):
        read_batch(file)


def test_the_pickle_of_python_2_is_what_numpy_reads(tmp_path):
    """The hand-written batch is a real one: Python's own loader gives the same."""
    data = python2_pickle(planes_of(X), Y)
    content = pickle.loads(data, encoding="bytes")
    assert np.array_equal(content[b"data"], planes_of(X))
    (tmp_path / "data_batch_1").write_bytes(data)
    planes, labels = read_batch(tmp_path / "data_batch_1")
    assert np.array_equal(planes, planes_of(X))
    assert np.array_equal(labels, Y)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_protocol_and_both_memory_orders(tmp_path, protocol, order):
    planes = np.array(planes_of(X), order=order)
    (tmp_path / "b").write_bytes(pickle.dumps({"data": planes, "labels": Y.tolist()}, protocol=min(protocol, 4)))
    assert np.array_equal(read_batch(tmp_path / "b")[0], planes)


def test_a_cut_pickle(tmp_path):
    """Row 52."""
    folder = write_cifar10_python(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    whole = (folder / "data_batch_1").read_bytes()
    for length in (0, 1, 40, 100, len(whole) // 2, len(whole) - 1):
        (folder / "data_batch_1").write_bytes(whole[:length])
        refused(folder, "data_batch_1 (is cut or damaged|holds no)")


def lying(shape, kind="u1"):
    """A batch whose array claims another shape or type than its bytes have."""
    whole = python2_pickle(planes_of(X[:2]), Y[:2])
    a = whole.index(b"J")
    whole = whole[: a + 1] + np.array(shape, dtype="<i4").tobytes() + whole[a + 5 :]
    return whole.replace(b"U\x02u1", b"U\x02" + kind.encode())


@pytest.mark.parametrize("data", [lying(3), lying(2_000_000_000), lying(-1), lying(0), lying(2, "f8"), lying(2, "O8")])
def test_an_array_that_lies_about_its_shape_or_type(tmp_path, data):
    """Row 52: nothing is allocated for it."""
    pickletools.dis(data, out=io.StringIO())  # it is a well-formed pickle
    (tmp_path / "b").write_bytes(data)
    with pytest.raises(DataError, match="its array claims shape"):
        read_batch(tmp_path / "b")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ([1, 2], "holds no dictionary"),
        ({"data": planes_of(X)}, "lacks its labels"),
        ({"labels": [1]}, "lacks an array of images"),
        ({"data": planes_of(X), "labels": Y.tolist()[:-1]}, "holds 24 images, but 23 labels"),
        ({"data": planes_of(X), "labels": [0.5] * 24}, "labels that are not whole numbers"),
        ({"data": planes_of(X), "labels": [-1] * 24}, "row 0 has label -1"),
        ({"data": planes_of(X), "labels": [10**30] * 24}, "row 0 has label 1000"),
    ],
)
def test_a_batch_that_is_not_one(tmp_path, content, match):
    (tmp_path / "b").write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=match):
        read_batch(tmp_path / "b")


def test_names_that_are_not_names(tmp_path):
    folder = write_cifar10_python(tmp_path / "set", X, Y, X_TEST, Y_TEST)
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": [1, 2]}))
    refused(folder, "batches.meta holds no class names")
