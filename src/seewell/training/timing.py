"""How many updates fit into a given time: arithmetic only, on what was measured elsewhere."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from seewell.errors import ConfigError
from seewell.training.pacing import checkpoint_interval, validation_stretch

__all__ = [
    "Pace",
    "Reserve",
    "TimePlan",
    "read_time",
    "reserve_for",
    "seconds_needed",
    "steps_that_fit",
    "time_for_updates",
]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_SAFETY = 0.97
"""A machine is rarely as quick for long as in the seconds in which it is measured."""
_PICTURES_FROM = 60.0
"""Seconds of a whole training from which TensorBoard's histograms are worth the graph that they trace."""
_CLOSING = 1.0
"""Seconds for judging the result and for writing it all down, beside the figures of the kept network."""
_PROFILE = 2.0
"""Seconds for recording and reading traces and for the machine's peak."""
_LONGEST = 1e9


def read_time(text: str) -> float:
    """Read a time that a training may take, such as "60s", "10m" or "1.5h".

    Returns:
        Seconds.

    Raises:
        ConfigError: It is not a time.

    Example:
        >>> read_time("10m")
        600.0
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip().lower())
    if found and float(found[1]) > 0:
        return float(found[1]) * _UNITS[found[2]]
    bare = re.fullmatch(r"\d+(?:\.\d+)?", text.strip())
    raise ConfigError(
        f'"{text}" is not a time that a training may take.',
        expected="a number above 0 with s, m or h, such as 60s or 10m",
        fix=f"--time {text.strip()}s" if bare and float(text) > 0 else "--time 60s",
    )


@dataclass(frozen=True)
class Pace:
    """How long the parts of one training take on one machine, in seconds.

    Attributes:
        update: One update.
        validation: One look at all validation images.
        checkpoint: One save.
        figures: The kept network's figures at the end: some training images, validation and test images.
        keeping: Writing the kept network: once before the first update and once at the end.
    """

    update: float
    validation: float
    checkpoint: float
    figures: float
    keeping: float = 0.0

    @property
    def around(self) -> float:
        """Seconds before the first and after the last update: keeping, reading the best checkpoint, figures."""
        return 2 * self.keeping + self.checkpoint + self.figures


@dataclass(frozen=True)
class Reserve:
    """Seconds that are kept free for those who attend a training.

    Attributes:
        examination: The doctor's look before the first update.
        watching: The doctor's looks at the layers between updates, and a profile.
        board: TensorBoard's histograms of the layers; 0 where there are none.
        closing: Judging the result.
    """

    examination: float
    watching: float
    board: float = 0.0
    closing: float = 0.0

    @property
    def whole(self) -> float:
        """All of it."""
        return self.examination + self.watching + self.board + self.closing


@dataclass(frozen=True)
class TimePlan:
    """How a given time was shared out.

    Attributes:
        asked: As the user wrote it, such as "60s".
        seconds: The same in seconds.
        measuring: Seconds that measuring took, building and tracing the networks included.
        reserve: Seconds kept free for the doctor, TensorBoard and the end.
        steps: Updates planned.
        epochs: The same as passes over the training images.
        pace: What was measured of the network that is trained.
        measured_images: Training images that the kept network is measured on at the end.
        one_epoch: About the seconds to ask for where every image is to be seen once.
        tried: What was measured of each network that was tried, as plain values, in order.
    """

    asked: str
    seconds: float
    measuring: float
    reserve: Reserve
    steps: int
    epochs: float
    pace: Pace
    measured_images: int = 0
    one_epoch: float = 0.0
    tried: tuple[dict[str, object], ...] = ()

    @property
    def before_and_after(self) -> float:
        """Seconds that go to measuring, the examination and the end."""
        return self.measuring + self.reserve.examination + self.reserve.closing + self.pace.around

    @property
    def training(self) -> float:
        """Seconds for the training itself, from its first batch to its last update."""
        return self.seconds - self.before_and_after


def reserve_for(
    seconds: float, *, examination: float, doctor_share: float, board_share: float, profile: bool = False
) -> Reserve:
    """What is to be kept free of a given time.

    Args:
        seconds: The time.
        examination: Of the doctor, before the first update.
        doctor_share: Of the time that the doctor may take while it watches; at least 2 seconds of a short training.
        board_share: Of the time that TensorBoard's histograms may take; a training of less than a minute has none.
        profile: Whether updates are traced.
    """
    doctor = max(doctor_share * seconds, min(2.0, 0.1 * seconds)) if doctor_share else 0.0
    board = board_share * seconds if seconds >= _PICTURES_FROM else 0.0
    closing = min(_CLOSING, 0.05 * seconds)
    return Reserve(examination, doctor + (_PROFILE if profile else 0.0), board, closing)


def time_for_updates(seconds: float, pace: Pace, *, measuring: float, reserve: Reserve) -> float:
    """What is left of a given time for updates, validations and checkpoints."""
    return _SAFETY * (seconds - measuring - reserve.whole - pace.around)


def seconds_needed(
    updates: float,
    pace: Pace,
    *,
    per_epoch: float,
    checkpoint_every: str,
    measuring: float,
    reserve: Callable[[float], Reserve],
) -> float:
    """The least time that so many updates fit into, by bisection; what is kept free grows with it.

    Args:
        updates: To be made.
        pace: How long each part takes.
        per_epoch: Updates in a pass over the training images.
        checkpoint_every: As in `seewell.TrainConfig`.
        measuring: Seconds that measuring takes.
        reserve: From a time to what is kept free of it.

    Example:
        >>> pace = Pace(update=0.1, validation=0.0, checkpoint=0.0, figures=2.0)
        >>> nothing = lambda seconds: Reserve(0.0, 0.0)
        >>> round(seconds_needed(97, pace, per_epoch=97, checkpoint_every="1h", measuring=3.0, reserve=nothing), 3)
        15.0
    """

    def fits(seconds: float) -> bool:
        left = time_for_updates(seconds, pace, measuring=measuring, reserve=reserve(seconds))
        return steps_that_fit(left, pace, per_epoch=per_epoch, checkpoint_every=checkpoint_every) >= updates

    low, high = 0.0, 1.0
    while not fits(high) and high < _LONGEST:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def steps_that_fit(seconds: float, pace: Pace, *, per_epoch: float, checkpoint_every: str) -> int:
    """The updates that fit into the time, with the validations and checkpoints that come between.

    Args:
        seconds: For updates, validations and checkpoints.
        pace: How long each takes.
        per_epoch: Updates in a pass over the training images.
        checkpoint_every: As in `seewell.TrainConfig`. Each validation may be the best so far and is then kept,
            whatever this says.

    Returns:
        0 or more.

    Example:
        >>> pace = Pace(update=0.1, validation=1.0, checkpoint=0.0, figures=0.0)
        >>> steps_that_fit(23.0, pace, per_epoch=100, checkpoint_every="epoch")
        200
    """
    save_every, save_seconds = checkpoint_interval(checkpoint_every)
    each = pace.validation + pace.checkpoint
    beside = 0.0 if save_every is None else pace.checkpoint / save_every
    available = seconds - each
    if save_seconds is not None:
        available -= pace.checkpoint * seconds / save_seconds
    a_step = pace.update + each / validation_stretch(per_epoch) + beside
    return max(0, math.floor(available / a_step + 1e-9))
