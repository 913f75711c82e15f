"""What is measured during a training, and when."""

import math
import time
from typing import Any

from seewell.doctor.facts import CourseFacts, Facts
from seewell.doctor.probes.curve import Record, curve_facts
from seewell.doctor.probes.forward import layer_values
from seewell.doctor.probes.modes import mode_facts
from seewell.doctor.probes.order import order_facts
from seewell.doctor.probes.reports import report_facts
from seewell.doctor.probes.structure import mean_rate
from seewell.doctor.probes.weights import WeightWatch
from seewell.doctor.statistics import CurveFacts, LayerValues, ModeFacts
from seewell.doctor.subject import Subject

__all__ = ["MOMENTS", "Watch"]

_UPDATES = (0, 1, 4, 9, 49, 199, 999, 4999)
"""The updates that are measured: how far each moves the weights."""
_PROBES = (20, 100, 400, 1600, 6400, 25600)
"""Updates after which the layers are looked at, besides the ends of epochs."""
_LATE = 9
"""Updates after which Adam's first, longest steps are over."""
_REPORTS = 5000
"""Updates from which on only every tenth running mean is read."""
MOMENTS = frozenset([*_UPDATES, *(update + 1 for update in _UPDATES), *_PROBES])
"""Numbers of updates after which a loop that makes several at once should report, so that nothing is missed."""
_RATES = 50
"""Updates in which it is noticed whether somebody changes the learning rate from batch to batch."""
_IMAGES = 32
_CROSS_ENTROPIES = ("sparse", "categorical", "binary")


class Watch:
    """Measures one training.

    Args:
        subject: The model under training.
        facts: What is known from before.
        batch: Images and class numbers to look at, or None.

    Attributes:
        record: The costs that were reported.
        marked: Whether the update that is being made will be measured.
        update_seconds: What measuring an update takes.
        probe_seconds: What looking at the layers takes.
        held: Validation images, where they were counted.
    """

    def __init__(self, subject: Subject, facts: Facts, batch: Any) -> None:
        self._subject = subject
        self._facts = facts
        self._batch = None if batch is None else (batch[0][:_IMAGES], batch[1][:_IMAGES])
        self._updates = 0
        self._in_epoch = 0
        self._advanced = 1
        self._weights = WeightWatch(subject.model)
        self._values: tuple[LayerValues, ...] = ()
        self._modes: ModeFacts | None = None
        self._not_finite_layer: str | None = None
        self._probed: int | None = None
        self._rates: set[float] = set()
        self.held: int | None = None
        self.record = Record()
        self.marked = False
        self.update_seconds = 0.0
        self.probe_seconds = 0.3

    def count(self, batch: int) -> None:
        """A batch, or several executed at once, has ended; ``batch`` is its number in the epoch."""
        self._advanced = max(1, batch + 1 - self._in_epoch)
        self._updates += self._advanced
        self._in_epoch = batch + 1

    def advance(self, updates: int, loss: float, accuracy: float) -> None:
        """Our own loop has come to so many updates; the means are those of the updates since its last report."""
        self.record.append(updates - self._updates, loss, accuracy)
        self._updates = updates

    def wants_update(self) -> bool:
        """Whether the coming update is one to measure."""
        return self._updates in _UPDATES

    def before_update(self) -> None:
        """Remember the weights."""
        began = time.perf_counter()
        self._weights.mark()
        self.marked = True
        self.update_seconds = 2 * (time.perf_counter() - began)

    def after_update(self) -> None:
        """Compare the weights, where one update was made since the mark and no more."""
        self.marked = False
        if self._advanced == 1:
            self._weights.measure(late=self._updates > _LATE)

    def wants_report(self) -> bool:
        """Whether to read the running means now."""
        return self._updates < _REPORTS or self._updates % 10 == 0

    def report(self, batch: int, loss: Any, accuracy: float | None) -> None:
        """Take in the running means after a batch; where the cost stops being finite, find the layer."""
        if loss is None:
            return
        self.record.add(batch + 1, float(loss), accuracy)
        if self._updates <= _RATES:
            self._rates.add(self._rate())
        if not math.isfinite(float(loss)) and self._not_finite_layer is None:
            self._not_finite_layer = self._first_not_finite()

    def wants_probe(self) -> bool:
        """Whether to look at the layers now, in the middle of an epoch."""
        return self._batch is not None and self._updates in _PROBES

    def probe(self) -> None:
        """Look at the layers on the kept batch, in inference mode, and at both modes."""
        if self._batch is None:
            return
        began = time.perf_counter()
        images, labels = self._batch
        if self._subject.anatomy is not None:
            self._values = layer_values(self._subject.anatomy, images, labels, kind=self._facts.kind, training=False)
        self._modes = mode_facts(self._subject.model, images, labels, self._facts.kind, self._updates)
        self._probed = self._updates
        self.probe_seconds = time.perf_counter() - began

    def wants_last_probe(self) -> bool:
        """Whether the layers have changed since they were looked at."""
        return self._batch is not None and self._probed != self._updates

    def end_epoch(self, validation_accuracy: float | None, accuracy: float | None = None) -> None:
        """An epoch has ended."""
        self._in_epoch = 0
        self.record.epochs += 1
        self.record.results.append((self._updates, accuracy, validation_accuracy))
        if validation_accuracy is not None:
            self.record.validation.append(validation_accuracy)

    def course(self, *, whole: bool = False) -> CourseFacts:
        """What was measured so far.

        Args:
            whole: The training is over: also what takes the whole course to say, the rhythm, fit's own figures and
                the schedule of rates.
        """
        facts = self._facts
        return CourseFacts(
            self.curve(),
            self._weights.changes(),
            self._values,
            self._modes,
            self._not_finite_layer,
            images_seen=facts.images is not None,
            growth=max((value.deviation for value in facts.predicted), default=None),
            mean_rate=mean_rate(self._subject.model.optimizer, self._updates) if whole else None,
            probed=self._probed,
            order=order_facts(self.record, classes=self._classes, chance=self._chance) if whole else None,
            report=report_facts(self.record, self._subject.model, facts.structure, self.held) if whole else None,
            scheduled=facts.optimizer.scheduled or len(self._rates) > 1,
            orthogonal=facts.optimizer.name == "Muon",
        )

    def curve(self) -> CurveFacts | None:
        """The shape of the cost so far."""
        return curve_facts(self.record, classes=self._classes, chance=self._chance, family=self._facts.structure.loss)

    @property
    def _classes(self) -> int:
        return max(2, self._facts.structure.outputs)

    @property
    def _chance(self) -> float | None:
        structure = self._facts.structure
        plain = structure.loss in _CROSS_ENTROPIES and not structure.penalized
        plain = plain and not (structure.loss == "binary" and structure.outputs > 1)
        return math.log(self._classes) if plain else None

    def _rate(self) -> float:
        optimizer = getattr(self._subject.model.optimizer, "inner_optimizer", self._subject.model.optimizer)
        return float(optimizer.learning_rate)

    def _first_not_finite(self) -> str | None:
        return next((change.layer for change in self._weights.changes() if not change.finite), None)
