"""How far the weights have moved, read from the weights alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seewell.doctor.statistics import WeightChange

__all__ = ["WeightWatch"]

_MOST_VALUES = 200_000


class WeightWatch:
    """Compares kernels with what they were; of a large kernel an even sample.

    Args:
        model: A built model, before its first update.
    """

    def __init__(self, model: Any) -> None:
        # Attention keeps biases of two axes; they start at zero, so every change is large.
        self._variables = [v for v in model.trainable_variables if len(v.shape) >= 2 and "bias" not in v.name]
        self._start = self._read()
        self._before = self._start
        self._first = [0.0] * len(self._start)
        self._largest = [0.0] * len(self._start)
        self._late = [0.0] * len(self._start)
        self._seen = 0

    def mark(self) -> None:
        """Remember the weights as they are before an update."""
        self._before = self._read()

    def measure(self, *, late: bool = False) -> None:
        """Compare with the mark: one update later; ``late`` says that the first ones are over."""
        now = self._read()
        ratios = [
            _ratio(after, before) if _size(start) > 0 else 0.0  # a zero start: every first step is large beside it
            for after, before, start in zip(now, self._before, self._start, strict=True)
        ]
        if self._seen == 0:
            self._first = ratios
        self._seen += 1
        self._largest = [max(pair) for pair in zip(self._largest, ratios, strict=True)]
        if late:
            self._late = [max(pair) for pair in zip(self._late, ratios, strict=True)]
        self._before = now

    def changes(self) -> tuple[WeightChange, ...]:
        """What is known so far, by kernel."""
        now = self._read()
        return tuple(
            WeightChange(
                layer=_layer_of(variable),
                first=self._first[index],
                largest=self._largest[index],
                total=_ratio(now[index], self._start[index]),
                growth=_growth(now[index], self._start[index]),
                finite=bool(np.isfinite(now[index]).all()),
                late=self._late[index],
            )
            for index, variable in enumerate(self._variables)
        )

    def _read(self) -> list[npt.NDArray[np.float32]]:
        return [_thin(np.asarray(variable.value, np.float32)) for variable in self._variables]


def _thin(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    flat = values.reshape(-1)
    return flat[:: max(1, len(flat) // _MOST_VALUES)].copy()


def _size(values: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _ratio(after: npt.NDArray[np.float32], before: npt.NDArray[np.float32]) -> float:
    size = _size(before)
    with np.errstate(invalid="ignore", over="ignore"):
        change = _size(after - before)
    if not np.isfinite(change):  # infinite weights were driven there; NaN can come from anywhere
        return float("inf") if np.isinf(after).any() else 0.0
    return change / size if size > 0 else 0.0


def _growth(now: npt.NDArray[np.float32], start: npt.NDArray[np.float32]) -> float:
    """How many times their first size the weights have; 1 where they started at zero."""
    return _size(now) / _size(start) if _size(start) > 0 else 1.0


def _layer_of(variable: Any) -> str:
    parts = str(variable.path).split("/")
    return "/".join(parts[1:-1]) or parts[0] if len(parts) > 2 else parts[0]
