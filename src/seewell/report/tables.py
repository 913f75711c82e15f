"""The tables that commands print: layers, evaluation, predictions, runs."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seewell.report.words import interval_text, number, percent, printable

if TYPE_CHECKING:
    from seewell.networks.layer_table import LayerRow
    from seewell.runs.evaluation import Evaluation

__all__ = ["print_evaluation", "print_layers", "print_predictions", "print_runs"]

_MOST_CLASSES = 30
_LONGEST_NAME = 26
_WIDE = 1000


def print_layers(console: Console, rows: Sequence["LayerRow"], title: str) -> None:
    """The layers of a network, and their sums.

    Args:
        console: Where to print.
        rows: The rows of `seewell.networks.layer_table.layer_table`.
        title: What the network is.
    """
    totals = [sum(getattr(row, name) for row in rows) for name in ("weights", "biases", "multiply_adds")]
    table = _layers(rows, totals, gap=2)
    if console.measure(table, options=console.options.update(width=_WIDE)).maximum > console.width:
        table = _layers(rows, totals, gap=1)
    console.print(Text(printable(title), style="bold"))
    console.print(table)
    console.print(
        Text(f"{totals[0] + totals[1]:,} parameters: {totals[0]:,} weights, {totals[1]:,} biases", style="dim")
    )


def print_evaluation(console: Console, evaluation: "Evaluation", name: str) -> None:
    """Overall and per class; the lowest accuracy first, at most 30 classes.

    Args:
        console: Where to print.
        evaluation: What was measured.
        name: The run's name.
    """
    count = f"{evaluation.count:,} {evaluation.split} images"
    console.print(Text(f"{printable(name)} on {count}", style="bold"))
    console.print(
        Text(f"accuracy {percent(evaluation.accuracy)}, {interval_text(evaluation.interval)}; ")
        + Text(f"cost {number(evaluation.loss)}")
    )
    console.print()
    table = _table("class", ">images", ">correct", ">accuracy", "95 % interval", "mistaken for")
    ranked = sorted(
        enumerate(evaluation.per_class), key=lambda pair: (pair[1].accuracy is None, pair[1].accuracy or 0.0, pair[0])
    )
    for index, one in ranked[:_MOST_CLASSES]:
        low, high = (percent(bound).removesuffix(" %") for bound in one.interval)
        table.add_row(
            printable_cell(one.name),
            f"{one.count:,}",
            f"{int(evaluation.confusion[index, index]):,}",
            percent(one.accuracy),
            f"{low} to {high} %" if one.count else "–",
            printable_cell(_most_confused(evaluation, index)),
        )
    console.print(table)
    if len(ranked) > _MOST_CLASSES:
        console.print(Text(f"and {len(ranked) - _MOST_CLASSES} classes that do better", style="dim"))


def print_predictions(console: Console, predictions: Iterable[tuple[object, Sequence[tuple[str, float]]]]) -> None:
    """The most likely classes of each image.

    Args:
        console: Where to print.
        predictions: For each image its name and its classes with probabilities, the most likely first.
    """
    table = _table("image", "class", ">probability", "then")
    for image, ranked in predictions:
        first = ranked[0]
        rest = ", ".join(f"{printable(name)} {percent(share)}" for name, share in ranked[1:])
        table.add_row(printable_cell(image), Text(printable(first[0]), style="bold"), percent(first[1]), Text(rest))
    console.print(table)


def print_runs(console: Console, runs: Sequence[tuple[str | Path, Mapping[str, Any]]]) -> None:
    """A line a run for ``runs list``, in the order given.

    Args:
        console: Where to print.
        runs: The folder of each run and the contents of its ``run.json``.
    """
    if not runs:
        console.print(Text("There are no runs here. Make one with: seewell train digits"))
        return
    table = _table("run", "network", ">validation", ">test", ">updates", "made")
    for path, info in runs:
        result = info.get("result") or {}
        network = result.get("network") or (info.get("config") or {}).get("network") or ""
        marked = "" if result else " (stopped)" if info.get("stopped") else " (not finished)"
        name = Text(printable(path))
        name.append(marked, style="yellow")
        table.add_row(
            name,
            printable_cell(network),
            percent(result.get("validation_accuracy")),
            percent(result.get("test_accuracy")),
            number(result.get("steps")),
            Text(printable(str(info.get("created") or "")[:16].replace("T", " ")), style="dim"),
        )
    console.print(table)


def printable_cell(text: object) -> Text:
    """A text from outside as a cell: no markup, no control characters, folded where it is too long."""
    return Text(printable(text), overflow="fold")


def _layers(rows: Sequence["LayerRow"], totals: Sequence[int], *, gap: int) -> Table:
    table = _table("layer", "kind", ">output", ">weights", ">biases", ">multiply-adds", gap=gap)
    table.columns[0].no_wrap = max((len(printable(row.name)) for row in rows), default=0) <= _LONGEST_NAME
    for row in rows:
        shape = "×".join(str(extent) for extent in row.output_shape)
        counts = (row.weights, row.biases, row.multiply_adds)
        table.add_row(printable_cell(row.name), Text(printable(row.kind)), shape, *(_count(one) for one in counts))
    table.add_section()
    table.add_row(Text("total", style="bold"), "", "", *(Text(_count(one) or "0", style="bold") for one in totals))
    return table


def _table(*columns: str, gap: int = 2) -> Table:
    """A table without a frame; a leading ``>`` puts a column's numbers to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for column in columns:
        right = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if right else "left", no_wrap=right)
    return table


def _count(value: int) -> str:
    return f"{value:,}" if value else ""


def _most_confused(evaluation: "Evaluation", index: int) -> str:
    row = evaluation.confusion[index].copy()
    row[index] = 0
    worst = int(row.argmax())
    return f"{evaluation.per_class[worst].name} ({int(row[worst]):,})" if row[worst] else ""
