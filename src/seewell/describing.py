"""What ``run.json`` says of a training before its first update."""

import dataclasses
import datetime
import platform
from pathlib import Path
from typing import Any

import numpy as np

from seewell.data.catalogue import CATALOGUE
from seewell.preparing import Prepared
from seewell.runs.folder import FORMAT, RunFolder
from seewell.training.precision import detect_hardware

__all__ = ["ARITHMETIC", "describe", "describe_environment"]

ARITHMETIC = 2
"""Raised where an update with the same settings rounds otherwise than before. 2: BatchNorm and Adam in one kernel."""


def describe(prepared: Prepared, folder: RunFolder, version: str) -> dict[str, Any]:
    """Settings, automatic choices with their reasons, versions, machine and dataset, as plain values.

    Args:
        prepared: The training.
        folder: Where it is written.
        version: Seewell's.
    """
    plan, dataset = prepared.plan, prepared.dataset
    return {
        "format": FORMAT,
        "name": folder.path.name,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "config": plan.config.to_dict(),
        "total_steps": plan.total_steps,
        "schedule_start": plan.schedule_start,
        **({} if prepared.timed is None else {"time": dataclasses.asdict(prepared.timed)}),
        "choices": [{"setting": c.setting, "value": c.value, "reason": c.reason} for c in prepared.choices],
        **describe_environment(version),
        "dataset": {
            "name": dataset.name,
            "source": _lasting(dataset.source),
            "classes": list(dataset.classes),
            "image_shape": list(dataset.image_shape),
            "counts": {
                "train": len(dataset.train),
                "validation": len(dataset.validation),
                "test": None if dataset.test is None else len(dataset.test),
            },
            "fingerprint": dataset.fingerprint(),
            "decoding": dataset.decoding.to_dict(),
            "notes": list(dataset.notes),
            "quarantined": [{"path": one.path, "reason": one.reason} for one in dataset.quarantined],
        },
    }


def describe_environment(version: str) -> dict[str, Any]:
    """Versions and machine: what the bits of a result depend on besides settings and data.

    Args:
        version: Seewell's.
    """
    import keras
    import tensorflow as tf

    hardware = detect_hardware()
    return {
        "versions": {
            "seewell": version,
            "arithmetic": ARITHMETIC,
            "python": platform.python_version(),
            "tensorflow": tf.__version__,
            "keras": keras.__version__,
            "numpy": np.__version__,
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": hardware.processor,
            "cores": hardware.cores,
            "gpus": len(hardware.gpus),
            "onednn": _has_onednn(),
        },
    }


def _has_onednn() -> bool | None:
    """Whether TensorFlow computes with oneDNN's kernels, which round otherwise; None where it does not tell."""
    try:
        from tensorflow.python.util import _pywrap_util_port  # no public name tells it

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return None


def _lasting(source: str) -> str:
    """The source so that it is found from any folder: paths absolute, catalogue names as they are."""
    path = Path(source)
    return source if source in CATALOGUE or not path.exists() else str(path.resolve())
