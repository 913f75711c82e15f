"""Pure arithmetic of the speed benches: ratios within rounds, times to an accuracy, growth."""

import math
import statistics

import numpy as np
from scipy.stats import linregress
from scipy.stats import t as student


def ratio_interval(ratios):
    """Geometric mean of ratios with its 95 % t interval on the logarithm; no interval from fewer than two.

    >>> ratio_interval([2.0, 2.0])
    (2.0, 2.0, 2.0)
    """
    logs = [math.log(one) for one in ratios]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(middle), None, None
    half = student.ppf(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return tuple(math.exp(one) for one in (middle, middle - half, middle + half))


def mean_interval(values):
    """Mean with its 95 % t interval; no interval from fewer than two."""
    middle = statistics.fmean(values)
    if len(values) < 2:
        return middle, None, None
    half = student.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return middle, middle - half, middle + half


def seconds_to(curve, accuracy, measure="accuracy"):
    """Seconds of training until a validation first reached an accuracy; None where none did.

    Args:
        curve: Points with "seconds" and accuracies, in order.
        accuracy: The one to reach.
        measure: Which accuracy; points without it are passed over.

    >>> seconds_to([{"seconds": 1.0, "accuracy": 0.5}, {"seconds": 2.0, "accuracy": 0.9}], 0.9)
    2.0
    """
    reached = (one["seconds"] for one in curve if one.get(measure) is not None and one[measure] >= accuracy)
    return next(reached, None)


def growth(sizes, costs):
    """The exponent with which a cost grows: the slope of its logarithm over the size's.

    >>> round(growth([1, 10, 100], [3, 30, 300]), 6)
    1.0
    """
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def line(sizes, costs):
    """The line through points by least squares: its slope with the 95 % t interval, and its offset.

    >>> slope, offset = line([1, 2, 3], [12, 14, 16])
    >>> [round(one, 6) for one in (*slope, offset)]
    [2.0, 2.0, 2.0, 10.0]
    """
    found = linregress(sizes, costs)
    slope, offset, free = float(found.slope), float(found.intercept), len(sizes) - 2
    if free < 1:
        return (slope, None, None), offset
    half = float(student.ppf(0.975, free) * found.stderr)
    return (slope, slope - half, slope + half), offset


def largest_difference(losses, others):
    """The largest relative difference between two lists of losses, step by step; None where one is not finite.

    >>> largest_difference([2.0, 1.0], [2.0, 0.99])
    0.01
    """
    if not all(one is not None and math.isfinite(one) for one in (*losses, *others)):
        return None
    return round(max(abs(a - b) / abs(a) for a, b in zip(losses, others, strict=True)), 6)


def interval_text(found, unit=""):
    """Such as "1.21 (1.15 to 1.28)"; the middle alone where there is no interval."""
    middle, low, high = found
    return f"{middle:.2f}{unit}" if low is None else f"{middle:.2f}{unit} ({low:.2f} to {high:.2f})"
