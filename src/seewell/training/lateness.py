"""Notices when a training that was planned for a given time will end much later."""

from seewell.training.timing import TimePlan

__all__ = ["Lateness"]

_MUCH = 1.25
_SHARE_SEEN = 0.1
_SECONDS_SEEN = 10.0


class Lateness:
    """Compares a training with the time that it was planned for; speaks once.

    The plan is kept all the same: what a seed gives must not depend on what
    else the machine had to do.

    Args:
        plan: The time plan.

    Example:
        >>> from seewell.training.timing import Pace, Reserve
        >>> plan = TimePlan("60s", 60.0, 5.0, Reserve(8.0, 2.0), 1000, 2.0, Pace(0.04, 1.0, 0.0, 2.0))
        >>> Lateness(plan).told(done=500, total=1000, seconds=60.0)[:56]
        'the machine is slower than when 60s were planned: the tr'
    """

    def __init__(self, plan: TimePlan) -> None:
        self._plan, self._seconds = plan, plan.training
        self._spoken = False

    def told(self, *, done: int, total: int, seconds: float) -> str:
        """What to say after ``done`` of ``total`` updates and so many seconds; mostly an empty text."""
        early = done < _SHARE_SEEN * total or seconds < min(_SECONDS_SEEN, 0.25 * self._seconds)
        if self._spoken or early or done >= total:
            return ""
        expected = seconds / done * total
        if expected <= _MUCH * self._seconds:
            return ""
        self._spoken = True
        late = expected - self._seconds
        return (
            f"the machine is slower than when {self._plan.asked} were planned: the training will end about "
            f"{late:,.0f} s late. It keeps its {total:,} updates, so that the plan gives the same result each time; "
            "to end sooner, interrupt it (it is saved) and go on with fewer: --resume RUN --override steps=N."
        )
