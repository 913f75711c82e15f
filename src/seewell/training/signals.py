"""Ctrl-C and SIGTERM ask for a stop, and so may an observer; the loop saves and ends at the next update."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

__all__ = ["Reason", "StopRequest", "stop_on_signals"]


@dataclass(frozen=True)
class Reason:
    """Why an observer asks for a stop.

    Attributes:
        what: One sentence that goes on after "the training was stopped …: ".
        expected: What would have been right.
        fix: What to do next.
    """

    what: str
    expected: str
    fix: str


class StopRequest:
    """Whether somebody asked the training to stop.

    Attributes:
        signal_number: The signal that came, or None.
        reason: Why an observer asks for it, or None.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None
        self.reason: Reason | None = None

    def ask(self, reason: Reason) -> None:
        """Ask for a stop; the first reason stands."""
        if self.reason is None:
            self.reason = reason

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        """A signal handler; a second signal changes nothing, so that saving is not cut."""
        if self.signal_number is None:
            self.signal_number = signal_number


@contextmanager
def stop_on_signals() -> Iterator[StopRequest]:
    """Turn SIGINT and SIGTERM into a request for the time of a training.

    Outside the main thread, where Python allows no handlers, the request never comes.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
