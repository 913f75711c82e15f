"""How much of a training's time the doctor may take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["TimeShare"]

_FREE_SECONDS = 2.0
_BINDS_AFTER = 60.0


class TimeShare:
    """Counts the seconds that probes take against those of the training.

    Args:
        share: Of the time since the start; it binds after 60 seconds. Before that, 2 seconds in all.
        now: The clock, in seconds.

    Attributes:
        spent: Seconds taken so far.
    """

    def __init__(self, share: float, now: Callable[[], float] = time.perf_counter) -> None:
        self._share = share
        self._now = now
        self._began = now()
        self.spent = 0.0

    def start(self) -> None:
        """The training begins now."""
        self._began, self.spent = self._now(), 0.0

    def allows(self, seconds: float) -> bool:
        """Whether a probe that takes so long would stay within the share."""
        return seconds <= self.left()

    def left(self, uncounted: float = 0.0) -> float:
        """Seconds that probes may still take now; negative where they took too many.

        Args:
            uncounted: Seconds that the probe which asks has taken so far.
        """
        spent = self.spent + uncounted
        elapsed = self._now() - self._began
        if elapsed <= _BINDS_AFTER:
            return min(_FREE_SECONDS, self._share * _BINDS_AFTER) - spent
        return self._share * elapsed - spent

    @contextmanager
    def counted(self) -> Iterator[None]:
        """What runs inside is the doctor's time."""
        began = self._now()
        try:
            yield
        finally:
            self.spent += self._now() - began
