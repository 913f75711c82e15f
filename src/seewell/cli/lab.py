"""`seewell lab`: the series' experiments as pictures."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import loading, print_json, tell, writing

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


@app.command("initializers")
def initializers_command(
    source: Annotated[str, typer.Option(help="The images: a catalogue name or a path.")] = "digits",
    steps: Annotated[int, typer.Option(min=0, help="Updates to make before looking; 0: before training.")] = 0,
    seed: Annotated[int, typer.Option(help="Decides weights and batches.")] = 0,
    out: Out = Path("lab"),
    as_json: Json = False,
) -> None:
    """Draw LTFN 6: each layer's values, logits and softmax under four initializers; also for TensorBoard."""
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.data.loading import load_dataset
    from seewell.lab import initializer_picture, initializers

    picture, tensorboard = out / "initializers.png", out / "tensorboard"
    with loading() as progress:
        dataset = load_dataset(source, progress=progress)
    found = initializers.look(dataset, steps=steps, seed=seed)
    with writing(picture):
        initializer_picture.draw(found, picture)
    with writing(tensorboard):
        initializers.write_tensorboard(found, tensorboard)
    if as_json:
        print_json({"picture": str(picture), "tensorboard": str(tensorboard), **found.to_dict()})
    else:
        tell(found.sentence())
        tell(f"picture: {picture}\nhistograms: tensorboard --logdir {tensorboard}")


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
