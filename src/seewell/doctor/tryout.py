"""Updates tried on copies before training: with the user's rate, with others, and of a few images only."""

import math
import time
from typing import Any

import numpy as np

from seewell.doctor.facts import Facts
from seewell.doctor.guard import Guard
from seewell.doctor.probes.by_heart import learn_by_heart, range_test
from seewell.doctor.probes.sample import Sample
from seewell.doctor.probes.trial import Trial
from seewell.doctor.rules.steps import ends, falls
from seewell.doctor.statistics import LookaheadFacts

__all__ = ["Tryout"]

_STEPS, _BATCH, _PIECES = 16, 32, 4
_SCALES = (0.01, 0.1, 100.0, 1000.0, 10.0)
_TRIAL_SHARE, _HEART_SHARE = 0.5, 0.8
_MOST_WEIGHTS = 30_000_000
"""Weights beyond which copies for trial updates are made only when asked to be thorough (0.5 GB with Adam)."""


class Tryout:
    """Tries updates on copies and writes what it measures into the facts.

    Args:
        model: The user's model.
        loss: Its loss.
        facts: Where lookaheads, learning by heart and the range test go.
        guard: Runs the probes.
        began: Time of `time.perf_counter` when the examination began.
        seconds: Its budget; None for none.
    """

    def __init__(self, model: Any, loss: Any, facts: Facts, guard: Guard, began: float, seconds: float | None) -> None:
        self._model, self._loss, self._facts, self._guard = model, loss, facts, guard
        self._began, self._seconds = began, seconds

    def run(self, sample: Sample) -> None:
        """The user's rate first; others, and a few images by heart, where that does not lower the cost."""
        facts = self._facts
        if self._loss is None or facts.structure.trainable == 0:
            return
        if facts.structure.trainable > _MOST_WEIGHTS and self._seconds is not None:
            self._guard.note("trial updates: the network is too large for them; thorough=True makes them.")
            return
        if not self._left(0.3):
            self._guard.note("trial updates: left out to save time; thorough=True makes them.")
            return
        trial = self._guard.attempt("trial updates", lambda: Trial(self._model, self._loss, facts.kind))
        if trial is None:
            return
        self._look_around(trial, sample)
        thorough = self._seconds is None
        if thorough:
            data = self._rows(sample)
            facts.range = self._guard.attempt("the learning-rate range test", lambda: range_test(trial, data))
        if thorough or (facts.lookaheads and not any(map(falls, facts.lookaheads)) and self._left(0.6)):
            self._learn(sample)

    def _look_around(self, trial: Trial, sample: Sample) -> None:
        facts = self._facts
        rate = facts.optimizer.learning_rate or trial.rate
        self._look(trial, sample, rate)
        own = facts.lookaheads[0] if facts.lookaheads else None
        if own is None or falls(own):
            return
        order = _SCALES if ends(own)[1] > own.losses[0] else tuple(reversed(_SCALES))
        for scale in order:
            if not self._left(0.7):
                self._guard.note("other learning rates: left out to save time; thorough=True tries them.")
                break
            self._look(trial, sample, rate * scale)

    def _look(self, trial: Trial, sample: Sample, rate: float) -> None:
        data = self._rows(sample)
        own = self._facts.optimizer.learning_rate or trial.rate

        def look() -> LookaheadFacts:
            found = trial.run(
                data,
                steps=_STEPS,
                rate=rate,
                batch=min(_BATCH, len(data[0])),
                compiled=bool(self._facts.lookaheads),
                deadline=self._deadline(_TRIAL_SHARE),
            )
            return LookaheadFacts(rate / own if own else 1.0, found.losses, found.ratios)

        found = self._guard.attempt("trial updates", look)
        if found is not None:
            self._facts.lookaheads.append(found)

    def _learn(self, sample: Sample) -> None:
        data = (sample.images, sample.targets, sample.labels)
        kind, deadline = self._facts.kind, self._deadline(_HEART_SHARE)
        self._facts.by_heart = self._guard.attempt(
            "learning a few images by heart",
            lambda: learn_by_heart(self._model, self._loss, kind, data, deadline=deadline),
        )

    def _rows(self, sample: Sample) -> tuple[Any, Any, Any]:
        rows = np.random.default_rng(0).permutation(len(sample))[: _BATCH * _PIECES]
        return sample.images[rows], sample.targets[rows], sample.labels[rows]

    def _deadline(self, share: float) -> float:
        return math.inf if self._seconds is None else self._began + share * self._seconds

    def _left(self, share: float) -> bool:
        return self._seconds is None or time.perf_counter() - self._began < share * self._seconds
