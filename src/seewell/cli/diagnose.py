"""`seewell diagnose`: what is wrong with a run, or with a training before it begins."""

from pathlib import Path
from typing import Annotated, Any

import typer

from seewell.cli.output import console, loading, print_json
from seewell.cli.settings import config_from_options, split_names
from seewell.errors import ConfigError

__all__ = ["command"]

BEFORE = "Before any training"


def command(
    target: Annotated[str, typer.Argument(help="A run's folder; or, with settings, a SOURCE as train takes it.")],
    network: Annotated[
        str | None, typer.Option(help="NAME or NAME:argument=value,…; see [b]network list[/b].", rich_help_panel=BEFORE)
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="A recipe's name or TOML file.", rich_help_panel=BEFORE)] = None,
    preprocess: Annotated[
        str | None, typer.Option(help="none, scale, mean-image or per-channel; see train.", rich_help_panel=BEFORE)
    ] = None,
    initializer: Annotated[
        str | None, typer.Option(help="default, normal, small-normal, xavier or he.", rich_help_panel=BEFORE)
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="sgd, momentum, nesterov, adam, adamw or rmsprop.", rich_help_panel=BEFORE)
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The schedule's highest rate.", rich_help_panel=BEFORE)
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images in an update.", rich_help_panel=BEFORE)] = None,
    augment: Annotated[
        str | None, typer.Option(help="Names joined by commas; see train.", rich_help_panel=BEFORE)
    ] = None,
    l2: Annotated[float | None, typer.Option(help="Penalty on squared weights.", rich_help_panel=BEFORE)] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Before each fully connected layer.", rich_help_panel=BEFORE)
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, float32, bfloat16 or float16.", rich_help_panel=BEFORE)
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of the initial weights.", rich_help_panel=BEFORE)] = None,
    thorough: Annotated[bool, typer.Option("--thorough", help="Take longer than ten seconds, and try more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say what is wrong, why, and what to do.

    [b]diagnose RUN[/b] judges a finished or stopped run. [b]diagnose --network NAME SOURCE[/b] judges a
    training before its first update. The exit code is 0 whatever is found.
    """
    given: dict[str, Any] = {
        "preprocess": preprocess,
        "initializer": initializer,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "batch_size": batch_size,
        "augment": None if augment is None else split_names(augment),
        "l2": l2,
        "dropout": dropout,
        "precision": precision,
        "seed": seed,
    }
    options = {name: value for name, value in given.items() if value is not None}
    before = bool(options) or network is not None or recipe is not None
    if not before:
        _check_run(target)
    config = config_from_options(recipe, network, options) if before else None
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    from seewell.diagnosing import diagnose, diagnose_before

    with loading() as progress:
        if config is None:
            found = diagnose(target, thorough=thorough, progress=progress)
        else:
            found = diagnose_before(target, config, thorough=thorough, progress=progress)
    named = {"source" if before else "run": target}
    if as_json:
        print_json({**named, **found.to_dict()})
        return
    from seewell.report.terminal import print_diagnosis

    print_diagnosis(console(), found.findings, found.limits)


def _check_run(target: str) -> None:
    """Refuse a source without settings, before anything is loaded."""
    from seewell.data.catalogue import CATALOGUE
    from seewell.runs.run import open_run

    if target in CATALOGUE and not Path(target).exists():
        raise ConfigError(
            f'"{target}" is a source of images, and it is not said what is to be trained on it.',
            expected="a run's folder, or a network and a source",
            fix=f"seewell diagnose --network convnet {target}",
        )
    open_run(target)
