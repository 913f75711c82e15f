"""`seewell predict`: the classes of image files."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import console, print_json
from seewell.errors import ConfigError

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    images: Annotated[list[Path], typer.Argument(help="Image files.")],
    top: Annotated[int, typer.Option(help="How many classes to show for each image.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Predict the classes of IMAGES with the kept network of RUN."""
    if top < 1:
        raise ConfigError(f"--top is {top}.", expected="1 or more", fix="--top 3")
    from seewell.runs.run import open_run

    opened = open_run(run)
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    probabilities = opened.predict(list(images))
    classes = opened.classes
    rows: list[tuple[Path, list[tuple[str, float]]]] = []
    for path, shares in zip(images, probabilities, strict=True):
        order = shares.argsort()[::-1][:top]
        rows.append((path, [(classes[index], float(shares[index])) for index in order]))
    if as_json:
        listed = [
            {"image": str(path), "top": [{"class": name, "probability": share} for name, share in best]}
            for path, best in rows
        ]
        print_json({"run": str(run), "predictions": listed})
        return
    from seewell.report.tables import print_predictions

    print_predictions(console(), rows)
