"""The doctor as a Keras callback: watches anybody's `model.fit` and changes nothing."""

from collections.abc import Callable
from typing import Any

import keras

from seewell.doctor.conclusion import RESERVED, conclude
from seewell.doctor.examine import prepare
from seewell.doctor.facts import CourseFacts, Facts
from seewell.doctor.guard import Guard
from seewell.doctor.judgement import judge_course
from seewell.doctor.outcome import ResultFacts
from seewell.doctor.prescribe import prescribe
from seewell.doctor.probes.forward import predicted_values
from seewell.doctor.probes.sample import Sample
from seewell.doctor.probes.structure import read_optimizer, read_structure
from seewell.doctor.probes.unconnected import kernel_values
from seewell.doctor.revision import Outcome, outcome_of, revise
from seewell.doctor.rules.hidden import judge_hidden
from seewell.doctor.rules.initialization import judge_constant, judge_scale
from seewell.doctor.rules.modes import judge_still_norms
from seewell.doctor.rules.optimizer import judge_optimizer
from seewell.doctor.rules.output import judge_output
from seewell.doctor.rules.regularization import judge_regularization
from seewell.doctor.rules.structure import judge_bottleneck, judge_trainable
from seewell.doctor.statistics import InputFacts
from seewell.doctor.subject import check_model
from seewell.doctor.timeshare import TimeShare
from seewell.doctor.verdict import verdict
from seewell.doctor.watch import Watch
from seewell.errors import SeewellError
from seewell.findings import Finding

__all__ = ["Doctor"]

_ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy")
_LEFT_TO_CONCLUDE = RESERVED / 2
"""Seconds that a last look at the layers leaves for the result."""
_UNIT = InputFacts(0.0, -1.0, 1.0, 0.0, 1.0, -1.0, 1.0, False, True)
"""Images of mean 0 and deviation 1: what growth is predicted for where no images are known."""


class Doctor(keras.callbacks.Callback):
    """Watches a training and says what is wrong with it.

    Alone it sees the model, its weights and the reported cost. After
    `examine` it also has a batch to look at, and says more.

    Args:
        time_share: Share of the training's time that the doctor may take; it
            binds after 60 seconds, before that the doctor takes 2 at most.
        target_error: The error that could be reached at best, in [0, 1].

    Example:
        >>> doctor = Doctor()
        >>> doctor.examine(model, x_train, y_train)  # doctest: +SKIP
        >>> model.fit(x_train, y_train, callbacks=[doctor])  # doctest: +SKIP
        >>> doctor.findings  # doctest: +SKIP
    """

    def __init__(self, *, time_share: float = 0.03, target_error: float = 0.0) -> None:
        super().__init__()
        if not 0 <= time_share <= 1:
            raise SeewellError(f"time_share is {time_share:g}.", expected="a share from 0 to 1", fix="give 3 % as 0.03")
        self._guard = Guard()
        self._clock = TimeShare(time_share)
        self._target_error = target_error
        self._before: list[Finding] = []
        self._during: list[Finding] = []
        self._after: list[Finding] = []
        self._samples: tuple[Sample | None, Sample | None] = (None, None)
        self._facts: Facts | None = None
        self._batch: Any = None
        self._examined: Any = None
        self._watch: Watch | None = None
        self._suggested: float | None = None
        self._result: ResultFacts | None = None
        self._outcome: Outcome | None = None
        self._course: CourseFacts | None = None

    def examine(
        self,
        model: Any,
        x: Any,
        y: Any = None,
        *,
        validation_data: Any = None,
        target_error: float | None = None,
        thorough: bool = False,
    ) -> list[Finding]:
        """Examine model and data before `fit`, and keep a small batch for later probes.

        Arguments, findings and errors are those of `seewell.examine`.
        """
        examination = prepare(
            model,
            x,
            y,
            validation_data=validation_data,
            target_error=self._target_error if target_error is None else target_error,
            thorough=thorough,
            guard=self._guard,
        )
        self._before = examination.run()
        self._during, self._after, self._samples, self._outcome = [], [], examination.samples, None
        if target_error is not None:
            self._target_error = target_error
        self._facts, self._batch, self._examined = examination.facts, examination.batch, model
        self._suggested = examination.suggested_learning_rate
        return self.findings

    @property
    def findings(self) -> list[Finding]:
        """What is known so far: critical, warning, info; a cause before its symptoms."""
        before = revise(self._before, self._outcome, before=True)
        during = revise(self._during, self._outcome, before=False)
        return prescribe([*before, *during, *self._after], self._facts)

    @property
    def limits(self) -> tuple[str, ...]:
        """What could not be judged, and why."""
        return tuple(self._guard.limits)

    @property
    def suggested_learning_rate(self) -> float | None:
        """What the range test of ``examine(…, thorough=True)`` suggests; None before, or where no rate helps."""
        return self._suggested

    @property
    def seconds(self) -> float:
        """Seconds that the doctor took since the training began, tracing included."""
        return self._clock.spent

    def on_train_begin(self, logs: Any = None) -> None:
        """Read the structure, where it was not examined, and the weights' start."""
        self._clock.start()
        self._watch, self._course = None, None
        self._run("the training's start", self._begin)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """The running means begin again."""
        if self._watch is not None:
            self._watch.record.start_epoch()

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Remember the weights where the next update is to be measured."""
        watch = self._watch
        if watch is not None and watch.wants_update() and self._clock.allows(watch.update_seconds):
            self._run("updates", watch.before_update)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Take in the running means; measure the update that was just made."""
        watch = self._watch
        if watch is None:
            return
        watch.count(batch)
        if watch.marked:
            self._run("updates", watch.after_update)
        if logs and watch.wants_report():
            self._run("the cost", lambda: watch.report(batch, logs.get("loss"), self._accuracy(logs)))
        if watch.wants_probe() and self._clock.allows(watch.probe_seconds + RESERVED):
            self._run("layers", self._probe)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Look at the layers again, as time allows."""
        watch = self._watch
        if watch is None:
            return
        reported = logs or {}
        self._run("the cost", lambda: watch.end_epoch(self._accuracy(reported, "val_"), self._accuracy(reported)))
        if self._clock.allows(watch.probe_seconds + RESERVED):
            self._run("layers", self._probe)
        self._run("the cost", self._judge)

    def on_train_end(self, logs: Any = None) -> None:
        """Judge the whole training."""
        watch = self._watch
        if watch is not None:
            if watch.wants_last_probe() and self._clock.allows(watch.probe_seconds + _LEFT_TO_CONCLUDE):
                self._run("layers", self._probe)
            self._run("the cost", lambda: self._judge(whole=True))
            self._run("the result", self._conclude)

    def _run(self, what: str, probe: Callable[[], None]) -> None:
        with self._clock.counted():
            self._guard.attempt(what, probe, in_fit=True)

    def _begin(self) -> None:
        model, self._during, self._after, self._outcome = self.model, [], [], None
        if self._examined is not model:
            self._before, self._batch, self._samples = [], None, (None, None)
            self._guard.note("images and labels: fit does not show them to a callback; doctor.examine(…) does.")
            for limit in self._structure(model):
                self._guard.note(limit)
        if self._facts is not None:
            subject = check_model(model)
            self._watch = Watch(subject, self._facts, self._batch)
            held = self._samples[1]
            self._watch.held = len(held.all_labels) if held is not None and held.complete else None

    def _structure(self, model: Any) -> tuple[str, ...]:
        subject = check_model(model)
        structure = read_structure(model, subject.anatomy, subject.outputs)
        self._facts = Facts(structure, read_optimizer(model.optimizer))
        predicted = kernel_values(model) if subject.anatomy is None else predicted_values(subject.anatomy)
        self._facts.predicted = predicted if subject.anatomy is not None else ()
        self._before = [
            *judge_output(structure, None, None),
            *judge_trainable(structure),
            *judge_bottleneck(structure),
            *judge_still_norms(structure.still_norms),
            *judge_constant(structure.constant_layers),
            *judge_hidden(structure, ()),
            *judge_scale(predicted, _UNIT, None, falls=None),
            *judge_optimizer(self._facts.optimizer),
            *judge_regularization(structure, (), self._facts.optimizer),
        ]
        return subject.limits

    def _probe(self) -> None:
        if self._watch is not None:
            self._watch.probe()

    def _judge(self, *, whole: bool = False) -> None:
        if self._watch is not None:
            self._course = self._watch.course(whole=whole)
            self._during = judge_course(self._course)

    def _conclude(self) -> None:
        course = self._course
        if course is None or self._facts is None:
            return
        facts = conclude(
            self.model,
            self._facts.kind,
            self._samples,
            course.curve,
            clock=self._clock,
            guard=self._guard,
            target_error=self._target_error,
            report=course.report,
        )
        if facts is None and not any(self._samples) and course.curve is not None and course.curve.accuracy is None:
            self._guard.note("the result: fit reports no accuracy; compile(…, metrics=['accuracy']) makes it.")
        self._result = facts
        self._outcome = outcome_of(self._facts, course, facts)
        if facts is not None:
            self._after = verdict(facts, {"learning_rate": self._facts.optimizer.learning_rate})

    def _accuracy(self, logs: Any, prefix: str = "") -> float | None:
        """What fit reports; the binary accuracy of several outputs counts each zero as right, and says little."""
        several = self._facts is not None and self._facts.structure.outputs > 1
        for name in _ACCURACIES:
            value = logs.get(prefix + name)
            if value is not None and not (several and name == "binary_accuracy"):
                return float(value)
        return None
