"""`seewell export`: the kept network in another format, with its certificate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seewell.cli.output import print_json, tell

if TYPE_CHECKING:
    from seewell.runs.export import Export

__all__ = ["command"]


def command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    format: Annotated[str, typer.Option(help="keras, savedmodel, onnx or litert.")],
    out: Annotated[Path | None, typer.Option(help="The folder for it; RUN/export where left out.")] = None,
    quantize: Annotated[str | None, typer.Option(help="For litert: int8 or float16.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Write RUN's network for another runtime, and prove there that it answers the same."""
    from seewell.runs.export import check_folder, check_request, default_folder
    from seewell.runs.run import open_run

    exporter = check_request(format, quantize)
    opened = open_run(run)
    check_folder(out or default_folder(opened))
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.runs.export import export, file_name

    tell(f"writing {file_name(exporter, quantize)}, then asking it in {exporter.runtime} …")
    made = export(opened, format, out=out, quantize=quantize)
    if as_json:
        record = {"path": str(made.path), "certificate": str(made.certificate_path)}
        print_json({**record, **made.certificate.to_dict()})
        return
    for line in _lines(made):
        tell(line)


def _lines(made: "Export") -> list[str]:
    found = made.certificate
    parity = found.parity
    top = (
        "the top class never changed"
        if not parity.top_class_changed
        else f"another top class on {parity.top_class_changed:,}"
    )
    lines = [
        f"export: {made.path} ({found.bytes / 1e6:,.2f} MB)",
        f"certificate: {made.certificate_path}",
        f"{parity.images:,} images ({parity.source}): probabilities differ by at most "
        f"{parity.largest_difference:.2g}, {top}",
    ]
    if found.accuracy is not None:
        cost = found.accuracy
        lines.append(
            f"accuracy on {cost.images:,} validation images: {cost.network:.4f} as trained, "
            f"{cost.export:.4f} as {found.quantized}: a loss of {cost.loss:.4f}"
        )
    elif found.quantized:
        lines.append("its loss of accuracy was not measured: the run's dataset was not found")
    lines.append(
        f"{found.milliseconds_alone:.3g} ms for an image alone, {found.milliseconds_batched:.3g} ms an image in batches"
    )
    return lines
