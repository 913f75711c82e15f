"""Learning curves and the parts of the error, drawn as SVG from a run's numbers."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from seewell.report import svg
from seewell.report.words import ErrorParts, number, percent

__all__ = ["error_bars", "learning_curve", "nice_ticks", "smoothed"]

_WIDTH, _HEIGHT = 460, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 34, 40
_MOST_POINTS = 400
_LOG_FROM = 30.0

Point = tuple[float, float]


def learning_curve(
    history: Sequence[Mapping[str, Any]], measure: Literal["loss", "accuracy"], *, best_step: int | None = None
) -> str:
    """Training and validation over the updates.

    The training line is drawn faint as measured and strong as a moving mean; the
    cost is on a logarithmic axis where it falls by more than a factor of 30.

    Args:
        history: The measurements of a run, as in ``history.jsonl``.
        measure: Which value to draw.
        best_step: The update whose weights were kept; marked where given.

    Returns:
        An SVG drawing, or an empty text where nothing finite was measured.
    """
    train, validation = _series(history, "train", measure), _series(history, "validation", measure)
    values = [value for _, value in train + validation]
    if not values:
        return ""
    last = max(step for step, _ in train + validation)
    across = svg.linear(0, max(last, 1), _LEFT, _WIDTH - _RIGHT)
    positive = [value for value in values if value > 0]
    in_decades = measure == "loss" and bool(positive) and max(positive) / min(positive) > _LOG_FROM
    if in_decades:
        low, high = _decades(min(positive), max(positive))
        ticks = [10.0**power for power in _few(list(range(round(math.log10(low)), round(math.log10(high)) + 1)))]
        up = svg.logarithmic(low, high, _HEIGHT - _BOTTOM, _TOP)
    else:
        low = 0.0 if measure == "loss" else max(0.0, min(values) - 0.02)
        ticks = nice_ticks(low, 1.0 if measure == "accuracy" else max(values), 5)
        low, high = min(low, ticks[0]), max(ticks[-1], max(values)) if measure == "loss" else 1.0
        up = svg.linear(low, high, _HEIGHT - _BOTTOM, _TOP)
    shapes = _frame(ticks, nice_ticks(0, max(last, 1), 5), across, up, measure, in_decades)
    shapes += _lines(train, validation, across, up)
    if best_step is not None:
        shapes += _best(validation, best_step, across, up, measure)
    name = "Cost" if measure == "loss" else "Accuracy"
    label = f"{name} over {last:,} updates, training and validation"
    if validation:
        final = validation[-1][1]
        label += f"; validation ends at {percent(final) if measure == 'accuracy' else number(final)}"
    return svg.document(shapes, width=_WIDTH, height=_HEIGHT, label=label)


def error_bars(parts: ErrorParts) -> str:
    """Accuracy, variance, bias and target error as one bar up to 100 %, and the error alone enlarged (LTFN 12).

    Returns:
        An SVG drawing, or an empty text where training or validation error is unknown.
    """
    stacked = parts.stacked()
    if stacked is None:
        return ""
    accuracy, variance, bias, target = stacked
    named = [("accuracy", accuracy), ("variance", variance), ("bias", bias), ("target", target)]
    width, left, right = 460.0, 1.0, 459.0
    across = svg.linear(0, 1, left, right)
    shapes, start = [svg.text(left, 16, "All validation images", css="strong")], 0.0
    for name, share in named:
        shapes += _piece(across, start, share, 26, 34, name)
        start += share
    error = 1 - accuracy
    height = 66.0
    if error > 0:
        shapes += [
            svg.polygon([(across(accuracy), 62), (right, 62), (right, 96), (left, 96)], "zoom"),
            svg.text(left, 90, f"The error alone ({percent(error)}), enlarged", css="halo"),
        ]
        start = 0.0
        for name, share in named[1:]:
            shapes += _piece(across, start, share / error, 100, 34, name, told=share)
            start += share / error
        height = 140.0
    told = [(name, share) for name, share in named if name != "target" or share > 0]
    for place, (name, share) in enumerate(told):
        x = left + place * width / len(told)
        shapes += [
            svg.rect(x, height + 6, 11, 11, f"part-{name}"),
            svg.text(x + 16, height + 16, f"{_SPOKEN[name]} {percent(share)}"),
        ]
    label = "; ".join(f"{_SPOKEN[name]} {percent(share)}" for name, share in named)
    return svg.document(shapes, width=width, height=height + 24, label=label)


_SPOKEN = {"accuracy": "accuracy", "variance": "variance", "bias": "bias", "target": "target error"}


def _piece(
    across: svg.Scale, start: float, share: float, y: float, height: float, name: str, told: float | None = None
) -> list[str]:
    x, end = across(start), across(start + share)
    if end - x <= 0:
        return []
    words = percent(share if told is None else told)
    shapes = [svg.rect(x, y, end - x, height, f"part-{name}", hint=f"{_SPOKEN[name]} {words}")]
    if end - x > 118:
        shapes.append(svg.text((x + end) / 2, y + 22, f"{_SPOKEN[name]} {words}", css=f"on-{name}", anchor="middle"))
    return shapes


def nice_ticks(low: float, high: float, count: int) -> list[float]:
    """About ``count`` round numbers that cover [low, high] from below: steps of 1, 2 or 5 times a power of ten.

    Example:
        >>> nice_ticks(0, 1, 5)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    span = (high - low) or 1.0
    rough = span / max(count, 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * unit for factor in (1, 2, 5, 10) if factor * unit >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{place * step:.12g}") for place in range(first, last + 1)]


def smoothed(values: Sequence[float], window: int) -> list[float]:
    """A centred moving mean; the window becomes smaller at both ends, so nothing lags or is invented.

    Example:
        >>> smoothed([0.0, 3.0, 0.0], 3)
        [0.0, 1.0, 0.0]
    """
    half = max(window // 2, 0)
    means = []
    for place in range(len(values)):
        reach = min(half, place, len(values) - 1 - place)
        part = values[place - reach : place + reach + 1]
        means.append(sum(part) / len(part))
    return means


def _series(history: Sequence[Mapping[str, Any]], kind: str, measure: str) -> list[Point]:
    found = [(line.get("step"), line.get(measure)) for line in history if line.get("kind") == kind]
    return [(float(x), float(y)) for x, y in found if x is not None and y is not None and math.isfinite(y)]


def _thinned(points: list[Point]) -> list[Point]:
    """At most a few hundred points: of each stretch its lowest and its highest, so that no spike is lost."""
    if len(points) <= _MOST_POINTS:
        return points
    size = math.ceil(2 * len(points) / _MOST_POINTS)
    kept: list[Point] = []
    for start in range(0, len(points), size):
        part = points[start : start + size]
        kept += sorted({min(part, key=lambda one: one[1]), max(part, key=lambda one: one[1])})
    return kept


def _lines(train: list[Point], validation: list[Point], across: svg.Scale, up: svg.Scale) -> list[str]:
    shapes = []
    if train:
        raw = [(across(x), up(y)) for x, y in _thinned(train)]
        means = smoothed([y for _, y in train], max(len(train) // 25, 1))
        calm = _every(list(zip((x for x, _ in train), means, strict=True)))
        shapes.append(svg.polyline(raw, "line train-raw"))
        shapes.append(svg.polyline([(across(x), up(y)) for x, y in calm], "line train"))
    if validation:
        points = [(across(x), up(y)) for x, y in validation]
        shapes.append(svg.polyline(points, "line validation"))
        if len(points) <= 40:
            shapes += [svg.circle(x, y, 2.6, "validation-dot") for x, y in points]
    return shapes


def _every(points: list[Point]) -> list[Point]:
    stride = math.ceil(len(points) / _MOST_POINTS)
    return points[::stride] + ([points[-1]] if (len(points) - 1) % stride else [])


def _frame(
    ticks: list[float], steps: list[float], across: svg.Scale, up: svg.Scale, measure: str, in_decades: bool
) -> list[str]:
    title = "Accuracy" if measure == "accuracy" else "Cost (logarithmic)" if in_decades else "Cost"
    shapes = [svg.text(8, 18, title, css="strong")]
    for place, (name, css) in enumerate((("training", "train"), ("validation", "validation"))):
        x = _WIDTH - _RIGHT - 178 + place * 88
        shapes += [svg.line(x, 14, x + 16, 14, f"line {css}"), svg.text(x + 21, 18, name)]
    for tick in ticks:
        y = up(tick)
        words = f"{tick * 100:.4g} %" if measure == "accuracy" else number(tick)
        shapes += [
            svg.line(_LEFT, y, _WIDTH - _RIGHT, y, "grid"),
            svg.text(_LEFT - 7, y + 4, words, css="faint", anchor="end"),
        ]
    bottom = _HEIGHT - _BOTTOM
    shapes.append(svg.line(_LEFT, bottom, _WIDTH - _RIGHT, bottom, "axis"))
    shapes += [svg.text(across(x), bottom + 17, f"{x:,.0f}", css="faint", anchor="middle") for x in steps]
    shapes.append(svg.text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 35, "updates", css="faint", anchor="middle"))
    return shapes


def _best(validation: list[Point], step: int, across: svg.Scale, up: svg.Scale, measure: str) -> list[str]:
    at = next((value for x, value in validation if x == step), None)
    if at is None:
        return []
    x, y = across(step), up(at)
    words = f"kept: {percent(at) if measure == 'accuracy' else number(at)}"
    anchor = "end" if x > _WIDTH / 2 else "start"
    upward = y > (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        svg.line(x, _TOP, x, _HEIGHT - _BOTTOM, "mark"),
        svg.circle(x, y, 4.5, "best"),
        svg.text(x + (-8 if anchor == "end" else 8), y + (-12 if upward else 22), words, css="halo", anchor=anchor),
    ]


def _decades(low: float, high: float) -> tuple[float, float]:
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    return 10.0**bottom, 10.0 ** max(top, bottom + 1)


def _few(powers: list[int]) -> list[int]:
    return powers[:: math.ceil(len(powers) / 7)]
