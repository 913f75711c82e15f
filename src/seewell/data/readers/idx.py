"""The IDX files of MNIST and its relatives: plain or gzipped.

Layout (LeCun, Cortes and Burges, "The MNIST database"): big-endian; two zero
bytes, a type byte (8 is uint8), the number of dimensions, one 32-bit size a
dimension, then the values.
"""

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Split
from seewell.data.decode import Decoding
from seewell.data.labels import check_counts, check_range, class_names
from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.data.readers.base import Contents, Reader, ReadOptions
from seewell.errors import DataError

__all__ = ["READER", "read_idx_file"]

_UINT8 = 0x08
_DEFLATE_LIMIT = 1032
"""A byte of deflate data gives at most 1,032 bytes (zlib's technical notes)."""


def _candidates(split: str, kind: str) -> list[str]:
    ending = "idx3-ubyte" if kind == "images" else "idx1-ubyte"
    stems = (f"{split}-{kind}-{ending}", f"{split}-{kind}.{ending}")
    return [stem + suffix for suffix in ("", ".gz") for stem in stems]


def _find(folder: Path, split: str, kind: str) -> Path | None:
    return next((folder / name for name in _candidates(split, kind) if (folder / name).exists()), None)


def _recognises(path: Path) -> bool:
    return path.is_dir() and any(
        _find(path, split, kind) is not None for split in ("train", "t10k") for kind in ("images", "labels")
    )


def _read(path: Path, options: ReadOptions) -> Contents:
    train_images, train_labels = _read_pair(path, "train")
    classes = class_names(options.classes, train_labels, where="the training labels")
    train = Split(train_images, check_range(train_labels, len(classes), where="the training labels"))
    height, width = train_images.shape[1:3]
    notes: tuple[str, ...] = ()
    test = None
    if _find(path, "t10k", "images") is None and _find(path, "t10k", "labels") is None:
        notes = ("there are no t10k files, so there is no test split",)
    else:
        images, labels = _read_pair(path, "t10k")
        if images.shape[1:] != train_images.shape[1:]:
            raise DataError(
                f"the test images are {images.shape[1]} x {images.shape[2]}, "
                f"the training images {height} x {width} pixels.",
                expected="one size",
                fix="the files probably belong to different sets; copy or download them again",
                details={"folder": printable(path)},
            )
        test = Split(images, check_range(labels, len(classes), where="the test labels"))
    return Contents(classes, train, None, test, Decoding(channels=1, height=height, width=width), notes)


def _read_pair(folder: Path, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    found = {kind: _find(folder, split, kind) for kind in ("images", "labels")}
    for kind, file in found.items():
        if file is None:
            raise DataError(
                f"{printable(folder)} has no file with the {split} {kind}.",
                expected=" or ".join((_candidates(split, kind)[0], _candidates(split, kind)[2])),
                fix="copy or download the missing file",
            )
    images_file, labels_file = found["images"], found["labels"]
    if images_file is None or labels_file is None:  # the loop above raised
        raise DataError(f"{printable(folder)} is not complete.")
    images = read_idx_file(images_file, dimensions=3, values="images")
    labels = read_idx_file(labels_file, dimensions=1, values="labels")
    check_counts(len(images), len(labels), images_in=images_file.name, labels_in=labels_file.name)
    if 0 in images.shape:
        raise DataError(
            f"{images_file.name} has images of {images.shape[1]} x {images.shape[2]} pixels.",
            expected="at least 1 x 1",
            fix="copy or download the file again",
        )
    return images[..., np.newaxis], labels


def read_idx_file(path: Path, *, dimensions: int, values: str) -> npt.NDArray[np.uint8]:
    """Read one IDX file of uint8 values.

    What the header promises is checked against the size of the file before
    memory is taken; from a gzipped file no byte is read beyond the promise.

    Args:
        path: The file; ``.gz`` at the end means gzipped.
        dimensions: How many dimensions there must be.
        values: What it holds, for messages: "images" or "labels".

    Returns:
        uint8, of the shape in the header.

    Raises:
        DataError: Another kind of file, cut, too long, or damaged.
    """
    with open_regular(path) as file:
        size = path.stat().st_size
        if path.name.endswith(".gz"):
            with _gzip_errors(path, size), gzip.GzipFile(fileobj=file, mode="rb") as stream:
                shape = _header(stream, path, size, dimensions, values)
                _check_promise(path, size, shape, values, at_most=_DEFLATE_LIMIT * size)
                return _read_promised(stream, path, size, shape, values)
        shape = _header(file, path, size, dimensions, values)
        head = 4 + 4 * dimensions
        if size - head != math.prod(shape):
            raise _wrong_length(path, size, shape, values, present=size - head)
        return np.fromfile(file, dtype=np.uint8, count=math.prod(shape)).reshape(shape)


def _header(file: IO[bytes] | gzip.GzipFile, path: Path, size: int, dimensions: int, values: str) -> tuple[int, ...]:
    head = file.read(4)
    where = {"file": f"{printable(path)} ({size:,} bytes)"}
    again = "copy or download the file again"
    if len(head) < 4:
        raise DataError(
            f"{printable(path.name)} ends within its header.", expected="an IDX file", fix=again, details=where
        )
    zeros, kind, given = struct.unpack(">HBB", head)
    if zeros != 0:
        raise DataError(
            f"{printable(path.name)} is not an IDX file: it begins with {head.hex(' ')}.",
            expected=f"00 00 08 0{dimensions}",
            fix=again,
            details=where,
        )
    if kind != _UINT8:
        raise DataError(
            f"{printable(path.name)} holds values of type 0x{kind:02x}.",
            expected="type 0x08 (unsigned bytes)",
            fix=again,
            details=where,
        )
    if given != dimensions:
        raise DataError(
            f"{printable(path.name)} has {given} dimensions.",
            expected=f"{dimensions}, as {values} have" + (" (count, height, width)" if dimensions == 3 else " (count)"),
            fix="images and labels may have been mixed up; " + again,
            details=where,
        )
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(
            f"{printable(path.name)} ends within its header.", expected="an IDX file", fix=again, details=where
        )
    return struct.unpack(f">{dimensions}I", sizes)


def _promise(shape: tuple[int, ...], values: str) -> str:
    size = f" of {shape[1]} x {shape[2]}" if len(shape) == 3 else ""
    return f"{shape[0]:,} {values}{size}"


def _wrong_length(path: Path, size: int, shape: tuple[int, ...], values: str, *, present: int) -> DataError:
    head, promised = 4 + 4 * len(shape), math.prod(shape)
    each = max(1, math.prod(shape[1:]))
    short = present < promised
    count = f"{present // each:,} {values}" + (f" and {present % each:,} bytes" if present % each else "")
    there = f"{count} are present" if short else f"at least {count} are present" if present < 0 else f"{count} follow"
    return DataError(
        f"{printable(path.name)} {'ends early' if short else 'is too long'}: "
        f"its header promises {_promise(shape, values)}, {there}.",
        expected=f"{head + promised:,} bytes = {head} of header + {promised:,}",
        fix="copy or download the file again",
        details={"file": f"{printable(path)} ({size:,} bytes)"},
    )


def _check_promise(path: Path, size: int, shape: tuple[int, ...], values: str, *, at_most: int) -> None:
    if math.prod(shape) > at_most:
        raise DataError(
            f"{printable(path.name)}: its header promises {_promise(shape, values)}, "
            f"more than a gzipped file of {size:,} bytes can hold.",
            expected=f"at most {at_most:,} values",
            fix="copy or download the file again",
            details={"file": f"{printable(path)} ({size:,} bytes)"},
        )


def _read_promised(
    stream: gzip.GzipFile, path: Path, size: int, shape: tuple[int, ...], values: str
) -> npt.NDArray[np.uint8]:
    data = np.empty(math.prod(shape), dtype=np.uint8)
    done = 0
    while done < len(data):
        read = stream.readinto(data[done : done + 2**20].data)
        if not read:
            raise _wrong_length(path, size, shape, values, present=done)
        done += read
    if stream.read(1):  # at the end, this read also checks length and checksum
        raise DataError(
            f"{printable(path.name)} is too long: "
            f"its header promises {_promise(shape, values)}, and more bytes follow.",
            expected=f"{4 + 4 * len(shape) + len(data):,} bytes when unpacked",
            fix="copy or download the file again",
            details={"file": f"{printable(path)} ({size:,} bytes)"},
        )
    return data.reshape(shape)


@contextmanager
def _gzip_errors(path: Path, size: int) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        cut = isinstance(error, EOFError)
        raise DataError(
            f"{printable(path.name)} is {'cut' if cut else 'damaged'}: {' '.join(str(error).split())}.",
            expected="a whole gzip file and nothing behind it",
            fix="copy or download the file again",
            details={"file": f"{printable(path)} ({size:,} bytes)"},
        ) from error


READER = Reader(
    name="idx",
    layout="IDX files: train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-… (plain or .gz)",
    recognises=_recognises,
    read=_read,
)
