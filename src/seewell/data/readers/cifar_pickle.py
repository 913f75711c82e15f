"""The pickles of CIFAR's python layout, read without running anything in them.

A pickle is a program. Two gates stand before this one: the stream of
instructions is walked without executing it, and only the handful that build
containers, strings, numbers and arrays pass; and a name it asks for is
answered with one of our own inert stand-ins, or refused. NumPy's own
reconstruction code is not called either: the bytes and the shape of an array
are taken from the stand-in, checked against each other, and only then made an
array.
"""

import io
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Images
from seewell.data.names import printable
from seewell.data.opening import open_regular
from seewell.errors import DataError

__all__ = ["read_batch", "read_class_names"]

_MAX_BYTES = 2**30
_MAX_MEMO = 10_000_000
_PIXELS = 3072

# fmt: off
_ALLOWED = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1",
    "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "EMPTY_LIST", "LIST",
    "APPEND", "APPENDS", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "DICT", "SETITEM",
    "SETITEMS", "GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "GLOBAL", "STACK_GLOBAL",
    "REDUCE", "BUILD",
})
# fmt: on

_PICKLE_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    struct.error,
    MemoryError,
    RecursionError,
)


class _Refused(pickle.UnpicklingError):
    """The pickle asks for something that images and labels do not need."""


class _Inert:
    """Stands for a NumPy class; does nothing."""


class _Dtype:
    """Stands for numpy.dtype: keeps its text."""

    def __init__(self, text: object = "", *_: object) -> None:
        self.text = text.decode("latin-1") if isinstance(text, bytes) else str(text)

    def __setstate__(self, state: object) -> None:
        """The state holds the byte order, which means nothing for bytes."""


class _Array:
    """Stands for a NumPy array: keeps shape, type and bytes as the pickle gives them."""

    shape: object = None
    dtype: object = None
    fortran: object = None
    data: object = None

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise _Refused("an array of an unknown form")
        _, self.shape, self.dtype, self.fortran, self.data = state


def _reconstruct(*_: object) -> _Array:
    return _Array()


def _latin1(text: object, encoding: object = "latin1") -> bytes:
    """Stands for _codecs.encode, which protocol 2 uses for bytes."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", b"latin1"):
        raise _Refused("an unknown text encoding")
    return text.encode("latin-1")


_STAND_INS: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _Inert,
    ("numpy", "dtype"): _Dtype,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    """Answers names with stand-ins, and refuses all others."""

    def find_class(self, module: str, name: str) -> Any:
        found = _STAND_INS.get((module, name))
        if found is None:
            raise _Refused(f'it asks for "{module}.{name}"')
        return found


def _load(path: Path) -> dict[str, Any]:
    """The dictionary in a pickle; keys as text.

    Raises:
        DataError: It asks for more than arrays and plain containers, or is cut or damaged.
    """
    with open_regular(path) as file:
        data = file.read(_MAX_BYTES + 1)
    where = {"file": f"{printable(path)} ({len(data):,} bytes)"}
    try:
        if len(data) > _MAX_BYTES:
            raise _Refused(f"it is larger than {_MAX_BYTES:,} bytes")
        _walk(data)
        content = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except _Refused as error:
        raise DataError(
            f"{path.name} was refused, nothing in it was run: {printable(str(error))}.",
            expected="a CIFAR batch: arrays, lists, dictionaries, text and numbers",
            fix="download the set from its official page again; do not use this file",
            details=where,
        ) from error
    except _PICKLE_ERRORS as error:
        raise DataError(
            f"{path.name} is cut or damaged: {printable(' '.join(str(error).split())[:160])}.",
            expected="a CIFAR batch in the python layout",
            fix="copy or download the file again",
            details=where,
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            f"{path.name} holds no dictionary.",
            expected="a CIFAR batch with data and labels",
            fix="copy or download the file again",
            details=where,
        )
    return {_text(key): value for key, value in content.items()}


def _walk(data: bytes) -> None:
    """Look at every instruction without executing it."""
    for opcode, argument, position in pickletools.genops(data):
        if opcode.name not in _ALLOWED:
            raise _Refused(f"instruction {opcode.name} at byte {position}")
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(argument or 0) > min(_MAX_MEMO, len(data)):
            raise _Refused(f"a memo of {argument} entries at byte {position}")


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def read_batch(path: Path) -> tuple[Images, npt.NDArray[np.int64]]:
    """Read one batch: uint8 (N, 3072), planes in turn, and int64 (N,) labels (CIFAR-100: the fine ones).

    Raises:
        DataError: Not such a batch, refused, cut, or counts that differ.
    """
    content = _load(path)
    where = {"file": printable(path)}
    array = content.get("data")
    raw_labels = content.get("labels", content.get("fine_labels"))
    if not isinstance(array, _Array) or not isinstance(raw_labels, list):
        raise DataError(
            f"{path.name} lacks {'its labels' if isinstance(array, _Array) else 'an array of images'}.",
            expected='"data" and "labels" or "fine_labels"',
            fix="copy or download the file again",
            details={**where, "it holds": ", ".join(sorted(printable(key) for key in content)) or "nothing"},
        )
    pixels = _pixels(array, path)
    if not all(type(label) is int for label in raw_labels):
        raise DataError(
            f"{path.name} has labels that are not whole numbers.",
            expected="whole numbers",
            fix="copy or download the file again",
            details=where,
        )
    if len(raw_labels) != len(pixels):
        raise DataError(
            f"{path.name} holds {len(pixels):,} images, but {len(raw_labels):,} labels.",
            expected="one label for each image",
            fix="copy or download the file again",
            details=where,
        )
    for row, label in enumerate(raw_labels):
        if not 0 <= label < 2**31:
            raise DataError(
                f"{path.name}: row {row:,} has label {str(label)[:40]}.",
                expected="labels from 0 upwards",
                fix="copy or download the file again",
                details=where,
            )
    return pixels, np.array(raw_labels, dtype=np.int64)


def _pixels(array: _Array, path: Path) -> Images:
    """The bytes behind a stand-in as uint8 (N, 3072), after type, shape and length agree."""
    data, shape = array.data, array.shape
    if isinstance(data, str):
        data = data.encode("latin-1", "replace")
    kind = array.dtype.text if isinstance(array.dtype, _Dtype) else "?"
    fits = (
        kind in ("u1", "uint8", "|u1")
        and isinstance(data, bytes)
        and isinstance(shape, tuple)
        and len(shape) == 2
        and type(shape[0]) is int
        and shape[0] > 0
        and shape[1] == _PIXELS
        and len(data) == shape[0] * _PIXELS
    )
    if not fits or not isinstance(data, bytes) or not isinstance(shape, tuple):
        present = len(data) if isinstance(data, bytes) else 0
        raise DataError(
            f"{path.name}: its array claims shape {printable(str(shape)[:60])} of type {printable(kind[:20])}, "
            f"and {present:,} bytes are present.",
            expected=f"unsigned bytes of shape (N, {_PIXELS}), N at least 1, and N x {_PIXELS} bytes",
            fix="copy or download the file again",
            details={"file": printable(path)},
        )
    flat = np.frombuffer(data, dtype=np.uint8)
    return flat.reshape((_PIXELS, shape[0])).T if array.fortran else flat.reshape(shape)


def read_class_names(path: Path) -> tuple[str, ...]:
    """The class names of batches.meta (label_names) or meta (fine_label_names).

    Raises:
        DataError: See `read_batch`.
    """
    content = _load(path)
    names = content.get("label_names", content.get("fine_label_names"))
    if not isinstance(names, list) or not names or not all(isinstance(name, str | bytes) for name in names):
        raise DataError(
            f"{path.name} holds no class names.",
            expected='"label_names" or "fine_label_names"',
            fix="copy or download the file again, or remove it to use numbers",
            details={"file": printable(path)},
        )
    return tuple(printable(_text(name)) for name in names)
