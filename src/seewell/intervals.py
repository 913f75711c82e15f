"""Intervals of shares: of one, and of the difference of two."""

import math

__all__ = ["Z95", "Z99", "bonferroni", "difference_interval", "wilson"]

Z95 = 1.959964
Z99 = 2.575829


def wilson(share: float, count: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval (Wilson 1927).

    Args:
        share: Successes / trials, in [0, 1].
        count: Trials; 0 gives (0, 1).
        z: Quantile of the normal distribution; 1.96 for 95 %.

    Example:
        >>> low, high = wilson(355 / 360, 360)
        >>> round(low, 4), round(high, 4)
        (0.9679, 0.9941)
    """
    if count == 0:
        return 0.0, 1.0
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def difference_interval(a: float, count_a: int, b: float, count_b: int, z: float = Z95) -> tuple[float, float]:
    """Interval of the difference a − b of two independent shares (Newcombe 1998, method 10)."""
    low_a, high_a = wilson(a, count_a, z)
    low_b, high_b = wilson(b, count_b, z)
    difference = a - b
    return (
        difference - math.hypot(a - low_a, high_b - b),
        difference + math.hypot(high_a - a, b - low_b),
    )


def bonferroni(questions: int) -> float:
    """The z of intervals that all hold together in 95 of 100 cases, when so many are asked for.

    Example:
        >>> round(bonferroni(1), 3), round(bonferroni(10), 3)
        (1.96, 2.807)
    """
    from statistics import NormalDist

    return NormalDist().inv_cdf(1 - 0.025 / max(1, questions))
