"""The loop: chunks of compiled updates, reports, validation, checkpoints, stopping."""

import contextlib
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder, Chunk, chunks
from seewell.data.dataset import ImageDataset
from seewell.errors import ConfigError, NotFiniteError, RunError
from seewell.runs.checkpoint import Checkpoint
from seewell.runs.folder import RunFolder
from seewell.runs.tensorfile import Arrays
from seewell.training.audience import Audience
from seewell.training.ending import Ending, where_it_began
from seewell.training.history import History
from seewell.training.judging import Judgement, judge
from seewell.training.keeper import Keeper
from seewell.training.lateness import Lateness
from seewell.training.observers import Observer, Started, TrainReport, ValidationReport
from seewell.training.pacing import Pacer, checkpoint_interval
from seewell.training.profiler import Profiler
from seewell.training.schedules import rates
from seewell.training.signals import StopRequest
from seewell.training.state import Speed, State
from seewell.training.step import StepOutcome
from seewell.training.stopwatch import Lap, Stopwatch
from seewell.training.trainee import Trainee

__all__ = ["FitResult", "Loop"]


@dataclass(frozen=True)
class FitResult:
    """How a training ended.

    Attributes:
        steps: Updates made.
        epochs: Passes over the training split, as a fraction.
        seconds: From the first batch asked for to the last update, with everything between.
        images_per_second: Over the updates alone, from the second call of the compiled step on.
        best_step: The step whose validation accuracy was best; 0 where its checkpoint was lost.
        stopped: Why it ended before its time, or an empty text.
        warnings: What could not be written while it went on.
        best_values: The weights to keep, where checkpoints hold a part of the network only; else None.
        laps: What the seconds from the first to the last thing done were spent on, by name.
    """

    steps: int
    epochs: float
    seconds: float
    images_per_second: float
    best_step: int
    stopped: str = ""
    warnings: tuple[str, ...] = ()
    best_values: Arrays | None = None
    laps: Mapping[str, Lap] = field(default_factory=dict)


class Loop:
    """Trains until the planned updates are made, a signal comes, or the cost is not finite.

    Args:
        trainee: Network, optimizer and compiled step.
        dataset: Training and validation splits; the test split is not touched.
        config: With nothing left open.
        total_steps: Updates to make in all.
        folder: Where history and checkpoints go.
        observers: Who is told.
        stop: Asked after every call of the compiled step.
        pauses: Steps at which a call is to end, for observers that look at single updates; changes no result.
        schedule_start: The update at which the schedule of learning rates begins (anew, where a finished training
            goes on); it runs to ``total_steps``.
        settings: What the training is made with; written into every checkpoint.
        lateness: Notices where the training falls behind its time plan; None where no time was given.
        profiler: Traces some updates; changes no result.
    """

    def __init__(
        self,
        trainee: Trainee,
        dataset: ImageDataset,
        config: TrainConfig,
        *,
        total_steps: int,
        folder: RunFolder,
        observers: Sequence[Observer],
        stop: StopRequest,
        pauses: Collection[int] = frozenset(),
        schedule_start: int = 0,
        settings: Mapping[str, Any] | None = None,
        lateness: Lateness | None = None,
        profiler: Profiler | None = None,
    ) -> None:
        if config.batch_size is None or config.learning_rate is None or config.schedule is None:
            raise ConfigError("the configuration is not resolved.", fix="pass it through seewell.training.plan.resolve")
        self._trainee, self._dataset, self._config = trainee, dataset, config
        self._folder, self._stop = folder, stop
        self._clock = Stopwatch()
        self._audience = Audience(observers, self._clock)
        self._lateness, self._profiler = lateness, profiler
        self._batch_size, self._learning_rate, self._schedule = config.batch_size, config.learning_rate, config.schedule
        self._total, self._schedule_start = total_steps, schedule_start
        self._per_epoch = len(dataset.train) / config.batch_size
        self._state = State()
        self._speed = Speed()
        every_steps, self._every_seconds = checkpoint_interval(config.checkpoint_every)
        self._pacer = Pacer(total_steps, self._per_epoch, every_steps, pauses)
        self._history: History | None = None
        self._began = 0.0
        self._keeper = Keeper(trainee, folder, config, settings=settings or {}, warn=self._audience.warn)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What went wrong so far without ending the training."""
        return tuple(self._audience.warnings)

    def run(self, start: Checkpoint | None = None) -> FitResult:
        """Train.

        Args:
            start: Go on from this checkpoint instead of from the beginning.

        Returns:
            How it ended.

        Raises:
            NotFiniteError: The cost stopped being finite; names layer and batch.
            InterruptedTrainingError: A signal came; everything was saved.
            TrainingStoppedError: An observer asked for a stop; everything was saved.
            RunError: The last checkpoint could not be written.
        """
        with self._clock.section("rest"):
            return self._run(start)

    def _run(self, start: Checkpoint | None) -> FitResult:
        if start is not None:
            self._state = self._keeper.take_over(start)
        self._history = History(self._folder.history, self._state.history_lines)
        self._began = self._keeper.saved_at = time.perf_counter()
        earlier = self._state.seconds
        started = Started(self._trainee.model, self._state.step, self._total, self._per_epoch, self._batch_size)
        self._audience.start(started)
        for text in self._history.lacks:
            self._audience.warn(text)
        stopped = self._out_of_patience()
        try:
            self._find_best_again()
            order = BatchOrder(len(self._dataset.train), self._batch_size, self._config.seed)
            prepared = chunks(self._dataset.train, order, self._sizes() if not stopped else iter(()))
            while (chunk := self._next(prepared)) is not None:
                self._advance(chunk, earlier)
                stopped = self._after_chunk()
                if stopped:
                    break
            self._settle()
        finally:
            self._keeper.close()
            self._audience.end()
        state = self._state
        if not state.ever_finite:
            raise self._stopped("the cost on the validation images was never finite.", {})
        return FitResult(
            steps=state.step,
            epochs=state.step / self._per_epoch,
            seconds=state.seconds,
            images_per_second=self._speed.mean(),
            best_step=state.best_step,
            stopped=stopped,
            warnings=self.warnings,
            best_values=self._keeper.best_values,
            laps=self._clock.laps,
        )

    def _next(self, prepared: Iterator[Chunk]) -> Chunk | None:
        with self._clock.section("input"):
            return next(prepared, None)

    def _settle(self) -> None:
        """Nothing is done before everything is written."""
        with self._clock.section("checkpoints"):
            self._keeper.finish(self._state)
        if self._history is not None:
            self._history.flush()

    def _sizes(self) -> Iterator[tuple[int, int]]:
        step = self._state.step
        while step < self._total:
            size = self._pacer.size(step)
            yield step, size
            step += size

    def _advance(self, chunk: Chunk, earlier: float) -> None:
        config, state = self._config, self._state
        planned = rates(
            self._schedule,
            learning_rate=self._learning_rate,
            warmup=config.warmup or 0.0,
            total=self._total - self._schedule_start,
            first=chunk.first_step - self._schedule_start,
            count=chunk.steps,
        )
        with self._profiled(chunk):
            clock = time.perf_counter()
            with self._clock.section("updates" if self._speed.traced else "tracing"):
                outcome = self._make_updates(chunk, planned)
            spent = time.perf_counter() - clock
        if not outcome.finite:
            raise self._not_finite(chunk, len(outcome.losses) - 1, float(outcome.losses[-1]))
        self._pacer.measured(chunk.steps, spent)
        self._speed.add(spent, chunk.steps * self._batch_size)
        state.step = chunk.first_step + chunk.steps
        state.seconds = earlier + time.perf_counter() - self._began
        # One after the other: the sums must not depend on how the updates were shared among calls.
        for loss, accuracy in zip(outcome.losses.tolist(), outcome.accuracies.tolist(), strict=True):
            state.sum_loss += loss
            state.sum_accuracy += accuracy
        state.sum_steps += chunk.steps
        self._audience.progress(
            state.step,
            float(outcome.losses.mean(dtype=np.float64)),
            float(outcome.accuracies.mean(dtype=np.float64)),
            chunk.steps * self._batch_size / max(spent, 1e-9),
        )
        if self._lateness is not None:
            late = self._lateness.told(done=state.step, total=self._total, seconds=state.seconds)
            if late:
                self._audience.warn(late)
        if self._pacer.reports_at(state.step):
            self._report(float(planned[-1]))

    @contextlib.contextmanager
    def _profiled(self, chunk: Chunk) -> Iterator[None]:
        if self._profiler is None:
            yield
            return
        with self._clock.section("profile"), self._profiler.around(chunk, self._total):
            yield

    def _make_updates(self, chunk: Chunk, planned: NDArray[np.float32]) -> StepOutcome:
        try:
            return self._trainee.steps.run(chunk, planned)
        except (tf.errors.ResourceExhaustedError, MemoryError) as problem:
            raise self._ending().out_of_memory(self._batch_size) from problem

    def _after_chunk(self) -> str:
        """Validate, save and look for reasons to stop; returns the reason or an empty text."""
        state, pacer = self._state, self._pacer
        validated = pacer.validates_at(state.step)
        better = self._validate() if validated else False
        if self._every_seconds is None:
            due = pacer.saves_at(state.step)
        else:
            due = time.perf_counter() - self._keeper.saved_at >= self._every_seconds
        if due or better or state.step == self._total:
            self._save()
        if state.step < self._total:
            self._end_early()
        stopped = self._out_of_patience() if validated else ""
        if stopped:
            self._save()
        return stopped

    def _end_early(self) -> None:
        """Save and raise, where a signal came or an observer asked for a stop."""
        number, reason, state = self._stop.signal_number, self._stop.reason, self._state
        if number is None and reason is None:
            return
        self._save()
        ending = self._ending(self._wait_for_save())
        made = f"{state.step:,} of {self._total:,} updates"
        if number is not None:
            raise ending.interrupted(number, made)
        if reason is not None:
            raise ending.asked_for(reason, made)

    def _ending(self, unsaved: RunError | None = None) -> Ending:
        return Ending(self._folder.path, self._state.checkpoint_step, unsaved)

    def _wait_for_save(self) -> RunError | None:
        """Wait for the last checkpoint; why it could not be written, or None."""
        try:
            self._settle()
        except RunError as problem:
            return problem
        return None

    def _out_of_patience(self) -> str:
        """Why the training ends before its time, or an empty text."""
        patience, state = self._config.early_stop, self._state
        if patience is None or state.since_best < patience or state.step >= self._total:
            return ""
        return f"no better validation accuracy in {patience} validations"

    def _report(self, rate: float) -> None:
        state = self._state
        report = TrainReport(
            step=state.step,
            epoch=state.step / self._per_epoch,
            loss=state.sum_loss / state.sum_steps,
            accuracy=state.sum_accuracy / state.sum_steps,
            learning_rate=rate,
            seconds=state.seconds,
            images_per_second=self._speed.window(),
        )
        state.sum_loss, state.sum_accuracy, state.sum_steps = 0.0, 0.0, 0
        self._remember({"kind": "train", **asdict(report)})
        self._audience.report(report)

    def _validate(self) -> bool:
        state = self._state
        found = self._judge()
        state.count_patience(found.accuracy, found.objective)
        better = self._keeper.validated(state, found.accuracy, found.objective)
        report = ValidationReport(state.step, state.step / self._per_epoch, found.loss, found.accuracy, better)
        line = {"step": report.step, "epoch": report.epoch, "loss": found.loss if math.isfinite(found.loss) else None}
        self._remember({"kind": "validation", **line, "accuracy": report.accuracy})
        self._audience.validation(report)
        return better

    def _judge(self) -> Judgement:
        with self._clock.section("validation"):
            return judge(self._trainee.judged, self._dataset, self._config.label_smoothing or 0.0)

    def _find_best_again(self) -> None:
        """Where the best so far was lost, the weights that the training goes on from stand in for it."""
        if self._state.ever_finite and self._state.best_step == 0:
            found = self._judge()
            if self._keeper.validated(self._state, found.accuracy, found.objective):
                self._save()

    def _remember(self, line: dict[str, Any]) -> None:
        if self._history is None:
            return
        self._history.add(line)
        self._write_history()

    def _write_history(self) -> None:
        """Write the lines that wait; a checkpoint counts those that are on the disk."""
        if self._history is None:
            return
        try:
            self._history.flush()
        except RunError as problem:
            if problem.what not in self._audience.warnings:
                self._audience.warn(problem.what)
        self._state.history_lines = self._history.length

    def _save(self) -> None:
        self._write_history()
        with self._clock.section("checkpoints"):
            bad = self._keeper.save(self._state)
        if bad is not None:
            layer, step = bad.partition("/")[0], self._state.step
            said = f'the update of batch {step:,} made the weights of the layer "{layer}" not finite.'
            raise self._stopped(said, {"layer": layer, "batch": self._batch_name(step)})

    def _not_finite(self, chunk: Chunk, place: int, loss: float) -> NotFiniteError:
        step = chunk.first_step + place + 1
        images, _ = self._trainee.steps.batch(chunk, place)
        layer, values = where_it_began(self._trainee.model, images.numpy())
        said = f'the cost of batch {step:,} is {loss}; it began in the layer "{layer}": {values} are not finite.'
        return self._stopped(said, {"layer": layer, "batch": self._batch_name(step)})

    def _batch_name(self, number: int) -> str:
        return f"{number} (epoch {(number - 1) / self._per_epoch:.2f})"

    def _stopped(self, what: str, details: Mapping[str, object]) -> NotFiniteError:
        self._keeper.settle(self._state)
        return self._ending().not_finite(what, self._learning_rate, details)
