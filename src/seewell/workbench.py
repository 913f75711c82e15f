"""Joins the loop and the doctor: one call trains, keeps, measures and judges."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seewell.config import TrainConfig, check_names
from seewell.data.dataset import ImageDataset, Progress
from seewell.describing import describe
from seewell.doctor.outcome import ResultFacts
from seewell.doctor.prescribe import prescribe
from seewell.errors import ConfigError, NotFiniteError, RunError, TrainingStoppedError
from seewell.files import write_json
from seewell.findings import Finding
from seewell.finishing import MEASURED_IMAGES, Job, finish, spread
from seewell.in_time import prepare_in_time
from seewell.preparing import Prepared, prepare
from seewell.resuming import Changes, go_on, made_with
from seewell.runs.checkpoint import Checkpoint, set_aside
from seewell.runs.folder import RunFolder, clear_half_written, clear_unused, free_folder, lock, make_folder, refuse_used
from seewell.runs.kept import keep
from seewell.runs.run import Run
from seewell.training.lateness import Lateness
from seewell.training.loop import Loop
from seewell.training.observers import Observer
from seewell.training.plan import Plan, check_config
from seewell.training.profiler import Profiler
from seewell.training.signals import StopRequest, stop_on_signals
from seewell.training.tensorboard import TIME_SHARE as BOARD_SHARE
from seewell.training.tensorboard import TensorBoardWriter
from seewell.training.timing import Reserve, reserve_for
from seewell.watching import TIME_SHARE as DOCTOR_SHARE
from seewell.watching import LoopDoctor, examination_seconds, not_finite

__all__ = ["MakeObservers", "resume", "train"]

MakeObservers = Callable[[Plan, RunFolder], Sequence[Observer]]
"""Given the plan and the run's folder, who else is to watch the training."""

_PROBE_IMAGES = 32


def train(
    source: str | Path | ImageDataset,
    config: TrainConfig | None = None,
    *,
    out: str | Path | None = None,
    doctor: bool = True,
    stop_on: str | None = None,
    profile: bool = False,
    observers: MakeObservers | None = None,
    progress: Progress | None = None,
) -> Run:
    """Train an image classifier, from a source to a kept and measured run.

    Args:
        source: A catalogue name, a path, or a dataset that was loaded before.
        config: The settings; what is left None is chosen from the data and the processor.
            Without it, the recipe "quick".
        out: The run's folder, new or empty; ``runs/<dataset>-<network>-<n>`` where left out.
        doctor: Examine and watch the training; this changes nothing in its result.
        stop_on: "critical" ends the training at a critical finding, before or during it.
        profile: Measure where the time of an update goes, for ``profile.json``; this changes nothing in the result.
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
        TrainingStoppedError: ``stop_on`` was given and the doctor found such a thing.
        InterruptedTrainingError: A signal came; everything was saved.

    Example:
        >>> run = train("digits", TrainConfig(network="convnet", epochs=1))  # doctest: +SKIP
        >>> run.summary["test_accuracy"]  # doctest: +SKIP
    """
    from seewell import __version__

    config = config or TrainConfig()
    check_config(config)
    _check_stop_on(doctor, stop_on)
    if out is not None:
        refuse_used(Path(out))
    prepared = _prepare(source, config, doctor, profile, None if out is None else Path(out), progress)
    stem = f"{prepared.dataset.name}-{prepared.plan.config.network}"
    folder = make_folder(Path(out) if out else free_folder(Path("runs"), stem))
    job = Job(
        prepared.dataset,
        prepared.plan,
        folder,
        profile=profile,
        measured_images=None if prepared.timed is None else prepared.timed.measured_images,
    )
    try:
        with lock(folder), stop_on_signals() as stop, _writing(folder):
            attending = LoopDoctor(prepared, stop=stop, stop_on=stop_on) if doctor else None
            _fit(job, prepared, describe(prepared, folder, __version__), stop, observers, attending, None)
    finally:
        clear_unused(folder)
    return Run(folder.path)


def resume(
    path: str | Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    more_epochs: float | None = None,
    doctor: bool = True,
    stop_on: str | None = None,
    profile: bool = False,
    observers: MakeObservers | None = None,
    progress: Progress | None = None,
) -> Run:
    """Go on with a training that was interrupted or killed, from its newest whole checkpoint.

    Args:
        path: The run's folder.
        overrides: Settings to change on purpose, such as ``{"learning_rate": 1e-4}``; ``run.json`` says so.
        more_epochs: So many more for a finished run; the schedule of learning rates begins anew with them.
        doctor: See `train`.
        stop_on: See `train`.
        profile: See `train`.
        observers: See `train`.
        progress: See `train`.

    Returns:
        The finished run: the same bytes as if it had never been cut, unless something was changed on purpose.

    Raises:
        RunError: There is no run or no whole checkpoint there, the run is finished, or its settings were edited.
        ConfigError: A setting cannot be changed, or not to this value.
        DataError: The dataset is not where it was, or is another one.
    """
    _check_stop_on(doctor, stop_on)
    from seewell import __version__

    run = Run(path)
    folder = RunFolder(run.path)
    with lock(folder):
        changes = Changes(overrides or {}, more_epochs)
        with _clearly(folder, "cannot be read", "files that can be read"):
            going = go_on(Run(path), changes, version=__version__, progress=progress)
        prepared = going.prepared
        job = Job(
            prepared.dataset,
            prepared.plan,
            folder,
            profile=profile,
            measured_images=going.info.get("time", {}).get("measured_images"),
        )
        with stop_on_signals() as stop, _writing(folder):
            clear_half_written(folder)
            set_aside(folder.checkpoints, going.start.step)
            attending = LoopDoctor(prepared, stop=stop, stop_on=stop_on) if doctor else None
            _fit(job, prepared, going.info, stop, observers, attending, going.start)
    return Run(folder.path)


def _prepare(
    source: str | Path | ImageDataset,
    config: TrainConfig,
    doctor: bool,
    profile: bool,
    out: Path | None,
    progress: Progress | None,
) -> Prepared:
    if config.time is None:
        return prepare(source, config, progress)

    def reserve(seconds: float) -> Reserve:
        return reserve_for(
            seconds,
            examination=examination_seconds(seconds, given=True) if doctor else 0.0,
            doctor_share=DOCTOR_SHARE if doctor else 0.0,
            board_share=BOARD_SHARE,
            profile=profile,
        )

    beside = (Path("runs") if out is None else out.parent).absolute()
    beside = next(one for one in (beside, *beside.parents) if one.is_dir())
    return prepare_in_time(source, config, reserve=reserve, figures=MEASURED_IMAGES, beside=beside, progress=progress)


def _fit(
    job: Job,
    prepared: Prepared,
    info: dict[str, Any],
    stop: StopRequest,
    observers: MakeObservers | None,
    doctor: LoopDoctor | None,
    start: Checkpoint | None,
) -> None:
    dataset, plan, folder = job.dataset, job.plan, job.folder
    if start is None or not folder.network.exists():  # that of a finished run stays until it is replaced
        keep(prepared.kept, folder)
    write_json(folder.info, info)
    loop: Loop | None = None
    try:
        if doctor is not None:
            _examine(doctor, folder, start)
        probe = spread(dataset.train, _PROBE_IMAGES)
        pictures = prepared.timed is None or prepared.timed.reserve.board > 0
        board = TensorBoardWriter(folder.tensorboard, probe.images, probe.labels, histograms=pictures)
        watching: list[Observer] = [board]
        watching += [] if doctor is None else [doctor]
        watching += [] if observers is None else observers(plan, folder)
        profiler = _profiler(prepared, folder) if job.profile else None
        loop = Loop(
            prepared.trainee,
            dataset,
            plan.config,
            total_steps=plan.total_steps,
            folder=folder,
            observers=watching,
            stop=stop,
            pauses=() if doctor is None else doctor.pauses,
            schedule_start=plan.schedule_start,
            settings=made_with(plan, dataset),
            lateness=None if prepared.timed is None else Lateness(prepared.timed),
            profiler=profiler,
        )
        fitted = loop.run(start)
        if profiler is not None:
            updates = fitted.steps - (0 if start is None else start.step)
            write_json(folder.profile, profiler.result(fitted.laps, updates))
    except TrainingStoppedError as problem:
        warned = () if loop is None else (*loop.warnings, *board.lacks)
        _write_stopped(folder, {**_warned(info, warned), **_told(doctor)}, _last_findings(doctor, problem), problem)
        raise
    info = {**_warned(info, (*fitted.warnings, *board.lacks)), **_told(doctor)}
    finish(prepared.kept, job, fitted, info, lambda found, result: _together(doctor, found, result))


def _profiler(prepared: Prepared, folder: RunFolder) -> Profiler:
    config = prepared.plan.config
    return Profiler(
        prepared.trainee.model,
        precision=config.precision,
        batch_size=config.batch_size or 1,
        folder=folder.tensorboard,
    )


def _write_stopped(
    folder: RunFolder, info: dict[str, Any], findings: Sequence[Finding], problem: TrainingStoppedError
) -> None:
    """Write down why a training ended before its time; a full disk must not hide that."""
    problem.details.setdefault("run", folder.path)
    refused: list[str] = []
    writes: tuple[Callable[[], None], ...] = (
        lambda: _write_findings(folder, findings),
        lambda: write_json(folder.info, {**info, "stopped": problem.what}),
    )
    for write in writes:
        try:
            write()
        except OSError as cause:
            refused.append(cause.strerror or str(cause))
    if refused:
        problem.details.setdefault("not written down", f"findings or run.json: {refused[0]}")


def _warned(info: Mapping[str, Any], told: Sequence[str]) -> dict[str, Any]:
    """``run.json`` with the warnings of this training after those of earlier ones."""
    return {**info, "warnings": [*info.get("warnings", []), *told]} if told else dict(info)


def _examine(doctor: LoopDoctor, folder: RunFolder, start: Checkpoint | None) -> None:
    """Before the first update, and before the weights of a checkpoint are taken over."""
    doctor.examine()
    if start is not None:
        doctor.recall([entry for entry in Run(folder.path).history if entry["step"] <= start.step])
    _write_findings(folder, doctor.findings)
    doctor.stop_before()


def _together(doctor: LoopDoctor | None, others: Sequence[Finding], result: ResultFacts) -> list[Finding]:
    """Findings of the doctor and others; causes above the symptoms that they explain."""
    return prescribe(others, None) if doctor is None else doctor.with_others(others, result)


def _last_findings(doctor: LoopDoctor | None, problem: TrainingStoppedError) -> list[Finding]:
    if doctor is not None:
        return doctor.end_with(problem)
    return prescribe([not_finite(problem)] if isinstance(problem, NotFiniteError) else [], None)


def _told(doctor: LoopDoctor | None) -> dict[str, Any]:
    return {} if doctor is None else {"doctor": doctor.describe()}


def _write_findings(folder: RunFolder, findings: Sequence[Finding]) -> None:
    write_json(folder.findings, [finding.to_dict() for finding in findings])


def _check_stop_on(doctor: bool, stop_on: str | None) -> None:
    check_names("severity to stop on", stop_on, ("critical",))
    if stop_on is not None and not doctor:
        raise ConfigError(
            "nobody can stop the training on a finding without the doctor.",
            expected="stop_on with the doctor",
            fix="leave out --no-doctor, or --stop-on",
        )


def _writing(folder: RunFolder) -> contextlib.AbstractContextManager[None]:
    """One clear message where the disk is full or the folder can no longer be written to."""
    return _clearly(folder, "cannot be written", "room on the disk and a folder that can be written to", "make room; ")


@contextlib.contextmanager
def _clearly(folder: RunFolder, what: str, expected: str, fix: str = "") -> Iterator[None]:
    """One message instead of a traceback where the system refuses something."""
    try:
        yield
    except OSError as problem:
        raise RunError(
            f"the run {folder.path} {what}: {problem.strerror or problem}.",
            expected=expected,
            fix=f"{fix}what was saved before is untouched",
            details={} if problem.filename is None else {"file": problem.filename},
        ) from problem
