"""`seewell train`: from a source of images to a kept, measured network."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seewell.cli.output import console, loading, print_json, tell
from seewell.cli.settings import config_from_options, read_epochs, read_overrides, split_names
from seewell.errors import ConfigError, InterruptedTrainingError, TrainingStoppedError

if TYPE_CHECKING:
    from seewell.runs.folder import RunFolder
    from seewell.runs.run import Run
    from seewell.training.observers import Observer
    from seewell.training.plan import Plan

__all__ = ["command"]

SETTINGS, LENGTH, REGULAR, KEEP = "What is trained", "How long", "Regularization", "What is kept"
DOCTOR = "The doctor"


def command(
    source: Annotated[
        str | None,
        typer.Argument(help="digits, mnist, fashion-mnist, cifar10, cifar100, or the path of a folder or .npz file."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="A recipe's name or TOML file; its settings are beaten by options.")
    ] = None,
    network: Annotated[
        str | None,
        typer.Option(help="NAME or NAME:argument=value,…; see [b]network list[/b].", rich_help_panel=SETTINGS),
    ] = None,
    preprocess: Annotated[
        str | None,
        typer.Option(
            help="none, scale, mean-image or per-channel; with resize=HxW or pad=HxW.", rich_help_panel=SETTINGS
        ),
    ] = None,
    image_size: Annotated[
        str | None, typer.Option(help="HxW that image files are cut and resized to.", rich_help_panel=SETTINGS)
    ] = None,
    initializer: Annotated[
        str | None, typer.Option(help="default, normal, small-normal, xavier or he.", rich_help_panel=SETTINGS)
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(help="sgd, momentum, nesterov, muon, adam, adamw or rmsprop.", rich_help_panel=SETTINGS),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The schedule's highest rate.", rich_help_panel=SETTINGS)
    ] = None,
    bias_learning_rate: Annotated[
        float | None,
        typer.Option(help="That of biases, for sgd, momentum, nesterov or muon.", rich_help_panel=SETTINGS),
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="For momentum, nesterov or muon.", rich_help_panel=SETTINGS)
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Decoupled decay, for adamw or muon.", rich_help_panel=SETTINGS)
    ] = None,
    schedule: Annotated[
        str | None, typer.Option(help="constant, linear, cosine, one-cycle or steps.", rich_help_panel=SETTINGS)
    ] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Fraction of the updates with a rising rate.", rich_help_panel=SETTINGS)
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images in an update.", rich_help_panel=SETTINGS)] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, float32, bfloat16 or float16.", rich_help_panel=SETTINGS)
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Initial weights, order, dropout, augmentation; not the splits.", rich_help_panel=SETTINGS),
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option(help="Passes over the training images; +N more with --resume.", rich_help_panel=LENGTH),
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates, instead of epochs.", rich_help_panel=LENGTH)] = None,
    time: Annotated[
        str | None,
        typer.Option(help="What it may take here, instead of both: 60s, 10m; measured first.", rich_help_panel=LENGTH),
    ] = None,
    early_stop: Annotated[
        int | None,
        typer.Option(help="Stop after so many validations without a better one.", rich_help_panel=LENGTH),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="flip, alternating-flip, shift, shift-reflect, rotate, colour, cutout, mixup; joined by commas, "
            "each with =strength if wanted; none for none.",
            rich_help_panel=REGULAR,
        ),
    ] = None,
    l2: Annotated[float | None, typer.Option(help="Penalty on squared weights.", rich_help_panel=REGULAR)] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Before each fully connected layer.", rich_help_panel=REGULAR)
    ] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="Share of a label spread over all classes.", rich_help_panel=REGULAR)
    ] = None,
    ema: Annotated[
        float | None, typer.Option(help="Decay of the moving average of the weights.", rich_help_panel=REGULAR)
    ] = None,
    validation_fraction: Annotated[
        float | None, typer.Option(help="Share of the training images to validate on.", rich_help_panel=KEEP)
    ] = None,
    split_seed: Annotated[int | None, typer.Option(help="Which images those are.", rich_help_panel=KEEP)] = None,
    target_error: Annotated[
        float | None, typer.Option(help="The error that could be reached at best.", rich_help_panel=KEEP)
    ] = None,
    checkpoint_every: Annotated[
        str | None, typer.Option(help="epoch, a number of updates, or a time: 500, 10m.", rich_help_panel=KEEP)
    ] = None,
    keep_last: Annotated[
        int | None, typer.Option(help="Latest checkpoints to keep besides the best.", rich_help_panel=KEEP)
    ] = None,
    keep_every: Annotated[
        int | None,
        typer.Option(help="Keep also the first checkpoint after each so many updates.", rich_help_panel=KEEP),
    ] = None,
    shard_size: Annotated[
        str | None, typer.Option(help="The most that a checkpoint's file holds: 500MB, 2GB.", rich_help_panel=KEEP)
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Checkpoints of these layers alone, such as 'conv*'; not resumable.", rich_help_panel=KEEP),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run's folder, new or empty.", rich_help_panel=KEEP)] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with an interrupted run (no SOURCE).", rich_help_panel=KEEP)
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(help="With --resume: KEY=VALUE changes a setting on purpose.", rich_help_panel=KEEP),
    ] = None,
    no_doctor: Annotated[
        bool, typer.Option("--no-doctor", help="Neither examine nor watch the training.", rich_help_panel=DOCTOR)
    ] = False,
    stop_on: Annotated[
        str | None, typer.Option(help="critical: end at such a finding (exit code 3).", rich_help_panel=DOCTOR)
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Show where the time of an update goes; changes no result.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Train a network on SOURCE and keep it.

    Without options, the recipe [b]quick[/b] gets the most out of a minute. Options beat the recipe;
    [b]--network[/b] or [b]--optimizer[/b] without [b]--recipe[/b] takes that network's own defaults.
    """
    epochs_in_all, more_epochs = read_epochs(epochs, resuming=resume is not None)
    given = {
        "preprocess": preprocess,
        "image_size": None if image_size is None else _size(image_size),
        "initializer": initializer,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "bias_learning_rate": bias_learning_rate,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "schedule": schedule,
        "warmup": warmup,
        "batch_size": batch_size,
        "precision": precision,
        "seed": seed,
        "epochs": epochs_in_all,
        "steps": steps,
        "time": time,
        "early_stop": early_stop,
        "augment": None if augment is None else split_names(augment),
        "l2": l2,
        "dropout": dropout,
        "label_smoothing": label_smoothing,
        "ema": ema,
        "validation_fraction": validation_fraction,
        "split_seed": split_seed,
        "target_error": target_error,
        "checkpoint_every": checkpoint_every,
        "keep_last": keep_last,
        "keep_every": keep_every,
        "shard_size": shard_size,
        "only": only,
    }
    watch = {"doctor": not no_doctor, "stop_on": stop_on, "profile": profile}
    options = {name: value for name, value in given.items() if value is not None}
    if resume is not None:
        if source is not None or recipe is not None or network is not None or out is not None or options:
            raise ConfigError(
                "--resume takes no SOURCE and no other settings: the run has its own.",
                expected="seewell train --resume RUN",
                fix="--override KEY=VALUE changes a setting on purpose; leave the others out",
            )
        changes = {"overrides": read_overrides(override or ()), "more_epochs": more_epochs}
        run = _run(lambda **others: _workbench().resume(resume, **changes, **watch, **others))
    else:
        if override:
            raise ConfigError(
                "--override changes a training that goes on.",
                expected="--override with --resume RUN",
                fix="give the setting itself, such as --learning-rate",
            )
        if not source:
            raise ConfigError(
                "there is no SOURCE.",
                expected="a name such as digits or mnist, or the path of a folder or .npz file",
                fix="seewell train digits",
            )
        config = config_from_options(recipe, network, options)
        timed = config.time is not None
        run = _run(lambda **others: _workbench(verdict=timed).train(source, config, out=out, **watch, **others))
    if as_json:
        print_json(run.summary)
    else:
        from seewell.report.terminal import print_result

        print_result(console(), run)
    if profile:
        from seewell.report.profile import print_profile

        print_profile(console(), run)


def _run(start: Any) -> "Run":
    out = console()

    def watchers(plan: "Plan", folder: "RunFolder") -> Sequence["Observer"]:
        from seewell.cli.progress import Bar, Lines
        from seewell.files import read_json
        from seewell.runs.run import open_run

        config = plan.config
        for said in _of_resuming(read_json(folder.info)):
            tell(said)
        if config.only is not None:
            tell(f'note: checkpoints hold the layers "{config.only}" alone; the training cannot be resumed from them')
        for said in _of_the_time(read_json(folder.info)):
            tell(said)
        for note in open_run(folder.path).info["dataset"]["notes"]:
            tell(f"note: {note}")
        for finding in open_run(folder.path).findings:
            if finding.severity != "info":
                tell(f"{finding.severity}: {finding.code}: {finding.message}")
        tell(f"run: {folder.path}   network: {config.network}   precision: {config.precision}   seed: {config.seed}")
        return [Bar(out) if out.is_terminal else Lines()]

    try:
        with loading() as progress:
            return start(observers=watchers, progress=progress)
    except TrainingStoppedError as problem:
        if "run" in problem.details and not isinstance(problem, InterruptedTrainingError):
            from seewell.report.terminal import print_findings
            from seewell.runs.run import open_run

            print_findings(out, open_run(str(problem.details["run"])).findings)
        raise


def _of_the_time(info: dict[str, Any]) -> list[str]:
    """How a time that was given is to be spent."""
    timed = info.get("time")
    if timed is None or info.get("resumed"):
        return []
    each = timed["pace"]["update"] * 1000
    said = [
        f"time: {timed['asked']} are enough for {timed['steps']:,} updates, {timed['epochs']:.3g} epochs "
        f"({each:.3g} ms an update were measured)"
    ]
    if timed["epochs"] < 1:
        said.append(
            "note: that is less than one epoch: not every image will be seen. One epoch needs about "
            f"{timed['one_epoch']:,.0f} s; a smaller network (--network) or smaller images "
            "(--preprocess resize=HxW) need less"
        )
    return said


def _of_resuming(info: dict[str, Any]) -> list[str]:
    """What is to be told where a training goes on."""
    if not info.get("resumed"):
        return []
    last = info["resumed"][-1]
    made = [one for one in info.get("changes", []) if one["step"] == last["step"]]
    changed = [f"{one['setting']}: {one['before']} becomes {one['after']}" for one in made]
    return [*last["passed_over"], *last.get("notes", []), *changed]


def _workbench(*, verdict: bool = False) -> Any:
    """What trains; with what the verdict at the end imports, where that is not to fall into a given time."""
    from seewell.quiet import import_tensorflow

    import_tensorflow()
    if verdict:
        importlib.import_module("cleanlab.filter")
    from seewell import workbench
    from seewell.training.quotas import limit_threads

    limit_threads()

    return workbench


def _size(text: str) -> list[int]:
    height, times, width = text.lower().partition("x")
    if not (times and height.isdigit() and width.isdigit()):
        raise ConfigError(
            f'"{text}" is not an image size.', expected="height x width, such as 64x64", fix="--image-size 64x64"
        )
    return [int(height), int(width)]
