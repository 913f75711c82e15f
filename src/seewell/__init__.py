"""seewell: train image classifiers, be told why the result is poor, prove that a change helped.

The public API is the table below; importing the package imports neither
TensorFlow nor NumPy, a name is loaded when it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seewell.config import TrainConfig
    from seewell.data.dataset import ImageDataset
    from seewell.data.loading import load_dataset
    from seewell.doctor.callback import Doctor
    from seewell.doctor.examine import examine
    from seewell.errors import (
        ConfigError,
        DataError,
        FormatError,
        InterruptedTrainingError,
        NetworkError,
        NotFiniteError,
        RunError,
        SeewellError,
        TrainingStoppedError,
    )
    from seewell.findings import Finding, Remedy
    from seewell.networks.registry import build_network, list_networks
    from seewell.runs.adopt import adopt
    from seewell.runs.export import export
    from seewell.runs.run import Run, open_run
    from seewell.workbench import train

__version__ = "0.1.0"

_HOMES = {
    "ConfigError": "seewell.errors",
    "DataError": "seewell.errors",
    "Doctor": "seewell.doctor.callback",
    "Finding": "seewell.findings",
    "FormatError": "seewell.errors",
    "ImageDataset": "seewell.data.dataset",
    "InterruptedTrainingError": "seewell.errors",
    "NetworkError": "seewell.errors",
    "NotFiniteError": "seewell.errors",
    "Remedy": "seewell.findings",
    "Run": "seewell.runs.run",
    "RunError": "seewell.errors",
    "SeewellError": "seewell.errors",
    "TrainConfig": "seewell.config",
    "TrainingStoppedError": "seewell.errors",
    "adopt": "seewell.runs.adopt",
    "build_network": "seewell.networks.registry",
    "examine": "seewell.doctor.examine",
    "export": "seewell.runs.export",
    "list_networks": "seewell.networks.registry",
    "load_dataset": "seewell.data.loading",
    "open_run": "seewell.runs.run",
    "train": "seewell.workbench",
}

_OUR_OWN = ("adopt", "build_network", "export", "open_run", "train")
"""What computes with networks of ours. The doctor looks at other people's, and leaves TensorFlow as it finds it."""

__all__ = [
    "ConfigError",
    "DataError",
    "Doctor",
    "Finding",
    "FormatError",
    "ImageDataset",
    "InterruptedTrainingError",
    "NetworkError",
    "NotFiniteError",
    "Remedy",
    "Run",
    "RunError",
    "SeewellError",
    "TrainConfig",
    "TrainingStoppedError",
    "adopt",
    "build_network",
    "examine",
    "export",
    "list_networks",
    "load_dataset",
    "open_run",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'seewell' has no attribute {name!r}")
    import importlib

    if name in _OUR_OWN:
        from seewell.quiet import prefer_onednn

        prefer_onednn()
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
