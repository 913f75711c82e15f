"""What `seewell train --profile` says: where the time of a training and of one update went."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seewell.files import read_json
from seewell.report.words import printable
from seewell.runs.folder import RunFolder

if TYPE_CHECKING:
    from seewell.runs.run import Run

__all__ = ["duration", "print_profile"]

_BAR = 24
_LEAST_SHARE = 0.001
_UPDATES = ("updates", "tracing")


def print_profile(console: Console, run: "Run") -> None:
    """The profile of a run, as its ``profile.json`` holds it; prints nothing where there is none.

    Args:
        console: Where to print.
        run: The run.
    """
    try:
        profile = read_json(RunFolder(run.path).profile)
    except (OSError, ValueError):
        return
    console.print()
    console.print(Text("Where the training's time went", style="bold"))
    console.print(Padding(_training(profile["training"]), (0, 0, 1, 2)))
    if profile.get("parts"):
        each, traced = profile["seconds_an_update"], profile["traced"]
        title = f"One update takes {duration(each)} ({duration(traced['seconds_an_update'])} while it was traced)"
        console.print(Text(title, style="bold"))
        console.print(Padding(_shares(profile["parts"], "part"), (0, 0, 1, 2)))
        console.print(Text("Forward and backward, by kind of layer", style="bold"))
        console.print(Padding(_layers(profile["layers"]), (0, 0, 1, 2)))
        console.print(Text("The operations that take longest", style="bold"))
        console.print(Padding(_shares(profile["operations"], "operation"), (0, 0, 1, 2)))
    if profile.get("lacks"):
        console.print(Text(f"no trace: {printable(profile['lacks'])}", style="yellow"))
    if profile.get("peak"):
        console.print(Text(_peak(profile["peak"])))


def duration(seconds: float) -> str:
    """A short time with its unit.

    Example:
        >>> duration(0.01234), duration(3.2), duration(0.00002)
        ('12.3 ms', '3.20 s', '20 µs')
    """
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2g} µs"


def _training(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("part", "seconds", "share", "times", "first time")
    for row in rows:
        if row["share"] >= _LEAST_SHARE:
            often = row["count"] > 1 and row["part"] not in _UPDATES
            times, first = (f"{row['count']:,}", duration(row["first"])) if often else ("", "")
            said = "tracing, and the first update" if row["part"] == "tracing" else row["part"]
            table.add_row(printable(said), f"{row['seconds']:.2f}", f"{row['share']:.1%}", times, first)
    return table


def _shares(rows: Sequence[Mapping[str, Any]], name: str) -> Table:
    table = _table(name, "time", "share", "")
    for row in rows:
        if row["share"] >= _LEAST_SHARE:
            bar = "█" * round(_BAR * row["share"])
            table.add_row(
                printable(row[name]), duration(row["seconds"]), f"{row['share']:.1%}", Text(bar, style="cyan")
            )
    return table


def _layers(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("layers", "forward", "backward", "share", "")
    for row in rows:
        if row["share"] >= _LEAST_SHARE:
            sides = [duration(row[side]) if row[side] else "" for side in ("forward", "backward")]
            bar = Text("█" * round(_BAR * row["share"]), style="cyan")
            table.add_row(printable(row["kind"]), *sides, f"{row['share']:.1%}", bar)
    return table


def _peak(peak: Mapping[str, Any]) -> str:
    return (
        f"Of the machine's peak, {peak['share']:.0%} are reached: {peak['reached'] / 1e9:,.1f} billion multiply-adds a "
        f"second in the updates, {peak['multiply_adds_a_second'] / 1e9:,.1f} in a large matrix product "
        f"({peak['precision']})."
    )


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0), show_edge=False, header_style="dim")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 or not heading else "right", no_wrap=True)
    return table
