"""From a source and a given time to a network that is ready to be trained for that long, and no longer."""

import dataclasses
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from seewell.config import TrainConfig
from seewell.data.dataset import ImageDataset, Progress
from seewell.errors import ConfigError
from seewell.preparing import Prepared, facts_of, load_as, prepare_plan
from seewell.seeds import RandomStates
from seewell.training.choosing import Tried, choose
from seewell.training.ending import out_of_memory
from seewell.training.estimates import as_seen, expected_seconds_an_image
from seewell.training.measuring import measure_pace, measure_update
from seewell.training.plan import check_config, resolve, with_steps
from seewell.training.precision import detect_hardware
from seewell.training.quick import Candidate, enough_epochs, is_quick, quick_network, quick_widths
from seewell.training.timing import (
    Pace,
    Reserve,
    TimePlan,
    read_time,
    seconds_needed,
    steps_that_fit,
    time_for_updates,
)

__all__ = ["prepare_in_time"]

_MEASURING_SHARE = 0.1
"""Of the time given, what a choice among networks may take; the one that is trained is measured in any case."""
_UPDATE_SECONDS = (0.5, 3.0)
"""The least and the most that the updates of a network are measured for; between them a hundredth of the time."""
_FIGURES_SHARE = 0.05
"""Of the time given, what measuring training images at the end may take."""
_FEWEST_MEASURED = 1000
_INFERENCE = 1 / 3
"""Of an image's share of an update, what an answer takes: forward without backward."""


@dataclass(frozen=True, eq=False)
class _Built:
    prepared: Prepared
    tried: Tried
    states: RandomStates
    tracing: float


def prepare_in_time(
    source: str | Path | ImageDataset,
    config: TrainConfig,
    *,
    reserve: Callable[[float], Reserve],
    figures: int,
    beside: Path | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Read the source, measure what fits into ``config.time``, and build the network.

    The clock starts when the images are read (and their fingerprint, which
    reads them all). Weights, optimizer and every random state are afterwards
    as if nothing had been measured: a training with the settings of
    ``run.json`` gives the same bytes.

    Args:
        source: A catalogue name, a path, or a dataset.
        config: The settings, with a time.
        reserve: From a time to what is to be kept free of it for the doctor, TensorBoard and the end.
        figures: At most so many training images are measured at the end, besides validation and test images; fewer
            where the time is short.
        beside: A folder on the disk that the run will be on, for a checkpoint on trial.
        progress: Called as ``progress(what, done, total)`` while the source is read.

    Returns:
        The training with its plan: as many updates as fit; ``timed`` says how the time was shared out.

    Raises:
        ConfigError: A setting is wrong, or the time is too short for a single update.
        DataError: The source cannot be used.
        NetworkError: The architecture does not fit the images.
        TrainingStoppedError: There is not enough memory for a single update of any network that may be taken.
    """
    check_config(config)
    if config.time is None:
        raise ConfigError("no time is given.", expected="a time such as 60s", fix="--time 60s")
    seconds = read_time(config.time)
    dataset = source if isinstance(source, ImageDataset) else load_as(source, config, progress)
    dataset.fingerprint()
    began = time.perf_counter()
    search = _Search(dataset, config, seconds, reserve(seconds), figures, began)
    built = search.best()
    built.states.put_back()
    pace = measure_pace(
        built.prepared.trainee, built.prepared.kept, dataset, update=built.tried.update, figures=1, beside=beside
    )
    built.states.put_back()
    measured_images = _measured(dataset, figures, pace.figures, seconds)
    pace = dataclasses.replace(pace, figures=pace.figures * (measured_images + _others(dataset)))
    measuring = time.perf_counter() - began
    per_epoch = len(dataset.train) / (built.prepared.plan.config.batch_size or 1)

    def kept_free(seconds: float) -> Reserve:
        """The first histograms trace about what an update traces."""
        found = reserve(seconds)
        return dataclasses.replace(found, board=max(found.board, built.tracing)) if found.board else found

    every = config.checkpoint_every
    left = time_for_updates(seconds, pace, measuring=measuring, reserve=kept_free(seconds))
    steps = steps_that_fit(left, pace, per_epoch=per_epoch, checkpoint_every=every)
    one_epoch = seconds_needed(
        per_epoch, pace, per_epoch=per_epoch, checkpoint_every=every, measuring=measuring, reserve=kept_free
    )
    if steps < 1:
        raise _too_short(config.time, per_epoch, measuring + kept_free(seconds).whole + pace.around, one_epoch)
    timed = TimePlan(
        asked=config.time,
        seconds=seconds,
        measuring=measuring,
        reserve=kept_free(seconds),
        steps=steps,
        epochs=steps / per_epoch,
        pace=pace,
        measured_images=measured_images,
        one_epoch=one_epoch,
        tried=tuple(search.tried),
    )
    plan = with_steps(built.prepared.plan, timed)
    others = [choice for choice in built.prepared.choices if choice not in built.prepared.plan.choices]
    return dataclasses.replace(built.prepared, plan=plan, choices=(*plan.choices, *others), timed=timed)


def _measured(dataset: ImageDataset, figures: int, an_image: float, seconds: float) -> int:
    """Training images that are measured at the end: fewer than ``figures`` where they would take too much time."""
    affordable = max(_FEWEST_MEASURED, int(_FIGURES_SHARE * seconds / max(an_image, 1e-9)))
    return min(figures, len(dataset.train), affordable)


def _others(dataset: ImageDataset) -> int:
    """Validation and test images, which are all measured at the end."""
    return len(dataset.validation) + len(dataset.test or ())


class _Search:
    """Builds and measures the networks that a configuration leaves to choose from."""

    def __init__(
        self,
        dataset: ImageDataset,
        config: TrainConfig,
        seconds: float,
        reserve: Reserve,
        figures: int,
        began: float,
    ) -> None:
        self._dataset, self._config, self._seconds, self._reserve = dataset, config, seconds, reserve
        self._figures, self._began = figures, began
        self._facts, self._hardware = facts_of(dataset), detect_hardware()
        self._built: dict[Candidate, _Built] = {}
        self._longest = 0.0
        self.tried: list[dict[str, object]] = []

    def best(self) -> _Built:
        """The network to train."""
        config, facts = self._config, self._facts
        plan = resolve(config, facts, self._hardware)
        quick = is_quick(config)
        seen = as_seen(facts, config)
        network = quick_network(seen, config)
        free = quick and config.network is None and not config.network_arguments
        widths = quick_widths(seen, network) if free else ()
        own = plan.config.network_arguments.get("widths", "")
        first = Candidate(
            tuple(map(int, str(own).split("-"))) if widths else (), plan.config.batch_size or 1, plan.config.precision
        )
        precision = first.precision
        batch_sizes = [first.batch_size * factor for factor in (1, 2, 4)] if quick and config.batch_size is None else []
        tried = choose(
            first,
            widths=widths or [()],
            precisions=[precision, "float32"] if quick and config.precision == "auto" else [precision],
            batch_sizes=[size for size in batch_sizes if size <= facts.images],
            enough=enough_epochs(facts, network),
            work=lambda one: expected_seconds_an_image(seen, one.widths, self._hardware, one.precision, network),
            measure=self._measure,
            may_go_on=self._may_go_on,
        )
        if tried.candidate not in self._built:
            raise out_of_memory(tried.candidate.batch_size)
        return self._built[tried.candidate]

    def _may_go_on(self) -> bool:
        spent = time.perf_counter() - self._began
        return spent + self._longest <= _MEASURING_SHARE * self._seconds

    def _measure(self, candidate: Candidate) -> Tried:
        clock = time.perf_counter()
        plan = resolve(self._config, self._facts, self._hardware, candidate=candidate)
        prepared = prepare_plan(plan, self._dataset)
        states = RandomStates()
        least, most = _UPDATE_SECONDS
        budget = min(most, max(least, 0.01 * self._seconds))
        try:
            cost = measure_update(prepared.trainee, self._dataset.train, plan.config, seconds=budget)
        except (tf.errors.ResourceExhaustedError, MemoryError):
            self._note(plan.config, math.inf, 0.0)
            return Tried(candidate, math.inf, 0.0, 0.0)
        states.put_back()
        batch_size = plan.config.batch_size or 1
        per_epoch = self._facts.images / batch_size
        pace = self._guess(cost.seconds, batch_size)
        spent = time.perf_counter() - self._began
        left = time_for_updates(self._seconds, pace, measuring=spent, reserve=self._reserve)
        updates = steps_that_fit(left, pace, per_epoch=per_epoch, checkpoint_every="epoch")
        tried = Tried(candidate, cost.seconds, updates / per_epoch, updates)
        self._built[candidate] = _Built(prepared, tried, states, cost.tracing)
        self._longest = max(self._longest, time.perf_counter() - clock)
        self._note(plan.config, cost.seconds, tried.epochs)
        return tried

    def _guess(self, update: float, batch_size: int) -> Pace:
        """What validations and the figures at the end take, from the time of an update."""
        an_image = _INFERENCE * update / batch_size
        measured = _measured(self._dataset, self._figures, an_image, self._seconds)
        return Pace(
            update=update,
            validation=an_image * len(self._dataset.validation),
            checkpoint=0.0,
            figures=an_image * (measured + _others(self._dataset)),
        )

    def _note(self, config: TrainConfig, update: float, epochs: float) -> None:
        """Write down what was measured; None where there was too little memory to measure it."""
        self.tried.append(
            {
                "network": config.network,
                "network_arguments": dict(config.network_arguments),
                "batch_size": config.batch_size,
                "precision": config.precision,
                "seconds_an_update": update if math.isfinite(update) else None,
                "images_per_second": (config.batch_size or 1) / update,
                "epochs": epochs,
            }
        )


def _too_short(asked: str, per_epoch: float, beside: float, needed: float) -> ConfigError:
    return ConfigError(
        f"{asked} are too short for a single update: measuring, the doctor's examination and the figures at the end "
        f"take about {beside:.0f} s here.",
        expected=f"a longer time; one epoch ({per_epoch:,.0f} updates) needs about {needed:.0f} s",
        fix=f"--time {10 * -(-int(needed) // 10) + 10}s, or --steps with a number of updates",
    )
