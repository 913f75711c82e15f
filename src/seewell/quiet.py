"""Import TensorFlow without its start-up chatter, losing no other line.

TensorFlow 2.21 writes "oneDNN custom operations are on" and "Could not find
cuda drivers" to file descriptor 2 from static initializers, before any log
level can be set (environment variables were tried: docs/log.md). So the
descriptor is held aside during the import and the search for devices, and
everything but those lines is written through afterwards, also when the import
fails. That no GPU was found is kept in ``run.json`` instead.

Keras imports scikit-learn, pandas and matplotlib where they are installed, for wrappers and galleries that no command
uses. They take about a third of the whole import (bench/startup.py, docs/speed.md), so Keras does not find them; what
needs them later, as the verdict at a training's end does, imports them then.
"""

import contextlib
import importlib.abc
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

__all__ = ["import_tensorflow", "prefer_onednn"]

_CHATTER = (
    "WARNING: All log messages before absl::InitializeLog() is called",
    "oneDNN custom operations are on",
    "Could not find cuda drivers on your machine",
    "This TensorFlow binary is optimized to use available CPU instructions",
    "To enable the following instructions",
    "failed call to cuInit",
    "Cannot dlopen some GPU libraries",
)

_NOT_NEEDED = ("sklearn", "pandas", "matplotlib")


def prefer_onednn() -> None:
    """Let TensorFlow, where it is not imported yet and the user said nothing, compute with oneDNN's kernels.

    It leaves them off on processors without AVX-512, where they are the quicker ones too. They round otherwise.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def import_tensorflow() -> None:
    """Import TensorFlow for a command; only the command line calls this, a library must not touch stderr."""
    if "tensorflow" in sys.modules:
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    prefer_onednn()
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            with _not_found(_NOT_NEEDED):
                import tensorflow

            tensorflow.config.list_physical_devices()
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            aside.seek(0)
            for line in aside.read().decode("utf-8", "replace").splitlines(keepends=True):
                if not any(words in line for words in _CHATTER):
                    sys.stderr.write(line)


class _NotFound(importlib.abc.MetaPathFinder):
    """Says of some packages that they are not there."""

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = frozenset(packages)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """None leaves a module to the other finders."""
        if name.partition(".")[0] in self._packages:
            raise ModuleNotFoundError(f"{name} is not imported together with TensorFlow", name=name)


@contextlib.contextmanager
def _not_found(packages: Sequence[str]) -> Iterator[None]:
    """Inside, optional packages cannot be imported, but for those that are imported already."""
    finder = _NotFound([one for one in packages if one not in sys.modules])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
