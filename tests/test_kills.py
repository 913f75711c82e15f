"""SIGKILL of real trainings at random moments; bench/kills.py does it and counts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[1] / "bench" / "kills.py"


def killed(kills, *more, timeout):
    command = [sys.executable, str(BENCH), "--kills", str(kills), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert (done.returncode, found["kills"]) == (0, kills), (found, done.stderr)
    return found


def check(found):
    assert found["unloadable"] == 0
    assert found["damaged"] == 0
    assert found["differing"] == 0
    assert found["finished"] >= 1
    assert max(found["lost"], default=0) <= 2 * found["every"]


@pytest.mark.timeout(1200)
def test_after_twenty_kills_every_run_loads_and_ends_with_the_uncut_one_s_bytes():
    check(killed(20, "--steps", "150", timeout=1100))


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_after_five_hundred_kills_every_run_loads_and_ends_with_the_uncut_one_s_bytes():
    found = killed(500, timeout=7100)
    check(found)
    assert found["stale"] > 10


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_after_kills_with_the_doctor_watching_every_run_ends_with_the_uncut_one_s_bytes():
    check(killed(40, "--doctor", timeout=1100))
