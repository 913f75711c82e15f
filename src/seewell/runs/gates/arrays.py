"""What files of arrays alone may declare: ``.npz`` and ``.safetensors``, by their headers."""

import json
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

from seewell.data.opening import open_regular
from seewell.errors import DataError
from seewell.runs.gates.refusal import refusal

__all__ = ["check_npz", "check_safetensors"]

Shapes = dict[str, tuple[tuple[int, ...], str]]

_DEFLATE = 1032
_HEADER = 100 * 2**20
_SIZES = {"BOOL": 1, "U8": 1, "I8": 1, "F8_E5M2": 1, "F8_E4M3": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2}
_SIZES |= {"U32": 4, "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8}
_AGAIN = "copy the file again"


def check_npz(path: Path) -> Shapes:
    """The arrays of an ``.npz`` file by their headers; nothing is unpickled, no values are read.

    Returns:
        Shape and dtype by name.

    Raises:
        FormatError: An array holds Python objects, or declares more than is there.
    """
    import numpy as np

    try:
        with zipfile.ZipFile(path) as archive:
            found: Shapes = {}
            for info in archive.infolist():
                if not info.filename.endswith(".npy"):
                    raise refusal(path, f'it contains "{info.filename}".', expected="arrays (.npy) alone")
                with archive.open(info) as member:
                    version = np.lib.format.read_magic(member)
                    read = np.lib.format.read_array_header_1_0
                    if version == (2, 0):
                        read = np.lib.format.read_array_header_2_0
                    shape, _, dtype = read(member)
                    head = member.tell()
                name = info.filename[:-4]
                if dtype.hasobject:
                    raise refusal(path, f'"{name}" holds pickled Python objects.', expected="arrays of numbers")
                promised = head + math.prod(shape) * dtype.itemsize
                if promised != info.file_size or info.file_size > _DEFLATE * max(1, info.compress_size):
                    raise refusal(
                        path,
                        f'"{name}" declares {promised:,} bytes, and {info.file_size:,} are present.',
                        expected="as many bytes as the shape says",
                    )
                found[name] = (tuple(shape), str(dtype))
            return found
    except (
        OSError,
        ValueError,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ) as problem:
        raise refusal(path, f"it cannot be read: {problem}.", expected="a whole .npz file", fix=_AGAIN) from problem


def check_safetensors(path: Path) -> Shapes:
    """The arrays of a ``.safetensors`` file by its header, which must account for every byte.

    Returns:
        Shape and dtype by name.

    Raises:
        FormatError: The header is no header, or declares more or other than is there.
    """
    try:
        with open_regular(path) as file:
            size = path.stat().st_size
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > min(size - 8, _HEADER):
                raise refusal(path, f"a header of {length:,} bytes.", expected="a whole file", fix=_AGAIN)
            header: dict[str, Any] = json.loads(file.read(length))
        entries = {name: one for name, one in header.items() if name != "__metadata__"}
        spans, found = [], {}
        for name, one in entries.items():
            start, stop = one["data_offsets"]
            if math.prod(one["shape"]) * _SIZES[one["dtype"]] != stop - start or min([0, *one["shape"]]) < 0:
                raise refusal(path, f'"{name}" does not have the bytes that its shape says.', expected="a whole file")
            spans.append((start, stop))
            found[name] = (tuple(one["shape"]), str(one["dtype"]))
    except DataError as problem:
        raise refusal(path, problem.what, expected=problem.expected, fix=problem.fix) from problem
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise refusal(path, "its header cannot be read.", expected="a .safetensors file", fix=_AGAIN) from problem
    spans.sort()
    ends = [0, *(stop for _, stop in spans)]
    if any(start != end for (start, _), end in zip(spans, ends, strict=False)) or ends[-1] != size - 8 - length:
        raise refusal(path, "its arrays overlap, leave gaps, or are cut.", expected="a whole file", fix=_AGAIN)
    return found
