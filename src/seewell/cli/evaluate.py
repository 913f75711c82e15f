"""`seewell evaluate`: cost, accuracy with its interval, and classes, on a split."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seewell.cli.output import console, print_json, tell

if TYPE_CHECKING:
    from seewell.runs.evaluation import Evaluation

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    source: Annotated[str | None, typer.Argument(help="Another source with the same classes.")] = None,
    split: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    tta: Annotated[
        str | None,
        typer.Option(
            "--tta", help="Also with test-time augmentation, reported apart: mirror, or mirror-shift (by a pixel)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure the kept network of RUN on a split of its own source, or of another."""
    from seewell.runs.run import open_run

    opened = open_run(run)
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    apart: Evaluation | None = None
    if tta is None:
        found = opened.evaluate(source, split=split)
    else:
        found, apart = opened.evaluate_on_views(source, split=split, tta=tta)
    if as_json:
        said = {} if apart is None else {"tta": {"views": tta, **_figures(apart)}}
        print_json({"run": str(run), **found.to_dict(), **said})
        return
    from seewell.report.tables import print_evaluation
    from seewell.report.words import percent

    print_evaluation(console(), found, str(run))
    if apart is not None:
        low, high = (percent(end) for end in apart.interval)
        tell(f"with test-time augmentation ({tta}): {percent(apart.accuracy)} (95 %: {low} to {high})")
        if apart.accuracy < found.accuracy:
            tell("It harms here: some of these images mean something else mirrored or moved. Leave --tta away.")


def _figures(found: "Evaluation") -> dict[str, Any]:
    return {"loss": found.loss, "accuracy": found.accuracy, "interval": list(found.interval)}
