"""The tensors of a TensorFlow checkpoint: ``PREFIX.index`` and its ``PREFIX.data-…`` files, and nothing else.

The file called ``checkpoint`` is never read: the paths in it may point
anywhere. What the index declares must be present in the data files before
memory is taken.
"""

import math
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.data.names import printable
from seewell.errors import FormatError
from seewell.runs.gates.refusal import refusal

__all__ = ["Bundle", "find_prefix", "open_bundle"]

_SHARD = re.compile(r"\.data-(\d{5})-of-(\d{5})")
_PART = re.compile(r"(.+)\.(?:index|meta|data-\d{5}-of-\d{5})")
_LARGEST_INDEX = 256 * 2**20


@dataclass(frozen=True)
class _Declared:
    shape: tuple[int, ...]
    dtype: str


class Bundle:
    """A checkpoint that is open.

    Args:
        prefix: The path without ``.index``.
        reader: TensorFlow's own reader of the two files.
        tensors: What the index declares, by name.
    """

    def __init__(self, prefix: Path, reader: Any, tensors: dict[str, _Declared]) -> None:
        self.prefix = prefix
        self._reader = reader
        self._tensors = tensors

    def __contains__(self, name: str) -> bool:
        """Whether the checkpoint has a tensor of that name."""
        return name in self._tensors

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all tensors of numbers, sorted."""
        return tuple(sorted(name for name, one in self._tensors.items() if one.dtype != "string"))

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor that the checkpoint has."""
        return self._tensors[name].shape

    def dtype(self, name: str) -> str:
        """The dtype of a tensor that the checkpoint has, such as "float32"."""
        return self._tensors[name].dtype

    def read(self, name: str) -> NDArray[Any]:
        """The values of a tensor.

        Raises:
            FormatError: The data does not hold what the index declares.
        """
        try:
            return np.asarray(self._reader.get_tensor(name))
        except Exception as problem:  # TensorFlow raises many kinds here, RuntimeError among them
            raise FormatError(
                f'the tensor "{printable(name)}" of {printable(self.prefix.name)} cannot be read: {_short(problem)}.',
                expected="the data files as they were written",
                fix="copy the checkpoint again, all its files",
                details={"file": printable(self.prefix)},
            ) from problem


def find_prefix(path: Path) -> Path:
    """The prefix of the checkpoint that a path means: a prefix, one of its files, or a folder that holds one.

    Raises:
        FormatError: There is none, or several.
    """
    if path.is_dir():
        found = sorted(one.with_suffix("") for one in path.glob("*.index"))
        if len(found) == 1:
            return found[0]
        names = ", ".join(printable(one.name) for one in found[:6])
        raise FormatError(
            f"{printable(path)} holds {len(found) or 'no'} TensorFlow checkpoint{'s' if len(found) > 1 else ''}.",
            expected="one checkpoint: NAME.index, NAME.data-00000-of-00001 and NAME.meta",
            fix=f"name one of them: {names}" if found else "name the checkpoint without its ending",
        )
    match = _PART.fullmatch(path.name)
    prefix = path.with_name(match[1]) if match else path
    if not prefix.with_name(prefix.name + ".index").is_file():
        raise FormatError(
            f"there is no TensorFlow checkpoint {printable(prefix)}.",
            expected=f"the file {printable(prefix.name)}.index, a .keras file, or a SavedModel's folder",
            fix="name the checkpoint without its ending, such as folder/net.ckpt-100",
        )
    return prefix


def open_bundle(prefix: Path) -> Bundle:
    """Open a checkpoint after its files were found whole.

    Args:
        prefix: The path without ``.index``.

    Returns:
        The open checkpoint; tensors are read one by one.

    Raises:
        FormatError: A file is missing, is no regular file, or the index declares more than is there.
    """
    index = prefix.with_name(prefix.name + ".index")
    _regular(index)
    if index.stat().st_size > _LARGEST_INDEX:
        raise refusal(index, f"an index of {index.stat().st_size:,} bytes.", expected=f"at most {_LARGEST_INDEX:,}")
    present = sum(_regular(one) for one in _shards(prefix))
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(prefix))
        shapes, dtypes = reader.get_variable_to_shape_map(), reader.get_variable_to_dtype_map()
        tensors = {name: _Declared(tuple(shapes[name]), dtypes[name].name) for name in shapes}
    except Exception as problem:  # TensorFlow raises many kinds here, RuntimeError among them
        raise FormatError(
            f"{printable(index.name)} cannot be read: {_short(problem)}.",
            expected="a TensorFlow checkpoint of the format V2 (since TensorFlow 0.12)",
            fix="copy the checkpoint again, all its files",
            details={"file": printable(index)},
        ) from problem
    declared = sum(math.prod(one.shape) * _bytes(one.dtype) for one in tensors.values())
    if declared > present:
        raise refusal(
            index,
            f"its tensors would take {declared:,} bytes, and its data files hold {present:,}.",
            expected="as many bytes as the index declares",
            fix="copy the checkpoint again, all its files",
        )
    return Bundle(prefix, reader, tensors)


def _shards(prefix: Path) -> list[Path]:
    """The data files, all of them."""
    found = {}
    for one in prefix.parent.iterdir():
        match = _SHARD.fullmatch(one.name.removeprefix(prefix.name)) if one.name.startswith(prefix.name) else None
        if match:
            found[int(match[1]), int(match[2])] = one
    total = max((count for _, count in found), default=1)
    missing = [number for number in range(total) if (number, total) not in found]
    if missing:
        name = f"{prefix.name}.data-{missing[0]:05d}-of-{total:05d}"
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise FormatError(
            f"the checkpoint {printable(prefix.name)} lacks {printable(name)}{more}.",
            expected=f"{total} data file{'s' if total > 1 else ''} beside the index",
            fix="copy the missing files, or the whole checkpoint, again",
            details={"file": printable(prefix)},
        )
    return [found[number, total] for number in range(total)]


def _regular(path: Path) -> int:
    """The size of a regular file."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise refusal(path, "it is no regular file.", expected="a file", fix="copy the checkpoint again")
    return status.st_size


def _bytes(dtype: str) -> int:
    """At least how many bytes a value takes in the data files."""
    return 1 if dtype in ("string", "resource", "variant") else int(np.dtype(_NUMPY.get(dtype, dtype)).itemsize)


_NUMPY = {"bfloat16": "uint16", "qint8": "int8", "quint8": "uint8", "qint32": "int32", "half": "float16"}


def _short(problem: Exception) -> str:
    return printable(" ".join(str(problem).split())[:200].rstrip(".")) or type(problem).__name__
