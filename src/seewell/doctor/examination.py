"""An examination before training: the cheapest and most telling questions first, within a budget."""

import dataclasses
import math
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.facts import Facts
from seewell.doctor.guard import Guard
from seewell.doctor.image_statistics import DriftFacts
from seewell.doctor.judgement import can_be_trained, judge_start
from seewell.doctor.probes.answers import kind_of, output_facts
from seewell.doctor.probes.copies import can_have_copies
from seewell.doctor.probes.drift import drift_facts
from seewell.doctor.probes.forward import layer_values
from seewell.doctor.probes.images import input_facts, share_not_finite
from seewell.doctor.probes.labels import label_facts
from seewell.doctor.probes.loss import loss_facts
from seewell.doctor.probes.random_part import network_augmentation
from seewell.doctor.probes.sample import Sample
from seewell.doctor.probes.splits import split_facts
from seewell.doctor.probes.structure import model_loss, read_optimizer, read_structure
from seewell.doctor.probes.unconnected import kernel_values
from seewell.doctor.statistics import LossFacts
from seewell.doctor.subject import Subject
from seewell.doctor.tryout import Tryout
from seewell.findings import Finding

__all__ = ["Examination"]

_FORWARD_SECONDS = 0.5
_IMAGES = (8, 64)


class Examination:
    """Measures and judges one model on one sample; changes neither.

    Args:
        subject: The model.
        sample: Some images with labels; None where there are none.
        validation: The same of the validation split.
        guard: Runs the probes and collects what could not be judged.
        seconds: The budget; None for none.

    Attributes:
        facts: What was measured.
        batch: The images and class numbers that later probes read.
    """

    def __init__(
        self, subject: Subject, sample: Sample | None, validation: Sample | None, guard: Guard, seconds: float | None
    ) -> None:
        self._subject = subject
        self._sample = sample
        self._validation = validation
        self._guard = guard
        self._began = time.perf_counter()
        self._seconds = seconds
        self._loss: Any = None
        self._rows = np.zeros(0, np.int64)
        model = subject.model
        self.facts = Facts(read_structure(model, subject.anatomy, subject.outputs), read_optimizer(model.optimizer))
        self.batch: tuple[npt.NDArray[Any], npt.NDArray[np.int64]] | None = None

    @property
    def samples(self) -> tuple[Sample | None, Sample | None]:
        """Training and validation images."""
        return self._sample, self._validation

    def run(self) -> list[Finding]:
        """Measure, then judge; findings in no order yet."""
        self._loss = self._guard.attempt("the loss", lambda: model_loss(self._subject.model))
        facts, sample = self.facts, self._sample
        if sample is not None:
            facts.form = sample.form
            self._measure_sample(sample)
            self._measure_data(sample)
        finite = facts.images is not None and facts.images.not_finite == 0
        if sample is not None and finite:
            self._measure_augmentation(sample)
        if sample is not None and finite and can_be_trained(facts):
            self._measure_loss(sample)
            self._measure_layers()
            Tryout(self._subject.model, self._loss, facts, self._guard, self._began, self._seconds).run(sample)
        if sample is not None and self._validation is not None:
            self._measure_drift(sample, self._validation)
        return judge_start(facts)

    @property
    def suggested_learning_rate(self) -> float | None:
        """What a thorough examination's range test suggests; None without one, or where no rate lowers the cost."""
        return None if self.facts.range is None else self.facts.range.suggested

    def _left(self, share: float = 1.0) -> bool:
        """Whether less than this share of the budget is spent."""
        return self._seconds is None or time.perf_counter() - self._began < share * self._seconds

    def _measure_sample(self, sample: Sample) -> None:
        """Answers, inputs at the first weights; how many images later probes can afford."""
        few = sample.images[:: max(1, len(sample) // _IMAGES[0])][: _IMAGES[0]]
        began = time.perf_counter()
        if self._guard.attempt("the network's answers", lambda: self._answer(few)) is None:
            return
        each = (time.perf_counter() - began) / len(few)
        count = int(min(_IMAGES[1], max(_IMAGES[0], _FORWARD_SECONDS / max(each, 1e-6)), len(sample)))
        rows = np.unique(np.linspace(0, len(sample) - 1, count).round().astype(np.int64))
        self.batch = sample.images[rows], sample.labels[rows]
        self._rows = rows
        self._guard.attempt("images", lambda: self._measure_images(sample.images[rows]))
        self._guard.attempt("images", lambda: self._look_for_nan(sample))

    def _look_for_nan(self, sample: Sample) -> None:
        """One image in thousands is enough to ruin a training, so all are read."""
        given = [sample] if self._validation is None else [sample, self._validation]
        share = max(share_not_finite(_everything(one)) for one in given)
        if self.facts.images is not None and share > self.facts.images.not_finite:
            self.facts.images = dataclasses.replace(self.facts.images, not_finite=share)

    def _answer(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        import keras

        with keras.StatelessScope(collect_losses=True):
            return np.asarray(self._subject.model(images, training=False), np.float32)

    def _measure_images(self, images: npt.NDArray[Any]) -> None:
        facts, anatomy = self.facts, self._subject.anatomy
        if anatomy is None:
            answers = self._answer(images)
            logits = None
            facts.images = input_facts(images, None, normalized=False)
        else:
            values = anatomy.values(_as_input(images, anatomy.model), training=False)
            answers = np.asarray(values[id(anatomy.model.outputs[0])], np.float32)
            logits = np.asarray(anatomy.logits.value(values), np.float32)
            seen = anatomy.first_input(values)
            facts.images = input_facts(
                images, None if seen is None else np.asarray(seen, np.float32), normalized=anatomy.first_normalized()
            )
        facts.kind = kind_of(answers, facts.structure.last_activation, facts.structure.from_logits)
        facts.answers = output_facts(answers, facts.kind, logits)

    def _measure_data(self, sample: Sample) -> None:
        self.facts.labels = self._guard.attempt(
            "labels",
            lambda: label_facts(
                sample.all_labels,
                sample.form,
                complete=sample.complete,
                arrays=sample.arrays,
                images=sample.images,
                labels=sample.labels,
            ),
        )
        other = self._validation
        if other is not None:
            train, held = _everything(sample), _everything(other)
            self.facts.splits = self._guard.attempt(
                "validation against training", lambda: split_facts(train, sample.all_labels, held, other.all_labels)
            )

    def _measure_augmentation(self, sample: Sample) -> None:
        anatomy = self._subject.anatomy
        if anatomy is not None and self._left(0.2):
            self.facts.augmentation = self._guard.attempt(
                "augmentation", lambda: network_augmentation(anatomy, sample.images, sample.labels)
            )

    def _measure_drift(self, sample: Sample, other: Sample) -> None:
        if sample.images.shape[1:] != other.images.shape[1:]:
            return
        train, held, hasty = _everything(sample), _everything(other), not self._left(0.8)

        def look() -> DriftFacts:
            if hasty and can_have_copies(train):
                self._guard.note("near copies: left out to save time; thorough=True looks for them.")
            return drift_facts(train, held, plain=sample.arrays, copies=not hasty)

        self.facts.drift = self._guard.attempt("validation against training", look)

    def _measure_loss(self, sample: Sample) -> None:
        if self._loss is None:
            self._guard.note("the loss: the model computes it in its own way; its sign and size are not judged.")
            return
        if self.batch is None:
            return
        images, labels = self.batch
        facts, weights = self.facts, self._subject.model.trainable_variables

        def measure() -> LossFacts:
            answers = self._training_answer(images)
            penalty = sum(float(np.sum(v.regularizer(v.value))) for v in weights if v.regularizer is not None)
            return loss_facts(self._loss, answers, sample.targets[self._rows], labels, facts.kind, penalty)

        facts.loss = self._guard.attempt("the loss", measure)

    def _training_answer(self, images: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Answers in training mode, in which BatchNorm normalizes by the batch; the scope takes what would change."""
        import keras

        with keras.StatelessScope(collect_losses=True):
            return np.asarray(self._subject.model(images, training=True), np.float32)

    def _measure_layers(self) -> None:
        anatomy = self._subject.anatomy
        if anatomy is None:
            known = self.facts.images
            size = 1.0 if known is None else math.hypot(known.mean, known.deviation)
            self.facts.values = self._guard.attempt("layers", lambda: kernel_values(self._subject.model, size)) or ()
            return
        if self.batch is None:
            return
        images, labels = self.batch
        found = self._guard.attempt(
            "layers", lambda: layer_values(anatomy, images, labels, kind=self.facts.kind, training=True)
        )
        self.facts.values = found or ()


def _everything(sample: Sample) -> npt.NDArray[Any]:
    return sample.source if sample.source is not None else sample.images


def _as_input(images: npt.NDArray[Any], model: Any) -> Any:
    import tensorflow as tf

    return tf.cast(tf.convert_to_tensor(images), model.inputs[0].dtype)
