"""The command line; `--help` imports neither TensorFlow nor NumPy."""

import sys

import typer

from seewell.cli import adopt, diagnose, evaluate, export, lab, network, predict, report, runs, train
from seewell.cli.output import fail

__all__ = ["app", "main"]

app = typer.Typer(
    name="seewell",
    help="Train image classifiers, be told why the result is poor, prove that a change helped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("train")(train.command)
app.command("evaluate")(evaluate.command)
app.command("predict")(predict.command)
app.command("diagnose")(diagnose.command)
app.command("export")(export.command)
app.command("report")(report.command)
app.command("adopt")(adopt.command)
app.add_typer(network.app, name="network")
app.add_typer(runs.app, name="runs")
app.add_typer(lab.app, name="lab")


@app.callback(invoke_without_command=True)
def _version(
    context: typer.Context, version: bool = typer.Option(False, "--version", help="Show the version and exit.")
) -> None:
    if version:
        from seewell import __version__

        sys.stdout.write(f"seewell {__version__}\n")
        raise typer.Exit


def main() -> None:
    """Run the command line; wrong input gives one message and its exit code, never a traceback."""
    from seewell.errors import SeewellError

    try:
        app()
    except SeewellError as problem:
        sys.exit(fail(problem))
