"""The one form of every refusal."""

from pathlib import Path

from seewell.data.names import printable
from seewell.errors import FormatError

__all__ = ["UNTRUSTED", "refusal"]

UNTRUSTED = "do not load it; ask whoever made it for weights as safetensors, or for a network of stock Keras layers"
"""What to do with a file that holds more than a network."""


def refusal(path: Path, what: str, *, expected: str, fix: str = UNTRUSTED) -> FormatError:
    """An error that names the file, what is wrong in it, and what to do.

    Args:
        path: The foreign file or folder.
        what: What was found; a sentence.
        expected: What may be there.
        fix: What to do.

    Returns:
        The error, to be raised by the caller.
    """
    said = printable(" ".join(what.split())[:400])
    return FormatError(
        f"{printable(path.name)} is refused: {said}", expected=expected, fix=fix, details={"file": printable(path)}
    )
