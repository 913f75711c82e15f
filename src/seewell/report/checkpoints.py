"""What a run keeps on the disk, as figures and as a table for the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seewell.report.words import printable
from seewell.runs.checkpoint import listed, pointed_name
from seewell.runs.folder import RunFolder

if TYPE_CHECKING:
    from seewell.runs.run import Run

__all__ = ["checkpoint_rows", "checkpoints_in_a_line", "megabytes", "print_checkpoints"]


def checkpoint_rows(path: Path) -> list[dict[str, Any]]:
    """The checkpoints of a run as plain values, by step; checksums are not computed.

    Args:
        path: The run's folder.

    Returns:
        For each: step, bytes of weights and optimizer, number of files, layers it is limited to, and whether it is
        the best, the latest, or damaged (its manifest cannot be read).
    """
    folder = RunFolder(path).checkpoints
    best, latest = pointed_name(folder, "BEST"), pointed_name(folder, "LATEST")
    rows = []
    for one, manifest in listed(folder):
        rows.append(
            {
                "name": one.name,
                "weights_bytes": None if manifest is None else manifest.bytes_of("weights"),
                "optimizer_bytes": None if manifest is None else manifest.bytes_of("optimizer"),
                "files": None if manifest is None else len(manifest.files) + 1,
                "only": None if manifest is None else manifest.only,
                "best": one.name == best,
                "latest": one.name == latest,
                "damaged": manifest is None,
            }
        )
    return rows


def megabytes(size: int | None) -> str:
    """A size for people.

    Example:
        >>> megabytes(1_234_567), megabytes(1_234), megabytes(None)
        ('1.23 MB', '0.00123 MB', '–')
    """
    return "–" if size is None else f"{size / 1e6:,.{0 if size >= 1e9 else 3}{'f' if size >= 1e9 else 'g'}} MB"


def checkpoints_in_a_line(path: Path) -> str:
    """How many checkpoints a run keeps and how large they are; an empty text where there is none."""
    rows = [row for row in checkpoint_rows(path) if not row["damaged"]]
    if not rows:
        return ""
    total = sum(row["weights_bytes"] + row["optimizer_bytes"] for row in rows)
    newest = rows[-1]
    each = f"{megabytes(newest['weights_bytes'])} weights, {megabytes(newest['optimizer_bytes'])} optimizer"
    count = f"{len(rows)} checkpoint{'s' if len(rows) > 1 else ''}"
    return f"{count}, {megabytes(total)} (the newest: {each})"


def print_checkpoints(console: Console, run: "Run") -> None:
    """The checkpoints of a run as a table; prints nothing where there is none.

    Args:
        console: Where to print.
        run: The run.
    """
    rows = checkpoint_rows(run.path)
    if not rows:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for heading in ("checkpoint", "weights", "optimizer", "files", ""):
        right = heading in ("weights", "optimizer", "files")
        table.add_column(heading, header_style="dim", justify="right" if right else "left")
    for row in rows:
        told = [name for name in ("best", "latest", "damaged") if row[name]]
        told += [f"only {printable(row['only'])}: no training can go on from it"] if row["only"] else []
        table.add_row(
            row["name"],
            megabytes(row["weights_bytes"]),
            megabytes(row["optimizer_bytes"]),
            "–" if row["files"] is None else str(row["files"]),
            Text(", ".join(told), style="red" if row["damaged"] else "dim"),
        )
    console.print(Text("Checkpoints", style="bold"))
    console.print(Padding(table, (0, 0, 1, 2)))
