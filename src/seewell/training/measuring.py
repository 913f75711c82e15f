"""How long the parts of a training take here: measured on its own network and images, which are left as they were."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seewell.config import TrainConfig
from seewell.data.batches import BatchOrder, chunks
from seewell.data.dataset import ImageDataset, Split
from seewell.errors import RunError
from seewell.runs.checkpoint import Checkpoint, save
from seewell.runs.evaluation import evaluate, predictor_of
from seewell.runs.folder import RunFolder
from seewell.runs.kept import keep
from seewell.training.timing import Pace
from seewell.training.trainee import Trainee

__all__ = ["UpdateCost", "as_it_was", "measure_pace", "measure_update"]

_CALL_SECONDS = 0.25
_CALLS = 4
_MOST_UPDATES = 50
_BYTES_A_SECOND = 2e8
"""A guess at the disk, where no checkpoint can be written for a trial."""


@dataclass(frozen=True)
class UpdateCost:
    """What an update takes.

    Attributes:
        seconds: One update, the graph being traced.
        tracing: The first one, with the tracing of its graph.
    """

    seconds: float
    tracing: float


@contextmanager
def as_it_was(trainee: Trainee) -> Iterator[None]:
    """Put back, at the end, every value of network, optimizer, moving average and seed generators."""
    before = trainee.capture(0, {})
    try:
        yield
    finally:
        trainee.restore(before)


def measure_update(trainee: Trainee, train: Split, config: TrainConfig, *, seconds: float) -> UpdateCost:
    """What one update takes, the graph being traced and its images waited for: the median of several calls.

    The updates are real ones, with a learning rate of 0; everything that they
    change is put back.

    Args:
        trainee: The network under training; its graph is traced here, and is not traced again in the training.
        train: The training split.
        config: With nothing left open.
        seconds: About how long to measure; two updates are made in any case.
    """
    order = BatchOrder(len(train), config.batch_size or 1, config.seed)
    length, before = 1, 0
    taken: list[float] = []
    steady: list[float] = []  # images are read ahead, during the call before: it has to be as long
    began = time.perf_counter()

    def sizes() -> Iterator[tuple[int, int]]:
        step = 0
        for _ in range(_CALLS + 2):
            yield step, length
            step += length

    with as_it_was(trainee):
        clock = began
        for number, chunk in enumerate(chunks(train, order, sizes())):
            trainee.steps.run(chunk, np.zeros(chunk.steps, np.float32))
            ended = time.perf_counter()
            taken.append((ended - clock) / chunk.steps)
            if number > 1 and chunk.steps == before:
                steady.append(taken[-1])
            clock, before = ended, chunk.steps
            if number == 0:
                began = ended  # tracing is not what is measured
            elif number == 1:
                length = max(1, min(_MOST_UPDATES, round(_CALL_SECONDS / taken[-1])))
            if number and ended - began > seconds:
                break
    return UpdateCost(statistics.median(steady or taken[2:] or taken[1:]), taken[0])


def measure_pace(
    trainee: Trainee, kept: Any, dataset: ImageDataset, *, update: float, figures: int, beside: Path | None = None
) -> Pace:
    """What the other parts of a training take, besides its updates.

    Args:
        trainee: The network under training.
        kept: The network that is kept.
        dataset: The images.
        update: Seconds of an update, from `measure_update`.
        figures: Images that the kept network is measured on at the end.
        beside: A folder on the disk that the run will be on, for a trial; the system's for temporary files where
            left out.
    """
    checkpoint = trainee.capture(0, {})
    return Pace(
        update=update,
        validation=_seconds_an_image(trainee.judged, dataset) * len(dataset.validation),
        checkpoint=_seconds_to_write(lambda folder: save(folder, checkpoint), checkpoint, beside),
        figures=_seconds_an_image(kept, dataset) * figures,
        keeping=_seconds_to_write(lambda folder: keep(kept, RunFolder(folder)), checkpoint, beside),
    )


def _seconds_to_write(write: Callable[[Path], object], checkpoint: Checkpoint, beside: Path | None) -> float:
    """Seconds that something takes to be written beside a run; a guess where that disk refuses it."""
    try:
        with tempfile.TemporaryDirectory(dir=beside, prefix=".seewell-", ignore_cleanup_errors=True) as aside:
            clock = time.perf_counter()
            write(Path(aside))
            return time.perf_counter() - clock
    except (RunError, OSError):
        values = (*checkpoint.weights.values(), *checkpoint.optimizer.values())
        return sum(np.asarray(one).nbytes for one in values) / _BYTES_A_SECOND


def _seconds_an_image(model: Any, dataset: ImageDataset) -> float:
    """Of inference, in batches as large as validation takes them, the graph being traced."""
    held = dataset.validation
    count = min(len(held), predictor_of(model).most)
    images, labels = held.images[:count], held.labels[:count]
    clock = time.perf_counter()
    for _ in range(2):  # the first time traces
        clock = time.perf_counter()
        evaluate(model, images, labels, dataset.classes, "validation")
    return (time.perf_counter() - clock) / count
