"""When a training reports, validates and saves, and how many updates one call makes."""

import math
import re
from collections.abc import Collection

from seewell.errors import ConfigError

__all__ = ["Pacer", "checkpoint_interval", "validation_stretch"]

_CALL_SECONDS = 0.5
_MOST_STEPS = 200


def checkpoint_interval(text: str) -> tuple[int | None, float | None]:
    """Read ``checkpoint_every``: "epoch", a number of updates, or a time such as "10m" or "30s".

    Returns:
        Updates and seconds between checkpoints; both None for "epoch".

    Raises:
        ConfigError: It is none of these.

    Example:
        >>> checkpoint_interval("10m")
        (None, 600.0)
    """
    if text == "epoch":
        return None, None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if found and float(found[1]) > 0:
        if found[2]:
            return None, float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]
        if "." not in found[1]:
            return int(found[1]), None
    raise ConfigError(
        f'"{text}" is not an interval between checkpoints.',
        expected='"epoch", a number of updates such as 500, or a time such as 30s or 10m',
        fix="--checkpoint-every 500",
    )


def validation_stretch(per_epoch: float) -> float:
    """Updates from one validation to the next: an epoch's, or several epochs' where these are tiny.

    A tiny split would be validated after each update: at least a twentieth of a hundred updates apart.

    Args:
        per_epoch: Updates in a pass over the training split; not always whole.
    """
    return per_epoch * max(1, math.ceil(5 / per_epoch))


class Pacer:
    """Knows the steps at which something happens, and fills the time between with calls of half a second.

    How the updates are shared among calls changes no result.

    Args:
        total: Updates in all.
        per_epoch: Updates in a pass over the training split; not always whole.
        save_every: Updates between checkpoints; None saves after each epoch.
        pauses: Further steps at which a call ends.
    """

    def __init__(
        self, total: int, per_epoch: float, save_every: int | None, pauses: Collection[int] = frozenset()
    ) -> None:
        self._total = total
        self._save_every = save_every
        self._pauses = sorted(pauses)
        # The series reports every 100 updates; a short training, fifty times in all.
        self._report_every = max(1, min(100, total // 50))
        self._stretch = validation_stretch(per_epoch)
        self._step_seconds: float | None = None

    def measured(self, steps: int, seconds: float) -> None:
        """Learn how long updates take; the first call traces and is not counted."""
        if self._step_seconds is None:
            self._step_seconds = math.inf
        else:
            self._step_seconds = seconds / steps

    def reports_at(self, step: int) -> bool:
        """Whether a report is due after ``step`` updates."""
        return step % self._report_every == 0 or step == self._total

    def validates_at(self, step: int) -> bool:
        """Whether the validation split is looked at after ``step`` updates."""
        return step == self._total or step == self._epoch_end(step - 1)

    def saves_at(self, step: int) -> bool:
        """Whether a checkpoint is due after ``step`` updates."""
        if self._save_every is None:
            return self.validates_at(step)
        return step % self._save_every == 0

    def _epoch_end(self, step: int) -> int:
        """The first step after ``step`` at which a validation is due."""
        stretch = self._stretch
        number = math.floor(step / stretch + 1e-9) + 1
        end = math.ceil(number * stretch - 1e-9)
        return end if end > step else math.ceil((number + 1) * stretch - 1e-9)

    def size(self, step: int) -> int:
        """How many updates the call after ``step`` updates should make."""
        ends = [self._total, (step // self._report_every + 1) * self._report_every, self._epoch_end(step)]
        if self._save_every is not None:
            ends.append((step // self._save_every + 1) * self._save_every)
        ends += [next((pause for pause in self._pauses if pause > step), self._total)]
        most = min(ends) - step
        if self._step_seconds is None or math.isinf(self._step_seconds):
            return 1
        return max(1, min(most, _MOST_STEPS, round(_CALL_SECONDS / self._step_seconds)))
