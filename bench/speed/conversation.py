"""A contender lives in a process of its own and is asked, a line of JSON each way.

Both sides are here, in the standard library alone: contenders run in other environments. TensorFlow and PyTorch in
one process would fight for the cores; processes that wait take none.
"""

import contextlib
import functools
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_OWN_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
BENCH_PYTHON = Path(os.environ.get("SEEWELL_BENCH_PYTHON", _OWN_PYTHON))
"""The interpreter that `scripts/setup --bench` makes, with PyTorch in it."""
ONEDNN = {"TF_ENABLE_ONEDNN_OPTS": "1"}
"""What makes TensorFlow compute with oneDNN's kernels on every processor, as seewell does."""
ANSWER_SECONDS = 6 * 3600
"""A contender that is silent for so long hangs; the longest answer is a whole training."""


class ContenderError(Exception):
    """A contender's process ended, or could not do what it was asked."""


@functools.cache
def has_torch():
    """Whether PyTorch is there: scripts/setup has ended, or another interpreter that was named imports it."""
    if BENCH_PYTHON == _OWN_PYTHON:
        return BENCH_PYTHON.exists() and (BENCH_PYTHON.parents[1] / ".seewell-setup").exists()
    try:
        done = subprocess.run([str(BENCH_PYTHON), "-c", "import torch"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def command_of(module, *arguments):
    """The command that runs a module of this package; those of PyTorch run in an environment of their own."""
    python = str(BENCH_PYTHON) if module.startswith("torch_") else sys.executable
    return [python, "-m", f"speed.{module}", *arguments]


def environment():
    """The environment in which this package is found; what was set outside holds."""
    paths = [str(ROOT / "bench"), os.environ.get("PYTHONPATH", "")]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "KERAS_BACKEND": "tensorflow"}
    return {**quiet, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Contender:
    """The asking side.

    Args:
        module: A module of this package whose `make` makes the contender, and which calls `serve` when it is run.
        settings: What its maker is given, ready for JSON.
        variables: Of its environment. Without oneDNN's among them, TensorFlow decides about oneDNN by itself, whatever
            was set outside.
    """

    def __init__(self, module, settings, variables=None):
        self._module = module
        around = {name: value for name, value in environment().items() if name not in ONEDNN}
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed by close)
        self._process = subprocess.Popen(
            command_of(module, json.dumps(settings)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**around, **(variables or {})},
        )
        try:
            self._answer()  # it is there
        except ContenderError:
            self.close()
            raise

    def ask(self, what, **details):
        """Ask for a method of the other side's object; its answer."""
        try:
            print(json.dumps({"what": what, **details}), file=self._process.stdin, flush=True)
        except OSError as problem:
            raise ContenderError(self._last_words()) from problem
        return self._answer()

    def _answer(self):
        if not select.select([self._process.stdout], [], [], ANSWER_SECONDS)[0]:
            self._process.kill()
            raise ContenderError(f"{self._module} gave no answer in {ANSWER_SECONDS / 3600:g} hours")
        line = self._process.stdout.readline()
        if not line:
            raise ContenderError(self._last_words())
        return json.loads(line)

    def _last_words(self):
        code = self._process.wait()
        self._errors.seek(0)
        return f"{self._module} ended with {code}: {self._errors.read()[-3000:]}"

    def close(self):
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):  # it is dead already
                pipe.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


def serve(make):
    """The asked side: make the contender from the settings, then answer until nobody asks.

    Whatever libraries print goes to stderr; stdout carries the answers alone.

    Args:
        make: From the settings to an object whose methods answer.
    """
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contender = make(json.loads(sys.argv[1]))

    def tell(value):
        print(json.dumps(value), file=answers, flush=True)

    tell("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        tell(getattr(contender, asked.pop("what"))(**asked))


class Timed:
    """What a contender of the throughput bench inherits; it makes updates or answers, `count` at a time."""

    def prepare(self, count):
        """Choose settings for calls of about ``count``; how many it will really be."""
        return count

    def ready(self, count):
        """Before the clock starts: what a user would have at hand."""

    def make(self, count):
        raise NotImplementedError

    def seconds(self, count):
        self.ready(count)
        began = time.perf_counter()
        self.make(count)
        return time.perf_counter() - began
