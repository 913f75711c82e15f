"""Arrays to safetensors files, straight from memory: each byte is hashed and written once, nothing is copied.

The format: eight bytes with the length of a JSON header, the header (name →
dtype, shape, place), the bytes of the arrays. The header holds no metadata.
"""

import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import ConfigError

__all__ = ["Arrays", "Written", "read_size", "shards", "write_bytes", "write_tensors"]

Arrays = Mapping[str, NDArray[Any]]

_DTYPES = {
    "bool": "BOOL",
    "int8": "I8",
    "uint8": "U8",
    "int16": "I16",
    "uint16": "U16",
    "int32": "I32",
    "uint32": "U32",
    "int64": "I64",
    "uint64": "U64",
    "float16": "F16",
    "float32": "F32",
    "float64": "F64",
}
_BLOCK = 4 * 2**20
_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


@dataclass(frozen=True)
class Written:
    """What lies in a file now.

    Attributes:
        bytes: Its size.
        sha256: 64 hexadecimal digits.
    """

    bytes: int
    sha256: str


def read_size(text: str) -> int:
    """A size such as "2GB" in bytes; units are powers of a thousand.

    Raises:
        ConfigError: It is no size.

    Example:
        >>> read_size("1.5 MB")
        1500000
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]B)", text.strip().upper())
    size = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if size < 1:
        raise ConfigError(f'"{text}" is no size.', expected="a number with KB, MB, GB or TB", fix="--shard-size 2GB")
    return size


def shards(arrays: Arrays, most: int) -> list[dict[str, NDArray[Any]]]:
    """Divide arrays among files of at most ``most`` bytes, in the order of their names.

    An array that is larger than that has a file of its own. There is always one file.

    Example:
        >>> parts = shards({"a": np.zeros(3), "b": np.zeros(2), "c": np.zeros(9)}, 40)
        >>> [list(part) for part in parts]
        [['a', 'b'], ['c']]
    """
    parts: list[dict[str, NDArray[Any]]] = [{}]
    size = 0
    for name in sorted(arrays):
        if parts[-1] and size + arrays[name].nbytes > most:
            parts.append({})
            size = 0
        parts[-1][name] = arrays[name]
        size += arrays[name].nbytes
    return parts


def write_tensors(path: Path, arrays: Arrays) -> Written:
    """Write arrays as a safetensors file, fsynced.

    Args:
        path: A file that does not exist.
        arrays: By name; the same values give the same bytes, whatever their order.

    Raises:
        OSError: The disk is full, and so on.
        KeyError: A dtype that the format does not have.
    """
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {}
    place = 0
    for name in names:
        array = arrays[name]
        ends = [place, place + array.nbytes]
        header[name] = {"dtype": _DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": ends}
        place = ends[1]
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    first = len(text).to_bytes(8, "little") + text
    return _write(path, itertools.chain([first], *(_blocks(arrays[name]) for name in names)))


def write_bytes(path: Path, content: bytes) -> Written:
    """Write a file that does not exist, fsynced.

    Raises:
        OSError: The disk is full, and so on.
    """
    return _write(path, (content,))


def _blocks(array: NDArray[Any]) -> Iterator[Any]:
    little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
    flat = little.reshape(-1).view(np.uint8) if little.size else np.zeros(0, np.uint8)
    for start in range(0, len(flat), _BLOCK):
        yield flat[start : start + _BLOCK].data


def _write(path: Path, blocks: Iterable[Any]) -> Written:
    digest, size = hashlib.sha256(), 0
    with path.open("xb") as file:
        for block in blocks:
            digest.update(block)
            file.write(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    return Written(size, digest.hexdigest())
