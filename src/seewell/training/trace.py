"""A trace of TensorFlow's profiler, read: which operation ran when, and how a stretch of time is shared out."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Operation", "layer_of", "phase_of", "read_trace", "share_out", "summed"]

_OPERATION = re.compile(r"(?P<name>[^:\s]+):(?P<kind>[A-Za-z_]\w*)")
_NUMBERED = re.compile(r"_\d+$")
_GRADIENTS = "gradient_tape"


@dataclass(frozen=True)
class Operation:
    """One operation that ran once.

    Attributes:
        name: With its scopes, such as "while/forward/conv1_1/convolution".
        kind: TensorFlow's name of it, such as "Conv2D".
        start: In seconds, from any zero.
        end: In seconds.
    """

    name: str
    kind: str
    start: float
    end: float


def read_trace(path: Path) -> list[Operation]:
    """The operations of a trace file (``.xplane.pb``).

    Where GPUs took part, the operations are theirs: what ran on the processor
    beside them only started the kernels.

    Args:
        path: As TensorFlow's profiler wrote it.

    Raises:
        ImportError: This TensorFlow keeps the format's description elsewhere.
        OSError: The file cannot be read.
    """
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    devices = [plane for plane in space.planes if plane.name.startswith("/device:GPU")]
    found = [one for plane in devices for one in _events(plane)]
    found = found or [one for plane in space.planes if plane.name == "/host:CPU" for one in _events(plane)]
    zero = min((start for _, start, _ in found), default=0)
    matches = ((_OPERATION.fullmatch(called), start, end) for called, start, end in found)
    return [
        Operation(match["name"], match["kind"], (start - zero) * 1e-12, (end - zero) * 1e-12)
        for match, start, end in matches
        if match is not None
    ]


def _events(plane: Any) -> Iterable[tuple[str, int, int]]:
    """What ran, by name, with start and end in picoseconds."""
    names = {number: said.name for number, said in plane.event_metadata.items()}
    own = next((number for number, said in plane.stat_metadata.items() if said.name == "tf_op"), None)
    for line in plane.lines:
        for event in line.events:
            called = names.get(event.metadata_id, "")
            for stat in event.stats if own is not None else ():
                if stat.metadata_id == own:
                    called = stat.str_value or plane.stat_metadata[stat.ref_value].name or called
            start = line.timestamp_ns * 1000 + event.offset_ps
            yield called, start, start + event.duration_ps


def share_out(operations: Sequence[Operation]) -> list[float]:
    """The seconds of each operation, so that together they make the time in which any ran.

    Where several run at once, each instant is divided evenly among them.

    Returns:
        Seconds, in the order of the operations.

    Example:
        >>> share_out([Operation("a", "A", 0.0, 2.0), Operation("b", "B", 1.0, 2.0), Operation("c", "C", 5.0, 6.0)])
        [1.5, 0.5, 1.0]
    """
    # Each operation has the integral of 1 / (operations that run) from its start to its end.
    borders = sorted([(one.start, 1) for one in operations] + [(one.end, -1) for one in operations])
    passed: dict[float, float] = {}
    running, total, before = 0, 0.0, 0.0
    for moment, change in borders:
        if running:
            total += (moment - before) / running
        passed[moment] = total
        running += change
        before = moment
    return [passed[one.end] - passed[one.start] for one in operations]


def phase_of(name: str, phases: Sequence[str]) -> str:
    """The part of an update that an operation belongs to, by its scopes.

    Args:
        name: The operation's.
        phases: Names of scopes.

    Returns:
        One of them, or "other". A gradient is "backward", wherever what it is the gradient of stands.

    Example:
        >>> phase_of("while/body/_1/while/forward/conv1/Conv2D", ("input", "forward", "backward"))
        'forward'
        >>> phase_of("while/gradient_tape/while/forward/conv1/Conv2DBackpropInput", ("forward", "backward"))
        'backward'
    """
    parts = [_plain(part, phases) for part in name.split("/")]
    if _GRADIENTS in parts:
        return "backward"
    return next((part for part in parts if part in phases), "other")


def layer_of(name: str, layers: Mapping[str, str]) -> str | None:
    """The layer that an operation belongs to, by its scopes; the innermost where layers are nested.

    Args:
        name: The operation's.
        layers: By name; a layer that is called again has a number appended in the scopes.

    Example:
        >>> layer_of("while/forward/functional_1/conv1_2_1/convolution", {"conv1_2": "convolution"})
        'conv1_2'
    """
    parts = [_plain(part, layers) for part in name.split("/")]
    return next((part for part in reversed(parts) if part in layers), None)


def summed(keys: Iterable[Any], seconds: Iterable[float]) -> dict[Any, float]:
    """Seconds added up by key, the largest first."""
    sums: dict[Any, float] = defaultdict(float)
    for key, value in zip(keys, seconds, strict=True):
        sums[key] += value
    return dict(sorted(sums.items(), key=lambda one: -one[1]))


def _plain(part: str, known: Iterable[str]) -> str:
    """A scope without the number that TensorFlow appended to it."""
    return part if part in known else _NUMBERED.sub("", part)
