"""Keeps a training's checkpoints: captures, checks, hands over to the writer, and lives with a full disk."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from seewell.config import TrainConfig
from seewell.errors import RunError
from seewell.runs.checkpoint import SHARD_BYTES, Checkpoint, point
from seewell.runs.folder import RunFolder
from seewell.runs.tensorfile import Arrays, read_size
from seewell.runs.weights import arrays_of, model_variables
from seewell.runs.writer import CheckpointWriter, Keeping
from seewell.training.state import SETTINGS, State
from seewell.training.trainee import Trainee

__all__ = ["Keeper", "first_not_finite"]


@dataclass(frozen=True)
class _Best:
    step: int
    accuracy: float
    loss: float

    def beats(self, other: "_Best") -> bool:
        return (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


_NONE = _Best(0, -1.0, np.inf)


@dataclass(frozen=True)
class _Save:
    step: int
    best: _Best
    better: bool


class Keeper:
    """Writes checkpoints in the background of one training.

    A save that fails (a full disk) does not end the training: it is told, the
    checkpoints before it stay, and the next one is tried when it is due.

    Args:
        trainee: What is captured.
        folder: Where checkpoints go.
        config: Which of them stay, and in what form.
        settings: What the training is made with; written into every checkpoint, so that resuming can compare.
        warn: Told in a sentence what could not be written.

    Attributes:
        saved_at: When the last save began (``time.perf_counter``).
        best_values: The weights to keep, where checkpoints hold a part of the network only; else None.
    """

    def __init__(
        self,
        trainee: Trainee,
        folder: RunFolder,
        config: TrainConfig,
        *,
        settings: Mapping[str, Any],
        warn: Callable[[str], None],
    ) -> None:
        shard_bytes = SHARD_BYTES if config.shard_size is None else read_size(config.shard_size)
        self._trainee, self._folder, self._settings, self._warn = trainee, folder, settings, warn
        self._only = config.only
        self._writer = CheckpointWriter(folder, Keeping(config.keep_last, config.keep_every, shard_bytes))
        self._written = -1
        self._written_best = _NONE
        self._measured: _Best | None = None
        self._under_way: _Save | None = None
        self.saved_at = time.perf_counter()
        self.best_values: Arrays | None = None

    def take_over(self, start: Checkpoint) -> State:
        """Restore a checkpoint; ``BEST`` becomes what it was then, also where a kill came before it was written."""
        self._trainee.restore(start)
        state = State.from_dict(start.state)
        best = self._folder.checkpoints / f"step-{state.best_step:08d}"
        if best.is_dir():
            point(self._folder.checkpoints, "BEST", best)
        self._written, self._written_best = start.step, _best(state)
        return state

    def validated(self, state: State, accuracy: float, loss: float) -> bool:
        """Take in what the validation images said of the present weights; whether they are the best so far.

        Args:
            state: Of the loop; learns of a best.
            accuracy: Share of right answers.
            loss: What decides between equal accuracies; not finite means that these weights can never be the best.
        """
        self._measured = _Best(state.step, accuracy, loss) if np.isfinite(loss) else None
        return self._is_better(state)

    def _is_better(self, state: State) -> bool:
        """Whether the present weights are the best of all that are kept; asked again where a save has failed."""
        if self._measured is None or self._measured.step != state.step:
            return False
        if self._measured.beats(_best(state)):
            _set_best(state, self._measured)
        return state.best_step == state.step

    def save(self, state: State) -> str | None:
        """Begin to write a checkpoint, after the one under way is done.

        Args:
            state: Of the loop; ``checkpoint_step`` becomes its step.

        Returns:
            The name of a variable that is not finite, in which case nothing is written; None where all are.
        """
        self.settle(state)
        better = self._is_better(state)
        if state.step == self._written and (not better or self._written_best.step == state.step):
            return None
        before, state.checkpoint_step = state.checkpoint_step, state.step
        checkpoint = self._trainee.capture(state.step, {**state.to_dict(), SETTINGS: dict(self._settings)}, self._only)
        bad = first_not_finite(checkpoint.weights)
        if bad is not None:
            state.checkpoint_step = before
            return bad
        self.saved_at = time.perf_counter()
        if better and self._only is not None:
            self.best_values = arrays_of(model_variables(self._trainee.judged))
        self._under_way = _Save(state.step, _best(state), better)
        self._writer.submit(checkpoint, best=better)
        return None

    def settle(self, state: State) -> RunError | None:
        """Wait for the save that is under way; where it failed, say so and forget a best that it was to keep.

        Returns:
            Why it failed, or None.
        """
        problem = self._writer.wait()
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return None
        if problem is None:
            self._written, self._written_best = under_way.step, under_way.best
            return None
        state.checkpoint_step = self._written
        if state.best_step == under_way.step:
            _set_best(state, self._written_best)
        newest = f"that of step {self._written:,} is the newest" if self._written >= 0 else "there is none yet"
        self._warn(f"{problem.what[:-1]}; the training goes on, and of its checkpoints {newest}.")
        return problem

    def finish(self, state: State) -> None:
        """Wait for the last checkpoint and, where that failed, try it once more.

        Raises:
            RunError: It cannot be written.
        """
        last = self._under_way
        if self.settle(state) is None or last is None:
            return
        self.save(state)
        problem = self.settle(state)
        if problem is not None:
            raise problem

    def close(self) -> None:
        """End the writer; what is under way is written first."""
        self._writer.close()


def _best(state: State) -> _Best:
    return _Best(state.best_step, state.best_accuracy, state.best_loss)


def _set_best(state: State, best: _Best) -> None:
    state.best_step, state.best_accuracy, state.best_loss = best.step, best.accuracy, best.loss


def first_not_finite(arrays: Arrays) -> str | None:
    """The name of the first array that holds a NaN or an infinity; one pass, nothing is copied.

    Example:
        >>> first_not_finite({"a": np.ones(3), "b": np.array([1.0, np.nan])})
        'b'
    """
    for name, value in arrays.items():
        if value.dtype.kind != "f":
            continue
        with np.errstate(all="ignore"):
            total = value.sum()  # not finite where one value is not; of huge values also where all are
        if not np.isfinite(total) and not np.isfinite(value).all():
            return name
    return None
