"""`seewell adopt`: a foreign network becomes a run, or is refused with the reason."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seewell.cli.output import print_json, tell
from seewell.errors import ConfigError

if TYPE_CHECKING:
    from seewell.runs.foreign.inventory import Inventory

__all__ = ["command"]


def command(
    path: Annotated[Path, typer.Argument(help="A .keras or .h5 file, a SavedModel, or a TensorFlow 1 checkpoint.")],
    input_range: Annotated[
        str | None, typer.Option(help="What the network was fed with: 0..1, 0..255 or -1..1. No file says it.")
    ] = None,
    input_name: Annotated[str | None, typer.Option("--input", help="The placeholder that takes the images.")] = None,
    output_name: Annotated[str | None, typer.Option("--output", help="The tensor with the answer.")] = None,
    image_shape: Annotated[str | None, typer.Option(help="HxWxC, where the network leaves it open.")] = None,
    feed: Annotated[list[str] | None, typer.Option(help="NAME=VALUE for another placeholder; may be repeated.")] = None,
    labels: Annotated[Path | None, typer.Option(help="A text file with a class name a line.")] = None,
    source: Annotated[str | None, typer.Option(help="A dataset to measure it on and to train it with.")] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder; runs/adopted-NAME-N where left out.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="Only list what PATH holds.")] = False,
    weights_only: Annotated[
        bool, typer.Option("--weights-only", help="Write the weights alone, as safetensors, into --out.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Check a foreign network, translate it to Keras layers, and make a run of it. Nothing in it is run."""
    shape = None if image_shape is None else _shape(image_shape)
    feeds = dict(_feed(one) for one in feed or [])
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    if list_only:
        from seewell.runs.foreign.inventory import take_inventory

        _print_inventory(take_inventory(path), as_json)
        return
    if weights_only:
        _save_weights(path, out, as_json)
        return
    from seewell.runs.adopt import adopt

    run = adopt(
        path,
        input_range=input_range,
        input_name=input_name,
        output_name=output_name,
        image_shape=shape,
        feeds=feeds,
        labels=labels,
        source=source,
        out=out,
    )
    origin: dict[str, Any] = run.info["adopted"]
    if as_json:
        print_json({**run.summary, "kind": origin["kind"], "notes": origin["notes"], "optimizer": origin["optimizer"]})
        return
    tell(f"{origin['kind']}: {run.summary['parameters']:,} weights, {len(run.classes)} classes")
    for note in origin["notes"]:
        tell(f"note: {note}")
    for split in ("validation", "test"):
        accuracy = run.summary[f"{split}_accuracy"]
        if accuracy is not None:
            tell(f"{split} accuracy: {accuracy:.4f}")
    tell(f"run: {run.path}")


def _save_weights(path: Path, out: Path | None, as_json: bool) -> None:
    if out is None:
        raise ConfigError(
            "--weights-only needs a place.", expected="--out FOLDER or --out NAME.safetensors", fix="--out weights"
        )
    from seewell.runs.adopt import save_weights

    names = save_weights(path, out)
    target = out if out.suffix == ".safetensors" else out / "weights.safetensors"
    if as_json:
        print_json({"weights": str(target), "tensors": list(names)})
    else:
        tell(f"{len(names)} tensors: {target}")


def _print_inventory(found: "Inventory", as_json: bool) -> None:
    if as_json:
        print_json(found.to_dict())
        return
    tell(f"{found.kind}: {found.path}")
    for title, rows in (("inputs", found.inputs), ("outputs", found.outputs), ("weights", found.weights)):
        tell(f"{title}:" if rows else f"{title}: none")
        for row in rows:
            tell(f"  {row.name}  {row.op}  {row.dtype}  {row.shape_text}".rstrip())


def _feed(text: str) -> tuple[str, float]:
    name, equals, value = text.rpartition("=")
    try:
        if not equals or not name:
            raise ValueError
        return name, float({"true": "1", "false": "0"}.get(value.lower(), value))
    except ValueError as problem:
        raise ConfigError(
            f'"{text}" feeds nothing.', expected="NAME=VALUE with a number", fix="--feed keep_prob=1"
        ) from problem


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.lower().split("x")
    if len(parts) != 3 or not all(part.isdigit() and 0 < int(part) <= 8192 for part in parts):
        raise ConfigError(
            f'"{text}" is not an image shape.', expected="height x width x channels", fix="--image-shape 224x224x3"
        )
    return int(parts[0]), int(parts[1]), int(parts[2])
