"""Commands in processes of their own: seconds, peak memory, and what they printed."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from speed.conversation import command_of, environment

SEEWELL = str(Path(sys.executable).with_name("seewell"))

# A fresh measuring process keeps earlier children, and the bench itself, out of the figure.
_PROBE = """
import json, os, resource, subprocess, sys, time
cores, *command = json.loads(sys.argv[1])
if cores:
    os.sched_setaffinity(0, cores)
began = time.perf_counter()
done = subprocess.run(command, stdout=sys.stdout, stderr=sys.stderr)
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
with open(sys.argv[2], "w") as file:
    json.dump([done.returncode, seconds, peak * unit], file)
"""


@dataclass(frozen=True)
class Measured:
    """What a command cost.

    Attributes:
        seconds: From its start to its end.
        peak_bytes: The largest resident size of any of its processes.
        printed: Its stdout.
    """

    seconds: float
    peak_bytes: int
    printed: str


def measured(command, cores=None):
    """Run a command on some of the cores (all, where none are named).

    Raises:
        RuntimeError: It failed; with the end of what it wrote to stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told"
        given = [sys.executable, "-c", _PROBE, json.dumps([cores, *command]), str(told)]
        done = subprocess.run(given, capture_output=True, text=True, env=environment(), check=False)
        code, seconds, peak = json.loads(told.read_text())
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {done.stderr[-3000:]}")
    return Measured(seconds, peak, done.stdout)


def train(source, options, cores=None):
    """`seewell train SOURCE OPTIONS --json`: what it cost, and its JSON."""
    with tempfile.TemporaryDirectory() as folder:
        found = measured([SEEWELL, "train", str(source), *options, "--out", f"{folder}/run", "--json"], cores)
    return found, json.loads(found.printed)


def describe(path, network, shape=None, classes=10):
    """Have a network described (`speed.description`) in a process of its own, once; the folder it is in."""
    if not (path / "network.json").exists():
        sizes = [] if shape is None else [*map(str, shape), str(classes)]
        command = command_of("description", str(path), network, *sizes)
        done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
        if done.returncode:
            raise RuntimeError(f"{network} cannot be described: {done.stderr[-3000:]}")
    return path


def all_cores():
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def write_images(path, count, side, channels=3, classes=10):
    """An .npz source of random images: what reading, training and memory cost does not depend on the pixels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, side, side, channels), dtype=np.uint8)
    labels = np.arange(count, dtype=np.int64) % classes
    np.savez(path, x_train=images, y_train=labels, x_test=images[:classes], y_test=labels[:classes])
    return path
