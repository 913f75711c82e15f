"""Names of files and classes: safe to print, and warned of where two look the same."""

import os
import unicodedata
from collections.abc import Iterable

__all__ = ["counted", "printable", "twins"]


def printable(name: str | os.PathLike[str]) -> str:
    r"""A file's name on one line and in valid Unicode, whatever its bytes are.

    Bytes that are not UTF-8 and characters that do not print (newlines, terminal
    escapes) are shown as escapes; all others stay as they are.

    Example:
        >>> printable("one\ntwo")
        'one\\ntwo'
        >>> printable("caf\udce9.png")
        'caf\\xe9.png'
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    Example:
        >>> counted(1, "file"), counted(2000, "file")
        ('1 file', '2,000 files')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def twins(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that differ only in case or in Unicode normal form (NFC against NFD).

    Such names become one on some file systems, and are hardly ever meant as two classes.

    Example:
        >>> twins(["cat", "Cat", "dog"])
        [('Cat', 'cat')]
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(unicodedata.normalize("NFC", name).casefold(), []).append(name)
    return [tuple(sorted(group)) for group in groups.values() if len(group) > 1]
