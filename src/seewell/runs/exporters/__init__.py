"""One file a format: how a network is written so that another runtime can answer with it."""

from seewell.runs.exporters import keras_file, litert, onnx_file, saved_model
from seewell.runs.exporters.base import Exporter

__all__ = ["EXPORTERS", "QUANTIZATIONS"]

EXPORTERS: dict[str, Exporter] = {
    one.name: one for one in (keras_file.EXPORTER, saved_model.EXPORTER, onnx_file.EXPORTER, litert.EXPORTER)
}
"""The formats by their names."""

QUANTIZATIONS: dict[str, str] = litert.QUANTIZATIONS
"""What the LiteRT export may be quantized to, and what that does."""
