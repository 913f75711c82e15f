"""The doctor at our own loop: examines before the first update, watches as an observer, changes nothing."""

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from seewell.config import TrainConfig
from seewell.data.augmentation import Shown, augment, parse_augmentation
from seewell.doctor.examine import prepare
from seewell.doctor.facts import CourseFacts, Facts
from seewell.doctor.guard import Guard
from seewell.doctor.judgement import judge_course
from seewell.doctor.outcome import ResultFacts
from seewell.doctor.prescribe import prescribe
from seewell.doctor.probes.augmentation import augmentation_facts
from seewell.doctor.revision import outcome_of, revise
from seewell.doctor.rules.augmentation import judge_augmentation
from seewell.doctor.subject import check_model
from seewell.doctor.timeshare import TimeShare
from seewell.doctor.watch import MOMENTS, Watch
from seewell.errors import NotFiniteError, TrainingStoppedError
from seewell.findings import Finding
from seewell.networks.layer_table import layer_table, total
from seewell.preparing import Prepared
from seewell.seeds import derive_seed
from seewell.training.observers import Observer, Started, ValidationReport
from seewell.training.optimizers import make_optimizer
from seewell.training.plan import expected_seconds
from seewell.training.schedules import rates
from seewell.training.signals import Reason, StopRequest

__all__ = ["TIME_SHARE", "LoopDoctor", "examination_seconds", "not_finite"]

TIME_SHARE = 0.03
"""Of the time, what the doctor may take while it watches."""
_EXAMINATION_SHARE = 0.05
_EXAMINATION_SHARE_GIVEN = 0.2
"""At most so much of a short time that the user gave, whatever is left out because of that."""
_EXAMINATION_SECONDS = (6.0, 10.0)
"""The least and the most that the examination may take; between them a twentieth of the training's time. On a
busy machine small networks took 3.3 to 5.5 seconds; much below six, one would leave out what tells most."""


_MIXTURES = ("mixup",)
"""Augmentations that blend images, and their labels with them, on purpose."""
_COMPARED = 256
"""Images that are compared with what augmentation makes of them."""


class LoopDoctor(Observer):
    """An observer of our own loop that examines, watches and judges one training.

    Make it before a checkpoint is restored: it compares with the first weights.

    Args:
        prepared: The training.
        stop: Where to ask for a stop; only needed with ``stop_on``.
        stop_on: The severity at which a finding ends the training; None never does.

    Attributes:
        pauses: Steps at which the loop's calls should end, so that single updates can be looked at.
        examination_seconds: What the examination took.
    """

    pauses = MOMENTS
    label = "doctor"

    def __init__(self, prepared: Prepared, *, stop: StopRequest | None = None, stop_on: str | None = None) -> None:
        self._prepared = prepared
        self._stop, self._stop_on = stop, stop_on
        self._guard = Guard()
        self._clock = TimeShare(TIME_SHARE)
        self._facts: Facts | None = None
        self._watch: Watch | None = None
        self._before: list[Finding] = []
        self._during: list[Finding] = []
        self._course: CourseFacts | None = None
        self._marked_at = -1
        self.examination_seconds = 0.0

    @property
    def findings(self) -> list[Finding]:
        """What is known so far: critical, warning, info; a cause before its symptoms."""
        return self.with_others(())

    @property
    def limits(self) -> tuple[str, ...]:
        """What could not be judged, and why."""
        return tuple(self._guard.limits)

    def with_others(self, others: Sequence[Finding], result: ResultFacts | None = None) -> list[Finding]:
        """All findings together with some from elsewhere, such as the verdict's.

        Args:
            others: The others.
            result: What was measured of the trained network: predictions that it refutes are taken back.
        """
        outcome = None
        if result is not None and self._facts is not None and self._course is not None:
            outcome = outcome_of(self._facts, self._course, result)
        before, during = revise(self._before, outcome, before=True), revise(self._during, outcome, before=False)
        return prescribe([*others, *before, *during], self._facts)

    def describe(self) -> dict[str, Any]:
        """What the doctor took and what it could not judge, for ``run.json``."""
        return {
            "examination_seconds": round(self.examination_seconds, 3),
            "seconds": round(self._clock.spent, 3),
            "limits": list(self.limits),
        }

    def examine(self, *, seconds: float | None = None, thorough: bool = False) -> None:
        """Examine network, settings and images before the first update; a failure becomes a note.

        Args:
            seconds: The budget; by default what the training's length allows.
            thorough: Lift the budget.
        """
        began = time.perf_counter()
        self._guard.attempt("the training's start", lambda: self._examine(seconds, thorough))
        self.examination_seconds = time.perf_counter() - began

    def stop_before(self) -> None:
        """End a training that a finding forbids to begin.

        Raises:
            TrainingStoppedError: There is such a finding and the user asked for this.
        """
        reason = self._reason()
        if reason is not None:
            raise TrainingStoppedError(
                f"the training was stopped before its first update: {reason.what}",
                expected=reason.expected,
                fix=reason.fix,
            )

    def recall(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Take in what a training that goes on had measured before."""
        watch = self._watch
        if watch is None:
            return
        for entry in history:
            if entry["kind"] == "train":
                watch.advance(int(entry["step"]), float(entry["loss"]), float(entry["accuracy"]))
            else:
                watch.end_epoch(float(entry["accuracy"]))

    def end_with(self, problem: TrainingStoppedError) -> list[Finding]:
        """All findings of a training that ended with an error, the error's own among them."""
        if not isinstance(problem, NotFiniteError):
            return self.findings
        if self._watch is not None:
            self._watch.record.append(1, math.nan, 0.0)
            self._judge()
        return self.with_others([not_finite(problem)])

    def look(self) -> None:
        """Look at the layers as they are now and judge; for a training that is over."""
        if self._watch is not None:
            self._run("layers", self._watch.probe)
        self._judge()

    def on_start(self, started: Started) -> None:
        """The clock begins."""
        self._clock.start()
        self._mark(started.first_step)

    def on_progress(self, step: int, loss: float, accuracy: float, images_per_second: float) -> None:
        """Take in the cost; measure the update where it was a single one; look at the layers where it is time."""
        watch = self._watch
        if watch is None:
            return
        if watch.marked:
            if step == self._marked_at + 1:
                self._run("updates", watch.after_update)
            watch.marked = False
        watch.advance(step, loss, accuracy)
        if watch.wants_probe() and self._clock.allows(watch.probe_seconds):
            self._run("layers", watch.probe)
            self._judge()
        self._mark(step)

    def on_validation(self, report: ValidationReport) -> None:
        """Look at the layers again, as time allows, and judge."""
        watch = self._watch
        if watch is None:
            return
        watch.end_epoch(report.accuracy)
        if self._clock.allows(watch.probe_seconds):
            self._run("layers", watch.probe)
        self._judge()

    def on_end(self) -> None:
        """Judge the whole training."""
        self._judge(whole=True)

    def _run(self, what: str, probe: Callable[[], None]) -> None:
        with self._clock.counted():
            self._guard.attempt(what, probe, in_fit=True)

    def _mark(self, step: int) -> None:
        watch = self._watch
        if watch is not None and watch.wants_update() and self._clock.allows(watch.update_seconds):
            self._marked_at = step
            self._run("updates", watch.before_update)

    def _examine(self, seconds: float | None, thorough: bool) -> None:
        prepared = self._prepared
        train, held, config = prepared.dataset.train, prepared.dataset.validation, prepared.plan.config
        model = _compiled(prepared)
        examination = prepare(
            model,
            train.images,
            train.labels,
            validation_data=(held.images, held.labels),
            target_error=config.target_error,
            thorough=thorough,
            guard=self._guard,
            seconds=_budget(prepared) if seconds is None else seconds,
        )
        self._facts = examination.facts
        self._before = examination.run()
        changed = self._guard.attempt("augmentation", lambda: _augmentation(config, train.images, train.labels))
        if changed is not None:
            self._before += judge_augmentation(changed)
        # The loop reports the cross-entropy alone, without the penalty on the weights.
        facts = dataclasses.replace(
            examination.facts, structure=dataclasses.replace(examination.facts.structure, penalized=False)
        )
        self._watch = Watch(check_model(model), facts, examination.batch)

    def _judge(self, *, whole: bool = False) -> None:
        watch = self._watch
        if watch is None:
            return

        def judge() -> None:
            self._course = watch.course(whole=whole)
            self._during = judge_course(self._course)

        self._run("the cost", judge)
        reason = self._reason()
        if reason is not None and self._stop is not None:
            self._stop.ask(reason)

    def _reason(self) -> Reason | None:
        """Why the training must not go on, or None."""
        finding = next((one for one in self.findings if one.severity == self._stop_on), None)
        if finding is None:
            return None
        where = f" (in {finding.layer})" if finding.layer else ""
        fix = next((one.option or one.text for one in finding.remedies), "see docs/findings")
        return Reason(f"{finding.code}{where}. {finding.message}", finding.expected, fix)


def not_finite(problem: NotFiniteError) -> Finding:
    """What the loop says of a cost that is not finite, as a finding; names layer and batch."""
    layer, batch = problem.details.get("layer"), problem.details.get("batch")
    return Finding(
        code="non-finite-loss",
        severity="critical",
        layer=None if layer is None else str(layer),
        message=problem.what[:1].upper() + problem.what[1:],
        measured="not finite" if batch is None else f"not finite at batch {batch}",
        expected="a finite cost",
        threshold_source="definition",
    )


def _augmentation(config: TrainConfig, images: npt.NDArray[np.uint8], labels: npt.NDArray[Any]) -> Any:
    """What the loop's augmentation does to some images; None where it does nothing that a look can judge."""
    chosen = [parse_augmentation(one) for one in config.augment or ()]
    chosen = [one for one in chosen if one.name not in _MIXTURES]
    if not chosen:
        return None
    import tensorflow as tf

    rows = np.unique(np.linspace(0, len(images) - 1, min(_COMPARED, len(images))).round().astype(np.int64))
    plain = np.asarray(images[rows])
    seed = derive_seed(config.seed, "augment")
    shown = Shown(tf.constant(rows.astype(np.int32)), tf.zeros(len(rows), tf.int32), seed)
    update = tf.constant([seed, 0], tf.int32)
    changed, _ = augment(tf.constant(plain), tf.zeros((len(rows), 1)), tuple(chosen), update, shown)
    return augmentation_facts(plain, changed.numpy(), np.asarray(labels[rows]))


def _budget(prepared: Prepared) -> float:
    """Seconds that the examination of a training may take."""
    if prepared.timed is not None:
        return examination_seconds(prepared.timed.seconds, given=True)
    table = total(layer_table(prepared.trainee.model))
    planned = expected_seconds(prepared.plan, table.multiply_adds, prepared.hardware)
    return examination_seconds(planned)


def examination_seconds(planned: float, *, given: bool = False) -> float:
    """Seconds that the doctor may take before the first update.

    Args:
        planned: Seconds of the training.
        given: They are what the user gave, and not an estimate.

    Example:
        >>> examination_seconds(60), examination_seconds(10, given=True), examination_seconds(3600)
        (6.0, 2.0, 10.0)
    """
    least, most = _EXAMINATION_SECONDS
    usual = min(most, max(least, _EXAMINATION_SHARE * planned))
    return min(usual, _EXAMINATION_SHARE_GIVEN * planned) if given else usual


def _compiled(prepared: Prepared) -> Any:
    """The network under training as a compiled Keras model: the same layers and weights, an optimizer of its own."""
    config = prepared.plan.config
    model = prepared.trainee.model
    view = keras.Model(model.input, model.output, name=model.name)
    rate = config.learning_rate or 0.0
    optimizer = make_optimizer(
        config.optimizer or "",
        learning_rate=rate,
        momentum=config.momentum,
        weight_decay=config.weight_decay or 0.0,
        precision=config.precision,
    )
    if config.warmup or config.schedule != "constant":
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        inner.learning_rate = _Planned(config, prepared.plan.total_steps, prepared.plan.schedule_start)
    view.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy())
    return view


class _Planned(keras.optimizers.schedules.LearningRateSchedule):
    """The loop's rates as a Keras schedule."""

    def __init__(self, config: TrainConfig, steps: int, start: int) -> None:
        self._config, self._total, self._start = config, steps - start, start

    def __call__(self, step: Any) -> float:
        config = self._config
        first = max(0, int(keras.ops.convert_to_numpy(step)) - self._start)
        planned = rates(
            config.schedule or "constant",
            learning_rate=config.learning_rate or 0.0,
            warmup=config.warmup or 0.0,
            total=self._total,
            first=first,
            count=1,
        )
        return float(planned[0])

    def get_config(self) -> dict[str, Any]:
        """What it was made from."""
        return {"schedule": self._config.schedule, "warmup": self._config.warmup, "total": self._total}
