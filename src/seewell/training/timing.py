"""How many updates fit into a given time: arithmetic only, on what was measured elsewhere."""

import math
import re
from dataclasses import dataclass

from seewell.errors import ConfigError
from seewell.training.pacing import checkpoint_interval, validation_stretch

__all__ = ["Pace", "Reserve", "TimePlan", "read_time", "reserve_for", "steps_that_fit"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


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
        figures: The kept network's figures at the end: up to 10,000 training images, validation and test images.
    """

    update: float
    validation: float
    checkpoint: float
    figures: float


@dataclass(frozen=True)
class Reserve:
    """Seconds that are kept free for those who attend a training.

    Attributes:
        examination: The doctor's look before the first update.
        watching: The doctor's and TensorBoard's looks at the layers between updates.
    """

    examination: float
    watching: float


@dataclass(frozen=True)
class TimePlan:
    """How a given time was shared out.

    Attributes:
        asked: As the user wrote it, such as "60s".
        seconds: The same in seconds.
        measuring: Seconds that measuring took, building and tracing the networks included.
        reserve: Seconds kept free for doctor and TensorBoard.
        steps: Updates planned.
        epochs: The same as passes over the training images.
        pace: What was measured of the network that is trained.
        tried: What was measured of each network that was tried, as plain values, in order.
    """

    asked: str
    seconds: float
    measuring: float
    reserve: Reserve
    steps: int
    epochs: float
    pace: Pace
    tried: tuple[dict[str, object], ...] = ()

    @property
    def before_and_after(self) -> float:
        """Seconds that go to measuring, the examination and the figures at the end."""
        return self.measuring + self.reserve.examination + self.pace.figures

    @property
    def training(self) -> float:
        """Seconds for the training itself, from its first batch to its last update."""
        return self.seconds - self.before_and_after


def reserve_for(seconds: float, *, examination: float, doctor_share: float, board_share: float) -> Reserve:
    """What is to be kept free of a given time.

    Args:
        seconds: The time.
        examination: Of the doctor, before the first update.
        doctor_share: Of the time that the doctor may take while it watches; at least 2 seconds of a short training.
        board_share: Of the time that TensorBoard's histograms may take.
    """
    doctor = max(doctor_share * seconds, min(2.0, 0.1 * seconds)) if doctor_share else 0.0
    return Reserve(examination, doctor + board_share * seconds)


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
