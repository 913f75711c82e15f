"""`seewell lab`: the series' experiments as pictures."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import print_json, tell, writing

__all__ = ["app"]

app = typer.Typer(help="The series' experiments as pictures.", no_args_is_help=True)

Out = Annotated[Path, typer.Option(help="The folder for the pictures.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@app.command("centring")
def centring_command(out: Out = Path("lab"), as_json: Json = False) -> None:
    """Draw LTFN 11: house prices in two cities, one boundary, before and after zero-centring."""
    from seewell.lab import centring

    path = out / "centring.png"
    with writing(path):
        facts = centring.draw(path)
    if as_json:
        print_json({"picture": str(path), **facts.to_dict()})
    else:
        tell(facts.sentence())
        tell(f"picture: {path}")


@app.command("optimizers")
def optimizers_command(out: Out = Path("lab"), as_json: Json = False) -> None:
    """Draw LTFN 7: the paths of SGD, momentum and Adam on one weight and on two."""
    from seewell.lab import optimizers

    picture, animation = out / "optimizers.png", out / "optimizers.gif"
    with writing(picture):
        facts = optimizers.draw(picture, animation)
    if as_json:
        print_json({"picture": str(picture), "animation": str(animation), **facts.to_dict()})
    else:
        tell(facts.sentence())
        tell(f"picture: {picture}\nanimation: {animation}")
