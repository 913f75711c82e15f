"""The gate: what a foreign file may contain before anything in it is loaded.

Keras's own checks come after this gate, not in place of it. Nothing here runs
what a file contains; a file that does not pass is refused with its name, what
is wrong in it, and what to do.
"""

import io
import math
import stat
from pathlib import Path
from typing import Any

from seewell.runs.gates.archive import CONFIG, WEIGHTS, opened_archive, read_member
from seewell.runs.gates.arrays import check_npz, check_safetensors
from seewell.runs.gates.config import LARGEST, check_config
from seewell.runs.gates.graph import check_graph
from seewell.runs.gates.hdf5 import check_hdf5
from seewell.runs.gates.refusal import refusal
from seewell.runs.gates.size import check_size

__all__ = ["check_graph", "check_keras_file", "check_keras_h5", "check_npz", "check_safetensors", "load_network"]

OLDEST_KERAS = (3, 15, 1)
"""Older ones have known holes in loading."""


def check_keras_file(path: Path) -> None:
    """Refuse a ``.keras`` file that holds more than a network of stock layers and its weights.

    Args:
        path: The file.

    Raises:
        FormatError: Names the member, the class, the value or the array.
    """
    _check_keras(path)
    with opened_archive(path) as archive:
        config = check_config(read_member(archive, CONFIG, LARGEST, path), path)
        if "metadata.json" in archive.namelist():
            read_member(archive, "metadata.json", 1 << 16, path)
        content = read_member(archive, WEIGHTS, archive.getinfo(WEIGHTS).file_size, path)
    check_size(config, _arrays_in(content, path), path)


def load_network(path: Path) -> Any:
    """Load a ``.keras`` file after the gate.

    Args:
        path: The file.

    Returns:
        The Keras model, not compiled.

    Raises:
        FormatError: The gate refuses it.
        OSError: It cannot be read; Keras raises ValueError, KeyError, TypeError or RuntimeError for other damage.
    """
    import keras

    check_keras_file(path)
    return keras.models.load_model(path, compile=False, safe_mode=True)


def check_keras_h5(path: Path) -> None:
    """Refuse a whole network in the older ``.h5`` format that holds more than stock layers and weights.

    Keras ignores its own safe mode in this format, so that nothing but this gate looks for code.

    Raises:
        FormatError: Names the class, the value or the array.
    """
    import h5py

    _check_keras(path)
    if not path.is_file() or not stat.S_ISREG(path.stat().st_mode):
        raise refusal(path, "it is no regular file.", expected="an .h5 file", fix="copy the file again")
    try:
        with h5py.File(path, "r") as file:
            shapes = check_hdf5(file, path.stat().st_size, path)
            text = file.attrs.get("model_config")
    except (OSError, RuntimeError, KeyError, ValueError) as problem:
        raise refusal(
            path, f"it cannot be read: {problem}.", expected="a whole .h5 file", fix="copy the file again"
        ) from problem
    if not isinstance(text, str | bytes):
        raise refusal(
            path,
            "it holds weights and no network.",
            expected="a whole network, as model.save writes it",
            fix="save the network as .keras",
        )
    config = check_config(text, path, legacy=True)
    check_size(config, _bytes(shapes), path, legacy=True)


def _arrays_in(content: bytes, path: Path) -> int:
    """Bytes of all arrays in the weights, after they passed the gate."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            shapes = check_hdf5(file, len(content), path)
    except (OSError, RuntimeError, KeyError, ValueError) as problem:
        raise refusal(
            path, f"its weights cannot be read: {problem}.", expected="a whole .keras file", fix="copy the file again"
        ) from problem
    return _bytes(shapes)


def _bytes(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(4 * math.prod(shape) for shape in shapes.values())


def _check_keras(path: Path) -> None:
    import keras

    version = tuple(int(one) for one in keras.__version__.split(".")[:3] if one.isdigit())
    if version < OLDEST_KERAS:
        wanted = ".".join(map(str, OLDEST_KERAS))
        raise refusal(
            path,
            f"Keras {keras.__version__} has known holes in loading.",
            expected=f"Keras {wanted} or newer",
            fix=f'pip install "keras>={wanted}"',
        )
