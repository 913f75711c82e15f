"""The network that a run keeps, as a file."""

from typing import Any

from seewell.files import write_atomically
from seewell.runs.folder import RunFolder

__all__ = ["keep"]


def keep(model: Any, folder: RunFolder) -> None:
    """Write a network as the one that the run keeps: all of it or nothing.

    Args:
        model: A Keras model.
        folder: The run's.

    Raises:
        OSError: It cannot be written.
    """
    with write_atomically(folder.network) as beside:
        model.save(beside)
