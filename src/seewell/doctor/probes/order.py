"""Do neighbouring batches resemble each other? Read from their costs."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seewell.doctor.course_statistics import OrderFacts
from seewell.doctor.probes.curve import Record

__all__ = ["order_facts"]

_FEWEST = 40
"""Batches of an epoch before it is looked at."""
_EPOCHS, _MOST = 5, 1000
"""The first epochs, and the first batches of each, are enough."""
_DOUBLED = 2.0

Values = npt.NDArray[np.float64]


def order_facts(record: Record, *, classes: int, chance: float | None) -> OrderFacts | None:
    """How far batches follow a rhythm, or None where single batches were not seen.

    Args:
        record: What was reported.
        classes: K.
        chance: ln K where the loss is a cross-entropy.

    Example:
        >>> record = Record()
        >>> record.start_epoch()
        >>> for batch in range(200):
        ...     record.append(1, 6.0 - batch % 20 / 4, 0.05 * (batch % 20))
        >>> facts = order_facts(record, classes=10, chance=None)
        >>> facts.rhythm > 0.5, facts.peaks
        (True, 9)
    """
    spans = _single_batches(record)
    if not spans:
        return None
    costs = [np.asarray(record.losses[start:end], np.float64) for start, end in spans]
    if not all(np.isfinite(one).all() for one in costs):
        return None
    rests = [_rest(one) for one in costs]
    rhythm = _mean_rhythm(rests)
    if len(record.accuracies) == len(record.losses):
        errors = [1 - np.asarray(record.accuracies[start:end], np.float64) for start, end in spans]
        rhythm = max(rhythm, _mean_rhythm([_rest(one) for one in errors]))
    floor = max(chance or 0.0, math.log(classes)) if chance is not None else float(np.mean(costs[0][:3]))
    pairs = [(a, b) for a, b in zip(rests[1:], rests, strict=False) if len(a) == len(b)]
    return OrderFacts(
        rhythm=rhythm,
        batches=sum(len(one) for one in rests),
        epochs=len(rests),
        repeats=float(np.mean([_correlation(a, b) for a, b in pairs])) if pairs else None,
        jumps=sum(_jumps(one, floor) for one in costs),
        peaks=min(_peaks(one) for one in rests),
    )


def _single_batches(record: Record) -> list[tuple[int, int]]:
    """First and last + 1 of the reports of each epoch in which every batch was reported alone.

    None where nobody says when epochs begin: our own loop does not, and shuffles.
    """
    if not record.starts:
        return []
    ends = [*record.starts[1:], len(record.losses)]
    spans = [(start, min(end, start + _MOST)) for start, end in zip(record.starts, ends, strict=True)]
    fine = [(a, b) for a, b in spans if b - a >= _FEWEST and all(width == 1 for width in record.widths[a:b])]
    return fine[:_EPOCHS]


def _rest(values: Values) -> Values:
    """What is left when everything that falls steadily is taken out (isotonic regression), around zero."""
    blocks: list[tuple[float, int]] = []
    for value in values.tolist():
        mean, count = value, 1
        while blocks and blocks[-1][0] < mean:
            above, size = blocks.pop()
            mean, count = (above * size + mean * count) / (size + count), size + count
        blocks.append((mean, count))
    trend = np.concatenate([np.full(count, mean) for mean, count in blocks])
    rest = values - trend
    return np.asarray(rest - rest.mean(), np.float64)


def _mean_rhythm(rests: Sequence[Values]) -> float:
    return float(np.mean([_correlation(one[1:], one[:-1]) for one in rests]))


def _correlation(a: Values, b: Values) -> float:
    size = math.sqrt(float(np.square(a).sum()) * float(np.square(b).sum()))
    return float((a * b).sum()) / size if size > 1e-9 else 0.0


def _jumps(costs: Values, floor: float) -> int:
    before = (costs[:-2] + costs[1:-1]) / 2
    return int(((costs[2:] > _DOUBLED * before) & (costs[2:] > floor)).sum())


def _peaks(rest: Values) -> int:
    """How often three batches together rise above the mean."""
    high = np.convolve(rest, np.ones(3) / 3, "valid") > 0
    return int((high[1:] & ~high[:-1]).sum())
