"""From a source and settings to a network that is ready to be trained: where `train`, `resume` and `diagnose` begin."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from seewell.config import TrainConfig
from seewell.data.dataset import ImageDataset, Progress
from seewell.data.loading import load_dataset
from seewell.errors import ConfigError, DataError, did_you_mean
from seewell.networks.preprocessing import fit_statistics, parse_preprocess
from seewell.networks.registry import architecture
from seewell.runs.adopted_run import ADOPTED
from seewell.runs.folder import RunFolder
from seewell.runs.gate import load_network
from seewell.runs.run import Run
from seewell.runs.weights import model_variables
from seewell.training.estimates import DataFacts
from seewell.training.plan import Plan, check_config, resolve
from seewell.training.precision import Choice, Hardware, detect_hardware
from seewell.training.strategy import choose_strategy
from seewell.training.timing import TimePlan
from seewell.training.trainee import Trainee, build_for, make_trainee

__all__ = ["Prepared", "facts_of", "load_as", "prepare", "prepare_plan", "rebuild", "same_dataset"]


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
        timed: How a given time was shared out; None where none was given.
    """

    dataset: ImageDataset
    plan: Plan
    choices: tuple[Choice, ...]
    hardware: Hardware
    trainee: Trainee
    kept: Any
    timed: TimePlan | None = None


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
    return prepare_plan(resolve(config, facts_of(dataset), detect_hardware()), dataset)


def facts_of(dataset: ImageDataset) -> DataFacts:
    """What a plan depends on of a dataset."""
    height, width, channels = dataset.image_shape
    return DataFacts(len(dataset.train), height, width, channels, dataset.num_classes)


def rebuild(run: Run, dataset: ImageDataset, plan: Plan | None = None) -> Prepared:
    """The network of a run as it was before the run's first update.

    Args:
        run: The run; one that was adopted has no name that builds its network, so its ``network.keras`` is taken.
        dataset: Its own dataset (see `same_dataset`).
        plan: How it goes on; as the run says where left out.
    """
    if plan is None:
        plan = Plan(run.config, int(run.info["total_steps"]), (), int(run.info.get("schedule_start", 0)))
    return prepare_plan(plan, dataset, RunFolder(run.path).network if run.config.network == ADOPTED else None)


def load_as(source: str | Path, config: TrainConfig, progress: Progress | None = None) -> ImageDataset:
    """Read a source with the splits and the image size of a configuration."""
    return load_dataset(
        source,
        validation_fraction=config.validation_fraction,
        split_seed=config.split_seed,
        image_size=config.image_size,
        progress=progress,
    )


def same_dataset(run: Run, progress: Progress | None = None, *, trained_on: str | None = None) -> ImageDataset:
    """The dataset that a run was trained on, read again.

    Args:
        run: Its ``run.json`` says where the dataset is, and its fingerprint.
        progress: Called while it is read.
        trained_on: The fingerprint that a checkpoint of the run holds.

    Raises:
        DataError: It is not where it was, or is another one; says what differs.
    """
    said = run.info["dataset"]
    if said["source"] is None:
        raise DataError(
            f"the run {run.path} was adopted without a source.",
            expected="images with labels, to train on",
            fix="adopt it again with --source",
        )
    dataset = load_as(said["source"], run.config, progress)
    found = dataset.fingerprint()
    wanted = next((one for one in (trained_on, said["fingerprint"]) if one not in (None, found)), None)
    if wanted is not None:
        raise DataError(
            f"{dataset.name} is not the dataset that the run was trained on.",
            expected=f"fingerprint {wanted[:16]}…",
            fix="put the images back as they were, or train anew",
            details={"found": f"{found[:16]}…", **_other_images(said, dataset)},
        )
    return dataset


def _other_images(said: Mapping[str, Any], dataset: ImageDataset) -> dict[str, str]:
    """What differs between a dataset and what ``run.json`` says of it."""
    found: dict[str, str] = {}
    for name, was in (said.get("counts") or {}).items():
        split = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}.get(name)
        now = None if split is None else len(split)
        if was != now:
            found[name] = f"trained with {was} images, now {now}"
    if tuple(said["classes"]) != dataset.classes:
        lost = sorted(set(said["classes"]) - set(dataset.classes))
        new = sorted(set(dataset.classes) - set(said["classes"]))
        found["classes"] = f"gone: {', '.join(lost) or 'none'}; new: {', '.join(new) or 'none'}"
    if tuple(said["image_shape"]) != dataset.image_shape:
        found["image shape"] = f"trained with {tuple(said['image_shape'])}, now {dataset.image_shape}"
    return found or {"differs": "as many images of the same classes and size, with other pixels or labels"}


def prepare_plan(plan: Plan, dataset: ImageDataset, kept: Path | None = None) -> Prepared:
    """Build the network of a plan, as it is before its first update.

    Args:
        plan: With nothing left open.
        dataset: The images.
        kept: The ``network.keras`` to train, where no name builds the network.
    """
    config, shape, classes = plan.config, dataset.image_shape, dataset.num_classes
    hardware = detect_hardware()
    strategy, how = choose_strategy(config.batch_size or 1)
    determinism = _choose_determinism(hardware)
    statistics = fit_statistics(dataset.train.images) if kept is None and _needs_statistics(config) else None
    trainee = make_trainee(config, shape, classes, statistics, strategy, kept=kept)
    _check_only(config.only, trainee.model)
    if kept is None:
        network = build_for(config, shape, classes, None if statistics is None else statistics.without_sample())
        network.set_weights(trainee.model.get_weights())
    else:
        network = load_network(kept)
    return Prepared(dataset, plan, (*plan.choices, how, determinism), hardware, trainee, network)


def _needs_statistics(config: TrainConfig) -> bool:
    fitted = architecture(config.network or "").fit is not None
    return fitted or parse_preprocess(config.preprocess or "scale").needs_statistics


def _check_only(only: str | None, model: Any) -> None:
    """Refuse to keep the weights of layers that there are not."""
    layers = list(dict.fromkeys(name.partition("/")[0] for name in model_variables(model)))
    if only is not None and not any(fnmatchcase(layer, only) for layer in layers):
        near = did_you_mean(only.rstrip("*"), layers)
        raise ConfigError(
            f'no layer with weights is called "{only}" (--only).',
            expected=", ".join(layers),
            fix=near or "choose among these layers; a * stands for any letters, as in 'conv*'",
        )


def _choose_determinism(hardware: Hardware) -> Choice:
    import tensorflow as tf

    if not hardware.gpus:
        return Choice("determinism", "default", "this package's steps give the same bits each time on a processor")
    tf.config.experimental.enable_op_determinism()
    return Choice("determinism", "enabled", "without it, some GPU kernels give other bits each time")
