"""Where a training's seconds go."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Lap", "Stopwatch"]


@dataclass
class Lap:
    """What was spent on one thing.

    Attributes:
        count: How often it was done.
        seconds: In all.
        first: What the first time took; it often traces a graph.
    """

    count: int = 0
    seconds: float = 0.0
    first: float = 0.0


class Stopwatch:
    """Adds up seconds by what they are spent on; a section inside another counts for itself alone.

    Args:
        now: The clock, in seconds.

    Attributes:
        laps: What was spent so far, by name.

    Example:
        >>> ticks = iter([0.0, 1.0, 4.0, 9.0])
        >>> watch = Stopwatch(now=lambda: next(ticks))
        >>> with watch.section("training"):
        ...     with watch.section("validation"):
        ...         pass
        >>> {name: lap.seconds for name, lap in watch.laps.items()}
        {'validation': 3.0, 'training': 6.0}
    """

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._inside = 0.0
        self.laps: dict[str, Lap] = {}

    @contextmanager
    def section(self, name: str) -> Iterator[None]:
        """Count what happens in the block under ``name``."""
        outer, self._inside = self._inside, 0.0
        began = self._now()
        try:
            yield
        finally:
            whole = self._now() - began
            own = whole - self._inside
            self._inside = outer + whole
            lap = self.laps.setdefault(name, Lap(first=own))
            lap.count += 1
            lap.seconds += own
