"""Does an export answer as the run's network does? What was measured, the rule, and the record of both."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ALLOWED",
    "Accuracy",
    "Certificate",
    "FileRecord",
    "Parity",
    "compare_accuracy",
    "compare_answers",
    "difference_from",
]

ALLOWED = 1e-4
"""The largest difference of a probability that a float32 export may show."""

_TIE = 1e-5
"""Two classes whose probabilities differ by less are a tie: rounding may turn them."""


@dataclass(frozen=True)
class Parity:
    """An export's answers beside the network's.

    Attributes:
        images: How many were compared.
        source: Which images they were.
        largest_difference: The largest absolute difference of a probability; NaN where an answer is not finite.
        top_class_changed: Images whose most probable class is another one.
        ties: Images with another top class whose two best were within 1e-5 anyway; not counted above.
    """

    images: int
    source: str
    largest_difference: float
    top_class_changed: int
    ties: int


@dataclass(frozen=True)
class Accuracy:
    """What quantizing costs on the validation split.

    Attributes:
        images: Validation images.
        network: Share that the network has right.
        export: Share that the export has right.
        loss: The first minus the second.
    """

    images: int
    network: float
    export: float
    loss: float


@dataclass(frozen=True)
class FileRecord:
    """A file of an export.

    Attributes:
        path: Relative to the folder that holds the certificate.
        bytes: Its size.
        sha256: Its SHA-256, 64 hexadecimal digits.
    """

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Certificate:
    """The record beside an export.

    Attributes:
        format: The export's format.
        quantized: "int8", "float16" or None.
        certified: Whether it answers as the network does; None for a quantized one, whose loss is measured instead.
        run: The run's name.
        network: The architecture's name.
        classes: The class names in the order of the probabilities.
        input_shape: Height, width and channels; the number of images is free.
        runtime: What it was loaded in.
        parity: The comparison.
        allowed_difference: What a float32 export may differ by.
        accuracy: Of a quantized one, on validation images; None where there are none.
        milliseconds_alone: An image by itself, median.
        milliseconds_batched: An image in batches of 32.
        files: Every file of the export.
        bytes: The size of all of them.
        versions: What wrote and what checked it.
        machine: Where.
        created: When, UTC.
    """

    format: str
    quantized: str | None
    certified: bool | None
    run: str
    network: str
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]
    runtime: str
    parity: Parity
    allowed_difference: float
    accuracy: Accuracy | None
    milliseconds_alone: float
    milliseconds_batched: float
    files: tuple[FileRecord, ...]
    bytes: int
    versions: dict[str, str]
    machine: dict[str, Any]
    created: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as in the JSON file."""
        return asdict(self)


def compare_answers(network: NDArray[np.float32], export: NDArray[np.float32], source: str) -> Parity:
    """Put two sets of probabilities beside each other.

    Args:
        network: float32 (N, K), what the run's network says.
        export: float32 (N, K), what the export says of the same images.
        source: Which images they are.

    Returns:
        The measurement.

    Raises:
        ValueError: The shapes differ.

    Example:
        >>> one = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
        >>> compare_answers(one, one[::-1], "two made up").top_class_changed
        2
    """
    if network.shape != export.shape:
        raise ValueError(f"{export.shape} answers beside {network.shape}")
    changed = network.argmax(axis=1) != export.argmax(axis=1)
    best = np.sort(network, axis=1)[:, -2:]
    tied = changed & (best[:, 1] - best[:, 0] < _TIE)
    difference = np.abs(network.astype(np.float64) - export.astype(np.float64))
    return Parity(
        images=len(network),
        source=source,
        largest_difference=float(difference.max()),
        top_class_changed=int((changed & ~tied).sum()),
        ties=int(tied.sum()),
    )


def compare_accuracy(
    network: NDArray[np.float32], export: NDArray[np.float32], labels: NDArray[np.int64]
) -> Accuracy | None:
    """Accuracy of both on the first images, those that have labels; None where none has.

    Args:
        network: float32 (N, K).
        export: float32 (N, K).
        labels: int64 (V,), V at most N.
    """
    if not len(labels):
        return None
    before = float((network[: len(labels)].argmax(axis=1) == labels).mean())
    after = float((export[: len(labels)].argmax(axis=1) == labels).mean())
    return Accuracy(len(labels), before, after, before - after)


def difference_from(parity: Parity, *, quantized: bool) -> str:
    """What is wrong with an export, in words; "" where it may be certified.

    A quantized one is meant to differ; only answers that are not finite are wrong there.

    Example:
        >>> difference_from(Parity(256, "", 0.5, 0, 0), quantized=False)
        'a probability differs by 0.5'
    """
    if not np.isfinite(parity.largest_difference):
        return "some of its probabilities are not finite"
    if quantized:
        return ""
    reasons = []
    if parity.largest_difference > ALLOWED:
        reasons.append(f"a probability differs by {parity.largest_difference:.2g}")
    if parity.top_class_changed:
        reasons.append(f"the top class is another on {parity.top_class_changed:,} of {parity.images:,} images")
    return " and ".join(reasons)
