"""From a source and settings to a network that is ready to be trained: where `train`, `resume` and `diagnose` begin."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seewell.config import TrainConfig
from seewell.data.dataset import ImageDataset, Progress
from seewell.data.loading import load_dataset
from seewell.errors import DataError
from seewell.networks.preprocessing import fit_statistics, parse_preprocess
from seewell.runs.run import Run
from seewell.training.plan import DataFacts, Plan, check_config, resolve
from seewell.training.precision import Choice, Hardware, detect_hardware
from seewell.training.strategy import choose_strategy
from seewell.training.trainee import Trainee, build_for, make_trainee

__all__ = ["Prepared", "load_as", "prepare", "rebuild", "same_dataset"]


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that a training needs, before its first update.

    Attributes:
        dataset: The images.
        plan: The settings, with nothing left open.
        choices: What was chosen automatically, and why.
        hardware: Of the machine.
        trainee: The network under training, with its first weights.
        kept: The float32 network that is kept in the end.
    """

    dataset: ImageDataset
    plan: Plan
    choices: tuple[Choice, ...]
    hardware: Hardware
    trainee: Trainee
    kept: Any


def prepare(source: str | Path | ImageDataset, config: TrainConfig, progress: Progress | None = None) -> Prepared:
    """Read the source, choose what was left open, and build the network.

    Args:
        source: A catalogue name, a path, or a dataset.
        config: The settings.
        progress: Called as ``progress(what, done, total)`` while the source is read.

    Raises:
        ConfigError: A setting is wrong.
        DataError: The source cannot be used.
        NetworkError: The architecture does not fit the images.
    """
    check_config(config)
    dataset = source if isinstance(source, ImageDataset) else load_as(source, config, progress)
    height, width, channels = dataset.image_shape
    facts = DataFacts(len(dataset.train), height, width, channels, dataset.num_classes)
    return _build(resolve(config, facts, detect_hardware()), dataset)


def rebuild(run: Run, dataset: ImageDataset) -> Prepared:
    """The network of a run as it was before the run's first update.

    Args:
        run: The run.
        dataset: Its own dataset (see `same_dataset`).
    """
    return _build(Plan(run.config, int(run.info["total_steps"]), ()), dataset)


def load_as(source: str | Path, config: TrainConfig, progress: Progress | None = None) -> ImageDataset:
    """Read a source with the splits and the image size of a configuration."""
    return load_dataset(
        source,
        validation_fraction=config.validation_fraction,
        split_seed=config.split_seed,
        image_size=config.image_size,
        progress=progress,
    )


def same_dataset(run: Run, progress: Progress | None = None) -> ImageDataset:
    """The dataset that a run was trained on, read again.

    Raises:
        DataError: It is not where it was, or is another one.
    """
    dataset = load_as(run.info["dataset"]["source"], run.config, progress)
    if dataset.fingerprint() != run.info["dataset"]["fingerprint"]:
        raise DataError(
            f"{dataset.name} is not the dataset that the run was trained on.",
            expected=f"fingerprint {run.info['dataset']['fingerprint'][:16]}…",
            fix="put the images back as they were, or train anew",
            details={"found": f"{dataset.fingerprint()[:16]}…"},
        )
    return dataset


def _build(plan: Plan, dataset: ImageDataset) -> Prepared:
    config, shape, classes = plan.config, dataset.image_shape, dataset.num_classes
    hardware = detect_hardware()
    strategy, how = choose_strategy(config.batch_size or 1)
    determinism = _choose_determinism(hardware)
    rule = parse_preprocess(config.preprocess or "scale").rule
    statistics = fit_statistics(dataset.train.images) if rule in ("mean-image", "per-channel") else None
    trainee = make_trainee(config, shape, classes, statistics, strategy)
    kept = build_for(config, shape, classes, statistics)
    return Prepared(dataset, plan, (*plan.choices, how, determinism), hardware, trainee, kept)


def _choose_determinism(hardware: Hardware) -> Choice:
    import tensorflow as tf

    if not hardware.gpus:
        return Choice("determinism", "default", "this package's steps give the same bits each time on a processor")
    tf.config.experimental.enable_op_determinism()
    return Choice("determinism", "enabled", "without it, some GPU kernels give other bits each time")
