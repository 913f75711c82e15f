"""NumPy archives: x_train, y_train, x_test, y_test ..., or images and labels.

Nothing is unpickled. The shape in each array's header is checked against the
size the archive gives for it, and that against the size of the file, before
memory is taken. Values are read a block at a time into the final uint8 array.
"""

import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Images, Labels, Split
from seewell.data.decode import Decoding
from seewell.data.labels import check_counts, check_range, class_names
from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.data.readers.base import Contents, Reader, ReadOptions
from seewell.errors import DataError

__all__ = ["READER"]

_DEFLATE_LIMIT = 1032
_SMALL = 2**20
_BLOCK_BYTES = 8 * 2**20
_VALIDATION_NAMES = ("validation", "val", "valid")


@dataclass(frozen=True)
class _Array:
    """What the header of one array says."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool


def _recognises(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() == ".npz"


def _read(path: Path, options: ReadOptions) -> Contents:
    with open_regular(path) as file, _archive_errors(path), zipfile.ZipFile(file) as archive:
        size = os.fstat(file.fileno()).st_size
        arrays = {array.name: array for array in _headers(archive, path, size)}
        pairs = _pairs(arrays, path)
        images = {split: _read_images(archive, arrays[names[0]], path) for split, names in pairs.items()}
        raw = {split: _read_labels(archive, arrays[names[1]], path) for split, names in pairs.items()}
        for split, (x, y) in pairs.items():
            check_counts(len(images[split]), len(raw[split]), images_in=x, labels_in=y)
        known = _read_classes(archive, arrays, path) or options.classes
    classes = class_names(known, raw["train"], where=pairs["train"][1])
    splits = {
        split: Split(images[split], check_range(raw[split], len(classes), where=pairs[split][1])) for split in pairs
    }
    shape = images["train"].shape[1:]
    for split, (x, _) in pairs.items():
        if images[split].shape[1:] != shape:
            raise _wrong(
                path,
                f"{x} holds images of shape {images[split].shape[1:]}, {pairs['train'][0]} of shape {shape}.",
                "one shape in all splits",
            )
    notes = () if "test" in splits else ("there is no x_test, so there is no test split",)
    decoding = Decoding(channels=shape[2], height=shape[0], width=shape[1])
    return Contents(classes, splits["train"], splits.get("validation"), splits.get("test"), decoding, notes)


def _wrong(path: Path, what: str, expected: str, fix: str = "save the file again with numpy.savez") -> DataError:
    return DataError(what, expected=expected, fix=fix, details={"file": printable(path)})


@contextmanager
def _archive_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error) as error:
        raise _wrong(
            path,
            f"{printable(path.name)} is cut or damaged: {printable(' '.join(str(error).split())[:160])}.",
            "a whole .npz file",
            "copy the file again, or save it again with numpy.savez",
        ) from error


def _headers(archive: zipfile.ZipFile, path: Path, file_size: int) -> Iterator[_Array]:
    for info in archive.infolist():
        if not info.filename.endswith(".npy"):
            continue
        with archive.open(info) as member:
            array, head = _header(member, info.filename[:-4], path)
        promised = head + math.prod(array.shape) * array.dtype.itemsize
        if promised != info.file_size or info.file_size > _DEFLATE_LIMIT * max(1, info.compress_size):
            raise _wrong(
                path,
                f"{printable(array.name)}: its header promises shape {array.shape} of {array.dtype}, "
                f"{promised:,} bytes, and {info.file_size:,} bytes are present.",
                "as many bytes as the header promises",
            )
        if info.compress_size > file_size:
            raise _wrong(path, f"{printable(array.name)} is larger than the file that holds it.", "a whole .npz file")
        yield array


def _header(member: IO[bytes], name: str, path: Path) -> tuple[_Array, int]:
    """The header of an array and its length in bytes."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(member)
        shape, fortran, dtype = readers[version](member)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError) as error:
        raise _wrong(
            path,
            f"{printable(name)} has no readable array header: {printable(' '.join(str(error).split())[:120])}.",
            "an array as numpy.savez writes it",
        ) from error
    if dtype.hasobject:
        raise _wrong(
            path,
            f"{printable(name)} holds Python objects, which only unpickling could read; that is refused.",
            "arrays of numbers",
            "make one array of numbers (images of one size) and save it again",
        )
    if any(side < 0 for side in shape):
        raise _wrong(path, f"{printable(name)} has shape {shape}.", "sizes from 0 upwards")
    return _Array(name, shape, dtype, fortran), member.tell()


def _pairs(arrays: dict[str, _Array], path: Path) -> dict[str, tuple[str, str]]:
    """The names of images and labels of each split."""
    if "x_train" in arrays or "y_train" in arrays:
        pairs = {"train": ("x_train", "y_train")}
        if "x_test" in arrays or "y_test" in arrays:
            pairs["test"] = ("x_test", "y_test")
        for name in _VALIDATION_NAMES:
            if f"x_{name}" in arrays or f"y_{name}" in arrays:
                pairs["validation"] = (f"x_{name}", f"y_{name}")
    else:
        pairs = {"train": ("images", "labels")}
    for pair in pairs.values():
        for name in pair:
            if name not in arrays:
                there = ", ".join(printable(each) for each in arrays) or "nothing"
                raise _wrong(
                    path,
                    f"{printable(path.name)} has no array {name}; it holds {there}.",
                    "x_train, y_train (and x_test, y_test; x_validation, y_validation), or images and labels",
                )
    return pairs


def _blocks(archive: zipfile.ZipFile, array: _Array, path: Path) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """The rows of an array, some at a time, each block with the number of its first row."""
    rows, row_shape = array.shape[0], array.shape[1:]
    row_bytes = math.prod(row_shape) * array.dtype.itemsize
    with archive.open(array.name + ".npy") as member:
        if array.fortran and len(array.shape) > 1:
            yield 0, np.lib.format.read_array(member, allow_pickle=False)
        else:
            _header(member, array.name, path)
            at_once = max(1, _BLOCK_BYTES // max(1, row_bytes))
            for start in range(0, rows, at_once):
                count = min(at_once, rows - start)
                data = member.read(count * row_bytes)
                if len(data) != count * row_bytes:
                    raise EOFError(f"{array.name} ends early")
                yield start, np.frombuffer(data, dtype=array.dtype).reshape(count, *row_shape)
        if member.read(1):  # at the end, this read also checks the checksum
            raise zipfile.BadZipFile(f"{array.name} is longer than its header promises")


def _read_images(archive: zipfile.ZipFile, array: _Array, path: Path) -> Images:
    """uint8 (N, H, W, C) from (N, H, W) or (N, H, W, C)."""
    shape = array.shape if len(array.shape) != 3 else (*array.shape, 1)
    if len(shape) != 4 or shape[3] not in (1, 3) or 0 in shape[1:]:
        hint = ""
        if len(shape) == 4 and shape[1] in (1, 3):
            hint = f"channels come last: numpy.moveaxis({array.name}, 1, -1)"
        raise _wrong(
            path,
            f"{array.name} has shape {array.shape}.",
            "(images, height, width) or (images, height, width, channels) with 1 or 3 channels",
            hint or "bring the array into one of these shapes and save it again",
        )
    is_float = array.dtype.kind == "f"
    if array.dtype != np.uint8 and not is_float:
        raise _wrong(
            path,
            f"{array.name} holds values of type {array.dtype}.",
            "uint8 (0 to 255), or floats in [0, 1]",
            f'{array.name}.astype("uint8"), if the values are 0 to 255',
        )
    images: Images = np.empty(shape, dtype=np.uint8)
    for start, block in _blocks(archive, array, path):
        block = block.reshape(-1, *shape[1:])
        if is_float:
            _check_unit_range(block, start, array.name, path)
            block = np.rint(block.astype(np.float64) * 255)
        images[start : start + len(block)] = block
    return images


def _check_unit_range(block: npt.NDArray[Any], start: int, name: str, path: Path) -> None:
    inside = ((block >= 0) & (block <= 1)).reshape(len(block), -1)
    if not inside.all():
        row = int(np.argmin(inside.all(axis=1)))
        value = float(block[row].reshape(-1)[int(np.argmin(inside[row]))])
        raise _wrong(
            path,
            f"{name}: row {start + row:,} holds the value {value:g}.",
            "floats in [0, 1] (they become round(255 x)), or uint8",
            "scale the values to [0, 1], or to 0 to 255 as uint8",
        )


def _read_labels(archive: zipfile.ZipFile, array: _Array, path: Path) -> Labels:
    """int64 (N,) from integers (N,) or (N, 1), or from one row of zeros and a single one each (N, K)."""
    one_hot = len(array.shape) == 2 and array.shape[1] > 1
    if not (len(array.shape) == 1 or len(array.shape) == 2) or (len(array.shape) == 2 and array.shape[1] == 0):
        raise _wrong(
            path, f"{array.name} has shape {array.shape}.", "(images,), (images, 1) or one-hot (images, classes)"
        )
    if array.dtype.kind not in ("biuf" if one_hot else "biu"):
        raise _wrong(
            path,
            f"{array.name} holds values of type {array.dtype}.",
            "whole numbers from 0",
            f"{array.name}.astype(int), if the values are whole numbers; class names go into an array called classes",
        )
    labels: Labels = np.empty(array.shape[0], dtype=np.int64)
    for start, block in _blocks(archive, array, path):
        if one_hot:
            good = ((block == 0) | (block == 1)).all(axis=1) & (block.sum(axis=1, dtype=np.float64) == 1)
            if not good.all():
                raise _wrong(
                    path,
                    f"{array.name}: row {start + int(np.argmin(good)):,} is not one-hot.",
                    "a single 1 in each row, and 0 elsewhere",
                    "correct the row; rows count from 0",
                )
            labels[start : start + len(block)] = block.argmax(axis=1)
        else:
            flat = block.reshape(-1)
            if flat.dtype.kind == "u" and len(flat) and int(flat.max()) > np.iinfo(np.int64).max:
                row = start + int(np.argmax(flat))
                raise _wrong(path, f"{array.name}: row {row:,} has label {int(flat.max())}.", "a class number")
            labels[start : start + len(block)] = flat
    return labels


def _read_classes(archive: zipfile.ZipFile, arrays: dict[str, _Array], path: Path) -> tuple[str, ...] | None:
    """The class names in an array of text called classes or class_names, if there is one."""
    array = arrays.get("classes") or arrays.get("class_names")
    if array is None:
        return None
    if array.dtype.kind != "U" or len(array.shape) != 1 or math.prod(array.shape) * array.dtype.itemsize > _SMALL:
        raise _wrong(path, f"{array.name} is of type {array.dtype} and shape {array.shape}.", "text, one name a class")
    names = tuple(printable(str(name)) for _, block in _blocks(archive, array, path) for name in block)
    if len(set(names)) != len(names):
        raise _wrong(path, f"{array.name} holds a name twice.", "a name of its own for each class")
    return names


READER = Reader(
    name="npz",
    layout="an .npz file with x_train, y_train, x_test, y_test, or images, labels",
    recognises=_recognises,
    read=_read,
)
