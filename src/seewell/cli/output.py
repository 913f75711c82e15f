"""Where commands write: advice and tables to stderr, results to stdout, one JSON object with ``--json``."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seewell.errors import ConfigError, SeewellError

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["console", "fail", "loading", "print_json", "tell", "writing"]


def console() -> "Console":
    """The console for people: stderr, in colour where that is a terminal."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=False)


def tell(text: str) -> None:
    """One line for people, to stderr, as it is."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def print_json(value: Any) -> None:
    """Exactly one JSON object on stdout, in ASCII; what is not finite becomes null."""
    sys.stdout.write(json.dumps(_finite(value)) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value


def fail(problem: SeewellError) -> int:
    """Say what is wrong, on stderr, and give the exit code."""
    from rich.text import Text

    text = Text()
    for place, line in enumerate(str(problem).splitlines()):
        label, colon, rest = line.partition(":")
        text.append(label + colon, style="bold red" if place == 0 else "bold")
        text.append(rest + "\n")
    console().print(text, end="", soft_wrap=True)
    return problem.exit_code


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a file that cannot be written into one clear message; makes the folder it is to lie in.

    Raises:
        ConfigError: The path, or its folder, cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as problem:
        raise ConfigError(
            f"{path} cannot be written: {problem.strerror or problem}.",
            expected="a file in a folder that can be written to",
            fix="choose another path",
        ) from problem


@contextmanager
def loading() -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar for reading or downloading a source; it appears with the first news of it."""
    out = console()
    if not out.is_terminal:
        yield lambda what, done, total: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        tasks: dict[str, Any] = {}

        def advance(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield advance
