"""The one place where a failure of the doctor's own is caught: it becomes a note, never the user's problem."""

import logging
import warnings
from collections.abc import Callable
from typing import TypeVar

from seewell.doctor.inert import untouched
from seewell.errors import SeewellError

__all__ = ["Guard"]

_LOG = logging.getLogger("seewell.doctor")

Value = TypeVar("Value")


class Guard:
    """Runs probes: random states are put back, failures become notes.

    Attributes:
        limits: What could not be judged, and why.
    """

    def __init__(self) -> None:
        self.limits: list[str] = []

    def attempt(self, what: str, probe: Callable[[], Value], *, in_fit: bool = False) -> Value | None:
        """The probe's value, or None and a note where it fails.

        Args:
            what: What is then not judged, such as "gradients".
            probe: Takes nothing.
            in_fit: Whether `fit` is running, and with it threads that draw random numbers.
        """
        try:
            with untouched(in_fit=in_fit), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what is worth saying becomes a finding
                return probe()
        except SeewellError as problem:
            self.note(f"{what}: {problem.what}")
        except Exception as problem:  # any fault of a probe, or of the user's own layers in it
            _LOG.info("The doctor's probe of %s failed; training is not affected.", what, exc_info=True)
            self.note(f"{what}: not judged, the probe failed ({type(problem).__name__}: {_first_line(problem)}).")
        return None

    def note(self, text: str) -> None:
        """Remember, once, what cannot be judged."""
        if text not in self.limits:
            self.limits.append(text)


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [""])[0][:200]
