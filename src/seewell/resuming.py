"""Where a training goes on: from which checkpoint, with which settings, on which images, or why it must not."""

import dataclasses
import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seewell.config import TrainConfig, config_from_dict
from seewell.data.dataset import ImageDataset, Progress
from seewell.describing import ARITHMETIC, describe_environment
from seewell.errors import ConfigError, RunError, unknown_name
from seewell.preparing import Prepared, rebuild, same_dataset
from seewell.runs.adopted_run import ADOPTED
from seewell.runs.checkpoint import Checkpoint, latest_complete, load
from seewell.runs.folder import RunFolder
from seewell.runs.manifest import damage
from seewell.runs.run import Run
from seewell.training.plan import Plan, check_config, planned_steps
from seewell.training.state import SETTINGS, State

__all__ = ["Changes", "GoingOn", "differences", "go_on", "made_with"]

FIXED = frozenset(
    {
        "recipe",
        "network",
        "network_arguments",
        "preprocess",
        "image_size",
        "initializer",
        "optimizer",
        "batch_size",
        "seed",
        "split_seed",
        "validation_fraction",
        "only",
        "time",
    }
)
"""Settings that no override may change: they decide the network, the optimizer's memory, or which image comes when."""

_MAY_BE_NONE = frozenset(
    {"epochs", "steps", "early_stop", "keep_every", "shard_size", "bias_learning_rate", "momentum"}
)
"""Of the settings of a training that goes on, those that need no value."""


@dataclass(frozen=True)
class Changes:
    """What is to be changed on purpose where a training goes on.

    Attributes:
        overrides: Settings and their new values.
        more_epochs: Passes over the training split that a finished run is to make in addition.
    """

    overrides: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    more_epochs: float | None = None


@dataclass(frozen=True, eq=False)
class GoingOn:
    """A training that can go on.

    Attributes:
        prepared: Network and images, as before the run's first update.
        start: The checkpoint to take over.
        info: What ``run.json`` is to say.
    """

    prepared: Prepared
    start: Checkpoint
    info: dict[str, Any]


def made_with(plan: Plan, dataset: ImageDataset) -> dict[str, Any]:
    """What every checkpoint says of the training that made it, as plain values."""
    return {
        "config": plan.config.to_dict(),
        "total_steps": plan.total_steps,
        "schedule_start": plan.schedule_start,
        "fingerprint": dataset.fingerprint(),
    }


def differences(trained: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """The settings that differ: name → (trained with, now).

    Example:
        >>> differences({"learning_rate": 0.1, "seed": 1}, {"learning_rate": 0.2, "seed": 1})
        {'learning_rate': (0.1, 0.2)}
    """
    names = [*trained, *(name for name in now if name not in trained)]
    return {name: (trained.get(name), now.get(name)) for name in names if trained.get(name) != now.get(name)}


def go_on(run: Run, changes: Changes, *, version: str, progress: Progress | None = None) -> GoingOn:
    """Find where a training goes on, and refuse where it would silently become another one.

    Args:
        run: Its folder is locked by the caller; nothing is written here.
        changes: What is changed on purpose.
        version: Seewell's.
        progress: Called while the source is read.

    Raises:
        RunError: The run is finished or has no whole checkpoint, or its settings are not those it was trained with.
        ConfigError: A setting cannot be changed, or not to this value.
        DataError: The dataset is not where it was, or is another one.
    """
    _check_finished(run, changes)
    folder = RunFolder(run.path)
    newest, passed_over = latest_complete(folder.checkpoints)
    if newest is None:
        raise RunError(
            f"the run {run.path} has no whole checkpoint.",
            expected="at least one folder checkpoints/step-…",
            fix="train anew",
            details={"damaged": "; ".join(passed_over)} if passed_over else {},
        )
    start = load(newest)
    if start.only is not None:
        raise RunError(
            f'the checkpoints of the run {run.path} hold the layers "{start.only}" alone (--only).',
            expected="whole checkpoints: weights of every layer, optimizer and random states",
            fix="train anew without --only",
        )
    before = _trained_with(run, start)
    _refuse_edits(run, before, changes.overrides)
    dataset = same_dataset(run, progress, trained_on=start.state.get(SETTINGS, {}).get("fingerprint"))
    plan = _changed(before, run, start, changes, dataset)
    prepared = rebuild(run, dataset, plan)
    prepared.trainee.check(start)
    start, lost = _taken_over(start, plan, folder)
    return GoingOn(prepared, start, _info(run, before, plan, start.step, (*passed_over, *lost), version))


def _check_finished(run: Run, changes: Changes) -> None:
    if run.summary and changes.more_epochs is None:
        raise RunError(
            f"the run {run.path} is finished: {run.summary['steps']:,} updates were made.",
            expected="a training that was interrupted or killed",
            fix="go on with it: --epochs +10",
        )
    if changes.more_epochs is not None and not run.summary:
        raise RunError(
            f"the run {run.path} is not finished.",
            expected="a finished run, to which epochs can be added",
            fix="go on with it first, without --epochs",
        )


def _trained_with(run: Run, start: Checkpoint) -> Plan:
    """The plan that the checkpoint's next update follows: its own, and what was changed on purpose since."""
    said = start.state.get(SETTINGS)
    if said is None:
        return Plan(run.config, int(run.info["total_steps"]), (), int(run.info.get("schedule_start", 0)))
    values = {"total_steps": said["total_steps"], "schedule_start": said["schedule_start"], **said["config"]}
    for change in run.info.get("changes", []):
        if change["step"] >= start.step:
            values[change["setting"]] = change["after"]
    total, first = int(values.pop("total_steps")), int(values.pop("schedule_start"))
    return Plan(config_from_dict(values), total, (), first)


def _refuse_edits(run: Run, before: Plan, overrides: Mapping[str, Any]) -> None:
    """Refuse a ``run.json`` whose settings are not those that the run was trained with."""
    trained = {**before.config.to_dict(), "total_steps": before.total_steps}
    found = differences(trained, {**run.config.to_dict(), "total_steps": run.info["total_steps"]})
    known = {*overrides, *({"total_steps"} if {"epochs", "steps"} & set(overrides) else ())}
    found = {name: values for name, values in found.items() if name not in known}
    if not found:
        return
    mend = _as_command(run, {name: now for name, (_, now) in found.items()})
    raise RunError(
        f"the run {run.path} was trained with other settings than its run.json says now.",
        expected="the same settings, so that the training ends as if it had never been cut",
        fix="put run.json back as it was" + (f", or go on with the change on purpose: {mend}" if mend else ""),
        details={name: f"trained with {was!r}, now {now!r}" for name, (was, now) in found.items()},
    )


def _as_command(run: Run, values: Mapping[str, Any]) -> str:
    """The command that goes on with these settings on purpose, or an empty text where one of them cannot be changed."""
    named = {name: value for name, value in values.items() if name != "total_steps"}
    length = {"epochs", "steps"} & set(named)
    if ("total_steps" in values and not length) or any(not _changeable(name, value) for name, value in named.items()):
        return ""
    if any(named[name] is not None for name in length):
        named = {name: value for name, value in named.items() if name not in length or value is not None}
    words = ["seewell", "train", "--resume", str(run.path)]
    for name, value in named.items():
        words += ["--override", f"{name}={_as_text(value)}"]
    return shlex.join(words)


def _as_text(value: Any) -> str:
    """A setting's value as ``--override`` takes it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _changeable(name: str, value: Any) -> bool:
    """Whether an override may give a setting this value, as far as can be said without the run."""
    return name not in FIXED and (value is not None or name in _MAY_BE_NONE) and (name, value) != ("precision", "auto")


def _changed(before: Plan, run: Run, start: Checkpoint, changes: Changes, dataset: ImageDataset) -> Plan:
    config, total, first = before.config, before.total_steps, before.schedule_start
    images, batch = len(dataset.train), config.batch_size or 1
    if changes.overrides:
        config = _overridden(config, changes.overrides)
        if {"epochs", "steps"} & set(changes.overrides):
            total = planned_steps(config, images)
    if changes.more_epochs is not None:
        total, first = start.step + max(1, math.ceil(changes.more_epochs * images / batch - 1e-9)), start.step
        done = start.step * batch / images
        length: dict[str, Any] = {"epochs": done + changes.more_epochs, "steps": None}
        config = config.changed(**(length if config.epochs is not None else {"steps": total}))
    first = min(first, start.step)  # the checkpoint at which more epochs were to begin may be lost
    if total <= start.step and not (total == before.total_steps and start.step == total):
        raise ConfigError(
            f"{total:,} updates are fewer than the {start.step:,} that the run {run.path} has made.",
            expected="a longer training",
            fix="override epochs or steps with more",
        )
    return Plan(config, total, (), first)


def _overridden(config: TrainConfig, overrides: Mapping[str, Any]) -> TrainConfig:
    names = [one.name for one in dataclasses.fields(TrainConfig)]
    for name in overrides:
        if name not in names:
            raise unknown_name("setting", name, names)
        if name in FIXED:
            raise ConfigError(
                f'the setting "{name}" cannot be changed in a training that goes on.',
                expected=", ".join(other for other in names if other not in FIXED),
                fix="train anew with it",
            )
        if not _changeable(name, overrides[name]):
            raise ConfigError(
                f'the setting "{name}" cannot become {overrides[name]!r} in a training that goes on: nothing is chosen '
                "automatically there.",
                expected="a value of its own",
                fix=f"--override {name}={_as_text(getattr(config, name))} is what it is now",
            )
    values = dict(overrides)
    if "steps" in values and "epochs" not in values:
        values["epochs"] = None
    if "epochs" in values and "steps" not in values:
        values["steps"] = None
    changed = config.changed(**values)
    if changed.epochs is None and changed.steps is None:
        raise ConfigError("neither epochs nor steps would be left.", expected="one of them", fix="--override epochs=10")
    check_config(changed if config.network != ADOPTED else changed.changed(network=None))
    return changed


def _info(run: Run, before: Plan, plan: Plan, step: int, passed_over: Sequence[str], version: str) -> dict[str, Any]:
    info = {key: value for key, value in run.info.items() if key not in ("stopped", "result")}
    info |= {"changes": [_moved(one, step) for one in info["changes"]]} if "changes" in info else {}
    if run.summary:
        info["results_before"] = [*info.get("results_before", []), run.summary]
    found = differences(_values(before), _values(plan))
    made = [{"step": step, "setting": key, "before": was, "after": now} for key, (was, now) in found.items()]
    if made:
        info["changes"] = [*info.get("changes", []), *made]
    info |= {"config": plan.config.to_dict(), "total_steps": plan.total_steps, "schedule_start": plan.schedule_start}
    entry = {"step": step, "passed_over": list(passed_over), "notes": list(_not_exact(run.info, version))}
    info["resumed"] = [*info.get("resumed", []), entry]
    return info


def _moved(change: Mapping[str, Any], step: int) -> dict[str, Any]:
    """A change that was made beyond the checkpoint at which the training goes on counts from there."""
    return dict(change) if change["step"] <= step else {**change, "step": step, "first_made_at": change["step"]}


def _values(plan: Plan) -> dict[str, Any]:
    return {**plan.config.to_dict(), "total_steps": plan.total_steps, "schedule_start": plan.schedule_start}


def _not_exact(info: Mapping[str, Any], version: str) -> Iterable[str]:
    """Where this machine or its software is not what the run began with."""
    now = describe_environment(version)
    if info.get("versions", {}).get("arithmetic", 1) != ARITHMETIC:
        yield "this seewell rounds otherwise than the one it began with: the result may differ from an uncut training's"
    for part, names in (
        ("versions", ("tensorflow", "keras", "numpy")),
        ("machine", ("processor", "cores", "gpus", "onednn")),
    ):
        for name, (was, found) in differences(info.get(part, {}), now[part]).items():
            if name in names and was is not None:
                yield f"{name} is {found} here and was {was}: the result may differ from an uncut training's"


def _taken_over(start: Checkpoint, plan: Plan, folder: RunFolder) -> tuple[Checkpoint, tuple[str, ...]]:
    """The checkpoint as the loop is to take it over, and what is to be told of it.

    A best so far whose checkpoint is lost is forgotten, so that the loop finds
    a best again. A finished training that goes on has all its patience again.
    """
    state = State.from_dict(start.state)
    said: tuple[str, ...] = ()
    best = f"step-{state.best_step:08d}"
    wrong = damage(folder.checkpoints / best) if state.best_step not in (0, start.step) else ""
    if wrong:
        state.best_step, state.best_accuracy, state.best_loss = 0, -1.0, math.inf
        said = (f"checkpoint {best}, the best so far, is lost: {wrong}; that of step {start.step} stands in for it",)
    if plan.schedule_start == start.step > 0:
        state.since_best = 0
    return dataclasses.replace(start, state={**start.state, **state.to_dict()}), said
