"""`seewell report`: one self-contained HTML page about a run."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import print_json, tell, writing

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    out: Annotated[Path | None, typer.Option(help="Where the page goes; RUN/report.html where left out.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write RUN's report: result, curves, bias and variance, layers, confusions, mistakes, how to reproduce it."""
    from seewell.runs.folder import RunFolder
    from seewell.runs.run import open_run

    opened = open_run(run)
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.report.html import write_report

    path = out or RunFolder(opened.path).report
    with writing(path):
        write_report(opened, path)
    if as_json:
        print_json({"run": str(run), "report": str(path)})
    else:
        tell(f"report: {path}")
