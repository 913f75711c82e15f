"""`seewell evaluate`: cost, accuracy with its interval, and classes, on a split."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import console, print_json

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    source: Annotated[str | None, typer.Argument(help="Another source with the same classes.")] = None,
    split: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the kept network of RUN on a split of its own source, or of another."""
    from seewell.runs.run import open_run

    opened = open_run(run)
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    found = opened.evaluate(source, split=split)
    if as_json:
        print_json({"run": str(run), **found.to_dict()})
        return
    from seewell.report.tables import print_evaluation

    print_evaluation(console(), found, str(run))
