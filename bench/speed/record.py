"""What a bench writes down: the machine, the versions, the load, and results that survive an interrupt."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from seewell.files import read_json, write_json
from speed.conversation import BENCH_PYTHON, ROOT, has_torch

OUT = ROOT / "build" / "bench"
VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
"""Of the environment, what changes how fast TensorFlow and PyTorch are; None where it is not set."""
SAME = ("processor", "cores", "versions", "variables")
"""What all results in a file must have been measured with."""
_NEURAL = {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}
"""Flags of the processors on which TensorFlow turns oneDNN on by itself (tensorflow/core/util/port.cc)."""


def machine():
    """Processor, cores, whether it multiplies bfloat16, versions, commit, load; no names of hosts or folders."""
    flags, name = set(), platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            label, _, value = line.partition(":")
            if label.strip() == "model name":
                name = value.strip()
            if label.strip() == "flags":
                flags = set(value.split())
                break
    return {
        "processor": name,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "has_bfloat16": bool({"avx512_bf16", "amx_bf16"} & flags),
        "has_onednn_by_default": _has_onednn_by_default(flags),
        "vectors": next((one for one in ("amx_bf16", "avx512f", "avx2") if one in flags), "unknown"),
        "versions": {"python": platform.python_version(), **_versions(), **_torch_version()},
        "variables": {name: os.environ.get(name) for name in VARIABLES},
        "commit": _commit(),
        "began": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0],
    }


def _has_onednn_by_default(flags):
    return bool(_NEURAL & flags)


def _versions():
    found = {}
    for name in ("tensorflow", "keras", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _torch_version():
    if not has_torch():
        return {}
    ask = "from importlib.metadata import version; print(version('torch'))"
    done = subprocess.run([str(BENCH_PYTHON), "-c", ask], capture_output=True, text=True, check=False)
    return {"torch": done.stdout.strip()} if done.returncode == 0 else {}


def _commit():
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


class Record:
    """Results by key, written after each one; a bench that is started again goes on.

    Args:
        path: A JSON file.
        settings: What all results must share; a file with others, or from another machine, is refused.
        anew: Forget what is there.
        report: Only read what is there.
    """

    def __init__(self, path, settings, *, anew=False, report=False):
        self.path = path
        settings = json.loads(json.dumps(settings))
        if report and not path.exists():
            sys.exit(f"{path} is not there; without --report it is measured")
        if path.exists() and not anew:
            self._all = read_json(path)
            self._all.setdefault("made_by", dict.fromkeys(self._all["results"], 0))
            if not report:
                self._go_on(settings)
            self._tell_commits([] if report else [len(self._all["machines"]) - 1])
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        self._all = {"settings": settings, "machines": [machine()], "results": {}, "made_by": {}}

    def _go_on(self, settings):
        if self._all["settings"] != settings:
            sys.exit(f"{self.path} holds results of other settings; give another --out, or --anew")
        here, there = machine(), self._all["machines"][-1]
        for name in SAME:
            if here[name] != there.get(name):
                sys.exit(
                    f"{self.path} was measured with other {name} ({there.get(name)}; here {here[name]}); "
                    "give another --out, or --anew"
                )
        self._all["machines"].append(here)

    def _tell_commits(self, others):
        """Say that results of several commits stand side by side, those to come among them."""
        commits = {self._all["machines"][number]["commit"] for number in (*self._all["made_by"].values(), *others)}
        if len(commits) > 1:
            print(f"{self.path.name} mixes results of the commits {', '.join(sorted(commits))}", file=sys.stderr)

    def __contains__(self, key):
        return key in self._all["results"]

    def __getitem__(self, key):
        return self._all["results"][key]

    def rounds(self, name, count):
        """What was found of ``name`` in each of so many rounds ("NAME, 0" and on), without those that are not there."""
        keys = (f"{name}, {number}" for number in range(count))
        return [self._all["results"][key] for key in keys if key in self._all["results"]]

    def add(self, key, value):
        self._all["results"][key] = value
        self._all["made_by"][key] = len(self._all["machines"]) - 1
        write_json(self.path, self._all)

    @property
    def results(self):
        return self._all["results"]

    @property
    def machine(self):
        return self._all["machines"][-1]


def add_arguments(parser, name):
    """The options that every speed bench has."""
    parser.add_argument("--out", type=Path, default=OUT / f"{name}.json", help="JSON; the picture is written beside it")
    parser.add_argument("--anew", action="store_true", help="measure again what OUT holds already")
    parser.add_argument("--report", action="store_true", help="measure nothing, tell what OUT holds")
