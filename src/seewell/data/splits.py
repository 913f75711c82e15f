"""Stratified splits that depend on a seed and on each image's own key, and on nothing else.

Images are ranked within their class by a hash of (seed, key), where the key is
the path of a file inside its source, or the row of an image in an array. So the
order of files on a disk, the version of NumPy and the number of threads have no
say, and a file that is added moves few others.

`stratified_order` lays all classes out so that the first images, however many,
hold every class in its proportion. A held-out part is then the head of that
order, and both parts are slices: a memory-mapped set needs no copy.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seewell.data.dataset import Labels
from seewell.seeds import derive_seed

__all__ = ["held_out_counts", "held_out_total", "stratified_order", "stratified_rows"]

_ALWAYS_FIRST, _ALWAYS_LAST = -1.0, 2.0


def stratified_order(labels: Labels, keys: Sequence[bytes] | None, *, seed: int, purpose: str) -> npt.NDArray[np.int64]:
    """An order of the rows whose every head is stratified.

    In a class of n images, the one of rank r stands at (r + 1/2) / n, from 0 to
    1; rows are sorted by where they stand. The first image of each class stands
    before all others and the last one behind all others, so that a class of two
    or more images is on both sides of any cut that `held_out_total` makes.

    Args:
        labels: int64 (N,).
        keys: A key for each row, unique within its class; the row numbers if None.
        seed: The split's seed.
        purpose: What is held out, such as "validation"; each purpose has ranks of its own.

    Returns:
        int64 (N,): row numbers.
    """
    salt = f"{derive_seed(seed, 'split', purpose)} ".encode()
    hashes = np.array(
        [
            int.from_bytes(hashlib.blake2b(salt + key, digest_size=8).digest(), "big")
            for key in (keys if keys is not None else (b"%d" % row for row in range(len(labels))))
        ],
        dtype=np.uint64,
    )
    place = np.empty(len(labels), dtype=np.float64)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        ranked = rows[np.argsort(hashes[rows], kind="stable")]
        place[ranked] = (np.arange(len(ranked)) + 0.5) / len(ranked)
        place[ranked[-1]] = _ALWAYS_LAST
        place[ranked[0]] = _ALWAYS_FIRST
    return np.lexsort((hashes, place)).astype(np.int64)


def held_out_counts(class_sizes: npt.NDArray[np.int64], fraction: float) -> npt.NDArray[np.int64]:
    """How many images of each class are held out: its share, rounded, at least one and never all.

    Args:
        class_sizes: int64 (K,), each at least 2.
        fraction: Between 0 and 1, both excluded.

    Returns:
        int64 (K,), each within one of ``fraction * class_sizes``.

    Example:
        >>> held_out_counts(np.array([2, 10, 1000]), 0.1).tolist()
        [1, 1, 100]
    """
    counts = []
    for size in class_sizes.tolist():
        places = (np.arange(1, max(1, size - 1)) + 0.5) / size
        counts.append(1 + int((places < fraction).sum()))
    return np.array(counts, dtype=np.int64)


def held_out_total(labels: Labels, fraction: float) -> int:
    """How many rows at the head of `stratified_order` are held out.

    Args:
        labels: int64 (N,), each class at least twice.
        fraction: Between 0 and 1, both excluded.
    """
    sizes = np.unique(labels, return_counts=True)[1].astype(np.int64)
    return int(held_out_counts(sizes, fraction).sum())


def stratified_rows(
    labels: Labels, fraction: float, *, seed: int, purpose: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows that stay and the rows that are held out, each in ascending order.

    Args:
        labels: int64 (N,), each class at least twice.
        fraction: The share to hold out, between 0 and 1.
        seed: The split's seed.
        purpose: What is held out, such as "validation" or "test".

    Returns:
        Two int64 arrays, disjoint and together complete.
    """
    order = stratified_order(labels, None, seed=seed, purpose=purpose)
    cut = held_out_total(labels, fraction)
    return np.sort(order[cut:]), np.sort(order[:cut])
