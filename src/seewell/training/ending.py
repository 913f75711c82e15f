"""What is said where a training ends before its time: what happened, and what is kept."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import InterruptedTrainingError, NotFiniteError, RunError, TrainingStoppedError
from seewell.networks.taps import Taps
from seewell.training.signals import Reason

__all__ = ["Ending", "out_of_memory", "where_it_began"]


@dataclass(frozen=True)
class Ending:
    """A training that cannot or is not to go on.

    Attributes:
        run: Its folder.
        checkpoint_step: Of the newest checkpoint; negative where none was written.
        unsaved: Why the last checkpoint could not be written, or None.

    Example:
        >>> Ending(Path("runs/a"), 20).out_of_memory(64).details["kept"]
        'the checkpoint of step 20'
    """

    run: Path
    checkpoint_step: int
    unsaved: RunError | None = None

    @property
    def kept(self) -> str:
        """What there is to go on from."""
        step = self.checkpoint_step
        return f"the checkpoint of step {step}" if step >= 0 else "no checkpoint was written yet"

    def interrupted(self, signal_number: int, made: str) -> InterruptedTrainingError:
        """A signal came after ``made``, such as "20 of 100 updates"."""
        saved = "and saved" if self.unsaved is None else "and could not be saved"
        return InterruptedTrainingError(
            f"the training was interrupted after {made} {saved}.",
            signal_number=signal_number,
            fix=f"go on with: seewell train --resume {shlex.quote(str(self.run))}",
            details={"run": self.run, **self._not_saved()},
        )

    def asked_for(self, reason: Reason, made: str) -> TrainingStoppedError:
        """An observer asked for it after ``made``, such as "20 of 100 updates"."""
        return TrainingStoppedError(
            f"the training was stopped after {made}: {reason.what}",
            expected=reason.expected,
            fix=reason.fix,
            details={"run": self.run, "kept": self.kept, **self._not_saved()},
        )

    def out_of_memory(self, batch_size: int) -> TrainingStoppedError:
        """Batches of so many images do not fit."""
        return out_of_memory(batch_size, {"run": self.run, "kept": self.kept})

    def not_finite(self, what: str, learning_rate: float, details: Mapping[str, object]) -> NotFiniteError:
        """Cost or weights are not finite, as ``what`` says."""
        return NotFiniteError(
            what,
            expected="a finite cost",
            fix=f"--learning-rate {learning_rate / 10:g}, or --initializer default, or --precision float32",
            details={"run": self.run, **details, "kept": self.kept},
        )

    def _not_saved(self) -> dict[str, object]:
        return {} if self.unsaved is None else {"not saved": self.unsaved.what, "kept": self.kept}


def out_of_memory(batch_size: int, details: Mapping[str, object] | None = None) -> TrainingStoppedError:
    """Batches of so many images do not fit, in a training or where one is measured.

    Example:
        >>> out_of_memory(64).fix
        '--batch-size 32'
    """
    return TrainingStoppedError(
        f"there is not enough memory for batches of {batch_size:,} images.",
        expected="a batch whose values fit in memory",
        fix=f"--batch-size {max(1, batch_size // 2)}",
        details=details,
    )


def where_it_began(model: Any, images: NDArray[np.uint8]) -> tuple[str, str]:
    """The first layer whose values are not finite for these images, and which values they are.

    Args:
        model: A seewell network.
        images: uint8 (N, H, W, C).
    """
    where = Taps(model).first_not_finite(images)
    return ("logits", "their cross-entropy") if where is None else (where[0], f"its {where[1]}")
