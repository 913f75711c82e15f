"""What an HDF5 file of weights may hold: plain arrays in groups, no more than the file has bytes for."""

from pathlib import Path
from typing import Any

from seewell.runs.gates.refusal import refusal

__all__ = ["FACTOR", "check_hdf5"]

FACTOR = 16
"""How much larger than the file its arrays may be, together (compressed ones)."""

_FILTERS = {1: "gzip", 2: "shuffle", 3: "fletcher32"}
_MOST_OBJECTS = 100_000
_DEEPEST = 40
_NUMBERS = "biuf"
_ARRAYS = "arrays of numbers in groups"


def check_hdf5(file: Any, size: int, path: Path) -> dict[str, tuple[int, ...]]:
    """Refuse links, arrays that lie elsewhere, foreign filters, and shapes that the file cannot hold.

    Args:
        file: An open ``h5py.File``; no array is read.
        size: Bytes of the file.
        path: The file it came from, for the message.

    Returns:
        The arrays' shapes by name.

    Raises:
        FormatError: Names the group or the array.
    """
    found: dict[str, tuple[int, ...]] = {}
    declared = [0]
    _check_group(file, path, found, {_address(file)}, declared, 0)
    if declared[0] > FACTOR * size:
        raise refusal(
            path,
            f"its arrays would take {declared[0]:,} bytes, and the file has {size:,}.",
            expected=f"at most {FACTOR} times the file's size",
        )
    return found


def _check_group(
    group: Any, path: Path, found: dict[str, tuple[int, ...]], seen: set[Any], declared: list[int], depth: int
) -> None:
    import h5py

    if depth > _DEEPEST:
        raise refusal(path, f"groups nested more than {_DEEPEST} deep.", expected=_ARRAYS)
    for name in group:
        link = group.get(name, getlink=True)
        place = f"{group.name.rstrip('/')}/{name}"
        if not isinstance(link, h5py.HardLink):
            raise refusal(path, f'"{place}" is a link to somewhere else ({type(link).__name__}).', expected=_ARRAYS)
        one = group.get(name)
        address = _address(one)
        if address in seen or len(seen) > _MOST_OBJECTS:
            raise refusal(path, f'"{place}" is in the file twice, or one of too many.', expected=_ARRAYS)
        seen.add(address)
        if isinstance(one, h5py.Group):
            _check_group(one, path, found, seen, declared, depth + 1)
        elif isinstance(one, h5py.Dataset):
            _check_array(one, place, path)
            found[place] = tuple(one.shape)
            declared[0] += one.size * one.dtype.itemsize
        else:
            raise refusal(path, f'"{place}" is a {type(one).__name__}.', expected=_ARRAYS)


def _check_array(one: Any, place: str, path: Path) -> None:
    if one.shape is None or (one.dtype.kind not in _NUMBERS and one.dtype.kind not in "VS"):
        raise refusal(path, f'"{place}" does not hold numbers but {one.dtype}.', expected=_ARRAYS)
    if one.is_virtual or one.external:
        raise refusal(path, f'"{place}" takes its values from another file.', expected=_ARRAYS)
    properties = one.id.get_create_plist()
    filters = [properties.get_filter(number)[0] for number in range(properties.get_nfilters())]
    if any(number not in _FILTERS for number in filters):
        raise refusal(
            path, f'"{place}" needs the filter {filters}.', expected=f"none, or {', '.join(_FILTERS.values())}"
        )
    nbytes = one.size * one.dtype.itemsize
    stored = one.id.get_storage_size()
    if nbytes > 2**16 and stored * (1024 if filters else 1) < nbytes:
        raise refusal(
            path,
            f'"{place}" declares the shape {one.shape}, {nbytes:,} bytes, and {stored:,} are stored.',
            expected="as many bytes as the shape says",
        )


def _address(one: Any) -> Any:
    import h5py

    return h5py.h5o.get_info(one.id).addr
