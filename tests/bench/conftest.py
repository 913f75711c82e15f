"""The benches are programs beside the package: their modules are found here."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))


@pytest.fixture
def bench(tmp_path):
    """Run a bench in a process of its own; gives what it printed and the JSON file it wrote."""

    def run(name, *arguments, timeout=280):
        out = tmp_path / "out.json"
        command = [sys.executable, str(BENCH / name), "--out", str(out), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=os.environ, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout, out

    return run


class InThisProcess:
    """A contender that answers from within the test's process: what is asked and answered is JSON all the same."""

    def __init__(self, module, settings, variables=None):
        self._made = importlib.import_module(f"speed.{module}").make(json.loads(json.dumps(settings)))

    def ask(self, what, **details):
        return json.loads(json.dumps(getattr(self._made, what)(**json.loads(json.dumps(details)))))

    def close(self):
        pass


@pytest.fixture
def without_processes(monkeypatch, tmp_path):
    """Run a bench in the test's process, contenders and all, on small images and without PyTorch."""
    from speed import description, record

    def describe(path, network, shape=(8, 8, 1), classes=10):
        if not (path / "network.json").exists():
            description.write(path, network, tuple(shape), classes)
        return path

    def run(name, *arguments):
        bench = importlib.import_module(name)
        monkeypatch.setattr(bench, "Contender", InThisProcess)
        monkeypatch.setattr(bench, "has_torch", lambda: False)
        monkeypatch.setattr(bench, "describe", describe)
        monkeypatch.setattr(record, "has_torch", lambda: False)
        monkeypatch.setattr(record, "_has_onednn_by_default", lambda flags: True)  # the same contenders everywhere
        out = tmp_path / f"{name}.json"
        monkeypatch.setattr(sys, "argv", [name, "--out", str(out), *map(str, arguments)])
        bench.main()
        return json.loads(out.read_text())["results"], out

    return run
