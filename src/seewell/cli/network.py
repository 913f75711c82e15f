"""`seewell network show`: an architecture's layers as a table and as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from seewell.cli.output import console, print_json, tell, writing
from seewell.errors import ConfigError

__all__ = ["app"]

app = typer.Typer(help="Architectures: list them, show their layers.", no_args_is_help=True)


@app.command("list")
def list_command(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the architectures with their arguments."""
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.networks.registry import architecture, list_networks

    found = [architecture(name) for name in list_networks()]
    if as_json:
        print_json(
            {
                "networks": [
                    {
                        "name": a.name,
                        "description": a.description,
                        "reference": a.reference,
                        "defaults": dict(a.defaults),
                    }
                    for a in found
                ]
            }
        )
        return
    for one in found:
        arguments = ",".join(f"{key}={value}" for key, value in one.defaults.items())
        tell(f"{one.name}{':' + arguments if arguments else ''}\n    {one.description} ({one.reference})")


@app.command("show")
def show_command(
    name: Annotated[str, typer.Argument(help="NAME or NAME:argument=value,…")],
    input_shape: Annotated[
        str | None, typer.Option("--input", help="HxWxC; the architecture's own size where left out.")
    ] = None,
    classes: Annotated[int | None, typer.Option(help="Number of classes.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Where the picture goes (.png or .svg); NAME.png where left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Print the layers of NAME with shapes, weights and multiply-adds, and draw them as blocks."""
    shape = None if input_shape is None else _shape(input_shape)
    if picture is not None and picture.suffix not in (".png", ".svg"):
        raise ConfigError(
            f"the picture {picture} has another ending.", expected=".png or .svg", fix="--picture net.png"
        )
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.networks.arguments import parse_network
    from seewell.networks.layer_table import layer_table, total
    from seewell.networks.registry import architecture, build_network

    plain, arguments = parse_network(name)
    known = architecture(plain)
    shape = shape or known.example_shape
    count = classes if classes is not None else known.example_classes
    model = build_network(plain, input_shape=shape, num_classes=count, arguments=arguments)
    rows = layer_table(model)
    from seewell.report.blocks import draw_blocks

    title = f"{name}, {'×'.join(map(str, shape))}, {count} classes"
    path = picture or Path(f"{plain}.png")
    with writing(path):
        draw_blocks(rows, title, path)
    if as_json:
        listed = [
            {
                "layer": row.name,
                "kind": row.kind,
                "output_shape": list(row.output_shape),
                "weights": row.weights,
                "weights_and_biases": row.weights + row.biases,
                "multiply_adds": row.multiply_adds,
            }
            for row in (*rows, total(rows))
        ]
        print_json({"network": name, "input_shape": list(shape), "layers": listed, "picture": str(path)})
        return
    from seewell.report.tables import print_layers

    print_layers(console(), rows, title)
    tell(f"picture: {path}")


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ConfigError(
            f'"{text}" is not an input shape.', expected="height x width x channels", fix="--input 224x224x3"
        )
    return int(parts[0]), int(parts[1]), int(parts[2])
