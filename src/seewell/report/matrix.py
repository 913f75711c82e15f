"""The confusion matrix and the accuracy of each class, drawn as SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seewell.report import svg
from seewell.report.plots import nice_ticks
from seewell.report.words import percent, printable, shortened

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Confused", "class_accuracies", "confusion_matrix", "frequent_confusions"]

_MOST_CLASSES_NAMED = 30
_MOST_CLASSES_COUNTED = 16
_MOST_ROWS = 20


@dataclass(frozen=True)
class Confused:
    """How often one class was taken for another.

    Attributes:
        truth: The true class.
        predicted: The class that was predicted instead.
        count: Images.
        share: Share of the images of the true class.
    """

    truth: str
    predicted: str
    count: int
    share: float


def confusion_matrix(confusion: "np.ndarray[Any, Any]", classes: Sequence[str]) -> str:
    """Rows are the true classes, columns the predicted ones; the shade is the share of the row.

    Mistakes have a colour of their own, so that a few of them show beside many
    right answers. Up to 16 classes each cell says its count; up to 30 rows and
    columns say their class; beyond that every tenth says its number.

    Args:
        confusion: int64 (K, K), rows = truth.
        classes: K names.

    Returns:
        An SVG drawing.
    """
    count = len(classes)
    named, counted = count <= _MOST_CLASSES_NAMED, count <= _MOST_CLASSES_COUNTED
    names = [shortened(name) for name in classes] if named else [str(place) for place in range(count)]
    margin = 32.0 + 6.6 * max(len(name) for name in names)
    side = 480.0 / count if count > 4 else 90.0
    edge, left, top = side * count, margin, margin if named and max(map(len, names)) > 3 else 40.0
    shapes = [
        svg.text(14, top + edge / 2, "true class", css="faint", anchor="middle", turn=-90),
        svg.text(left + edge / 2, 13, "predicted class", css="faint", anchor="middle"),
    ]
    for place, name in enumerate(names):
        if not named and place % 10:
            continue
        middle = side * (place + 0.5)
        shapes.append(svg.text(left - 6, top + middle + 4, name, css="faint", anchor="end"))
        slanted = max(map(len, names)) * 6.6 > side
        x, y = left + middle + (3 if slanted else 0), top - 6
        shapes.append(svg.text(x, y, name, css="faint", anchor="start" if slanted else "middle", turn=-60 * slanted))
    shapes.append(svg.rect(left, top, edge, edge, "field"))
    totals = confusion.sum(axis=1)
    for row, column in zip(*confusion.nonzero(), strict=True):
        cell, share = int(confusion[row, column]), float(confusion[row, column]) / float(totals[row])
        x, y = left + side * column, top + side * row
        hint = f"{printable(classes[row])} taken for {printable(classes[column])}: {cell:,} of {totals[row]:,}"
        css = "hit" if row == column else "miss"
        gap = 1.0 if side > 12 else 0.0
        shade = 0.10 + 0.90 * share if row == column else 0.22 + 0.78 * min(share * 2.5, 1.0)
        shapes.append(svg.rect(x, y, side - gap, side - gap, css, opacity=shade, hint=hint))
        if counted:
            strong = " on" if shade > 0.55 else ""
            shapes.append(svg.text(x + side / 2, y + side / 2 + 4, f"{cell:,}", css=f"cell{strong}", anchor="middle"))
    right = int(confusion.diagonal().sum())
    label = f"Confusion matrix of {count} classes: {right:,} of {int(confusion.sum()):,} images on the diagonal"
    return svg.document(shapes, width=left + edge + 30, height=top + edge + 6, label=label)


def frequent_confusions(confusion: "np.ndarray[Any, Any]", classes: Sequence[str], *, most: int = 8) -> list[Confused]:
    """The pairs of classes that are mixed up most often, the most frequent first."""
    totals = confusion.sum(axis=1)
    pairs = [
        Confused(printable(classes[row]), printable(classes[column]), count, count / int(totals[row]))
        for row, column in zip(*confusion.nonzero(), strict=True)
        if row != column and (count := int(confusion[row, column]))
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, -pair.share))[:most]


def class_accuracies(per_class: Sequence[Any]) -> str:
    """The accuracy of each class with its 95 % interval, the worst on top; at most the 20 worst.

    Args:
        per_class: `ClassResult`s: name, count, accuracy, interval.

    Returns:
        An SVG drawing, or an empty text without classes that have images.
    """
    ranked = sorted((one for one in per_class if one.count), key=lambda one: (one.accuracy, one.name))[:_MOST_ROWS]
    if not ranked:
        return ""
    names = [shortened(one.name, 22) for one in ranked]
    left, width, row = 14.0 + 6.8 * max(len(name) for name in names), 520.0, 22.0
    floor = min(one.interval[0] for one in ranked)
    low = max(0.0, int(floor * 10) / 10)
    across = svg.linear(low, 1.0, left, width - 66)
    bottom = row * len(ranked) + 8
    ticks = nice_ticks(low, 1.0, 4)
    shapes = [svg.line(across(tick), 4, across(tick), bottom, "grid") for tick in ticks]
    shapes += [
        svg.text(across(tick), bottom + 16, f"{tick * 100:.3g} %", css="faint", anchor="middle") for tick in ticks
    ]
    for place, (one, name) in enumerate(zip(ranked, names, strict=True)):
        y = row * (place + 0.5) + 4
        hint = f"{printable(one.name)}: {percent(one.accuracy)} of {one.count:,}"
        shapes += [
            svg.text(left - 8, y + 4, name, anchor="end"),
            svg.line(across(one.interval[0]), y, across(one.interval[1]), y, "whisker"),
            svg.circle(across(one.accuracy), y, 4, "train-dot", hint=hint),
            svg.text(width - 4, y + 4, percent(one.accuracy), css="faint", anchor="end"),
        ]
    label = f"Accuracy of {len(ranked)} classes with intervals; lowest {names[0]} with {percent(ranked[0].accuracy)}"
    return svg.document(shapes, width=width, height=bottom + 24, label=label)
