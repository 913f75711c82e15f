"""What `--profile` prints."""

import io
import json

import pytest
from rich.console import Console

from seewell.report.profile import duration, print_profile

PROFILE = {
    "updates": 100,
    "seconds_an_update": 0.0123,
    "training": [
        {"part": "updates", "seconds": 9.0, "count": 4, "first": 1.0, "share": 0.75},
        {"part": "validation", "seconds": 3.0, "count": 2, "first": 2.5, "share": 0.25},
    ],
    "traced": {"updates": 40, "seconds_an_update": 0.0125},
    "lacks": "",
    "parts": [{"part": "backward", "seconds": 0.008, "share": 0.64}],
    "layers": [{"kind": "convolution", "forward": 0.002, "backward": 0.0, "share": 0.5}],
    "operations": [{"operation": "Conv2D", "seconds": 0.002, "share": 0.2}],
    "peak": {"precision": "bfloat16", "multiply_adds_a_second": 2e11, "reached": 5e10, "share": 0.25},
}


class Kept:
    def __init__(self, path):
        self.path = path


def printed(path, profile=None):
    if profile is not None:
        (path / "profile.json").write_text(json.dumps(profile))
    out = io.StringIO()
    print_profile(Console(file=out, width=100), Kept(path))
    return out.getvalue()


def test_everything_is_said(tmp_path):
    said = printed(tmp_path, PROFILE)
    for words in ("12.3 ms", "backward", "64.0%", "convolution", "2.50 s", "Conv2D", "25% are reached", "bfloat16"):
        assert words in said


def test_what_is_missing_is_left_out_or_told(tmp_path):
    assert printed(tmp_path) == ""
    short = {name: PROFILE[name] for name in ("updates", "seconds_an_update", "training", "traced")}
    said = printed(tmp_path, {**short, "lacks": "the training was too short to trace an update"})
    assert "no trace: the training was too short" in said
    assert "peak" not in said


@pytest.mark.parametrize(("seconds", "text"), [(1.5, "1.50 s"), (0.25, "250 ms"), (1e-4, "0.1 ms"), (5e-5, "50 µs")])
def test_durations_have_units(seconds, text):
    assert duration(seconds) == text
