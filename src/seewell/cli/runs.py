"""`seewell runs`: list, show and prune run folders."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seewell.cli.output import console, print_json, tell
from seewell.errors import ConfigError

if TYPE_CHECKING:
    from seewell.runs.run import Run

__all__ = ["app"]

app = typer.Typer(help="Runs: list, show, prune.", no_args_is_help=True)


@app.command("list")
def list_command(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the runs.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """List the runs in FOLDER, the newest last."""
    found, unreadable = _open_all(folder)
    for text in unreadable:
        tell(text)
    if as_json:
        print_json({"folder": str(folder), "runs": [_row(run) for run in found]})
        return
    if not found:
        tell(f"there are no runs in {folder}; make one with: seewell train digits")
        return
    from seewell.report.tables import print_runs

    print_runs(console(), [(run.path, run.info) for run in found])


@app.command("show")
def show_command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Show the settings, the automatic choices and the result of RUN."""
    from seewell.runs.run import open_run

    opened = open_run(run)
    if as_json:
        from seewell.report.checkpoints import checkpoint_rows

        print_json({**opened.info, "checkpoints": checkpoint_rows(opened.path)})
        return
    from seewell.report.terminal import print_run

    print_run(console(), opened)


@app.command("prune")
def prune_command(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    keep_last: Annotated[int, typer.Option(help="Latest checkpoints to keep besides the best.")] = 1,
    keep_every: Annotated[
        int | None, typer.Option(help="Keep also the first checkpoint after each so many updates.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove old checkpoints of RUN; the best, the latest and network.keras stay."""
    if keep_last < 1:
        raise ConfigError(f"--keep-last is {keep_last}.", expected="1 or more", fix="--keep-last 1")
    if keep_every is not None and keep_every < 1:
        raise ConfigError(f"--keep-every is {keep_every}.", expected="1 or more", fix="--keep-every 1000")
    from seewell.runs.checkpoint import latest_complete, superfluous
    from seewell.runs.folder import RunFolder, lock
    from seewell.runs.run import open_run

    folder = RunFolder(open_run(run).path)
    with lock(folder):
        whole, _ = latest_complete(folder.checkpoints)  # stays, also where newer ones are damaged
        old = [path for path in superfluous(folder.checkpoints, keep_last, keep_every) if path != whole]
        size = sum(file.stat().st_size for path in old for file in path.rglob("*") if file.is_file())
        if not dry_run:
            for path in old:
                shutil.rmtree(path)
    verb = "would be removed" if dry_run else "removed"
    tell(f"{len(old)} checkpoints {verb}, {size / 1e6:,.1f} MB: {', '.join(path.name for path in old) or 'none'}")


def _open_all(folder: Path) -> "tuple[list[Run], list[str]]":
    from seewell.errors import SeewellError
    from seewell.runs.run import open_run

    found, unreadable = [], []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if (path / "run.json").is_file():
            try:
                found.append(open_run(path))
            except SeewellError as problem:
                unreadable.append(f"left out: {problem.what}")
    return sorted(found, key=lambda run: str(run.info.get("created", ""))), unreadable


def _row(run: "Run") -> dict[str, Any]:
    summary = run.summary
    return {
        "run": str(run.path),
        "created": run.info.get("created"),
        "dataset": run.info["dataset"].get("name"),
        "network": run.info["config"].get("network"),
        "finished": bool(summary),
        "validation_accuracy": summary.get("validation_accuracy"),
        "test_accuracy": summary.get("test_accuracy"),
    }
