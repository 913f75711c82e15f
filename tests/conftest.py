"""What all tests share: a quiet TensorFlow, folders of their own, and trained runs that are made once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command line does, for the same bits here and there

import hypothesis
import pytest

hypothesis.settings.register_profile("seewell", deadline=None, derandomize=True, database=None, max_examples=50)
hypothesis.settings.load_profile("seewell")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """No test reads or writes the user's cache."""
    before = os.environ.get("SEEWELL_CACHE")
    os.environ["SEEWELL_CACHE"] = str(tmp_path_factory.mktemp("seewell-cache"))
    yield
    if before is None:
        del os.environ["SEEWELL_CACHE"]
    else:
        os.environ["SEEWELL_CACHE"] = before


@pytest.fixture(scope="session")
def digits():
    """The built-in dataset, read once."""
    from seewell.data.loading import load_dataset

    return load_dataset("digits")


def _separable(count, seed):
    """Three classes of 4 x 4 images that differ in which rows are bright."""
    import numpy as np

    from seewell.data.dataset import Split

    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % 3
    images = rng.integers(0, 100, (count, 4, 4, 1))
    images[np.arange(count), labels] += 150
    return Split(images.astype(np.uint8), labels)


@pytest.fixture(scope="session")
def small_dataset():
    """60 training, 18 validation and 21 test images of 4 x 4 pixels in three classes, easily told apart."""
    from seewell.data.dataset import ImageDataset
    from seewell.data.decode import Decoding

    return ImageDataset(
        name="small",
        source="small",
        classes=("top", "middle", "bottom"),
        train=_separable(60, 0),
        validation=_separable(18, 1),
        test=_separable(21, 2),
        decoding=Decoding(channels=1, height=4, width=4),
    )


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, digits):
    """A finished run of a very small network on digits. Read-only: tests that write take `own_run`."""
    from seewell.config import TrainConfig
    from seewell.workbench import train

    config = TrainConfig(
        network="fully-connected", network_arguments={"widths": "16"}, epochs=2, precision="float32", seed=1
    )
    return train(digits, config, out=tmp_path_factory.mktemp("tiny") / "run")


@pytest.fixture
def own_run(tiny_run, tmp_path):
    """The folder of a copy of `tiny_run`, to be changed at will."""
    target = tmp_path / "run"
    shutil.copytree(tiny_run.path, target)
    return target


@pytest.fixture
def run_python():
    """Run a Python program in a process of its own; the process is gone when the test ends."""

    def run(code, *arguments, cwd=None, environment=None, timeout=120):
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def seewell(tmp_path):
    """Run the command line in a process of its own, as a user does."""

    def run(*arguments, cwd=None, timeout=120):
        return subprocess.run(
            [str(Path(sys.executable).with_name("seewell")), *map(str, arguments)],
            cwd=cwd or tmp_path,
            timeout=timeout,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
