"""`adopt`: a foreign network becomes a run that predicts, is evaluated and exported like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewell.data.dataset import ImageDataset
from seewell.data.names import printable
from seewell.errors import ConfigError, DataError, FormatError, unknown_name
from seewell.files import write_atomically
from seewell.runs.adopted_run import Adopted, write_run
from seewell.runs.folder import free_folder, refuse_used
from seewell.runs.foreign.keras_file import rebuild, takes_bytes
from seewell.runs.foreign.layers import INPUT_RANGES, Translated
from seewell.runs.foreign.slots import Optimizer, find_optimizer, step_of
from seewell.runs.foreign.sources import Foreign, open_foreign, open_weights
from seewell.runs.run import Run
from seewell.runs.tf1 import choose, input_range_is_known, translate

__all__ = ["adopt", "save_weights"]

ImageShape = tuple[int, int, int]
_MOST_LABELS = 100_000


def adopt(
    path: str | Path,
    *,
    input_range: str | None = None,
    input_name: str | None = None,
    output_name: str | None = None,
    image_shape: ImageShape | None = None,
    feeds: Mapping[str, float] | None = None,
    labels: str | Path | Sequence[str] | None = None,
    source: str | Path | ImageDataset | None = None,
    out: str | Path | None = None,
) -> Run:
    """Make a run of a foreign network; nothing in its file is run.

    Args:
        path: A ``.keras`` or ``.h5`` file, a SavedModel, or a TensorFlow 1 checkpoint.
        input_range: What the network was fed with, "0..1", "0..255" or "-1..1"; no file says it.
            Not needed where the network takes uint8.
        input_name: The placeholder that takes the images, where there are several.
        output_name: The tensor with the answer, where there are several.
        image_shape: (height, width, channels), where the network leaves it open.
        feeds: Values of other placeholders by name; dropout keeps everything and training is off by itself.
        labels: A text file with a class name a line, or the names; "0", "1", … without them.
        source: A dataset to measure the network on and to train it further with.
        out: The run's folder, new or empty; ``runs/adopted-<name>-<n>`` where left out.

    Returns:
        The run: raw uint8 images in, probabilities out.

    Raises:
        ConfigError: The input range is missing, a name is not in the graph, or the labels do not fit.
        FormatError: The file is refused, damaged, or holds an operation that has no counterpart.
        DataError: The source cannot be used or does not fit the network.
        RunError: The folder cannot be written to.

    Example:
        >>> run = adopt("old/net.ckpt-100", input_range="0..1", labels="names.txt")  # doctest: +SKIP
        >>> run.predict(images).argmax(axis=1)  # doctest: +SKIP
    """
    path = Path(path)
    if out is not None:
        refuse_used(Path(out))
    if input_range is not None and input_range not in INPUT_RANGES:
        raise unknown_name("input range", input_range, INPUT_RANGES)
    foreign = open_foreign(path)
    names = None if labels is None else _read_labels(labels)
    dataset = source if isinstance(source, ImageDataset) else None
    ends = _Ends(input_name, output_name, dict(feeds or {}), input_range, image_shape)
    translated, optimizer, notes = _translated(foreign, ends, dataset, source)
    shape = tuple(int(side) for side in translated.model.input_shape[1:])
    if source is not None and not isinstance(source, ImageDataset):
        dataset = _load(source, shape)
    if dataset is not None and dataset.image_shape != shape:
        raise DataError(
            f"{dataset.name} has images of {dataset.image_shape}, and the network takes {shape}.",
            expected="a source with images of that size and as many channels",
            fix="choose another --source",
        )
    classes = _classes(int(translated.model.output_shape[1]), names, dataset)
    target = Path(out) if out is not None else free_folder(Path("runs"), f"adopted-{_short_name(foreign.path)}")
    if translated.softmax_added:
        _require_scores(translated, foreign)
        notes = (*notes, "the output is no softmax, so one was put behind it")
    adopted = Adopted(
        name=_short_name(foreign.path),
        kind=foreign.kind,
        path=foreign.path,
        translated=translated,
        classes=classes,
        input_range=input_range or "0..255",
        optimizer=optimizer,
        step=step_of(foreign.bundle),
        dataset=dataset,
        notes=notes,
        options=ends.options(labels, source),
    )
    return write_run(adopted, target)


@dataclass(frozen=True)
class _Ends:
    """What the user said about the network."""

    image: str | None
    output: str | None
    feeds: dict[str, float]
    input_range: str | None
    shape: ImageShape | None

    def options(self, labels: Any, source: Any) -> dict[str, Any]:
        """The same as options of the command, for the record."""
        said = {
            "input": self.image,
            "output": self.output,
            "input-range": self.input_range,
            "image-shape": "x".join(map(str, self.shape)) if self.shape else None,
            "labels": str(labels) if isinstance(labels, str | Path) else None,
            "source": source.source if isinstance(source, ImageDataset) else None if source is None else str(source),
        }
        return {key: value for key, value in said.items() if value is not None} | {
            "feed": [f"{key}={value:g}" for key, value in self.feeds.items()]
        }


def _translated(
    foreign: Foreign, ends: _Ends, dataset: ImageDataset | None, source: Any
) -> tuple[Translated, Optimizer | None, tuple[str, ...]]:
    shape = ends.shape or (None if dataset is None else dataset.image_shape)
    if foreign.graph is None:
        if not takes_bytes(foreign.model):
            _require_range(ends, foreign)
        chosen_range = ends.input_range or "0..255"
        return rebuild(foreign.model, foreign.path, image_shape=shape, input_range=chosen_range), None, ()
    chosen = choose(foreign.graph, ends.image, ends.output, ends.feeds)
    if not input_range_is_known(chosen):
        _require_range(ends, foreign)
    translated = translate(
        foreign.graph, foreign.bundle, chosen, image_shape=shape, input_range=ends.input_range or "0..255"
    )
    optimizer = None
    if foreign.bundle is not None:
        optimizer = find_optimizer(foreign.graph, foreign.bundle, translated, step_of(foreign.bundle))
    return translated, optimizer, (*chosen.notes, *(optimizer.notes if optimizer else ()))


def _require_scores(translated: Translated, foreign: Foreign) -> None:
    """Refuse to put a softmax behind values that are probabilities already, or a sigmoid for each class."""
    import keras
    import numpy as np

    model = translated.model
    images = np.random.default_rng(0).integers(0, 256, (16, *model.input_shape[1:])).astype(np.uint8)
    scores = keras.Model(model.input, model.get_layer("logits").output).predict(images, verbose=0)
    if scores.min() >= 0 and scores.max() <= 1:
        raise FormatError(
            f"the output of {printable(foreign.path.name)} lies between 0 and 1, and it is no softmax that is known.",
            expected="the output of a softmax, or the values before it",
            fix="choose the tensor before it with --output, or save the network without its last layer",
            details={"file": printable(foreign.path)},
        )


def _require_range(ends: _Ends, foreign: Foreign) -> None:
    if ends.input_range is None:
        raise ConfigError(
            f"what {printable(foreign.path.name)} was fed with is not known: no file says it.",
            expected="--input-range 0..1 (pixels divided by 255), 0..255 (raw pixels) or -1..1",
            fix="look into the program that trained it; with a wrong range the network answers, but wrongly",
        )


def _load(source: str | Path, shape: tuple[int, ...]) -> ImageDataset:
    from seewell.data.loading import load_dataset

    return load_dataset(source, image_size=(shape[0], shape[1]))


def _read_labels(labels: str | Path | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(labels, str | Path):
        return tuple(labels)
    try:
        lines = Path(labels).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(
            f"the labels {printable(labels)} cannot be read: {problem}.",
            expected="a text file in UTF-8 with a class name a line",
            fix="choose another --labels",
        ) from problem
    return tuple(line.strip() for line in lines if line.strip())[:_MOST_LABELS]


def _classes(count: int, labels: tuple[str, ...] | None, dataset: ImageDataset | None) -> tuple[str, ...]:
    names = labels or (None if dataset is None else dataset.classes)
    if names is None:
        return tuple(str(number) for number in range(count))
    where = "the labels" if labels else "the source"
    if len(names) != count or len(set(names)) != len(names):
        raise ConfigError(
            f"{where} {'name' if labels else 'has'} {len(names)} classes, and the network has {count}.",
            expected=f"{count} different names, in the order of the network's output",
            fix="choose another --labels" if labels else "choose another --source, or give --labels",
        )
    if dataset is not None and labels and dataset.classes != names:
        raise ConfigError(
            f"the labels are not the classes of {dataset.name}.",
            expected=", ".join(dataset.classes[:20]),
            fix="leave --labels out, or give the same names in the same order",
        )
    return names


def _short_name(path: Path) -> str:
    return path.stem if path.suffix in (".keras", ".h5", ".hdf5") else path.name


def save_weights(path: str | Path, out: str | Path) -> tuple[str, ...]:
    """Write the tensors of a checkpoint as safetensors, without looking at its graph.

    Args:
        path: A TensorFlow checkpoint or a SavedModel.
        out: The file to write, or a folder for ``weights.safetensors``; nothing is overwritten.

    Returns:
        The names of the tensors.

    Raises:
        FormatError: There is no whole checkpoint.
        RunError: The file exists.
        ConfigError: It cannot be written.
    """
    from safetensors.numpy import save as to_bytes

    bundle = open_weights(Path(path))
    target = Path(out)
    if target.suffix != ".safetensors":
        target = target / "weights.safetensors"
    refuse_used(target)
    arrays = {name: bundle.read(name) for name in bundle.names}
    if not arrays:
        raise FormatError(f"{printable(path)} holds no tensors of numbers.", expected="weights", fix="take another")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(target) as beside:
            beside.write_bytes(to_bytes(arrays))
    except (OSError, KeyError) as problem:
        raise ConfigError(
            f"{printable(target)} cannot be written: {problem}.",
            expected="a folder that can be written to",
            fix="choose another --out",
        ) from problem
    return tuple(arrays)
