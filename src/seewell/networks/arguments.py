"""The arguments of an architecture: from the text of a command line or Python values to a typed dataclass.

Each architecture declares a frozen dataclass whose fields are made by
`argument`: a default, a reader that turns a value into its type, and a line of
help. `read_arguments` fills it. No Keras here, so that a command line can
check a network's text before TensorFlow is imported.
"""

import dataclasses
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from seewell.errors import NetworkError, did_you_mean, unknown_name

__all__ = [
    "argument",
    "argument_defaults",
    "argument_help",
    "blocks",
    "choice",
    "integer",
    "parse_network",
    "read_arguments",
    "widths",
]

LARGEST_WIDTH = 65_536
"""More filters or units than this in one layer is taken for a slip."""

Arguments = TypeVar("Arguments")


def argument(default: Any, read: Callable[[object], Any], explain: str) -> Any:
    """A field of an architecture's dataclass of arguments.

    Args:
        default: The typed default.
        read: Turns what a user gave into the field's type; raises ValueError
            with a text that says what is expected ("a whole number from 1 to 11").
        explain: One line of help.
    """
    return dataclasses.field(default=default, metadata={"read": read, "explain": explain})


def integer(low: int, high: int) -> Callable[[object], int]:
    """A reader of whole numbers from ``low`` to ``high``, given as text or as an integer."""
    expected = f"a whole number from {low} to {high:,}"

    def read(value: object) -> int:
        if isinstance(value, bool):
            raise ValueError(expected)
        try:
            number = int(value) if isinstance(value, str) else operator.index(value)  # type: ignore[arg-type]
        except (TypeError, ValueError) as error:
            raise ValueError(expected) from error
        if not low <= number <= high:
            raise ValueError(expected)
        return number

    return read


def choice(*names: str) -> Callable[[object], str]:
    """A reader of one of ``names``."""

    def read(value: object) -> str:
        if value not in names:
            near = did_you_mean(str(value), names)
            raise ValueError(" or ".join(names) + (f" ({near})" if near else ""))
        return str(value)

    return read


_width = integer(1, LARGEST_WIDTH)


def widths(value: object) -> tuple[int, ...]:
    """Read the widths of layers: "500-500", one number, or a list of numbers.

    Raises:
        ValueError: It is none of these; the text says what is expected.

    Example:
        >>> widths("500-300")
        (500, 300)
    """
    parts: Iterable[object]
    if isinstance(value, str):
        parts = value.split("-")
    elif isinstance(value, Iterable):
        parts = list(value)
    else:
        parts = [value]
    try:
        numbers = tuple(_width(part) for part in parts)
    except ValueError as error:
        raise ValueError(f"numbers from 1 to {LARGEST_WIDTH:,} joined by -, such as 64-128") from error
    if not numbers:
        raise ValueError("at least one number, such as 64-128")
    return numbers


def blocks(value: object) -> tuple[tuple[int, ...], ...]:
    """Read the widths of blocks of convolutions.

    "64-128" is one number a block. "64-64/128-128-128" spells out each
    convolution: a slash ends a block. "64-64/" is a single block of two.
    From Python, a list of numbers or a list of lists says the same.

    Raises:
        ValueError: It is none of these; the text says what is expected.

    Example:
        >>> blocks("64-128")
        ((64,), (128,))
        >>> blocks("64-64/128")
        ((64, 64), (128,))
    """
    if isinstance(value, str) and "/" in value:
        return tuple(widths(part) for part in value.removesuffix("/").split("/"))
    if isinstance(value, Iterable) and not isinstance(value, str):
        parts = list(value)
        if parts and all(isinstance(part, Iterable) and not isinstance(part, str) for part in parts):
            return tuple(widths(part) for part in parts)
    return tuple((width,) for width in widths(value))


def parse_network(text: str) -> tuple[str, dict[str, str]]:
    """Split "NAME:argument=value,argument=value" into the name and its arguments.

    Neither the name nor the arguments are looked up here; `build_network` does that.

    Args:
        text: Such as "vgg16" or "convnet:widths=64-128,padding=valid,stride=2".

    Returns:
        The name and the arguments as text, in the order given.

    Raises:
        NetworkError: No name, a part that is not argument=value, or an argument given twice.

    Example:
        >>> parse_network("convnet:widths=64-128,padding=valid")
        ('convnet', {'widths': '64-128', 'padding': 'valid'})
    """
    name, colon, rest = text.partition(":")
    name = name.strip()
    expected = "NAME or NAME:argument=value,argument=value"
    if not name:
        raise NetworkError(f'"{text}" names no network.', expected=expected, fix="put a name before the colon")
    arguments: dict[str, str] = {}
    for part in rest.split(",") if colon else []:
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not (key and equals and value):
            raise NetworkError(
                f'"{part}" in "{text}" is not an argument with a value.',
                expected=expected,
                fix=f"write {key or 'argument'}=VALUE" if colon and part.strip() else "leave out the empty part",
            )
        if key in arguments:
            raise NetworkError(f'"{text}" gives {key} twice.', expected=expected, fix="keep one of them")
        arguments[key] = value
    return name, arguments


def read_arguments(kind: type[Arguments], given: Mapping[str, object] | None, *, network: str) -> Arguments:
    """Fill an architecture's dataclass of arguments from what a user gave.

    Args:
        kind: The dataclass; its fields are made by `argument`.
        given: Names and values; values may be text, as from a command line.
        network: The architecture's name, for messages.

    Returns:
        The dataclass with every value read and the rest at its default.

    Raises:
        NetworkError: An unknown argument, or a value that cannot be read.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in (given or {}).items():
        if name not in fields:
            if not fields:
                raise NetworkError(
                    f'{network} takes no arguments, and "{name}" was given.', fix=f"write --network {network}"
                )
            raise unknown_name(f"argument of {network}", name, fields, error=NetworkError)
        try:
            values[name] = fields[name].metadata["read"](value)
        except ValueError as error:
            raise NetworkError(
                f"{network}: {name}={value} cannot be used.",
                expected=f"{name}: {error}",
                fix=f"the default is {name}={as_text(fields[name].default)}",
            ) from error
    return kind(**values)


def as_text(value: object) -> str | int:
    """A typed value as a user would write it: tuples joined by "-", blocks by "/"; numbers stay numbers.

    Example:
        >>> as_text(((64, 64), (128,)))
        '64-64/128'
    """
    if isinstance(value, int):
        return value
    if not isinstance(value, tuple):
        return str(value)
    if not all(isinstance(part, tuple) for part in value):
        return "-".join(str(part) for part in value)
    if all(len(part) == 1 for part in value):
        return "-".join(str(part[0]) for part in value)
    return "/".join(str(as_text(part)) for part in value) + ("/" if len(value) == 1 else "")


def argument_defaults(kind: type[Any]) -> dict[str, str | int]:
    """The defaults of a dataclass of arguments, as a user would write them."""
    return {field.name: as_text(field.default) for field in dataclasses.fields(kind)}


def argument_help(kind: type[Any]) -> dict[str, str]:
    """One line of help for each argument of a dataclass of arguments."""
    return {field.name: field.metadata["explain"] for field in dataclasses.fields(kind)}
