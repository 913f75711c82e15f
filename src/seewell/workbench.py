"""Joins the loop and the doctor: one call trains, keeps, measures and judges."""

import contextlib
import dataclasses
import datetime
import math
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seewell.config import TrainConfig
from seewell.data.catalogue import CATALOGUE
from seewell.data.dataset import ImageDataset, Progress, Split
from seewell.data.loading import load_dataset
from seewell.data.names import printable
from seewell.doctor.outcome import Disputed
from seewell.doctor.probes.disputed import disputed_labels
from seewell.doctor.probes.result import falling_share, result_facts
from seewell.doctor.verdict import verdict
from seewell.errors import DataError, RunError, TrainingStoppedError
from seewell.files import write_atomically, write_json
from seewell.networks.preprocessing import fit_statistics, parse_preprocess
from seewell.runs.checkpoint import Checkpoint, best_whole, latest_complete, load, pointed, set_aside
from seewell.runs.evaluation import Evaluation, evaluate
from seewell.runs.folder import FORMAT, RunFolder, clear_unused, free_folder, lock, make_folder, refuse_used
from seewell.runs.run import Run
from seewell.runs.weights import assign, judged_weights, model_variables
from seewell.training.loop import FitResult, Loop
from seewell.training.observers import Observer
from seewell.training.plan import DataFacts, Plan, check_config, resolve
from seewell.training.precision import Choice, Hardware, detect_hardware
from seewell.training.signals import StopRequest, stop_on_signals
from seewell.training.strategy import choose_strategy
from seewell.training.tensorboard import TensorBoardWriter
from seewell.training.trainee import Trainee, build_for, make_trainee

__all__ = ["MakeObservers", "resume", "train"]

MakeObservers = Callable[[Plan, RunFolder], Sequence[Observer]]
"""Given the plan and the run's folder, who else is to watch the training."""

_PROBE_IMAGES = 32
_MEASURED_IMAGES = 10_000


def train(
    source: str | Path | ImageDataset,
    config: TrainConfig | None = None,
    *,
    out: str | Path | None = None,
    observers: MakeObservers | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train an image classifier, from a source to a kept and measured run.

    Args:
        source: A catalogue name, a path, or a dataset that was loaded before.
        config: The settings; what is left None is chosen from the data and the processor.
            Without it, the recipe "quick".
        out: The run's folder, new or empty; ``runs/<dataset>-<network>-<n>`` where left out.
        observers: Makes those who watch, such as a progress bar.
        progress: Called as ``progress(what, done, total)`` while the source is read.

    Returns:
        The run; its ``summary`` holds the figures, its ``network`` predicts.

    Raises:
        ConfigError: A setting is wrong.
        DataError: The source cannot be used.
        NetworkError: The architecture does not fit the images.
        RunError: The folder cannot be written to.
        NotFiniteError: The cost stopped being finite; the last good checkpoint is kept.
        InterruptedTrainingError: A signal came; everything was saved.

    Example:
        >>> run = train("digits", TrainConfig(network="convnet", epochs=1))  # doctest: +SKIP
        >>> run.summary["test_accuracy"]  # doctest: +SKIP
    """
    config = config or TrainConfig()
    check_config(config)
    if out is not None:
        refuse_used(Path(out))
    dataset = source if isinstance(source, ImageDataset) else _load(source, config, progress)
    height, width, channels = dataset.image_shape
    facts = DataFacts(len(dataset.train), height, width, channels, dataset.num_classes)
    hardware = detect_hardware()
    plan = resolve(config, facts, hardware)
    strategy, how = choose_strategy(plan.config.batch_size or 1)
    choices = (*plan.choices, how, _choose_determinism(hardware))
    built = _build(plan, dataset, strategy)
    folder = make_folder(Path(out) if out else free_folder(Path("runs"), f"{dataset.name}-{plan.config.network}"))
    job = _Job(dataset, plan, folder, target_given=config.target_error > 0)
    try:
        with lock(folder), stop_on_signals() as stop, _writing(folder):
            _fit(job, built, _describe(plan, choices, dataset, hardware, folder), stop, observers, None)
    finally:
        clear_unused(folder)
    return Run(folder.path)


def resume(path: str | Path, *, observers: MakeObservers | None = None, progress: Progress | None = None) -> Run:
    """Go on with a training that was interrupted or killed, from its newest whole checkpoint.

    Args:
        path: The run's folder.
        observers: See `train`.
        progress: See `train`.

    Returns:
        The finished run: the same bytes as if it had never been cut.

    Raises:
        RunError: There is no run or no whole checkpoint there, or the run is finished.
        DataError: The dataset is not where it was, or is another one.
    """
    run = Run(path)
    if run.summary:
        raise RunError(
            f"the run {run.path} is finished: {run.summary['steps']:,} updates were made.",
            expected="a training that was interrupted or killed",
            fix="train anew with more --epochs",
        )
    folder = RunFolder(run.path)
    with lock(folder), stop_on_signals() as stop:
        newest, passed_over = latest_complete(folder.checkpoints)
        if newest is None:
            raise RunError(
                f"the run {run.path} has no whole checkpoint.",
                expected="at least one folder checkpoints/step-…",
                fix="train anew",
                details={"damaged": "; ".join(passed_over)} if passed_over else {},
            )
        dataset = _load(run.info["dataset"]["source"], run.config, progress)
        if dataset.fingerprint() != run.info["dataset"]["fingerprint"]:
            raise DataError(
                f"{dataset.name} is not the dataset that the run was trained on.",
                expected=f"fingerprint {run.info['dataset']['fingerprint'][:16]}…",
                fix="put the images back as they were, or train anew",
                details={"found": f"{dataset.fingerprint()[:16]}…"},
            )
        plan = Plan(run.config, int(run.info["total_steps"]), ())
        strategy, _ = choose_strategy(plan.config.batch_size or 1)
        _choose_determinism(detect_hardware())
        info = {key: value for key, value in run.info.items() if key != "stopped"}
        start = _repaired(load(newest), folder)
        set_aside(folder.checkpoints, start.step)
        info["resumed"] = [*info.get("resumed", []), {"step": start.step, "passed_over": list(passed_over)}]
        job = _Job(dataset, plan, folder, target_given=plan.config.target_error > 0)
        with _writing(folder):
            _fit(job, _build(plan, dataset, strategy), info, stop, observers, start)
    return Run(folder.path)


def _repaired(start: Checkpoint, folder: RunFolder) -> Checkpoint:
    """Forget the best so far where its checkpoint is lost, so that the next validation finds a best again."""
    if start.state["best_step"] == start.step or pointed(folder.checkpoints, "BEST") is not None:
        return start
    lost = {"best_step": 0, "best_accuracy": -1.0, "best_loss": None, "since_best": 0}
    return dataclasses.replace(start, state={**start.state, **lost})


@dataclass(frozen=True)
class _Job:
    """What is trained on what, and where it goes."""

    dataset: ImageDataset
    plan: Plan
    folder: RunFolder
    target_given: bool


@dataclass(frozen=True)
class _Built:
    """The network under training, and the float32 one that is kept."""

    trainee: Trainee
    kept: Any


def _build(plan: Plan, dataset: ImageDataset, strategy: Any) -> _Built:
    config, shape, classes = plan.config, dataset.image_shape, dataset.num_classes
    rule = parse_preprocess(config.preprocess or "scale").rule
    statistics = fit_statistics(dataset.train.images) if rule in ("mean-image", "per-channel") else None
    trainee = make_trainee(config, shape, classes, statistics, strategy)
    return _Built(trainee, build_for(config, shape, classes, statistics))


def _fit(
    job: _Job,
    built: _Built,
    info: dict[str, Any],
    stop: StopRequest,
    observers: MakeObservers | None,
    start: Checkpoint | None,
) -> None:
    dataset, plan, folder = job.dataset, job.plan, job.folder
    _keep(built.kept, folder)
    write_json(folder.info, info)
    probe = _spread(dataset.train, _PROBE_IMAGES)
    watching: list[Observer] = [TensorBoardWriter(folder.tensorboard, probe.images, probe.labels)]
    if observers is not None:
        watching += observers(plan, folder)
    loop = Loop(
        built.trainee, dataset, plan.config, total_steps=plan.total_steps, folder=folder, observers=watching, stop=stop
    )
    try:
        fitted = loop.run(start)
    except TrainingStoppedError as problem:
        write_json(folder.info, {**info, "stopped": problem.what})
        raise
    _finish(built.kept, job, fitted, info)


@contextlib.contextmanager
def _writing(folder: RunFolder) -> Iterator[None]:
    """One clear message where the disk is full or the folder can no longer be written to."""
    try:
        yield
    except OSError as problem:
        raise RunError(
            f"the run {folder.path} cannot be written: {problem.strerror or problem}.",
            expected="room on the disk and a folder that can be written to",
            fix="make room; what was saved before is untouched",
        ) from problem


def _load(source: str | Path, config: TrainConfig, progress: Progress | None) -> ImageDataset:
    return load_dataset(
        source,
        validation_fraction=config.validation_fraction,
        split_seed=config.split_seed,
        image_size=config.image_size,
        progress=progress,
    )


def _choose_determinism(hardware: Hardware) -> Choice:
    import tensorflow as tf

    if not hardware.gpus:
        return Choice("determinism", "default", "this package's steps give the same bits each time on a processor")
    tf.config.experimental.enable_op_determinism()
    return Choice("determinism", "enabled", "without it, some GPU kernels give other bits each time")


def _spread(split: Split, most: int) -> Split:
    """At most so many images, evenly spread over the split, so that a sorted one is not cut to its first classes."""
    if len(split) <= most:
        return split
    rows = np.linspace(0, len(split) - 1, most).round().astype(np.int64)
    return Split(split.images[rows], split.labels[rows])


def _keep(model: Any, folder: RunFolder) -> None:
    with write_atomically(folder.network) as beside:
        model.save(beside)


def _describe(
    plan: Plan, choices: Sequence[Choice], dataset: ImageDataset, hardware: Hardware, folder: RunFolder
) -> dict[str, Any]:
    import keras
    import tensorflow as tf

    from seewell import __version__

    return {
        "format": FORMAT,
        "name": folder.path.name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": plan.config.to_dict(),
        "total_steps": plan.total_steps,
        "choices": [{"setting": c.setting, "value": c.value, "reason": c.reason} for c in choices],
        "versions": {
            "seewell": __version__,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": hardware.processor,
            "cores": hardware.cores,
            "gpus": len(hardware.gpus),
        },
        "dataset": {
            "name": dataset.name,
            "source": _lasting(dataset.source),
            "classes": list(dataset.classes),
            "image_shape": list(dataset.image_shape),
            "counts": {
                "train": len(dataset.train),
                "validation": len(dataset.validation),
                "test": None if dataset.test is None else len(dataset.test),
            },
            "fingerprint": dataset.fingerprint(),
            "decoding": dataset.decoding.to_dict(),
            "notes": list(dataset.notes),
            "quarantined": [{"path": one.path, "reason": one.reason} for one in dataset.quarantined],
        },
    }


def _lasting(source: str) -> str:
    """The source so that it is found from any folder: paths absolute, catalogue names as they are."""
    path = Path(source)
    return source if source in CATALOGUE or not path.exists() else str(path.resolve())


def _finish(kept: Any, job: _Job, fitted: FitResult, info: dict[str, Any]) -> None:
    """Keep the best network, measure it, judge it, and write everything down."""
    dataset, plan, folder = job.dataset, job.plan, job.folder
    best, passed_over = best_whole(folder.checkpoints)
    if best is None:
        raise RunError(
            f"the run {folder.path} has no whole checkpoint left to keep.",
            expected="at least one folder checkpoints/step-… as it was written",
            fix="train again; something else wrote to the folder",
        )
    info["passed_over"] = list(passed_over)
    assign(model_variables(kept), judged_weights(load(best)))
    _keep(kept, folder)
    measured = _measure(kept, dataset)
    history = Run(folder.path).history
    settings = {**plan.config.to_dict(), "channels": dataset.image_shape[2]}
    train, held = ((one.probabilities, one.labels) for one in (measured["train"], measured["validation"]))
    facts = result_facts(
        train,
        held,
        falling=falling_share([entry["loss"] for entry in history if entry["kind"] == "train"]),
        target_error=plan.config.target_error,
        target_given=job.target_given,
    )
    facts = dataclasses.replace(facts, disputed=disputed_labels(held))
    found = verdict(facts, settings, dataset.classes)
    write_json(folder.label_issues, _label_issues(facts.disputed, dataset.validation))
    findings = [finding.to_dict() for finding in found]
    test = measured.get("test")
    info["result"] = {
        "run": str(folder.path),
        "network": plan.config.network,
        "parameters": int(kept.count_params()),
        "steps": fitted.steps,
        "epochs": fitted.epochs,
        "seed": plan.config.seed,
        "precision": plan.config.precision,
        "train_loss": _finite(measured["train"].loss),
        "train_accuracy": measured["train"].accuracy,
        "validation_loss": _finite(measured["validation"].loss),
        "validation_accuracy": measured["validation"].accuracy,
        "test_loss": None if test is None else _finite(test.loss),
        "test_accuracy": None if test is None else test.accuracy,
        "test_interval": None if test is None else list(test.interval),
        "seconds_training": fitted.seconds,
        "images_per_second": fitted.images_per_second,
        "best_step": int(best.name.removeprefix("step-")),
        "target_error": plan.config.target_error,
        "stopped": fitted.stopped,
        "findings": findings,
    }
    write_json(folder.findings, findings)
    write_json(folder.info, info)


def _label_issues(disputed: Sequence[Disputed], split: Split) -> list[dict[str, Any]]:
    """The labels that look wrong, as they are written down; the surest first."""
    paths = split.paths
    return [
        {**dataclasses.asdict(one), "path": None if paths is None else printable(paths[one.index])} for one in disputed
    ]


def _finite(loss: float) -> float | None:
    """JSON has no infinity: a cost that overflows on some image is null there."""
    return loss if math.isfinite(loss) else None


def _measure(kept: Any, dataset: ImageDataset) -> dict[str, Evaluation]:
    splits = {"train": _spread(dataset.train, _MEASURED_IMAGES), "validation": dataset.validation}
    if dataset.test is not None:
        splits["test"] = dataset.test
    return {name: evaluate(kept, split.images, split.labels, dataset.classes, name) for name, split in splits.items()}
