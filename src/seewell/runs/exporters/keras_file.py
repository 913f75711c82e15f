"""`network.keras`: stock Keras layers, loads where seewell cannot be imported."""

from pathlib import Path
from typing import Any

from seewell.runs.exporters.base import Exporter, Options

__all__ = ["EXPORTER"]


def _write(model: Any, path: Path, options: Options) -> None:
    model.save(path)


EXPORTER = Exporter("keras", "network.keras", "Keras in a process without seewell", _write)
