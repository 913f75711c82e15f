"""The folder of an adopted run: network, checkpoint with the optimizer's memory, and where all of it came from."""

import datetime
import importlib.metadata
import math
import platform
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seewell.config import TrainConfig
from seewell.data.catalogue import CATALOGUE
from seewell.data.dataset import ImageDataset
from seewell.data.decode import Decoding
from seewell.errors import RunError
from seewell.files import sha256_of_file, write_atomically, write_json
from seewell.runs.checkpoint import Checkpoint, point, save
from seewell.runs.evaluation import Evaluation, evaluate
from seewell.runs.folder import FORMAT, RunFolder, clear_unused, lock, make_folder
from seewell.runs.foreign.layers import Translated
from seewell.runs.foreign.slots import Optimizer, fresh_variables
from seewell.runs.run import Run
from seewell.runs.weights import arrays_of, model_variables

__all__ = ["ADOPTED", "Adopted", "write_run"]

ADOPTED = "adopted"
"""What stands for the architecture's name in the configuration of an adopted run."""

_OPTIMIZER = "adam"
_BATCH = 100
_MEASURED = 10_000
_RATES = {"adam": 1e-3, "momentum": 1e-2, "nesterov": 1e-2, "sgd": 1e-2}


@dataclass(frozen=True, eq=False)
class Adopted:
    """All that becomes a run.

    Attributes:
        name: Short.
        kind: What it was, in words.
        path: Where it was.
        translated: The network.
        classes: Names, in the order of its output.
        input_range: What it is fed with behind the adapter.
        optimizer: What it was trained with, where the file says it.
        step: Updates it had seen.
        dataset: What it is measured on, or None.
        notes: What was decided without being asked for.
        options: What the user said, by option.
    """

    name: str
    kind: str
    path: Path
    translated: Translated
    classes: tuple[str, ...]
    input_range: str
    optimizer: Optimizer | None
    step: int
    dataset: ImageDataset | None
    notes: tuple[str, ...]
    options: Mapping[str, Any]


def write_run(adopted: Adopted, path: Path) -> Run:
    """Write the run's folder; where that fails, nothing is left of it.

    Args:
        adopted: What becomes a run.
        path: The folder, new or empty.

    Returns:
        The run.

    Raises:
        RunError: The folder cannot be written to.
    """
    folder = make_folder(path)
    try:
        with lock(folder):
            _write(adopted, folder)
    except OSError as problem:
        raise RunError(
            f"the run {path} cannot be written: {problem.strerror or problem}.",
            expected="room on the disk and a folder that can be written to",
            fix="make room, or choose another --out",
        ) from problem
    finally:
        _clear(folder)
    return Run(path)


def _clear(folder: RunFolder) -> None:
    """Remove a run that was not written to its end (``run.json`` comes last)."""
    import shutil

    if not folder.info.exists():
        folder.network.unlink(missing_ok=True)
        folder.findings.unlink(missing_ok=True)
        shutil.rmtree(folder.checkpoints, ignore_errors=True)
        folder.checkpoints.mkdir(exist_ok=True)
    clear_unused(folder)


def _write(adopted: Adopted, folder: RunFolder) -> None:
    model = adopted.translated.model
    with write_atomically(folder.network) as beside:
        model.save(beside)
    kind = adopted.optimizer.name if adopted.optimizer else _OPTIMIZER
    slots = (adopted.optimizer.variables if adopted.optimizer else {}) or fresh_variables(model, kind)
    state = {"step": adopted.step, "best_step": adopted.step}
    target = save(folder.checkpoints, Checkpoint(adopted.step, arrays_of(model_variables(model)), slots, state))
    for name in ("LATEST", "BEST"):
        point(folder.checkpoints, name, target)
    write_json(folder.findings, [])
    write_json(folder.info, _describe(adopted, folder))


def _config(adopted: Adopted) -> TrainConfig:
    optimizer = adopted.optimizer
    name = optimizer.name if optimizer else _OPTIMIZER
    rate = optimizer.learning_rate if optimizer else None
    height, width, _ = _image_shape(adopted)
    batch = _BATCH if adopted.dataset is None else min(_BATCH, len(adopted.dataset.train))
    return TrainConfig(
        network=ADOPTED,
        preprocess="none",
        image_size=(height, width),
        optimizer=name,
        learning_rate=rate or _RATES[name],
        weight_decay=0.0,
        schedule="constant",
        warmup=0.0,
        steps=max(1, adopted.step),
        batch_size=batch,
        augment=(),
        l2=0.0,
        dropout=0.0,
        label_smoothing=0.0,
        ema=0.0,
        precision="float32",
    )


def _image_shape(adopted: Adopted) -> tuple[int, int, int]:
    height, width, channels = (int(side) for side in adopted.translated.model.input_shape[1:])
    return height, width, channels


def _describe(adopted: Adopted, folder: RunFolder) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    config = _config(adopted)
    return {
        "format": FORMAT,
        "name": folder.path.name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": config.to_dict(),
        "total_steps": config.steps,
        "choices": [],
        "versions": {
            "seewell": importlib.metadata.version("seewell"),
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        "machine": {"system": f"{platform.system()} {platform.machine()}"},
        "dataset": _describe_dataset(adopted),
        "adopted": _describe_origin(adopted),
        "result": _result(adopted, config, folder),
    }


def _describe_origin(adopted: Adopted) -> dict[str, Any]:
    optimizer = adopted.optimizer
    words = ["seewell", "adopt", str(adopted.path)]
    for key, value in adopted.options.items():
        for one in value if isinstance(value, list) else [value]:
            words.append(f"--{key}={one}" if str(one).startswith("-") else f"--{key} {shlex.quote(str(one))}")
    return {
        "kind": adopted.kind,
        "path": str(adopted.path.resolve()),
        "sha256": _sums(adopted.path),
        "command": " ".join([*words[:2], shlex.quote(words[2]), *words[3:]]),
        "input_range": adopted.input_range,
        "layers": dict(adopted.translated.nodes),
        "variables": dict(adopted.translated.variables),
        "optimizer": None
        if optimizer is None
        else {
            "name": optimizer.name,
            "learning_rate": optimizer.learning_rate,
            **optimizer.settings,
            "slots": len(optimizer.variables),
        },
        "notes": list(adopted.notes),
    }


def _sums(path: Path) -> dict[str, str]:
    """SHA-256 of the files that were read."""
    if path.is_dir():
        files = [path / "saved_model.pb", *sorted((path / "variables").glob("variables.*"))]
    elif path.is_file():
        files = [path]
    else:
        files = [one for one in sorted(path.parent.iterdir()) if one.name.startswith(f"{path.name}.")]
    return {one.name: sha256_of_file(one) for one in files if one.is_file()}


def _describe_dataset(adopted: Adopted) -> dict[str, Any]:
    height, width, channels = _image_shape(adopted)
    dataset = adopted.dataset
    facts: dict[str, Any] = {
        "name": adopted.name,
        "source": None,
        "classes": list(adopted.classes),
        "image_shape": [height, width, channels],
        "counts": {"train": None, "validation": None, "test": None},
        "fingerprint": None,
        "decoding": Decoding(channels=channels, height=height, width=width).to_dict(),
        "notes": [],
        "quarantined": [],
    }
    if dataset is None:
        return facts
    source = dataset.source
    return facts | {
        "name": dataset.name,
        "source": source if source in CATALOGUE or not Path(source).exists() else str(Path(source).resolve()),
        "counts": {
            "train": len(dataset.train),
            "validation": len(dataset.validation),
            "test": None if dataset.test is None else len(dataset.test),
        },
        "fingerprint": dataset.fingerprint(),
        "decoding": dataset.decoding.to_dict(),
        "notes": list(dataset.notes),
        "quarantined": [{"path": one.path, "reason": one.reason} for one in dataset.quarantined],
    }


def _result(adopted: Adopted, config: TrainConfig, folder: RunFolder) -> dict[str, Any]:
    measured = _measure(adopted)
    figures: dict[str, Any] = {}
    for name in ("train", "validation", "test"):
        found = measured.get(name)
        figures[f"{name}_loss"] = None if found is None or not math.isfinite(found.loss) else found.loss
        figures[f"{name}_accuracy"] = None if found is None else found.accuracy
    test = measured.get("test")
    return {
        "run": str(folder.path),
        "network": ADOPTED,
        "parameters": int(adopted.translated.model.count_params()),
        "steps": adopted.step,
        "epochs": None,
        "seed": config.seed,
        "precision": config.precision,
        **figures,
        "test_interval": None if test is None else list(test.interval),
        "seconds_training": None,
        "images_per_second": None,
        "best_step": adopted.step,
        "target_error": 0.0,
        "stopped": "",
        "findings": [],
    }


def _measure(adopted: Adopted) -> dict[str, Evaluation]:
    dataset = adopted.dataset
    if dataset is None:
        return {}
    splits = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    found = {}
    for name, split in splits.items():
        if split is not None:
            most = _MEASURED if name == "train" else len(split)
            rows = np.linspace(0, len(split) - 1, min(most, len(split))).round().astype(np.int64)
            images, labels = split.images[rows], split.labels[rows]
            found[name] = evaluate(adopted.translated.model, images, labels, adopted.classes, name)
    return found
