"""What every exporter is made of, and the one function that is exported."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seewell.errors import ConfigError

__all__ = ["INPUT", "OUTPUT", "Exporter", "Options", "image_spec", "require_extra", "serving_function"]

INPUT = "image"
"""The name of the input in SavedModel, ONNX and LiteRT: uint8 (N, H, W, C)."""

OUTPUT = "probabilities"
"""The name of the output there: float32 (N, K)."""


@dataclass(frozen=True, eq=False)
class Options:
    """What a format may be asked for besides its name.

    Attributes:
        quantize: None, or one of the LiteRT quantizations.
        calibration: uint8 (N, H, W, C) training images that int8 takes its ranges from, or None.
    """

    quantize: str | None = None
    calibration: NDArray[np.uint8] | None = None


@dataclass(frozen=True)
class Exporter:
    """A format.

    Attributes:
        name: The name on the command line.
        file_name: The file, or the folder, that it becomes.
        runtime: What it is loaded in to be checked, in words.
        write: Writes the network to a path that does not exist yet.
        packages: The installed distributions whose versions matter.
        extra: The extra of seewell that brings them; "" where they are always there.
        modules: The modules that must be importable.
    """

    name: str
    file_name: str
    runtime: str
    write: Callable[[Any, Path, Options], None]
    packages: tuple[str, ...] = ()
    extra: str = ""
    modules: tuple[str, ...] = ()


def require_extra(exporter: Exporter) -> None:
    """Refuse a format whose packages are not installed, before any work is done.

    Raises:
        ConfigError: One is missing; names it and the command that installs it.
    """
    missing = [name for name in exporter.modules if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"the format {exporter.name} needs {' and '.join(missing)}, which is not installed.",
            expected=f'seewell with its extra "{exporter.extra}"',
            fix=f'pip install "seewell[{exporter.extra}]"',
        )


def image_spec(model: Any) -> Any:
    """The input of an exported network as a TensorSpec: uint8 (any number, H, W, C)."""
    import tensorflow as tf

    return tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.uint8, name=INPUT)


def serving_function(model: Any) -> Callable[[Any], dict[str, Any]]:
    """The network in inference mode, with its output named.

    The mode is said on purpose: a Keras `Resizing` layer makes a model that is
    called without it run BatchNorm in training mode (Keras 3.15), also in what
    `model.export` writes.
    """
    return lambda image: {OUTPUT: model(image, training=False)}
