"""Where the time of an update goes: some calls of the compiled step are traced, and read afterwards."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seewell.data.batches import Chunk
from seewell.networks.layer_table import layer_kinds, layer_table
from seewell.training.peak import peak_multiply_adds
from seewell.training.step import PHASES
from seewell.training.stopwatch import Lap
from seewell.training.trace import Operation, layer_of, phase_of, read_trace, share_out, summed

__all__ = ["Profiler", "breakdown", "work_of_an_update"]

_UNTRACED_CALLS = 2
_SETTLED = 10
_TRACED_SECONDS = 1.0
_MOST_TRACES = 12
_OPERATIONS = 8
_FUSED = (
    ("_FusedConv2D", "convolution"),
    ("_FusedDepthwise", "depthwise convolution"),
    ("_FusedMatMul", "fully connected"),
)


class Profiler:
    """Traces calls of the compiled step until a second of them is known; the training is the same without it.

    Args:
        model: The network under training.
        precision: That its products are computed in.
        batch_size: Images in an update.
        folder: TensorBoard's, for the longest trace; TensorBoard shows it with its profile plugin.
    """

    def __init__(self, model: Any, *, precision: str, batch_size: int, folder: Path) -> None:
        self._model, self._precision, self._batch_size, self._folder = model, precision, batch_size, folder
        self._calls = 0
        self._seconds = 0.0
        self._updates = 0
        self._traces: list[tuple[float, list[Operation]]] = []
        self._kept = 0.0
        self._peak = 0.0
        self._lacks = ""

    @contextmanager
    def around(self, chunk: Chunk, total: int) -> Iterator[None]:
        """Trace what happens in the block, where it is time for that.

        Args:
            chunk: The updates that are made in it.
            total: Updates of the whole training.
        """
        self._calls += 1
        settled = self._calls > _UNTRACED_CALLS and chunk.first_step >= min(_SETTLED, total // 2)
        done = self._seconds >= _TRACED_SECONDS or len(self._traces) >= _MOST_TRACES or bool(self._lacks)
        if done or not settled:
            yield
            return
        with tempfile.TemporaryDirectory() as aside:
            seconds = [0.0]
            with _recording(aside, seconds):
                yield
            self._take(Path(aside), seconds[0], chunk.steps)
        last = chunk.first_step + chunk.steps >= total
        if self._seconds >= _TRACED_SECONDS or len(self._traces) >= _MOST_TRACES or last:
            # Beside the trace, so that both saw the same machine.
            self._peak = peak_multiply_adds(self._precision)

    def _take(self, aside: Path, seconds: float, updates: int) -> None:
        files = sorted(aside.rglob("*.xplane.pb"))
        try:
            operations = [one for file in files for one in read_trace(file)]
        except (ImportError, OSError, ValueError) as problem:
            self._lacks = f"the trace cannot be read: {problem}"
            return
        self._seconds += seconds
        self._updates += updates
        self._traces.append((seconds, operations))
        if seconds > self._kept:
            self._kept = seconds
            place = self._folder / "plugins" / "profile" / "updates"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            for file in files:
                shutil.copyfile(file, place / file.name)

    def result(self, laps: Mapping[str, Lap], updates: int) -> dict[str, Any]:
        """The profile as plain values, for ``profile.json``; but for "training", seconds are those of one update.

        Args:
            laps: What all of the training's seconds were spent on.
            updates: Made in them.
        """
        made = laps.get("updates", Lap())
        first = laps.get("tracing", Lap())
        each = made.seconds / max(1, updates - first.count)
        profile: dict[str, Any] = {
            "updates": updates,
            "seconds_an_update": each,
            "training": _training(laps),
            "traced": {"updates": self._updates, "seconds_an_update": self._seconds / max(1, self._updates)},
            "lacks": self._lacks or ("" if self._updates else "the training was too short to trace an update"),
        }
        if self._updates:
            profile |= breakdown(self._traces, self._updates, layer_kinds(self._model))
        if self._peak and each:
            done = work_of_an_update(self._model, self._batch_size) / each
            profile["peak"] = {
                "precision": self._precision,
                "multiply_adds_a_second": self._peak,
                "reached": done,
                "share": done / self._peak,
            }
        return profile


def breakdown(
    traces: Sequence[tuple[float, Sequence[Operation]]], updates: int, kinds: Mapping[str, str]
) -> dict[str, Any]:
    """The parts of an update, by phase, by kind of layer and by operation.

    Args:
        traces: Seconds and operations of each traced call.
        updates: Made in all of them.
        kinds: What each layer is, by its name.

    Returns:
        "parts" (with "between operations": dispatching and waiting), "layers" and "operations", each a list, the
        longest first; seconds of one update.
    """
    operations = [one for _, traced in traces for one in traced]
    shares = [share / updates for _, traced in traces for share in share_out(traced)]
    whole = sum(seconds for seconds, _ in traces) / updates
    phases = [phase_of(one.name, PHASES) for one in operations]
    parts = summed(phases, shares)
    parts["between operations"] = max(0.0, whole - sum(shares))
    inside = [place for place, phase in enumerate(phases) if phase in ("forward", "backward")]
    layers = [_kind_of(operations[place], kinds) for place in inside]
    sides = summed(zip(layers, (phases[place] for place in inside), strict=True), (shares[place] for place in inside))
    by_kind = summed(layers, (shares[place] for place in inside))
    by_operation = summed((one.kind for one in operations), shares)
    return {
        "parts": [{"part": name, "seconds": value, "share": value / whole} for name, value in parts.items()],
        "layers": [
            {
                "kind": kind,
                "forward": sides.get((kind, "forward"), 0.0),
                "backward": sides.get((kind, "backward"), 0.0),
                "share": value / whole,
            }
            for kind, value in by_kind.items()
        ],
        "operations": [
            {"operation": name, "seconds": value, "share": value / whole}
            for name, value in list(by_operation.items())[:_OPERATIONS]
        ],
    }


def _kind_of(operation: Operation, kinds: Mapping[str, str]) -> str:
    """The kind of layer of an operation; one that TensorFlow fused is named after the last of its parts."""
    fused = next((kind for start, kind in _FUSED if operation.kind.startswith(start)), None)
    return fused or kinds.get(layer_of(operation.name, kinds) or "", "other")


def work_of_an_update(model: Any, batch_size: int) -> int:
    """Multiply-adds of one update: forward, gradients of the weights, gradients of the values between layers.

    A layer that is not trained needs no gradient of its weights, and one that nothing trained stands in front of needs
    none of what goes into it. Layers count as standing in the order in which they run.

    Args:
        model: As for `seewell.networks.layer_table.layer_table`.
        batch_size: Images.
    """
    work, learned = 0, False
    for row in layer_table(model):
        passes = 1 + row.trained + learned
        work += passes * row.multiply_adds
        learned = learned or row.trained
    return batch_size * work


def _training(laps: Mapping[str, Lap]) -> list[dict[str, Any]]:
    """The training's seconds, the most first; what the first validation takes longer than others, is tracing."""
    seconds = sum(lap.seconds for lap in laps.values())
    return [
        {"part": name, "seconds": lap.seconds, "count": lap.count, "first": lap.first, "share": lap.seconds / seconds}
        for name, lap in sorted(laps.items(), key=lambda one: -one[1].seconds)
    ]


@contextmanager
def _recording(folder: str, seconds: list[float]) -> Iterator[None]:
    import tensorflow as tf

    options = tf.profiler.experimental.ProfilerOptions(host_tracer_level=2, python_tracer_level=0)
    tf.profiler.experimental.start(folder, options=options)
    try:
        clock = time.perf_counter()
        yield
        seconds[0] = time.perf_counter() - clock
    finally:
        tf.profiler.experimental.stop()
