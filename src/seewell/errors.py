"""The error hierarchy: one leaf file, so that everything may raise and nothing is imported.

SeewellError                 exit code 2: what happened, what was expected, how to mend it
├── ConfigError              a setting, its value, or a combination of settings
├── DataError                a source, an image file, labels, a split
├── NetworkError             an architecture, its arguments, a size that does not fit
├── RunError                 a run folder, a checkpoint, a kept network
├── FormatError              a foreign file that is refused, damaged, or cannot be translated
└── TrainingStoppedError     training ended itself or was ended
    ├── NotFiniteError       exit code 3: the cost or a layer's values stopped being finite
    └── InterruptedTrainingError   exit code 130 or 143: a signal, after saving
"""

import difflib
from collections.abc import Iterable, Mapping

__all__ = [
    "ConfigError",
    "DataError",
    "FormatError",
    "InterruptedTrainingError",
    "NetworkError",
    "NotFiniteError",
    "RunError",
    "SeewellError",
    "TrainingStoppedError",
    "did_you_mean",
    "unknown_name",
]


class SeewellError(Exception):
    """What a user can mend: said in one message, never with a traceback on the command line.

    Args:
        what: What happened and where; one sentence.
        expected: What would have been right. May be empty.
        fix: What to do next. May be empty.
        details: More labelled lines, such as ``{"file": "a.png (0 bytes)"}``.

    Example:
        >>> print(DataError("a.png is empty.", expected="an image", fix="copy the file again"))
        DataError: a.png is empty.
          expected:  an image
          fix:       copy the file again
    """

    exit_code = 2

    def __init__(
        self, what: str, *, expected: str = "", fix: str = "", details: Mapping[str, object] | None = None
    ) -> None:
        self.what = what
        self.expected = expected
        self.fix = fix
        self.details = dict(details or {})
        super().__init__(what)

    def __str__(self) -> str:
        rows = {**self.details, "expected": self.expected, "fix": self.fix}
        lines = [f"{type(self).__name__}: {self.what}"]
        lines += [f"  {label + ':':<10} {text}" for label, text in rows.items() if text != ""]
        return "\n".join(lines)


class ConfigError(SeewellError):
    """A setting, its value, or a combination of settings cannot be used."""


class DataError(SeewellError):
    """A source, an image file, labels or a split cannot be used."""


class NetworkError(SeewellError):
    """An architecture, its arguments, or a size that does not fit it."""


class RunError(SeewellError):
    """A run folder, a checkpoint or a kept network cannot be used."""


class FormatError(SeewellError):
    """A foreign file is refused before it is loaded, is damaged, or holds what cannot be translated."""


class TrainingStoppedError(SeewellError):
    """Training ended before it was done; what was saved is intact."""

    exit_code = 3


class NotFiniteError(TrainingStoppedError):
    """The cost is not finite any more; names the layer and the batch where that began."""


class InterruptedTrainingError(TrainingStoppedError):
    """A signal ended the training after it was saved.

    Args:
        signal_number: The signal that arrived: SIGINT (2) or SIGTERM (15).
    """

    def __init__(
        self,
        what: str,
        *,
        signal_number: int,
        expected: str = "",
        fix: str = "",
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(what, expected=expected, fix=fix, details=details)
        self.exit_code = 128 + signal_number


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """The nearest valid name as a question, or an empty string where none is near.

    Example:
        >>> did_you_mean("convent", ["convnet", "vgg16"])
        'did you mean "convnet"?'
    """
    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else ""


def unknown_name(
    kind: str, name: str, valid: Iterable[str], *, error: type[SeewellError] = ConfigError
) -> SeewellError:
    """An error for a mistyped name: says what there is, and the nearest right one.

    Args:
        kind: What the name names, such as "network".
        name: What was given.
        valid: The names that exist.
        error: The class of the error.

    Returns:
        The error, to be raised by the caller.
    """
    names = sorted(valid)
    return error(
        f'there is no {kind} "{name}".',
        expected=", ".join(names),
        fix=did_you_mean(name, names) or f"choose one of the {len(names)} names above",
    )
