"""A run that is opened again: predict, evaluate, look at what was measured."""

import functools
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.config import TrainConfig, check_names, config_from_dict
from seewell.data.dataset import ImageDataset, Split
from seewell.data.decode import Decoding, decode_image
from seewell.errors import DataError, FormatError, RunError, did_you_mean
from seewell.files import read_json
from seewell.findings import Finding, finding_from_dict
from seewell.runs.checkpoint import best_whole, load
from seewell.runs.evaluation import Evaluation, evaluate, evaluate_on_views, predictor_of
from seewell.runs.folder import FORMAT, RunFolder
from seewell.runs.gate import load_network
from seewell.runs.measurements import read_measurements
from seewell.runs.views import VIEWS
from seewell.runs.weights import assign, judged_weights, model_variables

__all__ = ["Run", "open_run"]

SPLITS = ("test", "validation", "train")
_DATASET_FACTS = ("source", "classes", "image_shape", "fingerprint", "decoding")


class Run:
    """One training, kept in its folder; needs neither the recipe nor any code of the user's.

    Args:
        path: The run's folder.

    Raises:
        RunError: There is no run in the folder, or it is of a newer format.

    Example:
        >>> run = open_run("runs/digits-convnet-1")  # doctest: +SKIP
        >>> run.predict(images).argmax(axis=1)  # doctest: +SKIP
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._folder = RunFolder(self.path)
        self._info = _read_info(self._folder)

    @property
    def info(self) -> dict[str, Any]:
        """``run.json``: configuration, automatic choices, versions, machine, dataset, result."""
        return self._info

    @property
    def config(self) -> TrainConfig:
        """The settings, with nothing left open."""
        return config_from_dict(self._info["config"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of the probabilities."""
        return tuple(self._info["dataset"]["classes"])

    @property
    def summary(self) -> dict[str, Any]:
        """The result as ``train --json`` prints it; empty while a training runs or was killed."""
        return dict(self._info.get("result") or {})

    @property
    def history(self) -> list[dict[str, Any]]:
        """The measurements, in order: entries of kind "train" and "validation"; damaged lines are passed over."""
        return read_measurements(self._folder.history)

    @property
    def findings(self) -> list[Finding]:
        """What was found, the most important first."""
        try:
            return [finding_from_dict(one) for one in read_json(self._folder.findings)]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    @functools.cached_property
    def network(self) -> Any:
        """The kept network: a Keras model, uint8 images in, float32 probabilities out.

        Of a training that is not done, it has the weights of the best checkpoint so far.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            model = load_network(self._folder.network)
        except FormatError as problem:
            raise RunError(
                f"the network of the run {self.path} cannot be loaded: {problem.what}",
                expected=problem.expected,
                fix="train again, or restore the file",
                details={"file": self._folder.network},
            ) from problem
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error) as problem:
            raise RunError(
                f"the network of the run {self.path} cannot be loaded: {_first_line(problem)}.",
                expected="the file network.keras as it was written",
                fix="train again, or restore the file",
                details={"file": self._folder.network},
            ) from problem
        if not self.summary:
            best, _ = best_whole(self._folder.checkpoints)
            if best is None:
                raise RunError(
                    f"the run {self.path} has no trained network: it ended before its first whole checkpoint.",
                    expected="a finished run, or at least one whole checkpoint",
                    fix="train again" + (f" ({self._info['stopped']})" if self._info.get("stopped") else ""),
                )
            checkpoint = load(best)
            if checkpoint.only is not None:
                raise RunError(
                    f"the run {self.path} ended before its time, and its checkpoints hold "
                    f'the layers "{checkpoint.only}" alone (--only).',
                    expected="a finished run, or whole checkpoints",
                    fix="train again; without --only, an interrupted run keeps its network",
                )
            assign(model_variables(model), judged_weights(checkpoint))
        return model

    @property
    def decoding(self) -> Decoding:
        """How an image file becomes an image of this run."""
        return Decoding.from_dict(self._info["dataset"]["decoding"])

    def predict(self, images: NDArray[np.uint8] | Sequence[str | Path] | str | Path) -> NDArray[np.float32]:
        """Class probabilities.

        Args:
            images: uint8 (N, H, W, C) of the run's image size, or paths of image files,
                decoded just as the training's were.

        Returns:
            float32 (N, K); each row sums to 1.

        Raises:
            DataError: A file cannot be decoded, or the array has another shape or dtype.
        """
        if isinstance(images, str | Path):
            images = [images]
        if not isinstance(images, np.ndarray):
            if not len(images):
                return np.zeros((0, len(self.classes)), np.float32)
            if not all(isinstance(one, str | Path) for one in images):
                raise DataError(
                    f"the images are a {type(images).__name__} of {type(images[0]).__name__}.",
                    expected="one uint8 array (N, H, W, C), or paths of image files",
                    fix="numpy.stack them",
                )
            decoding = self.decoding
            images = np.stack([decode_image(Path(path), decoding) for path in images])
        shape = tuple(self._info["dataset"]["image_shape"])
        if images.dtype != np.uint8 or images.shape[1:] != shape:
            raise DataError(
                f"the images have the shape {images.shape} and the dtype {images.dtype}.",
                expected=f"uint8 (N, {shape[0]}, {shape[1]}, {shape[2]}), raw values from 0 to 255",
                fix="resize and convert them, or give the paths of the files",
            )
        if not len(images):
            return np.zeros((0, len(self.classes)), np.float32)
        return predictor_of(self.network)(images)[1]

    def dataset(self) -> ImageDataset:
        """The dataset that the run was trained on, read again.

        Raises:
            DataError: It is not where it was.
        """
        from seewell.data.loading import load_dataset

        config, source = self.config, self._info["dataset"]["source"]
        if source is None:
            raise DataError(
                f"the run {self.path} was adopted without a source.",
                expected="images with labels",
                fix=f"name a source: seewell evaluate {self.path} SOURCE, or adopt it again with --source",
            )
        return load_dataset(
            source,
            validation_fraction=config.validation_fraction,
            split_seed=config.split_seed,
            image_size=config.image_size,
        )

    def evaluate(
        self, source: str | Path | ImageDataset | None = None, *, split: str = "test", tta: str | None = None
    ) -> Evaluation:
        """Measure the kept network on a split.

        Args:
            source: Another source with the same classes; the run's own where left out.
            split: "test", "validation" or "train".
            tta: "mirror" or "mirror-shift": average the answers on several views of each image (test-time
                augmentation), which takes two or six times as long. Such a figure is not the network's own
                accuracy, and no run's summary holds it.

        Returns:
            Cost, accuracy with its interval, per class, confusion.

        Raises:
            DataError: The source has no such split, other classes, or images of another kind.
            ConfigError: There is no such test-time augmentation.
        """
        if tta is not None:
            return self.evaluate_on_views(source, split=split, tta=tta)[1]
        dataset, chosen = self._split_of(source, split)
        return evaluate(self.network, chosen.images, chosen.labels, dataset.classes, split)

    def evaluate_on_views(
        self, source: str | Path | ImageDataset | None = None, *, split: str = "test", tta: str
    ) -> tuple[Evaluation, Evaluation]:
        """Measure the kept network on a split as it is and with test-time augmentation; the source is read once.

        Args:
            source: As for `evaluate`.
            split: "test", "validation" or "train".
            tta: "mirror" or "mirror-shift".

        Returns:
            The plain evaluation, and that of the answers averaged over the views.

        Raises:
            DataError: As for `evaluate`.
            ConfigError: There is no such test-time augmentation.
        """
        check_names("test-time augmentation", tta, VIEWS)
        dataset, chosen = self._split_of(source, split)
        return evaluate_on_views(self.network, chosen.images, chosen.labels, dataset.classes, split, tta)

    def _split_of(self, source: str | Path | ImageDataset | None, split: str) -> tuple[ImageDataset, Split]:
        """A split of a dataset that this run's network can answer for."""
        if split not in SPLITS:
            raise DataError(
                f'there is no split "{split}".', expected=", ".join(SPLITS), fix=did_you_mean(split, SPLITS)
            )
        dataset = self._dataset_for(source)
        if dataset.classes != self.classes:
            raise DataError(
                f"{dataset.name} has other classes than the run.",
                expected=", ".join(self.classes),
                fix="evaluate on a source with the same class names",
                details={"it has": ", ".join(dataset.classes)},
            )
        if dataset.image_shape != tuple(self._info["dataset"]["image_shape"]):
            raise DataError(
                f"{dataset.name} has images of {dataset.image_shape}.",
                expected=f"images of {tuple(self._info['dataset']['image_shape'])}",
                fix="evaluate on images of the size that the run was trained on",
            )
        chosen = {"test": dataset.test, "validation": dataset.validation, "train": dataset.train}[split]
        if chosen is None:
            raise DataError(
                f"{dataset.name} has no {split} split.",
                expected="a source with test images (a folder test/, for example)",
                fix="--split validation",
            )
        return dataset, chosen

    def _dataset_for(self, source: str | Path | ImageDataset | None) -> ImageDataset:
        if isinstance(source, ImageDataset):
            return source
        if source is None:
            return self.dataset()
        from seewell.data.loading import load_dataset

        decoding = self.decoding
        config = self.config
        same = load_dataset(
            source,
            validation_fraction=config.validation_fraction,
            split_seed=config.split_seed,
            image_size=(decoding.height, decoding.width),
        )
        return same


def open_run(path: str | Path) -> Run:
    """Open a run by its folder.

    Args:
        path: The folder that ``seewell train`` wrote.

    Returns:
        The run; its network is loaded when it is first used.

    Raises:
        RunError: There is no run in the folder.
    """
    return Run(path)


def _read_info(folder: RunFolder) -> dict[str, Any]:
    beside = folder.path.parent
    try:
        info = dict(read_json(folder.info))
    except FileNotFoundError as problem:
        names = [one.name for one in beside.iterdir() if (one / "run.json").is_file()] if beside.is_dir() else []
        raise RunError(
            f"there is no run in {folder.path}.",
            expected="a folder with a run.json, as seewell train writes it",
            fix=did_you_mean(folder.path.name, names) or "list the runs with: seewell runs list",
        ) from problem
    except (OSError, ValueError, TypeError) as problem:
        raise RunError(
            f"the run {folder.path} cannot be read: {_first_line(problem)}.",
            expected="run.json as it was written",
            fix="restore the file; checkpoints and network.keras may still be whole",
            details={"file": folder.info},
        ) from problem
    if not isinstance(info.get("format"), int) or info["format"] > FORMAT:
        raise RunError(
            f"the run {folder.path} has the format {info.get('format')!r}.",
            expected=f"format {FORMAT} or older",
            fix="open it with the seewell that wrote it, or a newer one",
        )
    missing = [key for key in ("config", "dataset") if not isinstance(info.get(key), dict)]
    missing += [f"dataset.{key}" for key in _DATASET_FACTS if "dataset" not in missing and key not in info["dataset"]]
    if missing:
        raise RunError(f"run.json of {folder.path} lacks: {', '.join(missing)}.", expected="run.json as it was written")
    return info


def _first_line(problem: Exception) -> str:
    return str(problem).splitlines()[0].rstrip(".") if str(problem) else type(problem).__name__
