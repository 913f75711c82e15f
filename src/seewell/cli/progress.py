"""How a training is shown while it runs: a bar on a terminal, the series' lines elsewhere."""

from typing import TYPE_CHECKING, Any

from seewell.cli.output import tell
from seewell.training.observers import Observer

if TYPE_CHECKING:
    from rich.console import Console

    from seewell.training.observers import Started, TrainReport, ValidationReport

__all__ = ["Bar", "Lines"]


class Lines(Observer):
    """Cost and accuracy of the current stretch at each report, as the series prints them."""

    def on_start(self, started: "Started") -> None:
        """Say how long it will be."""
        if started.first_step:
            tell(f"goes on after {started.first_step} of {started.total_steps} updates")
        else:
            tell(f"{started.total_steps} updates of {started.batch_size} images")

    def on_train(self, report: "TrainReport") -> None:
        """A line a report."""
        tell(
            f"step {report.step}: cost {report.loss:.6g}, accuracy {report.accuracy:.4f}, "
            f"{report.images_per_second:.0f} images/s"
        )

    def on_validation(self, report: "ValidationReport") -> None:
        """A line a validation."""
        best = " (best so far)" if report.best else ""
        tell(f"epoch {report.epoch:.4g}: validation cost {report.loss:.6g}, accuracy {report.accuracy:.4f}{best}")

    def on_warning(self, text: str) -> None:
        """A line."""
        tell(f"warning: {text}")


class Bar(Observer):
    """A progress bar with cost, accuracy, validation, images a second and time left.

    Args:
        console: Where it is drawn.
    """

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("[bold]training"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(compact=True),
            console=console,
            transient=True,
            expand=True,
        )
        self._task: Any = None
        self._validation = ""

    def on_start(self, started: "Started") -> None:
        """Show the bar."""
        self._progress.start()
        self._task = self._progress.add_task("tracing …", total=started.total_steps, completed=started.first_step)

    def on_progress(self, step: int, loss: float, accuracy: float, images_per_second: float) -> None:
        """Move it."""
        said = f"cost {loss:.3g}  acc {accuracy:.1%}{self._validation}  {images_per_second:,.0f} img/s"
        self._progress.update(self._task, completed=step, description=said)

    def on_validation(self, report: "ValidationReport") -> None:
        """Show the newest validation accuracy from now on."""
        self._validation = f"  val {report.accuracy:.1%}"

    def on_warning(self, text: str) -> None:
        """A line above the bar."""
        from rich.text import Text

        self._progress.console.print(Text(f"warning: {text}", style="yellow"))

    def on_end(self) -> None:
        """Take the bar away."""
        self._progress.stop()
