"""What a path holds: a TensorFlow 1 checkpoint, a SavedModel, a Keras network, or weights alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seewell.data.names import printable
from seewell.errors import FormatError, SeewellError
from seewell.runs.foreign.bundle import Bundle, find_prefix, open_bundle
from seewell.runs.foreign.graph import Graph, read_frozen, read_meta, read_saved_model
from seewell.runs.foreign.keras_file import load_foreign
from seewell.runs.gate import check_npz, check_safetensors
from seewell.runs.gates.refusal import refusal

__all__ = ["Foreign", "open_foreign", "open_weights"]

KERAS = (".keras", ".h5", ".hdf5")
ARRAYS = (".npz", ".safetensors")
_PICKLED = (".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".ckpt.pt")


@dataclass(frozen=True, eq=False)
class Foreign:
    """A foreign network that passed the gate.

    Attributes:
        path: What was opened.
        kind: In words, such as "TensorFlow 1 checkpoint".
        graph: A TensorFlow graph, or None.
        bundle: Its checkpoint, or None.
        model: A Keras model, or None.
        arrays: Shape and dtype of its tensors by name.
    """

    path: Path
    kind: str
    graph: Graph | None = None
    bundle: Bundle | None = None
    model: Any = None
    arrays: Mapping[str, tuple[tuple[int, ...], str]] = field(default_factory=dict)


def open_foreign(path: Path) -> Foreign:
    """Open a foreign network; everything in it passes the gate first.

    Args:
        path: A ``.keras`` or ``.h5`` file, a SavedModel's folder, a frozen graph, or a TensorFlow 1
            checkpoint (its prefix, one of its files, or the folder it lies in alone).

    Returns:
        What was found.

    Raises:
        FormatError: There is no such file, the gate refuses it, or it holds no network.
    """
    suffix = path.suffix.lower()
    if suffix in (*KERAS, *ARRAYS, *_PICKLED, ".pb") and not path.exists():
        raise FormatError(
            f"there is no file {printable(path)}.",
            expected="a .keras or .h5 file, a SavedModel's folder, or a TensorFlow checkpoint",
            fix="check the path",
        )
    if path.name == "saved_model.pb":
        path = path.parent
    if path.is_dir() and (path / "saved_model.pb").exists():
        return _saved_model(path)
    if suffix in KERAS:
        model = load_foreign(path)
        arrays = {one.path: (tuple(one.shape), str(one.dtype)) for one in model.variables}
        return Foreign(path, "Keras network", model=model, arrays=arrays)
    if suffix in ARRAYS:
        found = check_npz(path) if suffix == ".npz" else check_safetensors(path)
        raise FormatError(
            f"{printable(path.name)} holds {len(found)} arrays and no network.",
            expected="a file that also says how its layers are connected",
            fix="build the network in Keras, load the arrays into it, and save it as .keras",
            details={"file": printable(path)},
        )
    if suffix == ".pb":
        return Foreign(path, "frozen TensorFlow graph", read_frozen(path))
    if suffix in _PICKLED and path.is_file():
        raise refusal(path, "loading it would run code (pickle).", expected=".keras, SavedModel, TensorFlow checkpoint")
    prefix = find_prefix(path)
    meta = prefix.with_name(prefix.name + ".meta")
    bundle = open_bundle(prefix)
    if not meta.exists():
        raise FormatError(
            f"the checkpoint {printable(prefix.name)} has no graph: {printable(meta.name)} is not there.",
            expected="the .meta file that tf.train.Saver writes beside the index",
            fix="put it beside the index, or take the weights alone with --weights-only",
            details={"file": printable(prefix)},
        )
    return Foreign(prefix, "TensorFlow 1 checkpoint", read_meta(meta), bundle, arrays=_tensors(bundle))


def _saved_model(folder: Path) -> Foreign:
    graph = read_saved_model(folder)
    prefix = folder / "variables" / "variables"
    if not prefix.with_name("variables.index").exists():
        return Foreign(folder, "SavedModel", graph)
    if not prefix.resolve().is_relative_to(folder.resolve()):
        raise refusal(folder, "its variables lie in another folder.", expected="a SavedModel with its own variables")
    bundle = open_bundle(prefix)
    return Foreign(folder, "SavedModel", graph, bundle, arrays=_tensors(bundle))


def open_weights(path: Path) -> Bundle:
    """Open the weights alone, without looking at any graph.

    Args:
        path: A checkpoint, or a SavedModel's folder.

    Raises:
        FormatError: There are none.
    """
    if path.name == "saved_model.pb":
        path = path.parent
    inside = path / "variables"
    try:
        return open_bundle(find_prefix(inside if (path / "saved_model.pb").exists() else path))
    except SeewellError as problem:
        if path.suffix.lower() not in (*KERAS, *ARRAYS):
            raise
        raise FormatError(
            f"{printable(path.name)} is no TensorFlow checkpoint.",
            expected="a TensorFlow checkpoint or a SavedModel",
            fix="adopt it without --weights-only",
        ) from problem


def _tensors(bundle: Bundle) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (bundle.shape(name), bundle.dtype(name)) for name in bundle.names}
